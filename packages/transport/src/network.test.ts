/** One suite for both networks: what it claims holds on TCP and in memory. */

import { getEventListeners } from 'node:events';

import { decodeUtf8, encodeUtf8 } from '@kayadb/codec';
import { VirtualClock } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import type { Connection, Listener, ListenOptions, Network } from './network.ts';
import { nodeNetwork } from './node-network.ts';
import { MemoryNetwork } from './testing/memory-network.ts';
import { makeTestCertificate } from './testing/test-certificates.ts';
import { SecureIdentity } from './tls/secure-identity.ts';
import { TransportError } from './transport-error.ts';

interface World {
  readonly clock: VirtualClock;
  readonly network: Network;
}

const worlds: readonly (readonly [string, () => World])[] = [
  [
    'nodeNetwork',
    () => {
      const clock = new VirtualClock();
      return { clock, network: nodeNetwork({ clock }) };
    },
  ],
  [
    'nodeNetwork with TLS',
    () => {
      const clock = new VirtualClock();
      return { clock, network: overTls(nodeNetwork({ clock })) };
    },
  ],
  [
    'MemoryNetwork',
    () => {
      const clock = new VirtualClock();
      return { clock, network: new MemoryNetwork({ clock }) };
    },
  ],
];

/** The same network with both sides showing certificates. */
function overTls(network: Network): Network {
  const ca = makeTestCertificate({ subject: 'ca', isAuthority: true });
  const { certificate, key } = makeTestCertificate({ subject: 'both', names: ['127.0.0.1'], issuer: ca });
  const identity = new SecureIdentity({ certificate, key, ca: ca.certificate }, Date.UTC(2026, 0));
  return {
    listen: (options) => network.listen({ ...options, tls: { identity, requiresPeerCertificate: true } }),
    dial: (options) => network.dial({ ...options, tls: { identity } }),
  };
}

/** Collects what one side received, and lets a test wait for a number of bytes. */
class Inbox {
  #text = '';
  #wake: () => void = () => {};

  constructor(connection: Connection) {
    connection.onData((chunk) => {
      this.#text += decodeUtf8(chunk);
      this.#wake();
    });
    void connection.closed.then(() => this.#wake());
  }

  get text(): string {
    return this.#text;
  }

  async untilLength(length: number): Promise<string> {
    while (this.#text.length < length) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#text;
  }
}

interface Pair extends AsyncDisposable {
  readonly listener: Listener;
  readonly near: Connection;
  readonly far: Connection;
}

async function openPair(network: Network, options: Partial<ListenOptions> = {}): Promise<Pair> {
  const accepted: Connection[] = [];
  let wake: () => void = () => {};
  const onConnection = (connection: Connection): void => {
    accepted.push(connection);
    wake();
  };
  const listener = await network.listen({ host: '127.0.0.1', port: 0, ...options, onConnection });
  const near = await network.dial({ ...listener.address, timeoutMs: 1000 });
  if (accepted.length === 0) await new Promise<void>((resolve) => (wake = resolve));
  const far = accepted[0]!;
  const dispose = async (): Promise<void> => {
    near.destroy();
    far.destroy();
    await listener.close();
  };
  return { listener, near, far, [Symbol.asyncDispose]: dispose };
}

function codeOf(error: unknown): string {
  return error instanceof TransportError ? error.code : String(error);
}

describe.each(worlds)('%s', (_name, openWorld) => {
  test('carries bytes in both directions, in order', async () => {
    const { network } = openWorld();
    await using pair = await openPair(network);
    const atFar = new Inbox(pair.far);
    const atNear = new Inbox(pair.near);

    for (let i = 0; i < 1000; i++) pair.near.send(encodeUtf8(`${i % 10}`));
    pair.far.send(encodeUtf8('answer'));

    expect(await atFar.untilLength(1000)).toBe('0123456789'.repeat(100));
    expect(await atNear.untilLength(6)).toBe('answer');
  });

  test('carries a message larger than one write', async () => {
    const { network } = openWorld();
    await using pair = await openPair(network);
    const atFar = new Inbox(pair.far);
    const text = 'abcdefghij'.repeat(100_000);

    pair.near.send(encodeUtf8(text));

    expect((await atFar.untilLength(text.length)) === text).toBe(true);
  });

  test('joins what one turn sends into one chunk', async () => {
    const { network } = openWorld();
    await using pair = await openPair(network);
    const chunks: number[] = [];
    const whole = new Promise<void>((resolve) => {
      pair.far.onData((chunk) => {
        chunks.push(chunk.length);
        if (chunks.reduce((sum, each) => sum + each, 0) === 300) resolve();
      });
    });

    for (let i = 0; i < 100; i++) pair.near.send(encodeUtf8('abc'));
    await whole;

    expect(chunks).toEqual([300]);
  });

  test('delivers plain byte arrays, whose slice() is a copy', async () => {
    const { network } = openWorld();
    await using pair = await openPair(network);
    const received = new Promise<Uint8Array>((resolve) => pair.far.onData(resolve));

    pair.near.send(Buffer.from('abc'));
    const chunk = await received;

    expect(Object.getPrototypeOf(chunk)).toBe(Uint8Array.prototype);
    expect(decodeUtf8(chunk)).toBe('abc');
  });

  test('keeps bytes that arrive before anyone listens', async () => {
    const { network } = openWorld();
    await using pair = await openPair(network);

    pair.near.send(encodeUtf8('early'));
    await pair.near.drained();
    const atFar = new Inbox(pair.far);

    expect(await atFar.untilLength(5)).toBe('early');
  });

  test('delivers nothing while paused, and everything after', async () => {
    const { network } = openWorld();
    await using pair = await openPair(network);
    const atFar = new Inbox(pair.far);
    const atNear = new Inbox(pair.near);
    pair.far.pause();

    pair.near.send(encodeUtf8('held back'));
    pair.far.send(encodeUtf8('round trip'));
    await atNear.untilLength(10);
    const whilePaused = atFar.text;
    pair.far.resume();

    expect(whilePaused).toBe('');
    expect(await atFar.untilLength(9)).toBe('held back');
  });

  test('sends what is queued before it closes, and both ends see an orderly end', async () => {
    const { network } = openWorld();
    await using pair = await openPair(network);
    const atFar = new Inbox(pair.far);
    pair.near.onData(() => {});
    const text = 'x'.repeat(1_000_000);

    pair.near.send(encodeUtf8(text));
    await pair.near.close();

    expect(atFar.text.length).toBe(text.length);
    expect(await pair.near.closed).toBeUndefined();
    expect(await pair.far.closed).toBeUndefined();
    expect(pair.near.isOpen).toBe(false);
  });

  test('delivers its last bytes also when it leaves some unread', async () => {
    const { network } = openWorld();
    await using pair = await openPair(network);
    const atNear = new Inbox(pair.near);
    const text = 'y'.repeat(1_000_000);

    for (let i = 0; i < 20; i++) pair.near.send(new Uint8Array(100_000));
    await new Promise<void>((resolve) => {
      pair.far.onData(() => {
        pair.far.pause();
        resolve();
      });
    });
    pair.far.send(encodeUtf8(text));
    await pair.far.close();

    expect((await atNear.untilLength(text.length)).length).toBe(text.length);
    expect(await pair.near.closed).toBeUndefined();
  });

  test('tells the other side of a destroyed connection, and runs no receiver after that', async () => {
    const { network } = openWorld();
    await using pair = await openPair(network);
    const atNear = new Inbox(pair.near);
    pair.far.onData(() => {});

    pair.near.destroy();
    pair.far.send(encodeUtf8('too late'));
    const [near, far] = await Promise.all([pair.near.closed, pair.far.closed]);

    expect(codeOf(near)).toBe('KAYA_CONNECTION_DESTROYED');
    expect(far === undefined || codeOf(far) === 'KAYA_CONNECTION_LOST').toBe(true);
    expect(atNear.text).toBe('');
  });

  test('ends a connection whose unsent bytes pass the bound', async () => {
    const { network } = openWorld();
    await using pair = await openPair(network, { limits: { maxBufferedBytes: 100 } });

    pair.far.send(new Uint8Array(60));
    const within = pair.far.isOpen;
    pair.far.send(new Uint8Array(60));

    expect(within).toBe(true);
    expect(codeOf(await pair.far.closed)).toBe('KAYA_SEND_OVERFLOW');
    expect(pair.far.bufferedBytes).toBe(0);
  });

  test('resolves drained() once the other side has taken enough', async () => {
    const { network } = openWorld();
    await using pair = await openPair(network, { limits: { resumeSendBytes: 1000 } });
    let isDrained = false;

    pair.far.send(new Uint8Array(30_000_000));
    const drained = pair.far.drained().then(() => (isDrained = true));
    await Promise.resolve();
    const before = isDrained;
    pair.near.onData(() => {});
    await drained;

    expect(before).toBe(false);
    expect(pair.far.bufferedBytes).toBeLessThanOrEqual(1000);
  });

  test('resolves drained() when the connection ends', async () => {
    const { network } = openWorld();
    await using pair = await openPair(network, { limits: { resumeSendBytes: 1 } });
    pair.far.send(new Uint8Array(30_000_000));

    const drained = pair.far.drained();
    pair.far.destroy();

    await expect(drained).resolves.toBeUndefined();
  });

  test('ends a connection that sends no first byte in time', async () => {
    const { clock, network } = openWorld();
    await using pair = await openPair(network, { limits: { firstByteMs: 50, idleMs: 0 } });

    clock.advance(49);
    const early = pair.far.isOpen;
    clock.advance(1);

    expect(early).toBe(true);
    expect(codeOf(await pair.far.closed)).toBe('KAYA_FIRST_BYTE_TIMEOUT');
  });

  test('ends an idle connection, counted from the last byte', async () => {
    const { clock, network } = openWorld();
    await using pair = await openPair(network, { limits: { firstByteMs: 0, idleMs: 100 } });
    const atFar = new Inbox(pair.far);
    clock.advance(90);
    pair.near.send(encodeUtf8('alive'));
    await atFar.untilLength(5);

    clock.advance(99);
    const early = pair.far.isOpen;
    clock.advance(1);

    expect(early).toBe(true);
    expect(codeOf(await pair.far.closed)).toBe('KAYA_CONNECTION_IDLE');
  });

  test('ends a connection whose other side reads nothing', async () => {
    const { clock, network } = openWorld();
    await using pair = await openPair(network, { limits: { firstByteMs: 0, idleMs: 0, writeStallMs: 30 } });
    pair.far.send(new Uint8Array(30_000_000));
    const atFar = new Inbox(pair.far);
    pair.near.send(encodeUtf8('round trip'));
    await atFar.untilLength(10);

    clock.advance(30);

    expect(codeOf(await pair.far.closed)).toBe('KAYA_WRITE_STALLED');
  });

  test('does not wait for ever on a peer that never ends', async () => {
    const { clock, network } = openWorld();
    await using pair = await openPair(network, { limits: { closeMs: 20 } });
    pair.near.onEnd(() => {});
    pair.near.onData(() => {});

    const closed = pair.far.close();
    clock.advance(20);
    await closed;

    expect(codeOf(await pair.far.closed)).toBe('KAYA_WRITE_STALLED');
  });

  test('refuses connections beyond the limits and counts them', async () => {
    const { network } = openWorld();
    await using pair = await openPair(network, { limits: { maxConnections: 2, maxConnectionsPerAddress: 1 } });

    // With TLS the dial fails already; without, the connection ends at once.
    const second = await network.dial({ ...pair.listener.address, timeoutMs: 1000 }).catch(() => undefined);
    second?.onData(() => {});
    await second?.closed;

    expect(pair.listener.counts).toMatchObject({ open: 1, accepted: 1, refusedTotal: 0, refusedPerAddress: 1 });
  });

  test('gives a place free when a connection ends', async () => {
    const { network } = openWorld();
    await using pair = await openPair(network, { limits: { maxConnections: 1 } });
    pair.far.destroy();
    await pair.far.closed;

    const second = await network.dial({ ...pair.listener.address, timeoutMs: 1000 });
    const atSecond = new Inbox(second);
    second.send(encodeUtf8('x'));

    expect(pair.listener.counts.refusedTotal).toBe(0);
    expect(atSecond.text).toBe('');
    second.destroy();
  });

  test('says that nobody listens', async () => {
    const { network } = openWorld();
    const listener = await network.listen({ host: '127.0.0.1', port: 0, onConnection: () => {} });
    await listener.close();

    const dial = network.dial({ ...listener.address, timeoutMs: 1000 });

    await expect(dial).rejects.toMatchObject({ code: 'KAYA_DIAL_FAILED' });
  });

  test('says that the port is in use', async () => {
    const { network } = openWorld();
    await using first = await network.listen({ host: '127.0.0.1', port: 0, onConnection: () => {} });

    const second = network.listen({ ...first.address, onConnection: () => {} });

    await expect(second).rejects.toMatchObject({ code: 'KAYA_LISTEN_FAILED' });
  });

  test('frees the port when the listener closes, and leaves its connections alone', async () => {
    const { network } = openWorld();
    await using pair = await openPair(network);
    const atFar = new Inbox(pair.far);

    await pair.listener.close();
    await using again = await network.listen({ ...pair.listener.address, onConnection: () => {} });
    pair.near.send(encodeUtf8('still here'));

    expect(again.address).toEqual(pair.listener.address);
    expect(await atFar.untilLength(10)).toBe('still here');
  });

  test('does not dial with a signal that was aborted', async () => {
    const { network } = openWorld();
    await using listener = await network.listen({ host: '127.0.0.1', port: 0, onConnection: () => {} });

    const dial = network.dial({ ...listener.address, timeoutMs: 1000, signal: AbortSignal.abort() });

    await expect(dial).rejects.toMatchObject({ code: 'KAYA_DIAL_ABORTED' });
  });

  test('gives up dialing at the time limit, and when the signal says so', async () => {
    const { clock, network } = openWorld();
    await using listener = await network.listen({ host: '127.0.0.1', port: 0, onConnection: () => {} });
    const abort = new AbortController();

    // Both come in the turn of the dial, so before any connection can be made.
    const late = network.dial({ ...listener.address, timeoutMs: 500 });
    clock.advance(500);
    const aborted = network.dial({ ...listener.address, timeoutMs: 500, signal: abort.signal });
    abort.abort();

    await expect(late).rejects.toMatchObject({ code: 'KAYA_DIAL_TIMEOUT' });
    await expect(aborted).rejects.toMatchObject({ code: 'KAYA_DIAL_ABORTED' });
    expect(clock.pendingTimers).toBe(0);
  });

  test('leaves nothing on a signal that outlives the dials', async () => {
    const { network } = openWorld();
    await using listener = await network.listen({ host: '127.0.0.1', port: 0, onConnection: () => {} });
    const { signal } = new AbortController();

    const connection = await network.dial({ ...listener.address, timeoutMs: 1000, signal });
    connection.destroy();
    await listener.close();
    await network.dial({ ...listener.address, timeoutMs: 1000, signal }).catch(() => {});

    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('leaves no timer behind', async () => {
    const { clock, network } = openWorld();
    const pair = await openPair(network);
    pair.near.onData(() => {});
    pair.far.onData(() => {});

    await pair.near.close();
    await pair.far.closed;
    await pair[Symbol.asyncDispose]();

    expect(clock.pendingTimers).toBe(0);
  });
});
