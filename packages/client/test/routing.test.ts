/** Which node is asked what: versions, credentials, leaders, redirects, levels, and nodes that die. */

import { getEventListeners } from 'node:events';

import { decodeUtf8, encodeUtf8 } from '@kayadb/codec';
import { settle, VirtualClock } from '@kayadb/testkit';
import { MemoryNetwork } from '@kayadb/transport/testing';
import { describe, expect, test } from 'vitest';

import { type ClientError, connect, NotLeaderError } from '../src/index.ts';
import { SILENT_MS } from '../src/limits.ts';
import { refusal, ScriptedCluster } from './support/scripted-cluster.ts';
import { ScriptedServer } from './support/scripted-server.ts';
import { failureIn, finish, openWorld2 } from './support/world-2.ts';

describe('The version', () => {
  test('is 2 with a cluster that knows it, on the connection that found out', async () => {
    await using world = await openWorld2();

    await finish(world.client.get('a'), world.clock);

    expect(await world.client.hello(2)).toBe(2);
    expect(world.cluster.connections.length).toBe(1);
  });

  test('is 1 with a node that knows no other', async () => {
    const clock = new VirtualClock();
    const network = new MemoryNetwork({ clock });
    const server = await ScriptedServer.open(network);
    await using client = connect('127.0.0.1:7379', { clock, network });

    const receipt = await finish(client.put('a', '1'), clock);
    const value = await finish(client.get('a'), clock);
    const refused = await failureIn(client.batch([{ kind: 'put', key: 'a', value: '2' }]), clock);

    expect(receipt).toEqual({ revision: 0, term: 0 });
    expect(value).toEqual(encodeUtf8('1'));
    expect(refused.code).toBe('KAYA_UNSUPPORTED');
    expect(server.kinds).toEqual(['hello', 'put', 'get']);
  });

  test('is found out once for calls that come together, whose arguments may change meanwhile', async () => {
    await using world = await openWorld2();
    const value = encodeUtf8('one');

    const puts = [world.client.put('a', value), world.client.put('b', value)];
    value.fill(0);
    await finish(Promise.all(puts), world.clock);

    expect(decodeUtf8((await finish(world.client.get('b'), world.clock))!)).toBe('one');
    expect(world.events.filter(({ kind }) => kind === 'connection-up').length).toBeLessThan(3);
  });

  test('can be found out later when nobody answered at first', async () => {
    const clock = new VirtualClock();
    const network = new MemoryNetwork({ clock });
    await using client = connect('127.0.0.1:7001', { clock, network });

    const error = await failureIn(client.get('a'), clock);
    await ScriptedCluster.open(network);

    expect(error.code).toBe('KAYA_UNAVAILABLE');
    expect(clock.now()).toBeLessThan(2000);
    expect(await finish(client.get('a'), clock)).toBeUndefined();
  });

  test('does not keep a call whose signal is aborted', async () => {
    await using world = await openWorld2();
    world.network.hold(ScriptedCluster.portOf(0));
    const controller = new AbortController();

    const get = failureIn(world.client.get('a', { signal: controller.signal }), world.clock);
    controller.abort();

    expect((await get).code).toBe('KAYA_ABORTED');
    world.network.release(ScriptedCluster.portOf(0));
  });
});

describe('Credentials', () => {
  test('of clients are shown once for a connection, before anything else', async () => {
    await using world = await openWorld2({ clientToken: 'reader' }, { clientToken: 'reader' });

    for (let i = 0; i < 3; i++) await finish(world.client.get('a'), world.clock);

    expect(world.cluster.kinds).toEqual(['auth', 'get', 'get', 'get']);
  });

  test('of operators are shown once, by the first change of the membership', async () => {
    const tokens = { clientToken: 'reader', operatorToken: 'boss' };
    await using world = await openWorld2(tokens, tokens);

    await finish(world.client.get('a'), world.clock);
    const removed = await finish(world.client.removeMember(2), world.clock);
    await finish(world.client.transferLeader(), world.clock);

    expect(world.cluster.kinds).toEqual(['auth', 'get', 'auth', 'remove-member', 'transfer-leader']);
    expect(removed).toEqual({ did: 'remove-member' });
  });

  test('that are wrong fail each call, without the token in the error', async () => {
    await using world = await openWorld2({ clientToken: 'secret-wrong' }, { clientToken: 'reader' });

    const error = await failureIn(world.client.get('a'), world.clock);

    expect(error.code).toBe('KAYA_UNAUTHORIZED');
    expect(error.message).not.toContain('secret');
    expect(world.clock.now()).toBeLessThan(100);
  });

  test('of operators that are wrong leave data alone', async () => {
    await using world = await openWorld2({ operatorToken: 'wrong' }, { operatorToken: 'boss' });

    const error = await failureIn(
      world.client.addMember({ id: 4, raftAddress: 'a:1', clientAddress: 'a:2' }),
      world.clock,
    );

    expect(error.code).toBe('KAYA_UNAUTHORIZED');
    expect(await finish(world.client.get('a'), world.clock)).toBeUndefined();
  });
});

describe('The leader', () => {
  test('is found by a redirect, and remembered', async () => {
    await using world = await openWorld2({}, { nodes: 3 });
    world.cluster.leader = 2;

    await finish(world.client.put('a', '1'), world.clock);
    await finish(world.client.put('b', '1'), world.clock);

    expect(world.cluster.writes.map(({ node }) => node)).toEqual([2, 2]);
    expect(world.clock.now()).toBe(0);
    expect(world.events).toContainEqual({ kind: 'leader-changed', leader: '127.0.0.1:7003' });
  });

  test('that was deposed redirects to the next one, and nothing is done twice', async () => {
    await using world = await openWorld2({}, { nodes: 3 });
    await finish(world.client.put('a', '1'), world.clock);
    world.cluster.leader = 1;

    await finish(Promise.all(['b', 'c', 'd'].map((key) => world.client.put(key, '1'))), world.clock);

    expect(world.cluster.machine.done.length).toBe(4);
    expect(world.clock.now()).toBe(0);
  });

  test('that nodes disagree about is asked for slowly, until they agree', async () => {
    await using world = await openWorld2({}, { nodes: 2 });
    const { cluster } = world;
    cluster.leader = undefined;
    cluster.hint = (node) => 1 - node;

    const put = world.client.put('a', '1');
    await world.clock.advanceAsync(5000);
    const asked = cluster.seen.length;
    cluster.leader = 1;
    await finish(put, world.clock);

    expect(asked).toBeGreaterThan(10);
    expect(asked).toBeLessThan(60);
    expect(cluster.machine.done.length).toBe(1);
  });

  test('that nodes disagree about to the end is an error of its own', async () => {
    await using world = await openWorld2({}, { nodes: 2 });
    await finish(world.client.put('a', '1'), world.clock);
    world.cluster.leader = undefined;
    world.cluster.hint = (node) => 1 - node;

    const error = await failureIn(world.client.put('a', '1', { deadlineMs: 2000 }), world.clock);

    expect(error).toBeInstanceOf(NotLeaderError);
    expect(error.isOutcomeUnknown).toBe(false);
  });

  test('that dies with writes under way is replaced, and each is done once', async () => {
    await using world = await openWorld2({}, { nodes: 3 });
    const { cluster, network, client, clock } = world;
    await finish(client.put('a', '1'), clock);
    cluster.script = ({ node }) => (node === 0 ? 'silent-serve' : 'serve');

    const puts = Promise.all(Array.from({ length: 20 }, (_, i) => client.put(`k${i}`, '')));
    await settle();
    await settle();
    await cluster.stopNode(0, network);
    cluster.leader = undefined;
    await clock.advanceAsync(700);
    cluster.leader = 1;
    await finish(puts, clock);

    expect(cluster.machine.done.length).toBe(21);
    expect(clock.now()).toBeLessThan(1300);
  });

  test('that is gone without a word is not asked again while the others elect one', async () => {
    await using world = await openWorld2({}, { nodes: 3 });
    const { cluster, network, client, clock } = world;
    cluster.leader = 1;
    await finish(client.put('a', '1'), clock);
    cluster.script = ({ node }) => (node === 1 ? 'silence' : 'serve');

    const put = client.put('b', '2');
    await settle();
    network.hold(ScriptedCluster.portOf(1));
    network.cut(ScriptedCluster.portOf(1));
    cluster.leader = undefined;
    await clock.advanceAsync(1_000);
    cluster.leader = 2;
    const before = clock.now();
    await finish(put, clock);

    expect(clock.now() - before).toBeLessThan(300);
    network.release(ScriptedCluster.portOf(1));
  });

  test('that was named once is asked again when no configured endpoint answers', async () => {
    const clock = new VirtualClock();
    const network = new MemoryNetwork({ clock });
    const cluster = await ScriptedCluster.open(network, { nodes: 3 });
    await using client = connect(cluster.addresses[0]!, { clock, network, random: () => 0.5 });
    cluster.leader = 1;
    await finish(client.put('a', '1'), clock);
    cluster.leader = 2;
    await finish(client.put('b', '2'), clock);

    cluster.leader = 1;
    await cluster.stopNode(0, network);
    await cluster.stopNode(2, network);
    const receipt = await finish(client.put('c', '3'), clock);

    expect(receipt.revision).toBeGreaterThan(0);
    expect(clock.now()).toBeLessThan(5_000);
  });

  test('that stands still without a word is left after one try, with everything that waits there', async () => {
    await using world = await openWorld2({ timeoutMs: 500, connectionsPerEndpoint: 1 }, { nodes: 2 });
    const { cluster, network, client, clock } = world;
    await finish(client.put('a', '1'), clock);
    network.hold(ScriptedCluster.portOf(0));
    cluster.leader = 1;

    const early = client.put('early', '');
    await clock.advanceAsync(400);
    const puts = Promise.all([early, ...Array.from({ length: 4 }, (_, i) => client.put(`k${i}`, ''))]);
    await finish(puts, clock);

    // The later ones do not wait for 500 ms of their own.
    expect(clock.now()).toBeLessThan(850);
    network.release(ScriptedCluster.portOf(0));
    await finish(client.put('z', ''), clock);
    expect(new Set(cluster.machine.done).size).toBe(7);
  });
});

describe('Reads', () => {
  test('give values with revisions, of one key and of many', async () => {
    await using world = await openWorld2();
    const { revision } = await finish(world.client.put('a', '1'), world.clock);

    expect(await finish(world.client.getRow('a'), world.clock)).toEqual({ value: encodeUtf8('1'), revision });
    expect(await finish(world.client.getMany(['b', 'a']), world.clock)).toEqual([
      undefined,
      { value: encodeUtf8('1'), revision },
    ]);
  });

  test('that may be stale go to each node in turn, others to the leader', async () => {
    await using world = await openWorld2({}, { nodes: 3 });
    await finish(world.client.put('a', '1'), world.clock);
    world.cluster.seen.length = 0;

    for (let i = 0; i < 3; i++) await finish(world.client.get('a', { level: 'stale' }), world.clock);
    await finish(world.client.get('a', { maxStalenessMs: 50 }), world.clock);
    await finish(world.client.get('a'), world.clock);
    await finish(world.client.get('a', { level: 'lease' }), world.clock);

    expect(world.cluster.seen.map(({ node }) => node)).toEqual([0, 1, 2, 0, 0, 0]);
    expect(world.cluster.seen.map(({ request }) => 'freshness' in request && request.freshness.kind)).toEqual([
      'stale',
      'stale',
      'stale',
      'bounded',
      'linearizable',
      'lease',
    ]);
  });

  test('that may be stale pass over a node that did not answer, and try it again after a while', async () => {
    await using world = await openWorld2({}, { nodes: 3 });
    const { client, clock, cluster } = world;
    await finish(client.put('a', '1'), clock);
    cluster.script = ({ node }) => (node === 1 ? 'silence' : 'serve');
    const readAll = (count: number): Promise<unknown> =>
      finish(Promise.all(Array.from({ length: count }, () => client.get('a', { level: 'stale' }))), clock);
    await readAll(3);
    const first = clock.now();

    for (let i = 0; i < 20; i++) await readAll(3);
    const second = clock.now();
    cluster.script = () => 'serve';
    cluster.seen.length = 0;
    await clock.advanceAsync(SILENT_MS);
    await readAll(3);
    await readAll(30);

    expect(first).toBeGreaterThanOrEqual(5_000);
    expect(second - first).toBeLessThan(100);
    expect(cluster.seen.filter(({ node }) => node === 1).length).toBeGreaterThan(5);
  });

  test('that may be stale wait for one try of a node that still does not answer, however many they are', async () => {
    await using world = await openWorld2({}, { nodes: 2 });
    const { client, clock, cluster } = world;
    cluster.script = ({ node }) => (node === 1 ? 'silence' : 'serve');
    await finish(Promise.all([1, 2].map(() => client.get('a', { level: 'stale' }))), clock);
    await clock.advanceAsync(SILENT_MS);
    cluster.seen.length = 0;

    await finish(Promise.all(Array.from({ length: 50 }, () => client.get('a', { level: 'stale' }))), clock);

    expect(cluster.seen.filter(({ node, request }) => node === 1 && request.kind === 'get').length).toBe(1);
  });

  test('that may be stale are asked of nodes that others have named when no other answers', async () => {
    const clock = new VirtualClock();
    const network = new MemoryNetwork({ clock });
    const cluster = await ScriptedCluster.open(network, { nodes: 2 });
    await using client = connect(cluster.addresses[0]!, { clock, network, random: () => 0.5 });
    cluster.leader = 1;
    await finish(client.put('a', '1'), clock);
    await cluster.stopNode(0, network);

    const value = await finish(client.get('a', { level: 'stale' }), clock);

    expect(decodeUtf8(value!)).toBe('1');
    expect(clock.now()).toBeLessThan(1_000);
  });

  test('by lease follow the leader', async () => {
    await using world = await openWorld2({}, { nodes: 3 });
    world.cluster.leader = 1;

    await finish(world.client.get('a', { level: 'lease' }), world.clock);

    expect(world.cluster.seen.map(({ node }) => node)).toEqual([0, 1]);
  });

  test('that are not answered are asked of another node', async () => {
    await using world = await openWorld2({ timeoutMs: 300 }, { nodes: 3 });
    world.cluster.script = ({ node }) => (node === 0 ? 'silence' : 'serve');

    await finish(world.client.get('a'), world.clock);

    expect(world.cluster.seen.filter(({ request }) => request.kind === 'get').map(({ node }) => node)).toEqual([0, 1]);
  });

  test('are answered in any order on one connection', async () => {
    await using world = await openWorld2({ connectionsPerEndpoint: 1 });
    await finish(world.client.put('a', '1'), world.clock);
    world.cluster.script = ({ request }) =>
      request.kind === 'get' && decodeUtf8(request.key) === 'a' ? 'hold' : 'serve';

    const slow = world.client.get('a');
    const fast = await finish(world.client.get('b'), world.clock);
    world.cluster.release();

    expect(fast).toBeUndefined();
    expect(await finish(slow, world.clock)).toEqual(encodeUtf8('1'));
    expect(world.cluster.connections.length).toBe(1);
  });

  test('fail with what cannot be understood', async () => {
    await using world = await openWorld2();
    world.cluster.script = ({ request }) => (request.kind === 'get' ? 'garbage' : 'serve');

    const error = await failureIn(world.client.get('a'), world.clock);

    expect(error.code).toBe('KAYA_PROTOCOL');
  });
});

describe('Cancellation', () => {
  test('takes the request back at the node, and its late answer reaches nobody', async () => {
    await using world = await openWorld2({ connectionsPerEndpoint: 1 });
    await finish(world.client.put('a', '1'), world.clock);
    world.cluster.script = ({ request }) => (request.kind === 'get' ? 'hold' : 'serve');
    const controller = new AbortController();

    const get = failureIn(world.client.get('a', { signal: controller.signal }), world.clock);
    await settle();
    await settle();
    controller.abort(new Error('changed my mind'));
    const error = await get;
    world.cluster.script = () => 'serve';
    world.cluster.release();
    const next = await finish(world.client.get('none'), world.clock);

    const target = world.cluster.seen.find(({ request }) => request.kind === 'get')?.id;
    expect([error.code, error.isOutcomeUnknown]).toEqual(['KAYA_ABORTED', false]);
    expect((error.cause as Error).message).toBe('changed my mind');
    expect(world.cluster.seen.map(({ request }) => request)).toContainEqual({ kind: 'cancel', target });
    expect(next).toBeUndefined();
  });

  test('by one signal of many calls listens to it once, and ends them all', async () => {
    await using world = await openWorld2();
    world.cluster.script = ({ request }) => (request.kind === 'get' ? 'silence' : 'serve');
    const controller = new AbortController();
    const { signal } = controller;
    await finish(world.client.put('a', '1', { signal }), world.clock);
    const before = getEventListeners(signal, 'abort').length;

    const gets = Array.from({ length: 50 }, () => failureIn(world.client.get('a', { signal }), world.clock));
    await settle();
    const during = getEventListeners(signal, 'abort').length;
    controller.abort();
    const codes = (await Promise.all(gets)).map(({ code }) => code);

    expect([before, during, getEventListeners(signal, 'abort').length]).toEqual([0, 1, 0]);
    expect(new Set(codes)).toEqual(new Set(['KAYA_ABORTED']));
  });

  test('before anything was sent sends nothing', async () => {
    await using world = await openWorld2();
    const signal = AbortSignal.abort();

    const error = await failureIn(world.client.put('a', '1', { signal }), world.clock);

    expect([error.code, error.isOutcomeUnknown]).toEqual(['KAYA_ABORTED', false]);
    expect(world.cluster.writes.length).toBe(0);
  });

  test('at every moment ends the call once, and the client works on', async () => {
    for (let turns = 0; turns < 12; turns++) {
      await using world = await openWorld2();
      const controller = new AbortController();

      const put = finish(
        world.client.put('a', '1', { signal: controller.signal }).then(
          () => 'done',
          (error: unknown) => (error as ClientError).code,
        ),
        world.clock,
      );
      for (let turn = 0; turn < turns * 4; turn++) await Promise.resolve();
      controller.abort();
      const outcome = await put;
      await finish(world.client.put('b', '2'), world.clock);

      expect(['done', 'KAYA_ABORTED']).toContain(outcome);
      // One that was aborted may have been done or not; one that was answered was.
      expect(world.cluster.machine.rows.size).toBeGreaterThanOrEqual(outcome === 'done' ? 2 : 1);
    }
  });

  test('of the whole client ends every call', async () => {
    await using world = await openWorld2();
    await finish(world.client.put('a', '1'), world.clock);
    world.cluster.script = ({ request }) => (request.kind === 'get' ? 'silence' : 'serve');

    const gets = Array.from({ length: 5 }, () => failureIn(world.client.get('a'), world.clock));
    await settle();
    await finish(world.client.close(), world.clock);

    expect((await Promise.all(gets)).map(({ code }) => code)).toEqual(Array(5).fill('KAYA_CLIENT_CLOSED'));
    expect((await failureIn(world.client.get('a'), world.clock)).code).toBe('KAYA_CLIENT_CLOSED');
    expect(world.clock.pendingTimers).toBe(0);
  });
});

describe('Changes of the membership', () => {
  test('are not said again when they may have been done', async () => {
    await using world = await openWorld2();
    world.cluster.script = ({ request }) => (request.kind === 'promote-member' ? 'serve-and-cut' : 'serve');

    const error = await failureIn(world.client.promoteMember(3), world.clock);

    expect([error.code, error.isOutcomeUnknown]).toEqual(['KAYA_UNKNOWN_OUTCOME', true]);
    expect(error.message).toMatch(/the change was applied: .* look at the members before you ask for it again$/);
    expect(world.cluster.kinds.filter((kind) => kind === 'promote-member').length).toBe(1);
  });

  test('are said again when they certainly were not, and so are those that only try', async () => {
    await using world = await openWorld2();
    world.cluster.script = ({ request }, count) => {
      if (request.kind === 'add-member') return count % 2 === 1 ? refusal('KAYA_OVERLOADED') : 'serve';
      return request.kind === 'remove-member' && count < 5 ? 'cut' : 'serve';
    };

    const added = await finish(
      world.client.addMember({ id: 4, raftAddress: 'a:1', clientAddress: 'a:2', isLearner: true }),
      world.clock,
    );
    const tried = await finish(world.client.removeMember(4, { isDryRun: true }), world.clock);

    expect([added, tried]).toEqual([{ did: 'add-member' }, { did: 'remove-member' }]);
  });

  test('and the state of the node are JSON', async () => {
    await using world = await openWorld2();

    expect(await finish(world.client.members(), world.clock)).toEqual({ node: 1, asked: 'members' });
    expect(await finish(world.client.status(), world.clock)).toEqual({ node: 1, asked: 'status' });
    expect(await finish(world.client.health(), world.clock)).toBe('leader');
  });
});
