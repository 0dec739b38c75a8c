import { describe, expect, test } from 'vitest';

import { MemorySnapshot, openDisk, openReceiver, overTheWire, requestOf, sentBy } from '../../test/transfer-world.ts';
import type { TransferMessage } from '../wire/transfer-message.ts';
import type { PinnedSnapshot } from './snapshot-source.ts';
import { TransferShipper, type TransferShipperOptions } from './transfer-shipper.ts';

interface World {
  readonly shipper: TransferShipper;
  readonly pinned: MemorySnapshot;
  readonly sent: TransferMessage[];
}

function openWorld(options: Partial<TransferShipperOptions> = {}): World {
  const pinned = new MemorySnapshot();
  const sent: TransferMessage[] = [];
  const shipper = new TransferShipper({
    source: { pin: async () => pinned },
    send: (message) => void sent.push(overTheWire(message)),
    random: (limit) => limit - 1,
    chunkBytes: 16,
    retryTicks: 2,
    maxRetries: 1,
    ...options,
  });
  return { shipper, pinned, sent };
}

/** Lets `ship` pin and offer. */
async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await Promise.resolve();
}

function codeOf(error: unknown): string {
  return (error as { readonly code: string }).code;
}

describe('TransferShipper', () => {
  test('ends when the peer has everything', async () => {
    const { shipper, pinned, sent } = openWorld();
    const receiver = openReceiver(await openDisk());
    let isShipped = false;
    const shipping = shipper.ship(requestOf(11), new AbortController().signal).then(() => (isShipped = true));
    await settled();

    for (let message = sent.shift(); message !== undefined; message = sent.shift()) {
      expect(isShipped).toBe(false);
      if (message.kind !== 'snapshot-offer' && message.kind !== 'snapshot-chunk') continue;
      for (const answer of sentBy(await receiver.receive(message))) {
        if (answer.kind !== 'snapshot-offer' && answer.kind !== 'snapshot-chunk') await shipper.receive(answer);
      }
    }

    await shipping;
    expect([pinned.pins, shipper.progress.size]).toEqual([0, 0]);
  });

  test('tells why it could not be delivered', async () => {
    const { shipper, pinned } = openWorld();
    const shipping = shipper.ship(requestOf(11), new AbortController().signal).catch(String);
    await settled();

    const transfer = Number.MAX_SAFE_INTEGER;
    await shipper.receive({ kind: 'snapshot-refusal', from: 3, to: 1, transfer, round: 1, reason: 'no-room' });

    expect(await shipping).toBe('RaftError: a snapshot was not delivered to node 3: no-room');
    expect(pinned.pins).toBe(0);
  });

  test('gives up a peer that says nothing', async () => {
    const { shipper, sent } = openWorld();
    const shipping = shipper.ship(requestOf(11), new AbortController().signal).catch(codeOf);
    await settled();

    for (let i = 0; i < 4; i++) shipper.tick();

    expect(await shipping).toBe('KAYA_RAFT_DROPPED');
    expect(sent.map(({ kind }) => kind)).toEqual(['snapshot-offer', 'snapshot-offer']);
  });

  test('offers it again over a new connection', async () => {
    const { shipper, sent } = openWorld();
    const stop = new AbortController();
    const shipping = shipper.ship(requestOf(11), stop.signal).catch(() => 'stopped');
    await settled();

    shipper.connected(3);
    shipper.connected(2);

    expect(sent).toMatchObject([{ round: 1 }, { round: 2 }]);
    stop.abort();
    expect(await shipping).toBe('stopped');
  });

  test.each([true, false])('lets go of the snapshot when the node stops (before it is offered: %s)', async (early) => {
    const { shipper, pinned, sent } = openWorld();
    const stop = new AbortController();
    if (early) stop.abort(new Error('stopped'));

    const shipping = shipper.ship(requestOf(11), stop.signal).catch(String);
    await settled();
    stop.abort(new Error('stopped'));

    expect(await shipping).toBe('Error: stopped');
    expect([pinned.pins, sent.length]).toEqual([0, early ? 0 : 1]);
    shipper.tick();
    await shipper.receive({ kind: 'snapshot-done', from: 3, to: 1, transfer: Number.MAX_SAFE_INTEGER });
  });

  test('passes on what the source says when there is no such snapshot', async () => {
    const { shipper } = openWorld({ source: { pin: () => Promise.reject(new Error('gone')) } });

    await expect(shipper.ship(requestOf(11), new AbortController().signal)).rejects.toThrow('gone');
  });

  test('lets go of files that cannot be sent, and goes on with others', async () => {
    let pins = 0;
    const pin = async (): Promise<PinnedSnapshot> => {
      pins++;
      return { files: [{ name: '..', bytes: 1, crc: 1 }], read: async () => 0, unpin: () => void pins-- };
    };
    const { shipper } = openWorld({ source: { pin } });

    const shipping = shipper.ship(requestOf(11), new AbortController().signal);

    await expect(shipping).rejects.toThrow(RangeError);
    expect([pins, shipper.progress.size]).toEqual([0, 0]);
    expect(() => shipper.tick()).not.toThrow();
  });

  test('ends a shipment whose messages cannot be sent, and is not stopped by it', async () => {
    const { shipper, pinned } = openWorld({
      send: () => {
        throw new Error('no connection');
      },
    });

    const shipping = shipper.ship(requestOf(11), new AbortController().signal);

    await expect(shipping).rejects.toThrow('no connection');
    expect(pinned.pins).toBe(0);
    expect(() => shipper.tick()).not.toThrow();
  });

  test('ends, when it is called off, only after the read that is under way', async () => {
    const { shipper, pinned } = openWorld();
    let finish: () => void = () => {};
    pinned.read = (_file, buffer) =>
      new Promise((resolve) => {
        finish = () => resolve(buffer.length);
      });
    const stop = new AbortController();
    let isOver = false;
    const shipping = shipper.ship(requestOf(11), stop.signal).catch(() => (isOver = true));
    await settled();
    const transfer = Number.MAX_SAFE_INTEGER;
    const place = { from: 3, to: 1, transfer, round: 1, file: 0, offset: 0, windowBytes: 48, isRewind: false };
    const reading = shipper.receive({ kind: 'snapshot-position', ...place });
    await settled();

    stop.abort(new Error('stopped'));
    await settled();
    const during = [isOver, pinned.pins];
    finish();
    await Promise.all([shipping, reading]);

    expect([during, isOver, pinned.pins]).toEqual([[false, 1], true, 0]);
  });
});
