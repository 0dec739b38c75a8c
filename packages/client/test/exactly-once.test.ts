/** Writes are done once or not at all, whatever becomes of connections, leaders and answers: docs/format/state-machine.md, "Sessions". */

import { decodeUtf8 } from '@kayadb/codec';
import { seededRandom, settle, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { SESSION_WINDOW } from '../src/limits.ts';
import { type Reaction2, refusal } from './support/scripted-cluster.ts';
import { failureIn, finish, openWorld2, type World2 } from './support/world-2.ts';

/** Keys of all puts that were done, in their order. */
function doneKeys({ cluster }: World2): string[] {
  return cluster.machine.done.flatMap(({ operations }) =>
    operations.map((each) => (each.kind === 'put' ? decodeUtf8(each.key) : each.kind)),
  );
}

describe('A write', () => {
  test('answers with revision and term', async () => {
    await using world = await openWorld2();
    world.cluster.term = 7;

    const first = await finish(world.client.put('a', '1'), world.clock);
    const second = await finish(world.client.delete('a'), world.clock);

    expect(first.term).toBe(7);
    expect(second.revision).toBe(first.revision + 1);
  });

  const unheard: readonly Reaction2[] = [
    'cut',
    'serve-and-cut',
    'silence',
    'silent-serve',
    refusal('KAYA_UNKNOWN_OUTCOME', 'unknown'),
    refusal('KAYA_OVERLOADED'),
    refusal('KAYA_STOPPING'),
    refusal('KAYA_DEADLINE', 'unknown'),
  ];

  test.each(
    unheard.map((each) => [typeof each === 'string' ? each : `${each.kind} ${JSON.stringify(each)}`, each] as const),
  )(
    'is done once when one request is met with: %s',
    async (_, reaction) => {
      for (let at = 1; at <= 12; at++) {
        await using world = await openWorld2({ protocol: 2 }, { nodes: 3 });
        world.cluster.script = ({ request }, count) =>
          count === at && request.kind !== 'close-session' ? reaction : 'serve';

        for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) await finish(world.client.put(key, key), world.clock);

        expect([at, doneKeys(world)]).toEqual([at, ['a', 'b', 'c', 'd', 'e', 'f']]);
      }
    },
    60_000,
  );

  test('is done once for every pattern of cuts, with many under way', async () => {
    const random = seededRandom(testSeed());
    for (let round = 0; round < 6; round++) {
      await using world = await openWorld2({ protocol: 2, timeoutMs: 500, deadlineMs: 600_000 }, { nodes: 3 });
      const { cluster, client, clock } = world;
      cluster.script = () => {
        const dice = random.int(10);
        if (dice === 0) cluster.leader = random.int(3);
        if (dice === 1) return 'cut';
        if (dice === 2) return 'serve-and-cut';
        if (dice === 3) return 'silent-serve';
        return 'serve';
      };
      const keys = Array.from({ length: 60 }, (_, i) => `k${i}`);

      const receipts = await finish(Promise.all(keys.map((key) => client.put(key, key))), clock, 900_000);

      expect(doneKeys(world).toSorted()).toEqual(keys.toSorted());
      const rows = cluster.machine.sorted();
      const revisions = new Map(rows.map(({ key, revision }) => [decodeUtf8(key), revision]));
      expect(receipts.map(({ revision }) => revision)).toEqual(keys.map((key) => revisions.get(key)));
    }
  }, 60_000);

  test('is answered as it was at first when it is said again', async () => {
    await using world = await openWorld2();
    world.cluster.script = ({ request }) =>
      request.kind === 'write' && world.cluster.writes.length === 1 ? 'serve-and-cut' : 'serve';

    const comparison = {
      conditions: [{ kind: 'exists', key: 'a', exists: false }],
      operations: [{ kind: 'put', key: 'a', value: '1' }],
    } as const;
    const receipt = await finish(world.client.compareAndBatch(comparison), world.clock);

    expect(receipt.isApplied).toBe(true);
    expect(world.cluster.writes.length).toBe(2);
    expect(world.cluster.machine.done.length).toBe(1);
  });

  test('that fails for good says so, and is not said again', async () => {
    await using world = await openWorld2();
    world.cluster.script = ({ request }) => (request.kind === 'write' ? refusal('KAYA_DISK_FULL') : 'serve');

    const error = await failureIn(world.client.put('a', '1'), world.clock);

    expect([error.code, error.isOutcomeUnknown]).toEqual(['KAYA_DISK_FULL', false]);
    expect(world.cluster.writes.length).toBe(1);
  });

  test('whose deadline ends unheard is unknown', async () => {
    await using world = await openWorld2({ timeoutMs: 100 });
    world.cluster.script = ({ request }) => (request.kind === 'write' ? 'silent-serve' : 'serve');

    const error = await failureIn(world.client.put('a', '1', { deadlineMs: 1000 }), world.clock);

    expect([error.code, error.isOutcomeUnknown]).toEqual(['KAYA_UNKNOWN_OUTCOME', true]);
    expect(world.clock.now()).toBeLessThan(1200);
    expect(world.cluster.writes.length).toBeGreaterThan(2);
    expect(world.cluster.machine.done.length).toBe(1);
  });

  test('that was never sent is certainly not done when its deadline ends', async () => {
    await using world = await openWorld2();
    world.cluster.leader = undefined;

    const error = await failureIn(world.client.put('a', '1', { deadlineMs: 1000 }), world.clock);

    expect([error.code, error.isOutcomeUnknown]).toEqual(['KAYA_NOT_LEADER', false]);
  });

  test('keeps to the deadline that was given to the node, within the time of a try', async () => {
    await using world = await openWorld2({ timeoutMs: 1000 });

    await finish(world.client.put('a', '1'), world.clock);

    expect(world.cluster.writes[0]?.deadlineMs).toBe(900);
  });

  test('which no node would take is refused before it has a serial', async () => {
    await using world = await openWorld2();

    const error = await failureIn(world.client.put('', '1'), world.clock);
    await finish(world.client.put('a', '1'), world.clock);

    expect(error.code).toBe('KAYA_INVALID_ARGUMENT');
    const [write] = world.cluster.writes;
    expect(write?.request.kind === 'write' && write.request.write.place?.serial).toBe(1);
  });
});

describe('The session', () => {
  test('is opened once for many writes, and closed with the client', async () => {
    const world = await openWorld2();

    await finish(Promise.all(Array.from({ length: 50 }, (_, i) => world.client.put(`${i}`, ''))), world.clock);
    const open = world.cluster.machine.sessions.size;
    await world[Symbol.asyncDispose]();

    expect(world.cluster.kinds.filter((kind) => kind === 'open-session').length).toBe(1);
    expect([open, world.cluster.machine.sessions.size]).toEqual([1, 0]);
    expect(world.clock.pendingTimers).toBe(0);
  });

  test('is not opened by who only reads', async () => {
    await using world = await openWorld2();

    await finish(world.client.get('a'), world.clock);

    expect(world.cluster.kinds).toEqual(['get']);
  });

  test('is waited for by each write for as long as that may take, and by nobody after', async () => {
    await using world = await openWorld2({ deadlineMs: 1000 });
    world.cluster.leader = undefined;

    const patient = world.client.put('patient', '', { deadlineMs: 60_000 });
    const short = await failureIn(world.client.put('short', ''), world.clock);
    await world.clock.advanceAsync(40_000);
    world.cluster.leader = 0;
    await finish(patient, world.clock);
    world.cluster.machine.sessions.clear();
    world.cluster.leader = undefined;
    await failureIn(world.client.put('late', ''), world.clock);
    const asked = world.cluster.seen.length;
    await world.clock.advanceAsync(5000);

    expect(short.code).toBe('KAYA_NOT_LEADER');
    expect(doneKeys(world)).toEqual(['patient']);
    expect(world.cluster.seen.length).toBe(asked);
  });

  test('that expired is opened anew for a write that was not done', async () => {
    await using world = await openWorld2();
    await finish(world.client.put('a', '1'), world.clock);
    world.cluster.machine.sessions.clear();

    await finish(world.client.put('b', '2'), world.clock);

    expect(doneKeys(world)).toEqual(['a', 'b']);
    expect(world.events.filter(({ kind }) => kind.startsWith('session')).map(({ kind }) => kind)).toEqual([
      'session-opened',
      'session-expired',
      'session-opened',
    ]);
  });

  test('that is used by somebody else, as when a new cluster stands at the old addresses, is left for another one', async () => {
    await using world = await openWorld2();
    const { client, clock, cluster } = world;
    await finish(client.put('a', '1'), clock);
    const [session] = [...cluster.machine.sessions.values()];
    session!.settled = 500;
    session!.answers.clear();

    await finish(Promise.all(['b', 'c'].map((key) => client.put(key, '2'))), clock);

    expect(doneKeys(world).toSorted()).toEqual(['a', 'b', 'c']);
    expect(world.events.filter(({ kind }) => kind === 'session-opened').length).toBe(2);
  });

  test('that expired ends a write that may have been done, without a second one', async () => {
    await using world = await openWorld2();
    const { cluster } = world;
    await finish(world.client.put('a', '1'), world.clock);
    cluster.script = ({ request }) => {
      if (request.kind !== 'write') return 'serve';
      if (cluster.writes.length === 3) cluster.machine.sessions.clear();
      return cluster.writes.length === 2 ? 'serve-and-cut' : 'serve';
    };

    const error = await failureIn(world.client.put('b', '2'), world.clock);
    await finish(world.client.put('c', '3'), world.clock);

    expect([error.code, error.isOutcomeUnknown]).toEqual(['KAYA_SESSION_EXPIRED', true]);
    expect(doneKeys(world)).toEqual(['a', 'b', 'c']);
  });

  test('that expired with many writes under way is replaced by one', async () => {
    await using world = await openWorld2();
    await finish(world.client.put('a', '1'), world.clock);
    world.cluster.machine.sessions.clear();

    await finish(Promise.all(Array.from({ length: 40 }, (_, i) => world.client.put(`k${i}`, ''))), world.clock);

    expect(world.cluster.kinds.filter((kind) => kind === 'open-session').length).toBe(2);
    expect(new Set(doneKeys(world)).size).toBe(41);
    expect(doneKeys(world).length).toBe(41);
  });

  test('is touched when it is idle, and not when it is used', async () => {
    await using world = await openWorld2({ sessionExpiryMs: 30_000 });
    await finish(world.client.put('a', '1'), world.clock);

    await world.clock.advanceAsync(9_000);
    await finish(world.client.put('b', '1'), world.clock);
    await world.clock.advanceAsync(9_000);
    const early = world.cluster.kinds.filter((kind) => kind === 'touch-session').length;
    await world.clock.advanceAsync(21_500);

    expect(early).toBe(0);
    expect(world.cluster.kinds.filter((kind) => kind === 'touch-session').length).toBe(3);
  });

  test('has at most its window of writes that are not answered, and goes on when the first one is', async () => {
    await using world = await openWorld2({ maxInFlightRequests: 5000 });
    const { cluster, client } = world;
    await finish(client.put('first', ''), world.clock);
    cluster.script = ({ request }) => (request.kind === 'write' ? 'hold' : 'serve');

    const puts = Promise.all(Array.from({ length: 3000 }, (_, i) => client.put(`k${i}`, '')));
    for (let turn = 0; turn < 5; turn++) await settle();
    const atOnce = cluster.writes.length - 1;
    for (let turn = 0; turn < 50 && cluster.machine.done.length < 3001; turn++) {
      cluster.release();
      await settle();
      await settle();
    }
    cluster.release();
    await finish(puts, world.clock);

    expect(atOnce).toBe(SESSION_WINDOW);
    expect(cluster.machine.widestWindow).toBe(SESSION_WINDOW);
    expect(cluster.machine.done.length).toBe(3001);
    expect(cluster.writes.length).toBe(3001);
  }, 60_000);

  test('is not held up by a write that was given up', async () => {
    await using world = await openWorld2();
    const { cluster, client } = world;
    cluster.script = ({ request }) => (request.kind === 'write' && cluster.writes.length === 1 ? 'silence' : 'serve');
    const controller = new AbortController();

    const given = failureIn(client.put('a', '1', { signal: controller.signal }), world.clock);
    await settle();
    await settle();
    controller.abort();
    const error = await given;
    await finish(client.put('b', '2'), world.clock);

    expect([error.code, error.isOutcomeUnknown]).toEqual(['KAYA_ABORTED', true]);
    const last = cluster.writes.at(-1)?.request;
    expect(last?.kind === 'write' && last.write.place).toMatchObject({ serial: 2, settled: 2 });
  });
});
