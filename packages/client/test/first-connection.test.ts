/** Calls that come before it is known which version the cluster speaks: they have the same bounds as all others. */

import { encodeUtf8 } from '@kayadb/codec';
import { settle, VirtualClock } from '@kayadb/testkit';
import type { DialOptions, Network } from '@kayadb/transport';
import { MemoryNetwork } from '@kayadb/transport/testing';
import { describe, expect, test } from 'vitest';

import { type ClientEvent, type ClientOptions, connect } from '../src/index.ts';
import { STAGGER_MS } from '../src/limits.ts';
import { ScriptedCluster } from './support/scripted-cluster.ts';
import { failureIn, finish } from './support/world-2.ts';

const PORT = ScriptedCluster.portOf(0);
const ADDRESS = `127.0.0.1:${PORT}`;

interface Silence {
  readonly clock: VirtualClock;
  readonly network: MemoryNetwork;
  readonly cluster: ScriptedCluster;
  /** Connections that were asked for. */
  readonly dials: DialOptions[];
  readonly options: ClientOptions;
}

/** A node whose machine stands still: it neither takes connections nor answers. */
async function openSilence(): Promise<Silence> {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock });
  const dials: DialOptions[] = [];
  const seen: Network = {
    listen: (options) => network.listen(options),
    dial: (options) => {
      dials.push(options);
      return network.dial(options);
    },
  };
  const cluster = await ScriptedCluster.open(network);
  network.hold(PORT);
  return { clock, network, cluster, dials, options: { clock, network: seen, random: () => 0.5 } };
}

describe('A first call', () => {
  test('ends at its own deadline when nobody answers, and says who did not', async () => {
    const { clock, options } = await openSilence();
    await using client = connect(ADDRESS, options);

    const error = await failureIn(client.get('a', { deadlineMs: 300 }), clock);

    expect(clock.now()).toBe(300);
    expect(error.code).toBe('KAYA_TIMEOUT');
    expect(error.message).toBe(`no answer from ${ADDRESS} within 300 ms`);
    expect(error.isOutcomeUnknown).toBe(false);
  });

  test('that waited for the version has the rest of its time for the answer', async () => {
    const { clock, network, cluster, options } = await openSilence();
    cluster.script = () => 'silence';
    await using client = connect(ADDRESS, options);

    const get = failureIn(client.get('a', { deadlineMs: 300, timeoutMs: 10_000 }), clock);
    await clock.advanceAsync(200);
    network.release(PORT);
    await get;

    expect(cluster.kinds).toContain('get');
    expect(clock.now()).toBe(300);
  });

  test('of several ends at its own deadline, and the others wait on', async () => {
    const { clock, network, options } = await openSilence();
    await using client = connect(ADDRESS, options);

    const hasty = failureIn(client.get('a', { deadlineMs: 300 }), clock);
    const patient = client.get('a', { deadlineMs: 10_000 });
    const error = await hasty;
    network.release(PORT);

    expect(error.code).toBe('KAYA_TIMEOUT');
    expect(await finish(patient, clock)).toBeUndefined();
  });

  test('whose signal is aborted already dials nobody', async () => {
    const clock = new VirtualClock();
    const network = new MemoryNetwork({ clock });
    await using client = connect(ADDRESS, { clock, network });

    const error = await failureIn(client.get('a', { signal: AbortSignal.abort() }), clock);
    await clock.advanceAsync(10_000);

    expect(error.code).toBe('KAYA_ABORTED');
    expect(clock.now()).toBe(10_000);
  });

  test('is one of a bounded number', async () => {
    const { clock, options } = await openSilence();
    const client = connect(ADDRESS, { ...options, maxPendingRequests: 2 });
    const waiting = [failureIn(client.put('a', '1'), clock), failureIn(client.put('b', '1'), clock)];

    const error = await failureIn(client.put('c', '1'), clock);
    await client.close();

    expect(error.code).toBe('KAYA_TOO_MANY_REQUESTS');
    expect((await Promise.all(waiting)).map(({ code }) => code)).toEqual(['KAYA_CLIENT_CLOSED', 'KAYA_CLIENT_CLOSED']);
  });

  test('has no more than the time of one try to connect and to be understood', async () => {
    const { clock, network, dials, options } = await openSilence();
    await using client = connect(ADDRESS, { ...options, timeoutMs: 1_000, retry: { attempts: 1 } });

    const get = failureIn(client.get('a'), clock);
    await clock.advanceAsync(800);
    network.release(PORT);
    await Promise.resolve();
    network.hold(PORT);
    const error = await get;

    expect(dials.length).toBe(1);
    expect(clock.now()).toBe(1_000);
    expect(error.message).toContain(ADDRESS);
  });

  test('to a port that is something else says so, and another endpoint serves', async () => {
    const { clock, network, options } = await openSilence();
    await network.listen({
      host: '127.0.0.1',
      port: 9090,
      onConnection: (connection) => {
        connection.onData(() => connection.send(encodeUtf8('HTTP/1.1 400 Bad Request\r\n\r\n')));
      },
    });
    network.release(PORT);
    await using mistaken = connect('127.0.0.1:9090', options);
    await using mixed = connect(['127.0.0.1:9090', ADDRESS], options);

    const error = await failureIn(mistaken.get('a'), clock);
    const value = await finish(mixed.get('a'), clock);

    expect(error.code).toBe('KAYA_PROTOCOL');
    expect(error.message).toBe("127.0.0.1:9090 sent an answer that is not KayaDB's; is it a KayaDB client port?");
    expect(value).toBeUndefined();
  });

  test('does not wait for an endpoint that stands still while others answer', async () => {
    const { clock, network, options } = await openSilence();
    const cluster = await ScriptedCluster.open(network.from('10.0.0.9'), { nodes: 3, firstPort: 7101 });
    await using client = connect([ADDRESS, ...cluster.addresses], options);

    const value = await finish(client.get('a'), clock);

    expect(value).toBeUndefined();
    expect(clock.now()).toBe(STAGGER_MS);
  });

  test('comes back to the endpoint that is late when the others are gone', async () => {
    const { clock, network, options } = await openSilence();
    await using client = connect([ADDRESS, '127.0.0.1:9'], options);

    const get = client.get('a');
    await clock.advanceAsync(STAGGER_MS);
    network.release(PORT);

    expect(await finish(get, clock)).toBeUndefined();
    expect(clock.now()).toBeLessThan(STAGGER_MS + 200);
  });

  test('tells of each try', async () => {
    const clock = new VirtualClock();
    const network = new MemoryNetwork({ clock });
    const events: ClientEvent[] = [];
    await using client = connect(ADDRESS, { clock, network, onEvent: (event) => void events.push(event) });

    await failureIn(client.get('a'), clock);

    expect(events.filter(({ kind }) => kind === 'retry').length).toBe(3);
  });
});

describe('Closing', () => {
  test('ends as many calls as there may be', async () => {
    const clock = new VirtualClock();
    const network = new MemoryNetwork({ clock });
    const cluster = await ScriptedCluster.open(network);
    const client = connect(ADDRESS, { protocol: 2, clock, network, maxPendingRequests: 2 });
    await finish(client.put('a', '1'), clock);
    cluster.script = ({ request }) => (request.kind === 'get' ? 'silence' : 'serve');
    const calls = [failureIn(client.get('a'), clock), failureIn(client.get('a'), clock)];
    await settle();

    await finish(client.close(), clock);

    expect((await Promise.all(calls)).map(({ code }) => code)).toEqual(['KAYA_CLIENT_CLOSED', 'KAYA_CLIENT_CLOSED']);
    expect(network.openConnections(PORT)).toBe(0);
    expect(cluster.machine.sessions.size).toBe(0);
  });
});
