import { concatBytes, decodeUtf8, encodeUtf8 } from '@kayadb/codec';
import { seededRandom, settle, testSeed, VirtualClock } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import type { Connection } from '../network.ts';
import type { TransportError } from '../transport-error.ts';
import { MemoryNetwork } from './memory-network.ts';

const PORT = 7379;

interface Ends {
  readonly near: Connection;
  readonly far: Connection;
}

async function openEnds(network: MemoryNetwork): Promise<Ends> {
  const accepted: Connection[] = [];
  await network.listen({ host: '127.0.0.1', port: PORT, onConnection: (connection) => accepted.push(connection) });
  const dialing = network.dial({ host: '127.0.0.1', port: PORT, timeoutMs: 1000 });
  network.pump();
  return { near: await dialing, far: accepted[0]! };
}

function record(connection: Connection): string[] {
  const chunks: string[] = [];
  connection.onData((chunk) => chunks.push(decodeUtf8(chunk)));
  return chunks;
}

describe('MemoryNetwork', () => {
  test('moves nothing by itself when delivery is manual', async () => {
    const network = new MemoryNetwork({ clock: new VirtualClock(), delivery: 'manual' });
    const { near, far } = await openEnds(network);
    const atFar = record(far);

    near.send(encodeUtf8('abc'));
    await settle();
    const before = [...atFar];
    network.pump();

    expect(before).toEqual([]);
    expect(atFar).toEqual(['abc']);
    expect(network.pendingSteps).toBe(0);
  });

  test('moves one chunk per step', async () => {
    const network = new MemoryNetwork({ clock: new VirtualClock(), delivery: 'manual', nextChunkBytes: () => 2 });
    const { near, far } = await openEnds(network);
    const atFar = record(far);
    network.pump();

    near.send(encodeUtf8('abcde'));
    network.pump(2);
    const afterTwo = [...atFar];
    network.pump();

    expect(afterTwo).toEqual(['ab']);
    expect(atFar).toEqual(['ab', 'cd', 'e']);
  });

  test('keeps the bytes whatever the sizes of the chunks', async () => {
    const random = seededRandom(testSeed());
    const network = new MemoryNetwork({ clock: new VirtualClock(), nextChunkBytes: () => 1 + random.int(999) });
    const { near, far } = await openEnds(network);
    const sent = Array.from({ length: 50 }, () => random.bytes(random.int(2001)));
    const received: Uint8Array[] = [];
    far.onData((chunk) => received.push(chunk));
    near.onData(() => {});

    for (const bytes of sent) near.send(bytes);
    await near.close();

    expect(Buffer.compare(concatBytes(received), concatBytes(sent))).toBe(0);
  });

  test('holds a port: bytes stand still and dials wait, until it is released', async () => {
    const clock = new VirtualClock();
    const network = new MemoryNetwork({ clock });
    const { near, far } = await openEnds(network);
    const atFar = record(far);

    network.hold(PORT);
    near.send(encodeUtf8('slow'));
    const waiting = network.dial({ host: '127.0.0.1', port: PORT, timeoutMs: 1000 });
    const expiring = network.dial({ host: '127.0.0.1', port: PORT, timeoutMs: 10 });
    const expired = expiring.then(
      () => 'connected',
      (error: unknown) => (error as TransportError).code,
    );
    await clock.advanceAsync(10);
    const whileHeld = [...atFar];
    network.release(PORT);
    await settle();

    expect(await expired).toBe('KAYA_DIAL_TIMEOUT');
    expect(whileHeld).toEqual([]);
    expect(atFar).toEqual(['slow']);
    expect((await waiting).isOpen).toBe(true);
  });

  test('holds and cuts one link of several, and holds back that an end was given up', async () => {
    const network = new MemoryNetwork({ clock: new VirtualClock() });
    const accepted: Connection[] = [];
    await network.listen({ host: '0.0.0.0', port: PORT, onConnection: (connection) => accepted.push(connection) });
    const dials = ['10.0.0.1', '10.0.0.2'].map(async (host) =>
      network.from(host).dial({ host: 'x', port: PORT, timeoutMs: 9 }),
    );
    const [first, second] = await Promise.all(dials);
    const heard = accepted.map(record);

    network.hold(PORT, '10.0.0.1');
    first?.send(encodeUtf8('held'));
    second?.send(encodeUtf8('free'));
    await settle();
    first?.destroy();
    await settle();
    const whileHeld = [accepted[0]?.isOpen, ...heard.map((chunks) => chunks.join())];
    network.release(PORT, '10.0.0.1');
    network.cut(PORT, '10.0.0.2');

    expect(whileHeld).toEqual([true, '', 'free']);
    expect((await accepted[0]?.closed)?.message).toContain('gave the connection up');
    expect((await second?.closed)?.message).toContain('the line was cut');
  });

  test('cuts connections: both ends are told, and the counts follow', async () => {
    const network = new MemoryNetwork({ clock: new VirtualClock() });
    const { near, far } = await openEnds(network);
    const before = network.openConnections(PORT);

    network.cut(PORT);

    expect(before).toBe(1);
    expect((await near.closed)?.code).toBe('KAYA_CONNECTION_LOST');
    expect((await far.closed)?.code).toBe('KAYA_CONNECTION_LOST');
    expect(network.openConnections(PORT)).toBe(0);
  });

  test('dials from any address, and each has its own share', async () => {
    const network = new MemoryNetwork({ clock: new VirtualClock() });
    const hosts: string[] = [];
    const listener = await network.listen({
      host: '0.0.0.0',
      port: PORT,
      limits: { maxConnections: 2, maxConnectionsPerAddress: 1 },
      onConnection: (connection) => hosts.push(connection.remoteAddress.host),
    });

    for (const host of ['10.0.0.1', '10.0.0.1', '10.0.0.2', '10.0.0.3']) {
      await network.from(host).dial({ host: '10.0.0.9', port: PORT, timeoutMs: 1000 });
    }

    expect(hosts).toEqual(['10.0.0.1', '10.0.0.2']);
    expect(listener.counts).toMatchObject({ open: 2, accepted: 2, refusedTotal: 1, refusedPerAddress: 1 });
  });
});
