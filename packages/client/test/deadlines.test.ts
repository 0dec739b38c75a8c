import { getEventListeners } from 'node:events';

import { encodeUtf8 } from '@kayadb/codec';
import { settle, VirtualClock } from '@kayadb/testkit';
import { MemoryNetwork } from '@kayadb/transport/testing';
import { describe, expect, test } from 'vitest';

import { type ClientError, connect } from '../src/index.ts';
import { failureOf, openWorld } from './support/client-world.ts';
import { ScriptedServer } from './support/scripted-server.ts';

describe('Client deadlines and cancellation', () => {
  test('gives up an attempt at its time limit, and the read after the last one', async () => {
    await using world = await openWorld({ timeoutMs: 100, retry: { attempts: 2, backoffBaseMs: 0 } });
    world.server.script = () => 'silence';
    let code = 'pending';
    const get = world.client.get('a').catch((error: unknown) => (code = (error as ClientError).code));

    await world.clock.advanceAsync(199);
    const before = code;
    await world.clock.advanceAsync(1);
    await get;

    expect(before).toBe('pending');
    expect(code).toBe('KAYA_TIMEOUT');
    expect(world.server.kinds.length).toBe(2);
  });

  test('takes a time limit per call', async () => {
    await using world = await openWorld({ retry: { attempts: 1 } });
    world.server.script = () => 'silence';

    await failureOf(world.client.get('a', { timeoutMs: 10 }), world.clock);

    expect(world.clock.now()).toBeLessThan(5000);
  });

  test('says that the outcome of a write that timed out is unknown', async () => {
    await using world = await openWorld();
    world.server.script = () => 'silence';

    const error = await failureOf(world.client.put('a', '1'), world.clock);

    expect(error.code).toBe('KAYA_UNKNOWN_OUTCOME');
    expect((error.cause as ClientError).code).toBe('KAYA_TIMEOUT');
  });

  test('does not give a late answer to the wrong request', async () => {
    await using world = await openWorld({ connectionsPerEndpoint: 1, retry: { attempts: 1 } });
    const { client, clock, server } = world;
    await client.put('slow', 'S');
    await client.put('other', 'O');
    server.holdAnswers();

    const slow = failureOf(client.get('slow', { timeoutMs: 10 }), clock);
    const other = client.get('other', { timeoutMs: 1e9 });
    await clock.advanceAsync(10);
    const third = client.get('absent', { timeoutMs: 1e9 });
    await settle();
    server.releaseAnswers();

    expect((await slow).code).toBe('KAYA_TIMEOUT');
    expect(await other).toEqual(encodeUtf8('O'));
    expect(await third).toBeUndefined();
    expect(server.connections.length).toBe(2);
  });

  test('uses a connection again once its late answer has come', async () => {
    await using world = await openWorld({ connectionsPerEndpoint: 1, retry: { attempts: 1 } });
    const { client, clock, server } = world;
    server.holdAnswers();

    const slow = failureOf(client.get('slow', { timeoutMs: 10 }), clock);
    const other = client.get('other', { timeoutMs: 1e9 });
    await slow;
    server.releaseAnswers();
    await other;
    await client.get('third');

    expect(server.connections.length).toBe(1);
  });

  test('opens a bounded number of connections beside those that owe answers', async () => {
    await using world = await openWorld({ connectionsPerEndpoint: 1, retry: { attempts: 1 } });
    const { client, clock, server } = world;
    server.holdAnswers();

    const calls: Promise<unknown>[] = [];
    for (let i = 0; i < 5; i++) {
      calls.push(client.get('impatient', { timeoutMs: 10 }).catch(() => {}));
      calls.push(client.get('patient', { timeoutMs: 1e9 }));
      await clock.advanceAsync(10);
    }
    server.releaseAnswers();
    await Promise.all(calls);

    expect(server.connections.length).toBe(2);
  });

  test('drops a connection when nobody waits for its answers any more', async () => {
    await using world = await openWorld({ retry: { attempts: 1 } });
    const { client, clock, server, network } = world;
    server.script = () => 'silence';

    await failureOf(client.get('a'), clock);

    expect(network.openConnections(7379)).toBe(0);
  });

  test('ends a call when its signal is aborted, and says whether a write may have happened', async () => {
    await using world = await openWorld();
    const { client, clock, server } = world;
    server.script = () => 'silence';
    const abort = new AbortController();

    const put = failureOf(client.put('a', '1', { signal: abort.signal }), clock);
    const get = failureOf(client.get('a', { signal: abort.signal }), clock);
    await settle();
    abort.abort(new Error('enough'));

    expect(await put).toMatchObject({ code: 'KAYA_ABORTED', isOutcomeUnknown: true });
    expect(await get).toMatchObject({ code: 'KAYA_ABORTED', isOutcomeUnknown: false });
    expect((await get).cause).toMatchObject({ message: 'enough' });
  });

  test('does not begin with a signal that is aborted already', async () => {
    await using world = await openWorld();

    const error = await failureOf(world.client.put('a', '1', { signal: AbortSignal.abort() }), world.clock);

    expect(error.code).toBe('KAYA_ABORTED');
    expect(world.server.requests).toEqual([]);
  });

  test('ends a wait between attempts at once', async () => {
    await using world = await openWorld({ retry: { backoffBaseMs: 1e6, backoffCapMs: 1e6 } });
    world.server.script = () => 'cut';
    const abort = new AbortController();
    const get = world.client.get('a', { signal: abort.signal }).catch((error: unknown) => (error as ClientError).code);
    await settle();

    abort.abort();

    expect(await get).toBe('KAYA_ABORTED');
    expect(world.clock.pendingTimers).toBe(0);
  });

  test('stops dialing when it is closed', async () => {
    const { client, clock, network } = await openWorld();
    network.hold(7379);
    const get = failureOf(client.get('a'), clock);
    await settle();

    await client.close();
    await settle();

    expect((await get).code).toBe('KAYA_CLIENT_CLOSED');
    expect(clock.pendingTimers).toBe(0);
  });

  test('drops a connection that is made just as it is closed', async () => {
    const clock = new VirtualClock();
    const network = new MemoryNetwork({ clock, delivery: 'manual' });
    await ScriptedServer.open(network);
    const client = connect('127.0.0.1:7379', { protocol: 1, clock, network });
    const get = client.get('a').catch((error: unknown) => (error as ClientError).code);

    // The dial has succeeded, but the client has not been told yet.
    network.pump();
    const closed = client.close();
    await settle();
    network.pump();
    await closed;

    expect(await get).toBe('KAYA_CLIENT_CLOSED');
    expect(network.openConnections(7379)).toBe(0);
  });

  test('listens to a signal only as long as the call runs', async () => {
    await using world = await openWorld();
    const { signal } = new AbortController();

    const put = world.client.put('a', '1', { signal });
    const during = getEventListeners(signal, 'abort').length;
    await put;

    expect(during).toBe(1);
    expect(getEventListeners(signal, 'abort').length).toBe(0);
  });

  test('ends its calls when it is closed, and leaves nothing behind', async () => {
    const world = await openWorld();
    const { client, clock, server, network } = world;
    server.script = () => 'silence';
    const running = failureOf(client.get('a'), clock);
    await settle();

    await client.close();
    await client.close();
    const later = await failureOf(client.get('a'), clock);
    await settle();

    expect((await running).code).toBe('KAYA_CLIENT_CLOSED');
    expect(later.code).toBe('KAYA_CLIENT_CLOSED');
    expect(network.openConnections(7379)).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });
});
