/** The client and three real nodes: what its callers notice of leaders that go, nodes that are cut off, and a quorum that is lost. */

import { decodeUtf8 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import { type Client, ClientError } from '../src/index.ts';
import { NodeWorld } from './support/node-world.ts';

/** A put that would be refused if it were done twice. */
async function putOnce(client: Client, key: string): Promise<boolean> {
  const { isApplied } = await client.compareAndBatch({
    conditions: [{ kind: 'exists', key, exists: false }],
    operations: [{ kind: 'put', key, value: key }],
  });
  return isApplied;
}

async function failureOf(promise: Promise<unknown>): Promise<ClientError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ClientError)) throw new Error(`expected a ClientError, got ${String(error)}`);
  return error;
}

async function count(client: Client): Promise<number> {
  let rows = 0;
  for await (const { key } of client.scan('')) rows += key.length > 0 ? 1 : 0;
  return rows;
}

describe('A client of three nodes', { timeout: 60_000 }, () => {
  test('finds the leader, and is told where each write stands', async () => {
    await using world = await NodeWorld.open(3);
    const client = world.connect();

    const first = await client.put('a', '1');
    const second = await client.put('a', '2');

    const leader = world.cluster.clientAddressOf(world.cluster.leader ?? 0);
    expect(second.revision).toBeGreaterThan(first.revision);
    expect(second.term).toBe(first.term);
    expect(await client.getRow('a')).toMatchObject({ revision: second.revision });
    expect(await client.status()).toMatchObject({ node_id: world.cluster.leader });
    expect(world.events.filter(({ kind }) => kind === 'leader-changed').length).toBeLessThan(2);
    expect(world.events.map(({ kind }) => kind)).toContain('session-opened');
    expect((await client.members())['leader_address']).toBe(leader);
  });

  test.each(['stopped in order', 'cut off'])(
    'fails no write while the leader is %s, and does each once',
    async (how) => {
      await using world = await NodeWorld.open(3);
      const client = world.connect();
      await putOnce(client, 'first');
      const lost = world.cluster.leader!;
      const writes: Promise<boolean>[] = [];

      for (let at = 0; at < 300; at++) {
        writes.push(putOnce(client, `key ${at}`));
        if (at === 100) void (how === 'cut off' ? world.cluster.isolate(lost) : world.cluster.stop(lost));
        if (at % 10 === 0) await new Promise(setImmediate);
      }
      const outcomes = await Promise.all(writes);

      expect(new Set(outcomes)).toEqual(new Set([true]));
      expect(await count(client)).toBe(301);
      expect(world.cluster.leader).not.toBe(lost);
      world.cluster.rejoin(lost);
    },
  );

  test('goes on when the one that it was told of is lost, though that one led and named nobody', async () => {
    await using world = await NodeWorld.open(3);
    const lost = world.cluster.leader!;
    await world.until('all know all', () => world.cluster.node(lost).view.machine!.members.length === 3);
    const client = world.connect({}, [world.cluster.clientAddressOf(lost)]);
    await putOnce(client, 'first');
    await client.members();

    world.cluster.isolate(lost);
    const isDone = await putOnce(client, 'second');

    expect(isDone).toBe(true);
    expect(world.cluster.leader).not.toBe(lost);
    world.cluster.rejoin(lost);
  });

  test('reads on with less when the quorum is lost, and says why a write can not be done', async () => {
    await using world = await NodeWorld.open(3);
    const client = world.connect();
    await client.put('a', '1');
    const leader = world.cluster.leader!;
    await world.until('all have it', () =>
      [1, 2, 3].every((node) => (world.cluster.node(node).view.raft?.appliedIndex ?? 0) >= 3),
    );
    for (const node of [1, 2, 3]) if (node !== leader) world.cluster.isolate(node);

    const write = await failureOf(client.put('b', '2', { deadlineMs: 8_000 }));
    const read = await failureOf(client.get('a', { deadlineMs: 8_000 }));
    const stale = await client.get('a', { level: 'stale', deadlineMs: 20_000 });

    expect(['KAYA_UNKNOWN_OUTCOME', 'KAYA_NOT_LEADER', 'KAYA_NO_QUORUM', 'KAYA_UNAVAILABLE']).toContain(write.code);
    expect(['KAYA_NO_QUORUM', 'KAYA_NOT_LEADER', 'KAYA_TIMEOUT', 'KAYA_UNAVAILABLE']).toContain(read.code);
    expect(decodeUtf8(stale!)).toBe('1');
    for (const node of [1, 2, 3]) if (node !== leader) world.cluster.rejoin(node);
    expect(await client.put('c', '3')).toMatchObject({ revision: expect.any(Number) });
  });

  test('tells a first write that nobody can do why, instead of that time is over', async () => {
    await using world = await NodeWorld.open(3);
    const client = world.connect();
    await client.get('a');
    const leader = world.cluster.leader!;
    for (const node of [1, 2, 3]) if (node !== leader) world.cluster.isolate(node);
    await world.until('the leader has noticed', () => world.cluster.node(leader).view.raft?.role !== 'leader');

    const error = await failureOf(client.put('b', '2', { deadlineMs: 12_000 }));

    expect(error.message).not.toContain('deadline');
    expect(error.message).toMatch(/10\.0\.0\.\d:700\d/);
    expect(error.isOutcomeUnknown).toBe(false);
    for (const node of [1, 2, 3]) if (node !== leader) world.cluster.rejoin(node);
  });

  test('reads from any node what is no older than asked', async () => {
    await using world = await NodeWorld.open(3);
    const client = world.connect();
    const { revision } = await client.put('a', '1');

    const rows = await Promise.all(Array.from({ length: 6 }, () => client.getRow('a', { maxStalenessMs: 0 })));

    expect(rows.map((row) => row?.revision)).toEqual(Array.from({ length: 6 }, () => revision));
  });

  test('scans one state while others write, and loses it with its node', async () => {
    await using world = await NodeWorld.open(3);
    const client = world.connect();
    await client.pipeline(Array.from({ length: 50 }, (_, at) => ({ kind: 'put', key: `k${100 + at}`, value: 'old' })));
    const seen: string[] = [];

    const scan = (async () => {
      for await (const { key, value } of client.scan('k', { pageRows: 5 })) {
        seen.push(decodeUtf8(value));
        if (seen.length === 10) await client.put(key, 'new');
        if (seen.length === 30) await world.cluster.stop(world.cluster.leader!);
      }
    })();
    const error = await failureOf(scan);

    expect(error.code).toBe('KAYA_SCAN_ENDED');
    expect(seen.length).toBeGreaterThanOrEqual(30);
    expect(new Set(seen)).toEqual(new Set(['old']));
  });
});
