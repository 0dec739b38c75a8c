import { describe, expect, test } from 'vitest';

import { CONTENTS, MemorySnapshot, openSender as openAnySender, sentBy } from '../../test/transfer-world.ts';
import type { SnapshotPosition, SnapshotRefusal, TransferMessage } from '../wire/transfer-message.ts';
import type { SnapshotSender, SnapshotSenderOptions } from './snapshot-sender.ts';
import type { PinnedSnapshot } from './snapshot-source.ts';

function positionAt(file: number, offset: number, change: Partial<SnapshotPosition> = {}): SnapshotPosition {
  const place = { transfer: 77, round: 1, file, offset, windowBytes: 48, isRewind: false };
  return { kind: 'snapshot-position', from: 3, to: 1, ...place, ...change };
}

function refusalOf(reason: SnapshotRefusal['reason'], round = 1): SnapshotRefusal {
  return { kind: 'snapshot-refusal', from: 3, to: 1, transfer: 77, round, reason };
}

function openSender(options: Partial<SnapshotSenderOptions> = {}): SnapshotSender {
  return openAnySender({ chunkBytes: 16, ...options });
}

/** Places of the chunks among what was sent, and the rounds of offers. */
function sketch(effects: Parameters<typeof sentBy>[0]): readonly string[] {
  return sentBy(effects).map((message) => {
    if (message.kind === 'snapshot-chunk') {
      return `${message.round}: ${message.file} ${message.offset}+${message.data.length}`;
    }
    return message.kind === 'snapshot-offer' ? `${message.round}: offer` : message.kind;
  });
}

describe('SnapshotSender', () => {
  test('offers the snapshot, and sends nothing before it is answered', async () => {
    const sender = openSender();

    const offered = sender.offer();

    expect(sentBy(offered)).toMatchObject([{ kind: 'snapshot-offer', round: 1, files: new MemorySnapshot().files }]);
    expect(sender.tick()).toEqual([]);
  });

  test('fills the window, and goes on as far as it moves', async () => {
    const sender = openSender();
    sender.offer();

    expect(sketch(await sender.receive(positionAt(0, 0)))).toEqual(['1: 0 0+16', '1: 0 16+16', '1: 0 32+8']);
    expect(sketch(await sender.receive(positionAt(0, 16)))).toEqual(['1: 2 0+16', '1: 3 0+5']);
    expect(sketch(await sender.receive(positionAt(2, 8)))).toEqual([]);
    expect(sender.progress).toEqual({ arrivedBytes: 48, totalBytes: 61 });
  });

  test('cuts no chunk to what is left of the window, or they would get smaller and smaller', async () => {
    const pinned = new MemorySnapshot(
      Array.from({ length: 50 }, (_, at) => [`table-${100 + at}`, new Uint8Array(30 + (at % 7))] as const),
    );
    const sender = openSender({ pinned, windowBytes: 60 });
    const sizes: number[] = [];
    const sent = sentBy(sender.offer());
    let place = { file: 0, offset: 0 };

    for (let chunk: TransferMessage | undefined = sent.shift(); chunk !== undefined; chunk = sent.shift()) {
      if (chunk.kind === 'snapshot-chunk') {
        sizes.push(chunk.data.length);
        const end = chunk.offset + chunk.data.length;
        const isWhole = end === pinned.files[chunk.file]!.bytes;
        place = isWhole ? { file: chunk.file + 1, offset: 0 } : { file: chunk.file, offset: end };
      }
      if (place.file === pinned.files.length) break;
      sent.push(...sentBy(await sender.receive(positionAt(place.file, place.offset, { windowBytes: 1000 }))));
    }

    // Three to a file: two whole ones and the rest.
    expect(sizes.length).toBeLessThanOrEqual(3 * 50);
    expect(place.file).toBe(50);
  });

  test('goes on with a receiver whose window is smaller than a chunk', async () => {
    const sender = openSender();
    sender.offer();

    expect(sketch(await sender.receive(positionAt(0, 0, { windowBytes: 5 })))).toEqual(['1: 0 0+5']);
    expect(sketch(await sender.receive(positionAt(0, 5, { windowBytes: 5 })))).toEqual(['1: 0 5+5']);
    expect(sketch(await sender.receive(positionAt(0, 10, { windowBytes: 0 })))).toEqual([]);
  });

  test('never has more on its way than its own window, whatever the receiver allows', async () => {
    const sender = openSender({ windowBytes: 20 });
    sender.offer();

    const effects = await sender.receive(positionAt(0, 0, { windowBytes: 2 ** 32 - 1 }));

    expect(sketch(effects)).toEqual(['1: 0 0+16']);
  });

  test('begins where the receiver needs it', async () => {
    const sender = openSender();
    sender.offer();

    expect(sketch(await sender.receive(positionAt(2, 3)))).toEqual(['1: 2 3+13', '1: 3 0+5']);
  });

  test('begins a new round where it is told to', async () => {
    const sender = openSender();
    sender.offer();
    await sender.receive(positionAt(0, 0));

    const again = await sender.receive(positionAt(0, 16, { isRewind: true, windowBytes: 16 }));
    const late = await sender.receive(positionAt(0, 32));

    expect(sketch(again)).toEqual(['2: 0 16+16']);
    expect(late).toEqual([]);
  });

  test('takes no answer to another transfer or round, and no place that it did not send', async () => {
    const sender = openSender();
    sender.offer();

    const before = await Promise.all([
      sender.receive(positionAt(0, 0, { transfer: 78 })),
      sender.receive(positionAt(0, 0, { round: 2 })),
      sender.receive({ kind: 'snapshot-done', from: 3, to: 1, transfer: 78 }),
      sender.receive(positionAt(0, 40)),
      sender.receive(positionAt(1, 0)),
      sender.receive(positionAt(4, 0)),
      sender.receive(positionAt(65_536, 0)),
    ]);
    await sender.receive(positionAt(0, 0, { windowBytes: 16 }));
    const ahead = await sender.receive(positionAt(2, 0));

    expect(before.flat()).toEqual([]);
    expect(ahead).toEqual([]);
  });

  test('ends when all has arrived, and unpins the snapshot once', async () => {
    const pinned = new MemorySnapshot();
    const sender = openSender({ pinned });
    sender.offer();
    const done = { kind: 'snapshot-done', from: 3, to: 1, transfer: 77 } as const;

    expect(await sender.receive(done)).toEqual([{ kind: 'delivered', to: 3 }]);

    sender.cancel();
    expect(await sender.receive(done)).toEqual([]);
    expect([sender.isOver, pinned.pins, sender.offer(), sender.tick(), sender.tick(), sender.tick()]).toEqual([
      true,
      0,
      [],
      [],
      [],
      [],
    ]);
  });

  test.each(['older', 'busy', 'no-room', 'storage', 'checksum', 'overrun'] as const)(
    'gives up when it is refused as %s',
    async (reason) => {
      const pinned = new MemorySnapshot();
      const sender = openSender({ pinned });
      sender.offer();

      expect(await sender.receive(refusalOf(reason))).toEqual([{ kind: 'failed', to: 3, reason, cause: undefined }]);

      expect(pinned.pins).toBe(0);
    },
  );

  test('offers it again to a receiver that does not know of it', async () => {
    const sender = openSender();
    sender.offer();
    await sender.receive(positionAt(0, 0));

    expect(sketch(await sender.receive(refusalOf('unknown')))).toEqual(['2: offer']);
    expect(sketch(await sender.receive(refusalOf('unknown')))).toEqual([]);
    expect(sketch(await sender.receive(positionAt(0, 32, { round: 2 })))).toEqual([
      '2: 0 32+8',
      '2: 2 0+16',
      '2: 3 0+5',
    ]);
  });

  test('offers it again when nothing moves, and gives up in the end', () => {
    const pinned = new MemorySnapshot();
    const sender = openSender({ pinned, retryTicks: 2, maxRetries: 2 });
    const told = [sketch(sender.offer())];

    for (let i = 0; i < 5; i++) told.push(sketch(sender.tick()));
    const last = sender.tick();

    expect(told).toEqual([['1: offer'], [], ['2: offer'], [], ['3: offer'], []]);
    expect(last).toEqual([{ kind: 'failed', to: 3, reason: 'silent', cause: undefined }]);
    expect(pinned.pins).toBe(0);
  });

  test('has patience with a receiver that moves, however slowly', async () => {
    const sender = openSender({ retryTicks: 2, maxRetries: 1 });
    sender.offer();

    for (let offset = 0; offset < 40; offset++) {
      await sender.receive(positionAt(0, offset, { windowBytes: 1 }));
      expect(sender.tick()).toEqual([]);
    }
  });

  test('gives up on a receiver that asks again and again for the same', async () => {
    const sender = openSender({ maxRetries: 3 });
    sender.offer();
    await sender.receive(positionAt(0, 0));

    let effects: Awaited<ReturnType<typeof sender.receive>> = [];
    for (let round = 1; round <= 4; round++) {
      effects = await sender.receive(positionAt(0, 0, { round, isRewind: true }));
    }

    expect(effects).toEqual([{ kind: 'failed', to: 3, reason: 'checksum', cause: undefined }]);
  });

  test.each([
    ['cannot be read', new Error('no such file')],
    ['is shorter than it was', undefined],
  ])('gives up when a file %s', async (_what, error) => {
    const pinned = new MemorySnapshot();
    pinned.readFrom = () => {
      if (error !== undefined) throw error;
      return new Uint8Array(3);
    };
    const sender = openSender({ pinned });
    sender.offer();

    const effects = await sender.receive(positionAt(0, 0));

    expect(effects).toMatchObject([
      { kind: 'failed', to: 3, reason: 'source', cause: error ?? { name: 'RangeError' } },
    ]);
    expect(pinned.pins).toBe(0);
  });

  test('drops what it read for a round that ended meanwhile', async () => {
    const sender = openSender();
    sender.offer();

    const reading = sender.receive(positionAt(0, 0));
    await Promise.resolve();
    await Promise.resolve();
    const offered = sender.offer();

    expect(await reading).toEqual([]);
    expect(sketch(offered)).toEqual(['2: offer']);
    expect(sketch(await sender.receive(positionAt(0, 0, { round: 2, windowBytes: 16 })))).toEqual(['2: 0 0+16']);
  });

  test('sends what the files hold', async () => {
    const sender = openSender();
    sender.offer();

    const chunks = sentBy(await sender.receive(positionAt(0, 0)));

    const bytes = chunks.flatMap((chunk) =>
      chunk.kind === 'snapshot-chunk' && chunk.file === 0 ? [...chunk.data] : [],
    );
    expect(bytes).toEqual([...CONTENTS[0]![1]]);
  });

  test('keeps the files until what is being read of them was read', async () => {
    const pinned = new MemorySnapshot();
    let finish: () => void = () => {};
    pinned.read = (_file, buffer) =>
      new Promise((resolve) => {
        finish = () => resolve(buffer.length);
      });
    const sender = openSender({ pinned });
    sender.offer();
    const reading = sender.receive(positionAt(0, 0));
    await Promise.resolve();
    await Promise.resolve();

    sender.cancel();
    const during = pinned.pins;
    finish();
    await sender.released;

    expect([during, pinned.pins]).toEqual([1, 0]);
    expect(await reading).toEqual([]);
  });

  test('looks at so many answers and no more while files are read', async () => {
    const pinned = new MemorySnapshot();
    let finish: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const read = pinned.read.bind(pinned);
    pinned.read = async (file, buffer, offset) => {
      await gate;
      return await read(file, buffer, offset);
    };
    const sender = openSender({ pinned, maxRetries: 1000 });
    sender.offer();
    const first = sender.receive(positionAt(0, 0));

    const flood = Array.from({ length: 300 }, () => sender.receive(positionAt(0, 0)));
    const dropped = await Promise.race([flood[299]!, first]);
    finish();

    expect(dropped).toEqual([]);
    expect(sketch(await first)).toEqual(['1: 0 0+16', '1: 0 16+16', '1: 0 32+8']);
    expect((await Promise.all(flood)).flat()).toEqual([]);
  });

  test.each([
    [
      'that do not ascend',
      [
        { name: 'b', bytes: 1, crc: 1 },
        { name: 'a', bytes: 1, crc: 1 },
      ],
    ],
    ['with a name that leads elsewhere', [{ name: '../CURRENT', bytes: 1, crc: 1 }]],
    ['of impossible sizes', [{ name: 'a', bytes: 2 ** 53, crc: 1 }]],
    ['without bytes and with a checksum', [{ name: 'a', bytes: 0, crc: 1 }]],
    [
      'in too large a number',
      Array.from({ length: 65_537 }, (_, at) => ({ name: `f${10_000_000 + at}`, bytes: 1, crc: 1 })),
    ],
  ])('takes no files %s', (_what, files) => {
    const pinned: PinnedSnapshot = { files, read: async () => 0, unpin: () => {} };

    expect(() => openSender({ pinned })).toThrow(RangeError);
  });
});
