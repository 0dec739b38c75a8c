import { decodeUtf8, encodeUtf8 } from '@kayadb/codec';
import { settle, VirtualClock } from '@kayadb/testkit';
import { nodeNetwork } from '@kayadb/transport';
import { describe, expect, test } from 'vitest';

import { BatchError, type ClientError, connect } from '../src/index.ts';
import { failureOf, openWorld, type World } from './support/client-world.ts';
import { ScriptedServer, toHex } from './support/scripted-server.ts';

async function keysOf(scan: AsyncIterable<{ readonly key: Uint8Array }>): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of scan) keys.push(decodeUtf8(key));
  return keys;
}

describe('Client', () => {
  test('puts, gets, deletes and scans, with strings and with bytes', async () => {
    await using world = await openWorld();
    const { client } = world;

    await client.put('a', 'one');
    await client.put(Uint8Array.of(0x62), Uint8Array.of(2));
    await client.put('c', 'three');
    await client.delete('c');
    const items = [];
    for await (const item of client.scan('')) items.push([decodeUtf8(item.key), decodeUtf8(item.value)]);

    expect(await client.get('a')).toEqual(encodeUtf8('one'));
    expect(await client.get('c')).toBeUndefined();
    expect(items).toEqual([
      ['a', 'one'],
      ['b', '\u0002'],
    ]);
  });

  test('asks for health, counters and the version', async () => {
    await using world = await openWorld();

    expect(await world.client.health()).toBe('leader');
    expect(await world.client.stats()).toEqual({ put_count: 1 });
    expect(await world.client.hello(1)).toBe(1);
  });

  test('sends the client token with data and counters, the operator token with membership, and neither with health', async () => {
    await using world = await openWorld({ clientToken: 'reader', operatorToken: 'boss' });
    const { client, server } = world;

    await client.put('a', '1');
    await client.stats();
    await client.health();
    await client.addMember({ id: 2, raftAddress: 'n2:1', clientAddress: 'n2:2' });
    const tokens = server.requests.map((each) =>
      'credential' in each && each.credential ? `${each.credential.kind} ${decodeUtf8(each.credential.token)}` : 'none',
    );

    expect(tokens).toEqual(['client reader', 'client reader', 'none', 'operator boss']);
  });

  test('hands out values that are the caller\u2019s own', async () => {
    await using world = await openWorld();
    await world.client.put('a', 'one');

    const value = await world.client.get('a');
    const sizes: number[] = [];
    for await (const item of world.client.scan('')) {
      sizes.push(item.key.buffer.byteLength, item.value.buffer.byteLength);
    }

    expect(value?.buffer.byteLength).toBe(3);
    expect(sizes).toEqual([1, 3]);
  });

  test('has copied its arguments when a method returns', async () => {
    await using world = await openWorld();
    const value = encodeUtf8('one');

    const put = world.client.put('a', value);
    value.fill(0);
    await put;

    expect(await world.client.get('a')).toEqual(encodeUtf8('one'));
  });

  test('pipelines concurrent requests over its few connections, and matches the answers', async () => {
    await using world = await openWorld({ connectionsPerEndpoint: 2 });
    const { client, server } = world;
    server.holdAnswers();

    const puts = Array.from({ length: 100 }, (_, i) => client.put(`k${i}`, `v${i}`));
    await settle();
    const before = [server.requests.length, server.connections.length];
    server.releaseAnswers();
    await Promise.all(puts);
    const values = await Promise.all(Array.from({ length: 100 }, (_, i) => client.get(`k${i}`)));

    expect(before).toEqual([100, 2]);
    expect(values.map((value) => decodeUtf8(value!))).toEqual(Array.from({ length: 100 }, (_, i) => `v${i}`));
  });

  test('keeps to its bounds of requests and of bytes in flight', async () => {
    await using world = await openWorld({ connectionsPerEndpoint: 1, maxInFlightRequests: 5, maxInFlightBytes: 1000 });
    const { client, server } = world;
    server.holdAnswers();

    const small = Array.from({ length: 20 }, (_, i) => client.put(`${i}`, 'x'));
    await settle();
    const afterSmall = server.requests.length;
    server.releaseAnswers();
    await Promise.all(small);
    server.holdAnswers();
    const large = Array.from({ length: 4 }, (_, i) => client.put(`${i}`, 'x'.repeat(400)));
    const huge = client.put('huge', 'x'.repeat(5000));
    await settle();
    const afterLarge = server.requests.length - 20;
    for (let i = 0; i < 10; i++) {
      server.releaseAnswers();
      await settle();
    }
    await Promise.all([...large, huge]);

    expect(afterSmall).toBe(5);
    expect(afterLarge).toBe(2);
  });

  test('refuses more pending calls than its bound', async () => {
    await using world = await openWorld({ maxPendingRequests: 2 });
    world.server.holdAnswers();

    const first = [world.client.get('a'), world.client.get('b')];
    const third = failureOf(world.client.get('c'), world.clock);

    expect((await third).code).toBe('KAYA_TOO_MANY_REQUESTS');
    world.server.releaseAnswers();
    await Promise.all(first);
  });
});

describe('Client over TCP', () => {
  test('puts, gets and scans', async () => {
    const clock = new VirtualClock();
    const network = nodeNetwork({ clock });
    const server = await ScriptedServer.open(network, 0);
    await using client = connect(`127.0.0.1:${server.port}`, { clock, network });
    const large = 'x'.repeat(3_000_000);

    await Promise.all([client.put('a', large), client.put('b', '2')]);
    const keys = await keysOf(client.scan(''));
    const value = await client.get('a');
    const small = await client.get('b');
    await server.close();

    expect(keys).toEqual(['a', 'b']);
    expect(value?.length).toBe(large.length);
    expect(small?.buffer.byteLength).toBe(1);
  });
});

describe('Client refusals', () => {
  test.each([
    [{ kind: 'invalid-argument', message: 'the key is empty' }, 'KAYA_INVALID_ARGUMENT'],
    [{ kind: 'error', message: 'disk full' }, 'KAYA_SERVER'],
    [{ kind: 'error', message: 'client credential required or invalid' }, 'KAYA_UNAUTHORIZED'],
    [{ kind: 'error', message: 'acl denied' }, 'KAYA_UNAUTHORIZED'],
    [{ kind: 'conflict', message: 'no' }, 'KAYA_SERVER'],
    [{ kind: 'not-found' }, 'KAYA_PROTOCOL'],
    ['garbage', 'KAYA_UNKNOWN_OUTCOME'],
  ] as const)('%j to a put is %s, and is not tried again', async (reaction, code) => {
    await using world = await openWorld();
    world.server.script = () => reaction;

    const error = await failureOf(world.client.put('a', '1'), world.clock);

    expect(error.code).toBe(code);
    expect(world.server.kinds).toEqual(['put']);
  });

  test('garbage to a get is a protocol error, and the next call has a fresh connection', async () => {
    await using world = await openWorld({ connectionsPerEndpoint: 1 });
    world.server.script = (_request, count) => (count === 1 ? 'garbage' : 'store');

    const error = await failureOf(world.client.get('a'), world.clock);

    expect(error.code).toBe('KAYA_PROTOCOL');
    expect(await world.client.get('a')).toBeUndefined();
    expect(world.server.connections.length).toBe(2);
  });

  test('never puts a token into a message', async () => {
    await using world = await openWorld({ clientToken: 'geheim' });
    world.server.script = () => ({ kind: 'error', message: 'client credential required or invalid' });

    const error = await failureOf(world.client.put('a', '1'), world.clock);

    expect(JSON.stringify([error.message, error.stack])).not.toContain('geheim');
  });

  test('refuses requests over the frame limit before sending anything', async () => {
    await using world = await openWorld();

    const error = await failureOf(world.client.put('a', new Uint8Array(64 * 1024 * 1024)), world.clock);

    expect(error.code).toBe('KAYA_INVALID_ARGUMENT');
    expect(world.server.requests).toEqual([]);
  });

  test.each(['', 'localhost', 'localhost:0', 'http://localhost:7379'])('does not connect to "%s"', (endpoint) => {
    expect(() => connect(endpoint)).toThrow(TypeError);
  });

  test('does not take numbers out of bounds', () => {
    expect(() => connect([])).toThrow(TypeError);
    expect(() => connect('a:1', { timeoutMs: 0 })).toThrow(RangeError);
    expect(() => connect('a:1', { retry: { backoffBaseMs: -1 } })).toThrow(RangeError);
  });
});

describe('Client retries', () => {
  test('sends a put again when its connection is lost', async () => {
    await using world = await openWorld();
    world.server.script = (_request, count) => (count === 1 ? 'store-and-cut' : 'store');

    const put = world.client.put('a', '1');
    await world.clock.advanceAsync(50);
    await put;

    expect(world.server.kinds).toEqual(['put', 'put']);
    expect(await world.client.get('a')).toEqual(encodeUtf8('1'));
  });

  test('waits between attempts as the decision says', async () => {
    await using world = await openWorld();
    world.server.script = () => 'cut';
    const times: number[] = [];
    const { clock, server } = world;
    server.script = () => {
      times.push(clock.now());
      return 'cut';
    };

    await failureOf(world.client.get('a'), clock);

    expect(times).toEqual([0, 25, 75, 175]);
  });

  test('says that the outcome of a write is unknown when no attempt was answered', async () => {
    await using world = await openWorld();
    world.server.script = () => 'store-and-cut';

    const error = await failureOf(world.client.put('a', '1'), world.clock);

    expect([error.code, error.isOutcomeUnknown]).toEqual(['KAYA_UNKNOWN_OUTCOME', true]);
    expect((error.cause as ClientError).code).toBe('KAYA_UNAVAILABLE');
    expect(world.server.kinds.length).toBe(4);
  });

  test('says so also when only the last attempt got a refusal', async () => {
    await using world = await openWorld();
    world.server.script = (_request, count) =>
      count === 1 ? 'store-and-cut' : { kind: 'error', message: 'disk full' };

    const error = await failureOf(world.client.put('a', '1'), world.clock);

    expect(error.code).toBe('KAYA_UNKNOWN_OUTCOME');
  });

  test('says that a write was not sent when nobody could be reached', async () => {
    await using world = await openWorld({}, ['127.0.0.1:1']);

    const error = await failureOf(world.client.put('a', '1'), world.clock);

    expect([error.code, error.isOutcomeUnknown]).toEqual(['KAYA_UNAVAILABLE', false]);
    expect(error.message).toContain('127.0.0.1:1');
  });

  test('gives a read a plain failure', async () => {
    await using world = await openWorld();
    world.server.script = () => 'cut';

    const error = await failureOf(world.client.get('a'), world.clock);

    expect([error.code, error.isOutcomeUnknown]).toEqual(['KAYA_UNAVAILABLE', false]);
  });

  test('does not send a membership change twice', async () => {
    await using world = await openWorld();
    world.server.script = () => 'cut';

    const error = await failureOf(world.client.removeMember(2), world.clock);

    expect(error.code).toBe('KAYA_UNKNOWN_OUTCOME');
    expect(world.server.kinds).toEqual(['remove-member']);
  });

  test('goes to the next endpoint when one cannot be reached', async () => {
    await using world = await openWorld({}, ['127.0.0.1:1', '127.0.0.1:7379']);

    const put = world.client.put('a', '1');
    await world.clock.advanceAsync(50);
    await put;
    await world.client.put('b', '2');

    expect(world.server.kinds).toEqual(['put', 'put']);
  });
});

describe('Client redirects', () => {
  test('follows a redirect without a wait, and remembers the leader', async () => {
    await using world = await openWorld();
    const leader = await ScriptedServer.open(world.network, 7380);
    world.server.script = () => ({ kind: 'not-leader', leaderAddress: '127.0.0.1:7380' });

    await world.client.put('a', '1');
    await world.client.put('b', '2');

    expect(world.server.kinds).toEqual(['put']);
    expect(leader.kinds).toEqual(['put', 'put']);
    expect(world.clock.now()).toBe(0);
  });

  test('keeps no connection to a leader of the past that it was never told to use', async () => {
    await using world = await openWorld();
    const second = await ScriptedServer.open(world.network, 7380);
    await ScriptedServer.open(world.network, 7381);
    world.server.script = () => ({ kind: 'not-leader', leaderAddress: '127.0.0.1:7380' });
    second.script = () => ({ kind: 'not-leader', leaderAddress: '127.0.0.1:7381' });

    await world.client.put('a', '1');
    await settle();

    expect([7379, 7380, 7381].map((port) => world.network.openConnections(port))).toEqual([1, 0, 1]);
  });

  test('returns to its own endpoints when the leader is gone', async () => {
    await using world = await openWorld();
    const leader = await ScriptedServer.open(world.network, 7380);
    let isRedirecting = true;
    world.server.script = () => (isRedirecting ? { kind: 'not-leader', leaderAddress: '127.0.0.1:7380' } : 'store');
    await world.client.put('a', '1');
    isRedirecting = false;
    leader.script = () => 'cut';

    const put = world.client.put('b', '2');
    await world.clock.advanceAsync(100);
    await put;

    expect(world.server.store.has(toHex(encodeUtf8('b')))).toBe(true);
  });

  test('gives up after three redirects, with the last address', async () => {
    await using world = await openWorld();
    world.server.script = () => ({ kind: 'not-leader', leaderAddress: '127.0.0.1:7379' });

    const error = await failureOf(world.client.put('a', '1'), world.clock);

    expect(error).toMatchObject({ code: 'KAYA_NOT_LEADER', leaderAddress: '127.0.0.1:7379', isOutcomeUnknown: false });
    expect(world.server.kinds.length).toBe(4);
  });

  test('asks the next endpoint, after a wait, when no leader is named', async () => {
    await using world = await openWorld({}, ['127.0.0.1:7379', '127.0.0.1:7380']);
    const other = await ScriptedServer.open(world.network, 7380);
    world.server.script = () => ({ kind: 'not-leader', leaderAddress: undefined });

    const put = world.client.put('a', '1');
    await world.clock.advanceAsync(24);
    const early = other.kinds.length;
    await world.clock.advanceAsync(1);
    await put;

    expect(early).toBe(0);
    expect(other.kinds).toEqual(['put']);
  });
});

describe('Client.pipeline', () => {
  const twenty = Array.from({ length: 20 }, (_, i) => ({ kind: 'put', key: `k${i % 3}`, value: `${i}` }) as const);

  test('applies its operations in order on one connection', async () => {
    await using world = await openWorld();

    await world.client.pipeline([...twenty, { kind: 'delete', key: 'k0' }]);

    expect(world.server.connections.length).toBe(1);
    expect(await world.client.get('k0')).toBeUndefined();
    expect(await world.client.get('k1')).toEqual(encodeUtf8('19'));
  });

  test('does nothing when it is empty', async () => {
    await using world = await openWorld();

    await world.client.pipeline([]);

    expect(world.server.connections).toEqual([]);
  });

  test('goes on from the first unacknowledged operation when its connection is lost', async () => {
    await using world = await openWorld();
    world.server.script = (_request, count) => (count === 8 ? 'store-and-cut' : 'store');

    const batch = world.client.pipeline(twenty);
    await world.clock.advanceAsync(100);
    await batch;

    expect(world.server.connections.length).toBe(2);
    expect(await world.client.get('k1')).toEqual(encodeUtf8('19'));
  });

  test('survives any number of lost connections as long as it gets on', async () => {
    await using world = await openWorld({ maxInFlightRequests: 2 });
    world.server.script = (_request, count) => (count % 3 === 0 ? 'cut' : 'store');

    const batch = world.client.pipeline(twenty);
    await world.clock.advanceAsync(10_000);

    await expect(batch).resolves.toBeUndefined();
  });

  test('says which operations were acknowledged', async () => {
    await using world = await openWorld({ maxInFlightRequests: 2 });
    world.server.script = (request) =>
      request.kind === 'put' && decodeUtf8(request.value) === '5'
        ? { kind: 'invalid-argument', message: 'the value is 5' }
        : 'store';

    const error = await failureOf(world.client.pipeline(twenty), world.clock);

    expect(error).toBeInstanceOf(BatchError);
    expect(error.code).toBe('KAYA_INVALID_ARGUMENT');
    const { states } = error as BatchError;
    expect(states.slice(0, 6)).toEqual([...Array<string>(5).fill('acknowledged'), 'refused']);
    expect(new Set(states.slice(6))).toEqual(new Set(['acknowledged']));
  });

  test('stops sending after a refusal', async () => {
    await using world = await openWorld();
    const many = Array.from({ length: 2000 }, (_, i) => ({ kind: 'put', key: `${i}`, value: '' }) as const);
    world.server.script = () => ({ kind: 'error', message: 'disk full' });

    const error = await failureOf(world.client.pipeline(many), world.clock);

    expect((error as BatchError).states.at(-1)).toBe('not-sent');
    expect(world.server.requests.length).toBeLessThan(1000);
  });

  test('waits for one silence only, however many operations it has sent', async () => {
    await using world = await openWorld({ timeoutMs: 100, retry: { attempts: 1 } });
    world.server.script = () => 'silence';
    const batch = world.client.pipeline(twenty).catch((error: unknown) => (error as BatchError).code);

    await world.clock.advanceAsync(100);

    expect(await batch).toBe('KAYA_UNKNOWN_OUTCOME');
    expect(world.clock.now()).toBe(100);
  });

  test('keeps an outcome unknown when the second try is refused', async () => {
    await using world = await openWorld();
    world.server.script = (_request, count) =>
      count === 1 ? 'store-and-cut' : { kind: 'error', message: 'disk full' };

    const error = (await failureOf(world.client.pipeline(twenty.slice(0, 1)), world.clock)) as BatchError;

    expect(error.states).toEqual(['unknown']);
    expect(error.isOutcomeUnknown).toBe(true);
  });

  test('says which outcomes are unknown', async () => {
    await using world = await openWorld({ maxInFlightRequests: 4, retry: { attempts: 1 } });
    world.server.script = (_request, count) => (count <= 3 ? 'store' : 'silence');

    const error = (await failureOf(world.client.pipeline(twenty), world.clock)) as BatchError;

    expect(error.code).toBe('KAYA_UNKNOWN_OUTCOME');
    expect(error.isOutcomeUnknown).toBe(true);
    expect(error.states).toEqual([
      ...Array<string>(3).fill('acknowledged'),
      ...Array<string>(4).fill('unknown'),
      ...Array<string>(13).fill('not-sent'),
    ]);
  });
});

describe('Client.scan', () => {
  async function fill(world: World, keys: readonly (readonly number[] | string)[]): Promise<void> {
    const operations = keys.map((key) => {
      const bytes = typeof key === 'string' ? encodeUtf8(key) : Uint8Array.from(key);
      return { kind: 'put', key: bytes, value: bytes } as const;
    });
    await world.client.pipeline(operations);
    world.server.requests.length = 0;
  }

  test('asks once when the answer fits', async () => {
    await using world = await openWorld();
    await fill(world, ['a', 'ab', 'b']);

    const keys = await keysOf(world.client.scan('a'));

    expect(keys).toEqual(['a', 'ab']);
    expect(world.server.kinds).toEqual(['scan']);
  });

  test('splits a prefix that is too large, and yields every key once, in order', async () => {
    await using world = await openWorld();
    const keys = ['p', 'p/', 'p/a', 'p/aa', 'p/ab', 'p/abc', 'p/b', 'p0', 'q'];
    await fill(world, keys);
    world.server.maxScanItems = 2;

    const found = await keysOf(world.client.scan('p'));

    expect(found).toEqual(keys.filter((key) => key.startsWith('p')));
  });

  test('splits the whole store, with keys of any bytes', async () => {
    await using world = await openWorld();
    const keys = [[0], [0, 0], [0, 0xff], [0x7f], [0xff], [0xff, 0], [0xff, 0xff], [0xff, 0xff, 1]];
    await fill(world, keys);
    world.server.maxScanItems = 1;
    const found: number[][] = [];

    for await (const { key, value } of world.client.scan(new Uint8Array(0))) {
      found.push([...key]);
      expect(value).toEqual(key);
    }

    expect(found).toEqual(keys);
  });

  test('stops asking once it has enough', async () => {
    await using world = await openWorld();
    await fill(world, ['a', 'b', 'c']);
    world.server.maxScanItems = 2;

    const limited = await keysOf(world.client.scan('', { limit: 1 }));
    const asked = world.server.kinds.length;
    const none = await keysOf(world.client.scan('', { limit: 0 }));

    expect(limited).toEqual(['a']);
    expect(none).toEqual([]);
    // The whole, then the prefixes 0x00 to 0x61.
    expect(asked).toBe(1 + 0x62);
    expect(world.server.kinds.length).toBe(asked);
  });

  test('stops when the consumer breaks off', async () => {
    await using world = await openWorld();
    await fill(world, ['a', 'b']);

    for await (const item of world.client.scan('')) {
      expect(decodeUtf8(item.key)).toBe('a');
      break;
    }

    expect(world.server.kinds).toEqual(['scan']);
  });

  test('ends with KAYA_ABORTED when its signal is aborted between parts', async () => {
    await using world = await openWorld();
    await fill(world, ['a', 'b']);
    world.server.maxScanItems = 1;
    const abort = new AbortController();
    const seen: string[] = [];

    const run = (async () => {
      for await (const { key } of world.client.scan('', { signal: abort.signal })) {
        seen.push(decodeUtf8(key));
        abort.abort();
      }
    })();

    await expect(run).rejects.toMatchObject({ code: 'KAYA_ABORTED' });
    expect(seen).toEqual(['a']);
  });

  test('gives up on a server that finds every prefix too large', async () => {
    await using world = await openWorld();
    world.server.script = (request) =>
      request.kind === 'scan' ? { kind: 'invalid-argument', message: 'scan too large' } : { kind: 'not-found' };

    const error = await failureOf(keysOf(world.client.scan(new Uint8Array(4095))), world.clock);

    expect(error.code).toBe('KAYA_PROTOCOL');
    expect(world.server.kinds.filter((kind) => kind === 'scan').length).toBe(2);
  });

  test('refuses a limit that is no number from 0', async () => {
    await using world = await openWorld();

    expect(() => world.client.scan('', { limit: -1 })).toThrow(RangeError);
    expect(() => world.client.scan('', { limit: NaN })).toThrow(RangeError);
  });
});
