/** TLS over real sockets: who gets in, who is turned away and with which words, and what a flood leaves. */

import { type AddressInfo, connect as connectPlain, createServer, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

import { decodeUtf8, encodeUtf8 } from '@kayadb/codec';
import { VirtualClock } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import type { Connection, DialTls, Endpoint, Listener, ListenOptions, ListenTls, Network } from '../network.ts';
import { nodeNetwork } from '../node-network.ts';
import { makeTestCertificate, type TestCertificate } from '../testing/test-certificates.ts';
import type { TransportError } from '../transport-error.ts';
import { SecureIdentity } from './secure-identity.ts';

const NOW_MS = Date.UTC(2026, 0);
const PAST = { notBeforeMs: Date.UTC(2023, 0), notAfterMs: Date.UTC(2024, 0) };

const ca = makeTestCertificate({ subject: 'ca', isAuthority: true });
const otherCa = makeTestCertificate({ subject: 'other ca', isAuthority: true });
const node1 = makeTestCertificate({ subject: 'node-1', names: ['127.0.0.1', 'node-1.example'], issuer: ca });
const node2 = makeTestCertificate({ subject: 'node-2', names: ['node-2.example'], issuer: ca });
const expired = makeTestCertificate({ subject: 'expired', names: ['127.0.0.1'], issuer: ca, ...PAST });
const stranger = makeTestCertificate({ subject: 'stranger', names: ['127.0.0.1'], issuer: otherCa });

/** Certificates out of their time are put in force as if it were then. */
function identityOf(own: TestCertificate | undefined, authority?: TestCertificate): SecureIdentity {
  const pair = own === undefined ? {} : { certificate: own.certificate, key: own.key };
  const nowMs = own === expired ? PAST.notBeforeMs : NOW_MS;
  return new SecureIdentity({ ...pair, ca: authority?.certificate }, nowMs);
}

interface Cutter {
  cutAfter: number;
  seen: number;
  readonly port: number;
  readonly close: () => void;
}

/** A listener that echoes, and what became of those who came. */
class World implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly network: Network = nodeNetwork({ clock: this.clock });
  readonly accepted: Connection[] = [];
  readonly failures: TransportError[] = [];
  readonly #dialed: Connection[] = [];
  #listener: Listener | undefined;
  #wake: () => void = () => {};

  static async open(tls: ListenTls | undefined, options: Partial<ListenOptions> = {}): Promise<World> {
    const world = new World();
    world.#listener = await world.network.listen({
      host: '127.0.0.1',
      port: 0,
      ...options,
      tls,
      onConnection: (connection) => {
        world.accepted.push(connection);
        connection.onData((chunk) => connection.send(chunk));
        void connection.closed.then(() => world.#wake());
        world.#wake();
      },
      onHandshakeFailed: (error) => {
        world.failures.push(error);
        world.#wake();
      },
    });
    return world;
  }

  get listener(): Listener {
    return this.#listener!;
  }

  async dial(tls: DialTls | undefined, host = '127.0.0.1'): Promise<Connection> {
    const connection = await this.network.dial({ host, port: this.listener.address.port, timeoutMs: 1000, tls });
    this.#dialed.push(connection);
    return connection;
  }

  /** Sends a word and waits for its echo. */
  async echo(connection: Connection, text: string): Promise<string> {
    const answer = new Promise<string>((resolve) => connection.onData((chunk) => resolve(decodeUtf8(chunk))));
    connection.send(encodeUtf8(text));
    const closed = connection.closed.then((reason) => `closed: ${reason?.code}`);
    return Promise.race([answer, closed]);
  }

  /** Waits for something that a listener's callback brings about. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of [...this.#dialed, ...this.accepted]) connection.destroy();
    await this.listener.close();
  }
}

describe('TLS', () => {
  test('hands each side the identity of the other', async () => {
    await using world = await World.open({ identity: identityOf(node1, ca), requiresPeerCertificate: true });

    const near = await world.dial({ identity: identityOf(node2, ca) });
    await world.until(() => world.accepted.length === 1);

    expect(near.tls).toMatchObject({
      version: 'TLSv1.3',
      peer: { subject: 'CN=node-1', spkiSha256: node1.spkiSha256 },
    });
    expect(world.accepted[0]?.tls?.peer).toMatchObject({ subject: 'CN=node-2', dnsNames: ['node-2.example'] });
    expect(await world.echo(near, 'hello')).toBe('hello');
  });

  test('takes certificates that have names and no subject', async () => {
    const bare = makeTestCertificate({ subject: '', names: ['127.0.0.1'], issuer: ca });
    const identity = identityOf(bare, ca);
    await using world = await World.open({ identity, requiresPeerCertificate: true });

    const near = await world.dial({ identity });

    expect(await world.echo(near, 'hello')).toBe('hello');
    expect(world.accepted[0]?.tls?.peer?.subject).toBe('IP Address:127.0.0.1');
  });

  test('does not ask for a certificate unless it is required', async () => {
    await using world = await World.open({ identity: identityOf(node1) });

    const near = await world.dial({ identity: identityOf(undefined, ca) });

    expect(await world.echo(near, 'hello')).toBe('hello');
    expect(world.accepted[0]?.tls?.peer).toBeUndefined();
  });

  test('knows whom it dialed by another name than the host, or by a key', async () => {
    await using world = await World.open({ identity: identityOf(node1) });
    const identity = identityOf(undefined, ca);

    const byName = await world.dial({ identity, expected: { kind: 'name', name: 'node-1.example' } });
    const byKey = await world.dial({ identity, expected: { kind: 'pin', spkiSha256: [node1.spkiSha256] } });
    const byKeyAlone = await world.dial({
      identity: identityOf(undefined),
      expected: { kind: 'pin', spkiSha256: [node1.spkiSha256] },
    });

    expect([byName.isOpen, byKey.isOpen, byKeyAlone.isOpen]).toEqual([true, true, true]);
  });

  test.each([
    ['the host', undefined, /expected 127\.0\.0\.1, and its certificate is that of node-2\.example/],
    ['a name', { kind: 'name', name: 'node-1.example' }, /expected node-1\.example, and its certificate is that of/],
    [
      'a key',
      { kind: 'pin', spkiSha256: [node1.spkiSha256] },
      /expected a pinned key \(.+\), and its certificate is with/,
    ],
  ] as const)('turns away a trusted certificate of another node, going by %s', async (_how, expected, sentence) => {
    await using world = await World.open({ identity: identityOf(node2) });
    const identity = identityOf(undefined, ca);

    const dial = world.dial(expected === undefined ? { identity } : { identity, expected });

    await expect(dial).rejects.toMatchObject({ code: 'KAYA_TLS_UNTRUSTED', message: expect.stringMatching(sentence) });
  });

  test('checks the CA beside a pinned key when there is one, and the key alone when there is none', async () => {
    await using world = await World.open({ identity: identityOf(stranger) });
    const expected = { kind: 'pin', spkiSha256: [stranger.spkiSha256] } as const;
    const wrong = { kind: 'pin', spkiSha256: [node1.spkiSha256] } as const;

    const outcomes = await Promise.all(
      [
        { identity: identityOf(undefined, ca), expected },
        { identity: identityOf(undefined), expected },
        { identity: identityOf(undefined), expected: wrong },
      ].map(async (tls) => world.dial(tls).catch((error: TransportError) => error.code)),
    );

    expect(outcomes).toEqual(['KAYA_TLS_UNTRUSTED', expect.objectContaining({ isOpen: true }), 'KAYA_TLS_UNTRUSTED']);
  });

  test.each([
    ['of a CA that is not trusted', stranger, identityOf(undefined, ca), /comes from a CA that is not trusted here/],
    ['that no public CA knows', stranger, identityOf(undefined), /comes from a CA that is not trusted here/],
    ['that has expired', expired, identityOf(undefined, ca), /its certificate has expired/],
  ])('turns away a certificate %s', async (_what, own, identity, sentence) => {
    await using world = await World.open({ identity: identityOf(own) });

    const dial = world.dial({ identity });

    await expect(dial).rejects.toMatchObject({ code: 'KAYA_TLS_UNTRUSTED', message: expect.stringMatching(sentence) });
  });

  test('turns away an expired certificate also when its key is pinned', async () => {
    const selfSigned = makeTestCertificate({ subject: 'self', ...PAST });
    const { certificate, key, spkiSha256 } = selfSigned;
    await using world = await World.open({ identity: new SecureIdentity({ certificate, key }, PAST.notBeforeMs) });

    const dial = world.dial({ identity: identityOf(undefined), expected: { kind: 'pin', spkiSha256: [spkiSha256] } });

    await expect(dial).rejects.toMatchObject({ message: expect.stringContaining('its certificate has expired') });
  });

  test.each([
    ['no certificate', identityOf(undefined, ca), 'KAYA_TLS_UNTRUSTED'],
    ['one of another CA', identityOf(stranger, ca), 'KAYA_TLS_UNTRUSTED'],
    ['one that has expired', identityOf(expired, ca), 'KAYA_TLS_UNTRUSTED'],
  ])('hands out no connection of a dialer that shows %s', async (_what, identity, code) => {
    await using world = await World.open({ identity: identityOf(node1, ca), requiresPeerCertificate: true });

    // In TLS 1.3 the dialer is done before it hears of the refusal, so it has a connection that ends.
    const outcome = world.dial({ identity }).then(
      async (connection) => world.echo(connection, 'hello'),
      (error: TransportError) => `refused: ${error.code}`,
    );
    await world.until(() => world.failures.length === 1);

    expect(await outcome).toMatch(/^closed: |^refused: /);
    expect(world.failures[0]).toMatchObject({ code });
    expect(world.accepted).toEqual([]);
    expect(world.listener.counts).toMatchObject({ open: 0, handshaking: 0, failedHandshakes: 1 });
  });

  test('needs a certificate to listen, and a CA to ask others for one', async () => {
    const network = nodeNetwork({ clock: new VirtualClock() });
    const listen = async (tls: ListenTls): Promise<Listener> =>
      network.listen({ host: '127.0.0.1', port: 0, tls, onConnection: () => {} });

    await expect(listen({ identity: identityOf(undefined, ca) })).rejects.toThrow(TypeError);
    await expect(listen({ identity: identityOf(node1), requiresPeerCertificate: true })).rejects.toThrow(TypeError);
  });

  test('speaks TLS 1.2 only where that is allowed', async () => {
    const identity = identityOf(node1);
    await using strict = await World.open({ identity });
    await using lenient = await World.open({ identity, minVersion: 'TLSv1.2' });
    const dialOld = (world: World): Promise<string> =>
      new Promise((resolve) => {
        const options = { ...world.listener.address, ca: Buffer.from(ca.certificate), maxVersion: 'TLSv1.2' } as const;
        const socket = connectTls(options, () => {
          resolve(socket.getProtocol() ?? '');
          socket.destroy();
        });
        socket.on('error', () => resolve('refused'));
      });

    expect(await dialOld(strict)).toBe('refused');
    expect(await dialOld(lenient)).toBe('TLSv1.2');
    expect(strict.failures[0]?.message).toMatch(/no version of TLS is allowed on both sides/);
  });
});

describe('TLS beside a plain side', () => {
  test('says that who came speaks without TLS', async () => {
    await using world = await World.open({ identity: identityOf(node1) });

    const plain = await world.dial(undefined);
    plain.onData(() => {});
    plain.send(encodeUtf8('KAYAPEER and more than enough for a record of TLS'));
    await plain.closed;

    expect(world.failures[0]).toMatchObject({
      code: 'KAYA_TLS_HANDSHAKE',
      message: expect.stringContaining('speaks without it'),
    });
    expect(world.listener.counts).toMatchObject({ open: 0, handshaking: 0 });
  });

  test('says that what was dialed speaks without TLS', async () => {
    const network = nodeNetwork({ clock: new VirtualClock() });
    const onConnection = (connection: Connection): void => connection.send(encodeUtf8('220 who are you?\r\n'));
    await using listener = await network.listen({ host: '127.0.0.1', port: 0, onConnection });

    const dial = network.dial({ ...listener.address, timeoutMs: 1000, tls: { identity: identityOf(undefined, ca) } });

    await expect(dial).rejects.toMatchObject({
      code: 'KAYA_TLS_HANDSHAKE',
      message: expect.stringContaining('what came is no TLS; the other side speaks without it'),
    });
  });

  test('gives up on one that does not answer, at the time limit of the dial', async () => {
    const clock = new VirtualClock();
    const network = nodeNetwork({ clock });
    let hasAccepted: () => void = () => {};
    const accepted = new Promise<void>((resolve) => (hasAccepted = resolve));
    // Connections start paused: this one reads nothing, and so answers nothing.
    const onConnection = (): void => hasAccepted();
    await using listener = await network.listen({ host: '127.0.0.1', port: 0, onConnection });

    const dial = network.dial({ ...listener.address, timeoutMs: 500, tls: { identity: identityOf(undefined, ca) } });
    await accepted;
    // The dialer is told of its connection at the latest together with the accepting side.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    clock.advance(500);

    await expect(dial).rejects.toMatchObject({ code: 'KAYA_DIAL_TIMEOUT' });
    expect(clock.pendingTimers).toBe(1);
  });
});

describe('TLS handshakes that are not finished', () => {
  const openHalf = async (world: World, count: number): Promise<readonly Socket[]> =>
    Promise.all(
      Array.from(
        { length: count },
        (_, i) =>
          new Promise<Socket>((resolve) => {
            const socket = connectPlain(world.listener.address, () => {
              // Every other one begins a record and stops in the middle of it.
              if (i % 2 === 0) socket.write(Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01));
              resolve(socket);
            });
            socket.on('error', () => {});
          }),
      ),
    );

  test('are ended at the time limit, and free what they took', async () => {
    await using world = await World.open({ identity: identityOf(node1) }, { limits: { handshakeMs: 10_000 } });
    const sockets = await openHalf(world, 20);
    while (world.listener.counts.handshaking < 20) await new Promise((resolve) => setImmediate(resolve));

    world.clock.advance(9_999);
    const before = world.listener.counts;
    world.clock.advance(1);
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve).resume())));

    expect(before).toMatchObject({ open: 20, handshaking: 20, failedHandshakes: 0 });
    expect(world.listener.counts).toMatchObject({ open: 0, handshaking: 0, failedHandshakes: 20 });
    expect(world.failures[0]).toMatchObject({ code: 'KAYA_HANDSHAKE_TIMEOUT' });
    expect(world.clock.pendingTimers).toBe(0);
  });

  test('500 of them leave the service answering', { timeout: 60_000 }, async () => {
    await using world = await World.open({ identity: identityOf(node1) });
    const sockets = await openHalf(world, 500);

    const near = await world.dial({ identity: identityOf(undefined, ca) });
    const answer = await world.echo(near, 'still there?');
    const { open, handshaking } = world.listener.counts;
    world.clock.advance(10_000);

    expect(answer).toBe('still there?');
    expect(handshaking).toBeLessThanOrEqual(128);
    expect(open).toBe(handshaking + 1);
    expect(world.listener.counts).toMatchObject({ open: 1, handshaking: 0, failedHandshakes: 500 });
    expect(world.failures.some(({ code }) => code === 'KAYA_CROWDED_OUT')).toBe(true);
    for (const socket of sockets) socket.destroy();
  });

  test('end with the listener', async () => {
    await using world = await World.open({ identity: identityOf(node1) });
    await openHalf(world, 3);
    while (world.listener.counts.handshaking < 3) await new Promise((resolve) => setImmediate(resolve));

    await world.listener.close();

    expect(world.listener.counts).toMatchObject({ open: 0, handshaking: 0 });
    expect(world.clock.pendingTimers).toBe(0);
  });
});

describe('a TLS handshake that is cut', () => {
  /** Forwards between a dialer and a listener, and breaks both connections when so many bytes have come from one side. */
  const openCutter = async (target: Endpoint, side: 'dialer' | 'listener'): Promise<Cutter> => {
    const cutter = { cutAfter: Infinity, seen: 0 };
    const server = createServer((near) => {
      const far = connectPlain(target);
      for (const socket of [near, far]) {
        socket.on('error', () => {});
        socket.on('close', () => [near, far].map((each) => each.destroy()));
      }
      const forward = (from: Socket, to: Socket, isCounted: boolean): void => {
        from.on('data', (chunk) => {
          const left = isCounted ? cutter.cutAfter - cutter.seen : Infinity;
          if (isCounted) cutter.seen += chunk.length;
          to.write(chunk.subarray(0, Math.max(0, left)), () => chunk.length >= left && near.resetAndDestroy());
        });
      };
      forward(near, far, side === 'dialer');
      forward(far, near, side === 'listener');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return Object.assign(cutter, { port: (server.address() as AddressInfo).port, close: () => void server.close() });
  };

  test.each(['dialer', 'listener'] as const)(
    'leaves nothing on either side, whatever came of the %s',
    { timeout: 60_000 },
    async (side) => {
      const identity = identityOf(node1, ca);
      await using world = await World.open({ identity, requiresPeerCertificate: true });
      const cutter = await openCutter(world.listener.address, side);
      const tls = { identity };
      const dialCutter = async (): Promise<Connection> => {
        cutter.seen = 0;
        return world.network.dial({ host: '127.0.0.1', port: cutter.port, timeoutMs: 1000, tls });
      };
      const dialAndLeave = async (): Promise<string> =>
        dialCutter().then(
          (connection) => {
            connection.destroy();
            return 'up';
          },
          (error: TransportError) => error.code,
        );
      const first = await dialCutter();
      const whole = await world.echo(first, 'hello');
      first.destroy();
      const bytes = cutter.seen;
      const outcomes = new Set<string>();

      for (let cutAfter = 1; cutAfter < bytes; cutAfter += 47) {
        cutter.cutAfter = cutAfter;
        outcomes.add(await dialAndLeave());
      }
      await world.until(() => world.listener.counts.open === 0);
      cutter.close();

      expect(whole).toBe('hello');
      // A dialer is done before the listener is, so it may be up when its last bytes are lost.
      outcomes.delete('up');
      expect([...outcomes]).toEqual(['KAYA_TLS_HANDSHAKE']);
      expect(world.listener.counts).toMatchObject({ open: 0, handshaking: 0 });
      expect(world.clock.pendingTimers).toBe(0);
    },
  );
});

describe('a replaced identity', () => {
  test('counts for new connections, and leaves those that are up alone', async () => {
    const nextCa = makeTestCertificate({ subject: 'next ca', isAuthority: true });
    const next = makeTestCertificate({ subject: 'next', names: ['127.0.0.1'], issuer: nextCa });
    const serving = identityOf(node1, ca);
    const dialing = identityOf(node2, ca);
    await using world = await World.open({ identity: serving, requiresPeerCertificate: true });
    const before = await world.dial({ identity: dialing });
    const { certificate, key } = next;

    serving.replace({ certificate, key, ca: nextCa.certificate }, NOW_MS);
    const withOldIdentity = await world.dial({ identity: dialing }).catch((error: TransportError) => error.code);
    dialing.replace({ certificate, key, ca: nextCa.certificate }, NOW_MS);
    const after = await world.dial({ identity: dialing });

    expect(withOldIdentity).toBe('KAYA_TLS_UNTRUSTED');
    expect(after.tls?.peer?.subject).toBe('CN=next');
    expect(await world.echo(after, 'new')).toBe('new');
    expect(await world.echo(before, 'old')).toBe('old');
  });

  test('is rotated without a failed connection when both CAs are trusted for a while', async () => {
    const nextCa = makeTestCertificate({ subject: 'next ca', isAuthority: true });
    const next = makeTestCertificate({ subject: 'next', names: ['127.0.0.1'], issuer: nextCa });
    const both = Buffer.concat([ca.certificate, nextCa.certificate]);
    const identity = identityOf(node1, ca);
    await using world = await World.open({ identity, requiresPeerCertificate: true });
    const subjects: (string | undefined)[] = [];
    const connect = async (): Promise<void> => {
      const connection = await world.dial({ identity });
      subjects.push(`${await world.echo(connection, 'answered by')} ${connection.tls?.peer?.subject}`);
    };

    await connect();
    for (const [own, authority] of [
      [node1, both],
      [next, both],
      [next, nextCa.certificate],
    ] as const) {
      identity.replace({ certificate: own.certificate, key: own.key, ca: authority }, NOW_MS);
      await connect();
    }

    expect(subjects).toEqual(['node-1', 'node-1', 'next', 'next'].map((name) => `answered by CN=${name}`));
  });
});
