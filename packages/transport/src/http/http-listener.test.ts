/** The listener over real sockets: what is answered, what is ended, and when. Time is the test's. */

import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';

import { VirtualClock } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import type { ListenTls } from '../network.ts';
import { makeTestCertificate, type TestCertificate } from '../testing/test-certificates.ts';
import { SecureIdentity } from '../tls/secure-identity.ts';
import { type HttpHandler, type HttpRequest, textAnswer } from './http-exchange.ts';
import { type HttpListener, listenHttp, type ListenHttpOptions } from './http-listener.ts';

const NOW_MS = Date.UTC(2026, 0);
const GET = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';

const ca = makeTestCertificate({ subject: 'ca', isAuthority: true });
const first = makeTestCertificate({ subject: 'first', names: ['127.0.0.1'], issuer: ca });
const second = makeTestCertificate({ subject: 'second', names: ['127.0.0.1'], issuer: ca });

/** One end of a connection that says text and keeps all that it hears. */
class Visitor {
  heard = '';
  isOver = false;
  readonly socket: Socket;
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.heard += chunk.toString();
      this.#wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isOver = true;
      this.#wake();
    });
  }

  say(text: string): this {
    this.socket.write(text);
    return this;
  }

  async until(isEnough: (visitor: this) => boolean): Promise<this> {
    while (!isEnough(this)) {
      if (this.isOver) throw new Error(`the connection ended after ${JSON.stringify(this.heard)}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this;
  }

  hears(text: string): Promise<this> {
    return this.until(({ heard }) => heard.includes(text));
  }

  async ends(): Promise<this> {
    while (!this.isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this;
  }
}

class World implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly requests: HttpRequest[] = [];
  readonly failures: unknown[] = [];
  readonly #visitors: Visitor[] = [];
  handler: HttpHandler = () => Promise.resolve(textAnswer(200, 'hello'));
  #listener: HttpListener | undefined;
  #wake: () => void = () => {};

  static async open(options: Partial<ListenHttpOptions> = {}): Promise<World> {
    const world = new World();
    world.#listener = await listenHttp({
      host: '127.0.0.1',
      port: 0,
      clock: world.clock,
      handler: (request) => {
        world.requests.push(request);
        world.#wake();
        return world.handler(request);
      },
      onFailed: (error) => void world.failures.push(error),
      ...options,
    });
    return world;
  }

  get listener(): HttpListener {
    return this.#listener!;
  }

  async visit(): Promise<Visitor> {
    const socket = connect(this.listener.address.port, '127.0.0.1');
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return this.#know(socket);
  }

  async visitTls(own?: TestCertificate): Promise<Visitor> {
    const pair = own === undefined ? {} : { cert: Buffer.from(own.certificate), key: Buffer.from(own.key) };
    const { port } = this.listener.address;
    const socket = connectTls({ host: '127.0.0.1', port, ca: Buffer.from(ca.certificate), ...pair });
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
    return this.#know(socket);
  }

  /** A connection that the listener has let in. */
  async visitSeen(): Promise<Visitor> {
    const { accepted, refusedTotal } = this.listener.counts;
    const visitor = await this.visit();
    const seen = accepted + refusedTotal;
    while (this.listener.counts.accepted + this.listener.counts.refusedTotal === seen) await turn();
    return visitor;
  }

  async untilRequests(count: number): Promise<void> {
    while (this.requests.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket } of this.#visitors) socket.destroy();
    await this.#listener?.close();
  }

  #know(socket: Socket): Visitor {
    const visitor = new Visitor(socket);
    this.#visitors.push(visitor);
    return visitor;
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function tlsOf(own: TestCertificate, more: Partial<ListenTls> = {}): ListenTls {
  const identity = new SecureIdentity({ certificate: own.certificate, key: own.key, ca: ca.certificate }, NOW_MS);
  return { identity, ...more };
}

describe('an HTTP listener', () => {
  test('hands on what was asked, and sends what was answered', async () => {
    await using world = await World.open();

    const visitor = await world.visit();
    visitor.say('GET /a%20b/c?verbose&x=1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer t\r\n\r\n');
    await visitor.hears('hello\n');

    const [request] = world.requests;
    expect(request).toMatchObject({ path: '/a%20b/c', authorization: 'Bearer t', from: { host: '127.0.0.1' } });
    expect([...request!.query]).toEqual([
      ['verbose', ''],
      ['x', '1'],
    ]);
    expect(visitor.heard).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(visitor.heard).toContain('content-type: text/plain; charset=utf-8\r\n');
    expect(visitor.heard).toContain('content-length: 6\r\n');
    expect(visitor.heard).toContain('x-content-type-options: nosniff\r\n');
  });

  test('answers one request after the other on a connection, HEAD without the body', async () => {
    await using world = await World.open();

    const visitor = await world.visit();
    await visitor.say(GET.replace('GET', 'HEAD')).hears('\r\n\r\n');
    const head = visitor.heard;
    await visitor.say(GET).hears('hello\n');

    expect(head).toContain('content-length: 6\r\n');
    expect(world.requests).toHaveLength(2);
    expect(world.listener.counts).toEqual({ open: 1, accepted: 1, refusedTotal: 0 });
  });

  test('tells nothing about a handler that fails', async () => {
    await using world = await World.open();
    world.handler = () => Promise.reject(new Error('secret'));

    const visitor = await world.visit();
    await visitor.say(GET).hears('the request failed');

    expect(visitor.heard).toMatch(/^HTTP\/1\.1 500 /);
    expect(visitor.heard).not.toContain('secret');
    expect(world.failures).toEqual([new Error('secret')]);
  });

  test.each([
    ['a name that is not its own', 'GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n', 421],
    ['no name', 'GET / HTTP/1.0\r\n\r\n', 421],
    ['a page of another site', 'GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n\r\n', 403],
    ['another method', 'DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n', 405],
    ['a body', 'GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n', 413],
    ['a body in chunks', 'GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n', 413],
    [
      'a body that waits to be asked for',
      'GET / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n',
      413,
    ],
    ['headers without end', `GET / HTTP/1.1\r\nHost: localhost\r\nA: ${'a'.repeat(9_000)}`, 431],
    ['what is no HTTP', 'HELLO\r\n\r\n', 400],
  ])('refuses %s, and ends the connection', async (_case, text, status) => {
    await using world = await World.open();

    const visitor = await world.visit();
    await visitor.say(text).ends();

    expect(visitor.heard).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(world.requests).toEqual([]);
  });

  test('is asked by names that are configured', async () => {
    await using world = await World.open({ allowedHosts: ['Node-1.example'] });

    const visitor = await world.visit();
    await visitor.say(GET.replace('localhost', 'node-1.example:9090')).hears('hello\n');

    expect(world.requests).toHaveLength(1);
  });

  test('ends who takes too long to ask, byte by byte or after an answer', async () => {
    await using world = await World.open({ limits: { requestMs: 1_000 } });
    const kept = await world.visit();
    await kept.say(GET).hears('hello\n');
    const slow = await world.visitSeen();
    slow.say('GET / HT');

    world.clock.advance(999);
    const opened = world.listener.counts.open;
    slow.say('T');
    world.clock.advance(1);
    await Promise.all([kept.ends(), slow.ends()]);

    expect(opened).toBe(2);
    expect(slow.heard).toBe('');
  });

  test('ends who has waited longest to let others in, and closes the door when all are being answered', async () => {
    await using world = await World.open({ limits: { maxConnections: 3, maxWaiting: 2 } });
    world.handler = () => new Promise(() => {});
    const oldest = await world.visitSeen();
    await world.visitSeen();
    const busy = await world.visitSeen();
    await oldest.ends();
    busy.say(GET);
    await world.untilRequests(1);
    const asking = [await world.visitSeen(), await world.visitSeen()];
    for (const visitor of asking) visitor.say(GET);
    await world.untilRequests(3);

    const late = await world.visitSeen();
    await late.ends();

    expect(world.listener.counts).toEqual({ open: 3, accepted: 5, refusedTotal: 1 });
  });

  test('ends a connection whose answer is not made in time', async () => {
    await using world = await World.open({ limits: { answerMs: 500 } });
    world.handler = () => new Promise(() => {});

    const visitor = (await world.visit()).say(GET);
    await world.untilRequests(1);
    world.clock.advance(500);
    await visitor.ends();

    expect(visitor.heard).toBe('');
    expect(world.clock.pendingTimers).toBe(0);
  });

  test('ends who asks on before the answer is there', async () => {
    await using world = await World.open();
    world.handler = () => new Promise(() => {});

    const visitor = await world.visit();
    await visitor.say(GET + GET).ends();

    expect(world.requests).toHaveLength(1);
  });

  test('closes: waiting connections end at once, answers in the making are sent', async () => {
    await using world = await World.open();
    let answer: () => void = () => {};
    const idle = await world.visit();
    await idle.say(GET).hears('hello\n');
    const silent = await world.visitSeen();
    world.handler = () =>
      new Promise((resolve) => {
        answer = () => resolve(textAnswer(200, 'late'));
      });
    const busy = (await world.visit()).say(GET);
    await world.untilRequests(2);

    const closing = world.listener.close();
    await Promise.all([idle.ends(), silent.ends()]);
    const isOver = busy.isOver;
    answer();
    await closing;
    await busy.ends();

    expect(isOver).toBe(false);
    expect(busy.heard).toContain('connection: close\r\n');
    expect(busy.heard).toContain('late\n');
    expect(world.clock.pendingTimers).toBe(0);
  });

  test('closes in time, whatever is still being answered', async () => {
    await using world = await World.open({ limits: { closeMs: 100 } });
    world.handler = () => new Promise(() => {});
    const busy = (await world.visit()).say(GET);
    await world.untilRequests(1);

    const closing = world.listener.close();
    world.clock.advance(100);
    await closing;
    await busy.ends();

    expect(world.clock.pendingTimers).toBe(0);
  });

  test('says which address it cannot have', async () => {
    await using world = await World.open();
    const { port } = world.listener.address;

    const again = World.open({ port });

    await expect(again).rejects.toMatchObject({
      code: 'KAYA_LISTEN_FAILED',
      message: expect.stringContaining(`cannot listen on 127.0.0.1:${port}: `) as string,
    });
  });
});

describe('an HTTP listener with TLS', () => {
  test('answers, from its replacement on with the new certificate', async () => {
    const tls = tlsOf(first);
    await using world = await World.open({ tls });
    const before = await world.visitTls();
    await before.say(GET).hears('hello\n');

    tls.identity.replace({ certificate: second.certificate, key: second.key, ca: ca.certificate }, NOW_MS);
    const after = await world.visitTls();
    await after.say(GET).hears('hello\n');
    await before.say(GET).until(({ heard }) => heard.split('hello\n').length === 3);

    const names = [before, after].map(({ socket }) => (socket as TLSSocket).getPeerCertificate().subject.CN);
    expect(names).toEqual(['first', 'second']);
  });

  test('is not harmed by what is no TLS, nor by who says nothing', async () => {
    await using world = await World.open({ tls: tlsOf(first), limits: { requestMs: 1_000 } });
    const plain = (await world.visitSeen()).say(GET);
    await plain.ends();
    const silent = await world.visitSeen();

    world.clock.advance(1_000);
    await silent.ends();
    const honest = await world.visitTls();
    await honest.say(GET).hears('hello\n');

    expect(world.requests).toHaveLength(1);
    expect(world.listener.counts.open).toBe(1);
  });

  test('ends kept connections after their time, and all when it closes', async () => {
    await using world = await World.open({ tls: tlsOf(first), limits: { requestMs: 1_000 } });
    const early = await world.visitTls();
    await early.say(GET).hears('hello\n');

    world.clock.advance(1_000);
    await early.ends();
    const late = await world.visitTls();
    await late.say(GET).hears('hello\n');
    await world.listener.close();
    await late.ends();

    expect(world.clock.pendingTimers).toBe(0);
  });

  test('answers only who has a certificate, where that is required', async () => {
    await using world = await World.open({ tls: tlsOf(first, { requiresPeerCertificate: true }) });
    const known = await world.visitTls(second);
    await known.say(GET).hears('hello\n');

    // With TLS 1.3 a client learns of its refusal behind its own handshake.
    const unknown = await world.visitTls();
    await unknown.say(GET).ends();

    expect(unknown.heard).toBe('');
    expect(world.requests).toHaveLength(1);
  });

  test('refuses an identity that lacks what it needs', () => {
    const identity = new SecureIdentity({ ca: ca.certificate }, NOW_MS);
    const options = {
      host: '127.0.0.1',
      port: 0,
      clock: new VirtualClock(),
      handler: () => Promise.reject(new Error()),
    };

    expect(() => void listenHttp({ ...options, tls: { identity } })).toThrow(TypeError);
  });
});
