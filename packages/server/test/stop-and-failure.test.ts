import { AssertionError, encodeRequest, encodeUtf8 } from '@kayadb/codec';
import { CorruptionError, EngineError } from '@kayadb/engine';
import { settle, VirtualClock } from '@kayadb/testkit';
import type { Connection, Network } from '@kayadb/transport';
import { MemoryNetwork } from '@kayadb/transport/testing';
import { FileSystemError } from '@kayadb/vfs';
import { describe, expect, test } from 'vitest';

import { startNode } from '../src/index.ts';
import { MemoryEngine } from './support/memory-engine.ts';
import { get, put, scan, startTestNode } from './support/test-node.ts';

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

describe('stop', () => {
  test('answers what was begun, begins nothing more, and closes the engine last', async () => {
    await using world = await startTestNode(new MemoryEngine(), { limits: { maxInFlightRequests: 3 } });
    const session = await world.connect();
    world.engine.holdWrites();
    session.send(...Array.from({ length: 5 }, (_, i) => put(`k${i}`, 'v')));
    await settle();

    const stopping = world.node.stop();
    await settle();
    const closedEarly = world.engine.isClosed;
    world.engine.releaseWrites();
    await stopping;
    await session.closed;

    expect(closedEarly).toBe(false);
    expect(world.engine.isClosed).toBe(true);
    expect(session.unread).toBe(3);
    expect(world.engine.putCount).toBe(3);
  });

  test('closes idle connections at once and refuses new ones', async () => {
    await using world = await startTestNode(new MemoryEngine());
    const idle = await world.connect();
    await idle.request({ kind: 'health' });

    await world.node.stop();

    await idle.closed;
    await expect(world.connect()).rejects.toMatchObject({ code: 'KAYA_DIAL_FAILED' });
  });

  test('refuses a connection that was on its way when it began', async () => {
    const clock = new VirtualClock();
    const network = new MemoryNetwork({ clock });
    let accept: ((connection: Connection) => void) | undefined;
    const capturing: Network = {
      dial: (options) => network.dial(options),
      listen: (options) => {
        accept = options.onConnection;
        return network.listen(options);
      },
    };
    const clientAddress = { host: '127.0.0.1', port: 1 };
    const options = { clock, network: capturing, logger: silent, nodeId: 1, version: '0', clientAddress };
    const node = await startNode({ ...options, engine: new MemoryEngine() });
    await node.stop();
    await network.listen({ host: '127.0.0.1', port: 2, onConnection: (connection) => accept?.(connection) });

    const late = await network.dial({ host: '127.0.0.1', port: 2, timeoutMs: 1_000 });
    late.onData(() => {});

    expect(await late.closed).toMatchObject({ code: 'KAYA_CONNECTION_LOST' });
  });

  test('cuts off a client that does not take its answers, after half of the deadline', async () => {
    await using world = await startTestNode(new MemoryEngine());
    const session = await world.connect();
    await session.request(put('k', new Uint8Array(1_000_000)));
    session.connection.pause();
    session.send(get('k'));
    await settle();

    const stopping = world.node.stop({ deadlineMs: 1_000 });
    await world.clock.advanceAsync(499);
    const before = world.engine.isClosed;
    await world.clock.advanceAsync(1);
    await stopping;

    expect(before).toBe(false);
    expect(world.engine.isClosed).toBe(true);
    expect(world.log).toContainEqual(expect.objectContaining({ event: 'node.cut', connections: 1 }));
  });

  test('gives up on an engine that does not close in time', async () => {
    const world = await startTestNode(new MemoryEngine());
    world.engine.holdClose();

    const stopping = Promise.allSettled([world.node.stop({ deadlineMs: 1_000 })]);
    await world.clock.advanceAsync(1_000);
    const [outcome] = await stopping;

    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'KAYA_STOP_TIMEOUT' } });
  });

  test('passes on what the engine fails to close with', async () => {
    const world = await startTestNode(new MemoryEngine());
    world.engine.closeFailure = new EngineError('KAYA_ENGINE_POISONED', 'broken');

    await expect(world.node.stop()).rejects.toMatchObject({ code: 'KAYA_ENGINE_POISONED' });
  });

  test('is done once, however often it is asked for, and leaves no timer', async () => {
    const world = await startTestNode(new MemoryEngine());
    const session = await world.connect();
    await session.request(put('k', 'v'));

    await Promise.all([world.node.stop(), world.node.stop(), world.node[Symbol.asyncDispose]()]);

    expect(world.clock.pendingTimers).toBe(0);
  });

  test('under load loses no acknowledged write', async () => {
    const world = await startTestNode(new MemoryEngine());
    const sessions = await Promise.all(Array.from({ length: 10 }, () => world.connect()));
    for (const [i, session] of sessions.entries()) {
      session.send(...Array.from({ length: 200 }, (_, j) => put(`${i}/${j}`, 'v')));
    }
    await sessions[0]!.next('put');

    await world.node.stop();
    await Promise.all(sessions.map((session) => session.closed));

    const acknowledged = 1 + sessions.reduce((sum, session) => sum + session.unread, 0);
    expect(acknowledged).toBe(world.engine.putCount);
  });
});

describe('failures of the engine', () => {
  test('answer a full disk with its code, and the node lives on', async () => {
    await using world = await startTestNode(new MemoryEngine());
    const session = await world.connect();
    world.engine.failWrites(new FileSystemError('ENOSPC', 'write', '/secret/000001.wal'));

    const refused = await session.request(put('k', 'v'));
    const read = await session.request(get('k'));

    expect(refused).toMatchObject({ kind: 'error', message: expect.stringMatching(/^KAYA_DISK_FULL: no space/u) });
    expect(read).toEqual({ kind: 'not-found' });
    expect(world.log).toContainEqual(
      expect.objectContaining({ level: 'error', event: 'request.failed', request: 'request 1.1' }),
    );
  });

  test.each([
    ['a poisoned engine', new EngineError('KAYA_ENGINE_POISONED', 'fsync failed'), 'KAYA_ENGINE_POISONED'],
    ['a broken invariant', new AssertionError('impossible'), 'KAYA_INTERNAL'],
  ])('end the node on %s, after answering', async (_case, error, code) => {
    await using world = await startTestNode(new MemoryEngine());
    const session = await world.connect();
    world.engine.failWrites(error);

    const refused = await session.request(put('k', 'v'));
    const cause = await world.node.failed;

    expect(refused).toMatchObject({ kind: 'error', message: expect.stringContaining(code) });
    expect(cause).toBe(error);
  });

  test.each([
    ['get', get('k')],
    ['scan', scan('')],
  ])('answer damage in a %s, and the node lives on', async (_case, request) => {
    await using world = await startTestNode(new MemoryEngine());
    const session = await world.connect();
    world.engine.failReads(new CorruptionError('000001.sst', 64, 'the block does not verify'));

    const refused = await session.request(request);
    const after = await session.request(put('k', 'v'));

    expect(refused).toMatchObject({ kind: 'error', message: expect.stringMatching(/^KAYA_CORRUPTION: /u) });
    expect(after).toEqual({ kind: 'done' });
  });

  test('reach the owner through fail()', async () => {
    await using world = await startTestNode(new MemoryEngine());
    const cause = new Error('a flush failed in the background');

    world.node.fail(cause);

    expect(await world.node.failed).toBe(cause);
  });

  test('never put keys or values into the log', async () => {
    await using world = await startTestNode(new MemoryEngine());
    const session = await world.connect();
    world.engine.failWrites(new FileSystemError('EIO', 'write', '/data/000001.wal'));

    await session.request(put('private-key', 'private-value'));
    session.sendBytes(encodeRequest(put('private-key', 'private-value')).slice(0, -1));
    session.sendBytes(Uint8Array.of(0, 0, 0, 0, 0));
    await session.next('put');

    expect(JSON.stringify(world.log)).not.toContain('private');
    expect(encodeUtf8(JSON.stringify(world.log)).length).toBeGreaterThan(2);
  });
});

describe('startNode', () => {
  test('closes the engine when it cannot listen', async () => {
    const engine = new MemoryEngine();
    const clock = new VirtualClock();
    const network = new MemoryNetwork({ clock });
    const address = { host: '127.0.0.1', port: 7_379 };
    await network.listen({ ...address, onConnection: () => {} });

    const starting = startNode({
      engine,
      network,
      clock,
      logger: silent,
      nodeId: 1,
      version: '0',
      clientAddress: address,
    });

    await expect(starting).rejects.toMatchObject({ code: 'KAYA_LISTEN_FAILED' });
    expect(engine.isClosed).toBe(true);
  });

  test('says where it listens', async () => {
    await using world = await startTestNode(new MemoryEngine());

    expect(world.node.address).toEqual({ host: '127.0.0.1', port: expect.any(Number) });
    expect(world.node.address.port).toBeGreaterThan(0);
  });
});
