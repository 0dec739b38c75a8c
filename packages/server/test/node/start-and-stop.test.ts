import { settle } from '@kayadb/testkit';
import type { Connection } from '@kayadb/transport';
import { inspectDirectoryLock } from '@kayadb/vfs';
import { describe, expect, test } from 'vitest';

import { clientPortOf, DATA, hostOf, NodeWorld, peerPortOf } from '../support/node-world.ts';
import { get, put } from '../support/requests-1.ts';

/** As a process that looks from outside finds it. */
async function lockOf(world: NodeWorld): Promise<string> {
  const { kind } = await inspectDirectoryLock(world.disk(), DATA, world.processes.start());
  return kind;
}

describe('startNode', () => {
  test('says where it listens, and leads alone', async () => {
    await using world = new NodeWorld();
    const host = hostOf(1);

    const { node } = await world.startLone({ clientAddress: { host, port: 0 }, peerAddress: { host, port: 0 } });

    expect(node.address).toEqual({ host, port: expect.any(Number) });
    expect(node.peerAddress).toEqual({ host, port: expect.any(Number) });
    expect(node.address.port).toBeGreaterThan(0);
    expect(node.peerAddress.port).toBeGreaterThan(0);
    expect(node.view).toMatchObject({ phase: 'running', raft: { role: 'leader' } });
  });

  test.each([
    ['clients', clientPortOf(1), peerPortOf(1)],
    ['nodes', peerPortOf(1), clientPortOf(1)],
  ])('leaves nothing open when the port for %s is taken', async (_whom, taken, other) => {
    await using world = new NodeWorld();
    const onConnection = (): void => {};
    const listener = await world.network.listen({ host: hostOf(1), port: taken, onConnection });

    const starting = world.settle(world.start());

    await expect(starting).rejects.toMatchObject({ code: 'KAYA_LISTEN_FAILED' });
    expect(world.clock.pendingTimers).toBe(0);
    expect(await lockOf(world)).toBe('free');
    const probe = await world.network.listen({ host: hostOf(1), port: other, onConnection });
    await Promise.all([probe.close(), listener.close()]);
    const { node } = await world.startLone();
    expect(node.view.raft?.role).toBe('leader');
  });

  test.each([
    ['an empty token', { clientToken: '' }],
    ['a limit of 0', { limits: { maxConnections: 0 } }],
    ['an election shorter than five heartbeats', { timing: { heartbeatMs: 200 } }],
  ])('refuses %s, and leaves the directory as free as it was', async (_what, options) => {
    await using world = new NodeWorld();
    await (await world.startLone()).stop();

    const starting = world.settle(world.start(1, options));

    await expect(starting).rejects.toThrow(RangeError);
    expect(await lockOf(world)).toBe('free');
    expect(world.clock.pendingTimers).toBe(0);
  });

  test('of a directory that another process has is refused, and takes no port', async () => {
    await using world = new NodeWorld();
    const first = await world.startLone();
    const host = hostOf(1);

    const second = world.settle(world.start(1, { clientAddress: { host, port: 1 }, peerAddress: { host, port: 2 } }));

    await expect(second).rejects.toMatchObject({ code: 'KAYA_LOCKED' });
    for (const port of [1, 2]) await (await world.network.listen({ host, port, onConnection: () => {} })).close();
    expect(first.failure).toBeUndefined();
  });
});

describe('stop', () => {
  test('answers what was begun, begins nothing more, and lets go of the directory last', async () => {
    await using world = new NodeWorld();
    const { node, gate, connect } = await world.startLone({ limits: { maxInFlightRequests: 3 } });
    const session = await connect();
    gate.hold();
    session.send(...Array.from({ length: 5 }, (_, i) => put(`k${i}`, 'v')));
    await settle();

    const stopping = node.stop();
    await settle();
    const lockEarly = await lockOf(world);
    const answeredEarly = session.unread;
    gate.release();
    await stopping;
    await session.closed;

    expect([lockEarly, answeredEarly]).toEqual(['held', 0]);
    expect(await lockOf(world)).toBe('free');
    expect(session.unread).toBe(3);
  });

  test('closes idle connections at once and refuses new ones', async () => {
    await using world = new NodeWorld();
    const { node, connect } = await world.startLone();
    const idle = await connect();
    await idle.request({ kind: 'health' });

    await node.stop();

    await idle.closed;
    await expect(connect()).rejects.toMatchObject({ code: 'KAYA_DIAL_FAILED' });
  });

  test('refuses a connection of a client that was on its way when it began', async () => {
    await using world = new NodeWorld();
    const accept = new Map<number, (connection: Connection) => void>();
    const { node } = await world.startLone({
      wrap: (network) => ({
        dial: (options) => network.dial(options),
        listen: (options) => {
          accept.set(options.port, options.onConnection);
          return network.listen(options);
        },
      }),
    });
    await node.stop();
    const onConnection = (connection: Connection): void => accept.get(clientPortOf(1))?.(connection);
    await world.network.listen({ host: '127.0.0.1', port: 2, onConnection });

    const late = await world.network.dial({ host: '127.0.0.1', port: 2, timeoutMs: 1_000 });
    late.onData(() => {});

    expect(await late.closed).toMatchObject({ code: 'KAYA_CONNECTION_LOST' });
  });

  test('cuts off a client that does not take its answers, after half of the deadline', async () => {
    await using world = new NodeWorld();
    const { node, connect } = await world.startLone();
    const session = await connect();
    await world.settle(session.request(put('k', new Uint8Array(1_000_000))));
    session.connection.pause();
    session.send(get('k'));
    await settle();

    const stopping = node.stop({ deadlineMs: 1_000 });
    await world.clock.advanceAsync(499);
    const before = await lockOf(world);
    await world.clock.advanceAsync(1);
    await stopping;

    expect([before, await lockOf(world)]).toEqual(['held', 'free']);
    expect(world.log).toContainEqual(expect.objectContaining({ event: 'node.cut', connections: 1 }));
  });

  test('gives up on a directory that is not closed in time, but no port: the next start has what was acknowledged', async () => {
    await using world = new NodeWorld();
    const first = await world.startLone();
    const session = await first.connect();
    await world.settle(session.request(put('k', 'v')));
    first.gate.hold();

    const stopping = first.stop({ deadlineMs: 1_000 });
    await expect(stopping).rejects.toMatchObject({ code: 'KAYA_STOP_TIMEOUT' });
    expect(first.node.view).toMatchObject({ phase: 'opening', isStopping: true });
    const next = await world.startLone();
    const answer = await world.settle((await next.connect()).request(get('k')));

    expect(first.gate.waiting).toBeGreaterThan(0);
    expect(answer.kind).toBe('value');
  });

  test('passes on what the disk fails to close with, and lets go of the directory even so', async () => {
    await using world = new NodeWorld();
    const first = await world.startLone();
    await world.settle((await first.connect()).request(put('k', 'v')));
    first.faulty.inject({ at: 1, kinds: ['close'], forever: true, effect: { kind: 'fail', errno: 'EIO' } });

    const stopping = first.node.stop();

    await expect(world.settle(stopping)).rejects.toMatchObject({ code: 'KAYA_IO' });
    expect(await lockOf(world)).toBe('free');
  });

  test('is done once, however often it is asked for, and leaves no timer', async () => {
    await using world = new NodeWorld();
    const { node, connect } = await world.startLone();
    const session = await connect();
    await world.settle(session.request(put('k', 'v')));

    await Promise.all([node.stop(), node.stop(), node[Symbol.asyncDispose]()]);

    expect(world.clock.pendingTimers).toBe(0);
    expect(world.log.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
  });

  test('ends a node that waits for its group, and leaves no timer', async () => {
    await using world = new NodeWorld();
    const { node } = await world.start(1, { peers: [1, 2, 3] });
    await world.clock.advanceAsync(5_000);
    const { phase, missing } = node.view;

    await world.settle(node.stop());

    expect({ phase, missing }).toEqual({ phase: 'forming', missing: [2, 3] });
    expect(world.clock.pendingTimers).toBe(0);
    expect(await lockOf(world)).toBe('free');
  });
});
