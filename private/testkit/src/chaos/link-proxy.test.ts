import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

import { describe, expect, test } from 'vitest';

import { settle, VirtualClock } from '../virtual-clock.ts';
import { LinkProxy } from './link-proxy.ts';

const MEBIBYTE = 1024 * 1024;

/** A dialer and a target with a proxy between them, and what each has received. */
class World implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly #server: Server;
  readonly #sockets: Socket[] = [];
  proxy!: LinkProxy;

  private constructor() {
    this.#server = createServer({ allowHalfOpen: true });
  }

  static async open(): Promise<World> {
    const world = new World();
    world.#server.listen({ host: '127.0.0.1', port: 0 });
    await once(world.#server, 'listening');
    const target = { host: '127.0.0.1', port: (world.#server.address() as AddressInfo).port };
    world.proxy = await LinkProxy.open({ target, clock: world.clock });
    return world;
  }

  async dial(): Promise<{ readonly dialer: End; readonly target: End }> {
    const accepted = once(this.#server, 'connection') as Promise<[Socket]>;
    const socket = connect({ host: '127.0.0.1', port: this.proxy.port, allowHalfOpen: true });
    this.#sockets.push(socket);
    const [other] = await accepted;
    this.#sockets.push(other);
    return { dialer: new End(socket), target: new End(other) };
  }

  /** As when the node behind the proxy is down. */
  async closeTarget(): Promise<void> {
    this.#server.close();
    await once(this.#server, 'close');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.proxy[Symbol.asyncDispose]();
    this.#server.close();
  }
}

class End {
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];
  hasEnded = false;
  isReset = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => this.#chunks.push(bytes));
    socket.on('end', () => (this.hasEnded = true));
    socket.on('error', () => (this.isReset = true));
  }

  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get text(): string {
    return this.received.toString();
  }
}

/** Lets sockets do their work until it is so; the test's own limit bounds it. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await settle();
}

describe('LinkProxy', () => {
  test('passes bytes on in both directions, and the end of each', async () => {
    await using world = await World.open();
    const { dialer, target } = await world.dial();

    dialer.socket.end('hello');
    await until(() => target.hasEnded);
    target.socket.end('world');
    await until(() => dialer.hasEnded);

    expect([target.text, dialer.text]).toEqual(['hello', 'world']);
    await until(() => world.proxy.connectionCount === 0);
  });

  test('blocks one direction while the other goes on, and loses nothing', async () => {
    await using world = await World.open();
    const { dialer, target } = await world.dial();
    world.proxy.shape({ isBlocked: true }, 'forth');

    dialer.socket.write('one ');
    target.socket.write('back');
    await until(() => world.proxy.heldBytes === 4 && dialer.text === 'back');
    const whileBlocked = target.text;
    dialer.socket.write('two');
    world.proxy.heal();
    await until(() => target.text.length === 7);

    expect(whileBlocked).toBe('');
    expect(target.text).toBe('one two');
  });

  test('blocks connections that are dialed while it blocks', async () => {
    await using world = await World.open();
    world.proxy.shape({ isBlocked: true });

    const { dialer, target } = await world.dial();
    dialer.socket.write('hello');
    await until(() => world.proxy.heldBytes === 5);
    const whileBlocked = target.text;
    world.proxy.heal();
    await until(() => target.text === 'hello');

    expect(whileBlocked).toBe('');
  });

  test('delays each byte by as much as it is told, in one direction', async () => {
    await using world = await World.open();
    const { dialer, target } = await world.dial();
    world.proxy.shape({ delayMs: 100 }, 'forth');

    dialer.socket.write('late');
    target.socket.write('soon');
    await until(() => world.clock.pendingTimers === 1 && dialer.text === 'soon');
    world.clock.advance(99);
    const early = world.proxy.heldBytes;
    world.clock.advance(1);
    await until(() => target.text === 'late');

    expect(early).toBe(4);
  });

  test('lets through no more in a second than it is told', async () => {
    await using world = await World.open();
    const { dialer, target } = await world.dial();
    world.proxy.shape({ bytesPerSecond: 1000 });

    dialer.socket.write('x'.repeat(500));
    await until(() => target.text.length === 500);
    dialer.socket.write('y');
    await until(() => world.clock.pendingTimers === 1);

    expect(world.clock.nextDueMs).toBe(500);
    world.clock.advance(500);
    await until(() => target.text.length === 501);
  });

  test('makes a sender wait that sends into a blocked link, and gives all of it in the end', async () => {
    await using world = await World.open();
    const { dialer, target } = await world.dial();
    world.proxy.shape({ isBlocked: true });
    const bytes = Buffer.from(Uint8Array.from({ length: 4 * MEBIBYTE }, (_, at) => at % 251));

    dialer.socket.end(bytes);
    await until(() => world.proxy.heldBytes > MEBIBYTE);
    for (let turn = 0; turn < 20; turn++) await settle();
    const held = world.proxy.heldBytes;
    world.proxy.heal();
    await until(() => target.hasEnded);

    expect(held).toBeLessThan(2 * MEBIBYTE);
    expect(target.received.equals(bytes)).toBe(true);
  });

  test('breaks off connections when it cuts, and lets new ones through', async () => {
    await using world = await World.open();
    const { dialer, target } = await world.dial();

    world.proxy.cut();
    await until(() => dialer.socket.destroyed && target.socket.destroyed);
    const again = await world.dial();
    again.dialer.socket.write('again');
    await until(() => again.target.text === 'again');

    expect([dialer.isReset, target.isReset]).toEqual([true, true]);
    expect(world.proxy.connectionCount).toBe(1);
  });

  test('counts what has gone through, on connections that are gone too', async () => {
    await using world = await World.open();
    const { dialer, target } = await world.dial();

    dialer.socket.write('hello');
    target.socket.write('you');
    await until(() => target.text === 'hello' && dialer.text === 'you');
    world.proxy.cut();
    const again = await world.dial();
    again.dialer.socket.write('again!');
    await until(() => again.target.text === 'again!');

    expect([world.proxy.passedBytes('forth'), world.proxy.passedBytes('back')]).toEqual([11, 3]);
  });

  test('breaks off what it cannot pass on', async () => {
    await using world = await World.open();
    await world.closeTarget();

    const dialer = new End(connect({ host: '127.0.0.1', port: world.proxy.port }));
    await until(() => dialer.socket.destroyed);

    expect(dialer.text).toBe('');
    expect(world.proxy.connectionCount).toBe(0);
  });
});
