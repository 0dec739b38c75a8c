/**
 * A TCP proxy in this process for one directed link: what one node dials to reach another. It delays, throttles, blocks and cuts the link by command, each direction by itself.
 */

import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

import { type ChaosClock, CLEAR_LINK, LinkPipe, type LinkRules } from './link-pipe.ts';

export type LinkDirection = 'forth' | 'back';

export interface LinkProxyOptions {
  /** Where connections are passed on to. A connection that cannot be is closed, as by a node that is down. */
  readonly target: { readonly host: string; readonly port: number };
  readonly clock: ChaosClock;
}

interface Link {
  readonly sockets: readonly Socket[];
  readonly forth: LinkPipe;
  readonly back: LinkPipe;
}

/** The real time, for proxies between real processes. */
export const realTime: ChaosClock = {
  now: () => performance.now(),
  setTimer(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

export class LinkProxy implements AsyncDisposable {
  readonly #options: LinkProxyOptions;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  #forth: LinkRules = CLEAR_LINK;
  #back: LinkRules = CLEAR_LINK;
  /** Of connections that are gone. */
  readonly #passedBefore = { forth: 0, back: 0 };

  private constructor(options: LinkProxyOptions) {
    this.#options = options;
    // Half-open: each side ends when the other has, and behind what is still held.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
  }

  /** Listens on a free port of 127.0.0.1. */
  static async open(options: LinkProxyOptions): Promise<LinkProxy> {
    const proxy = new LinkProxy(options);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject);
      proxy.#server.listen({ host: '127.0.0.1', port: 0 }, resolve);
    });
    return proxy;
  }

  /** What to dial instead of the target. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connectionCount(): number {
    return this.#links.size;
  }

  /** What came in and has not gone out yet. */
  get heldBytes(): number {
    return [...this.#links].reduce((sum, { forth, back }) => sum + forth.heldBytes + back.heldBytes, 0);
  }

  /** What has gone out in one direction since this was opened, on all connections. */
  passedBytes(direction: LinkDirection): number {
    return [...this.#links].reduce((sum, link) => sum + link[direction].passedBytes, this.#passedBefore[direction]);
  }

  /** Changes one direction, or both, of this link: of connections that are there and of later ones. The rest of its rules stays. */
  shape(rules: Partial<LinkRules>, direction?: LinkDirection): void {
    if (direction !== 'back') this.#forth = { ...this.#forth, ...rules };
    if (direction !== 'forth') this.#back = { ...this.#back, ...rules };
    for (const { forth, back } of this.#links) {
      forth.setRules(this.#forth);
      back.setRules(this.#back);
    }
  }

  /** Takes back every rule. What was held goes on its way. */
  heal(): void {
    this.shape(CLEAR_LINK);
  }

  /** Breaks off the connections that are there; new ones come through. */
  cut(): void {
    for (const link of this.#links) this.#drop(link);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  #accept(dialer: Socket): void {
    const target = connect({ ...this.#options.target, allowHalfOpen: true, noDelay: true });
    const { clock } = this.#options;
    const forth = new LinkPipe(dialer, target, clock, this.#forth);
    const back = new LinkPipe(target, dialer, clock, this.#back);
    const link: Link = { sockets: [dialer, target], forth, back };
    this.#links.add(link);
    for (const socket of link.sockets) {
      // A reset is passed on as one.
      socket.on('error', () => this.#drop(link));
      socket.on('close', () => {
        if (dialer.destroyed && target.destroyed) this.#forget(link);
      });
    }
  }

  #drop(link: Link): void {
    this.#forget(link);
    for (const socket of link.sockets) socket.resetAndDestroy();
  }

  #forget(link: Link): void {
    if (!this.#links.delete(link)) return;
    for (const direction of ['forth', 'back'] as const) {
      this.#passedBefore[direction] += link[direction].passedBytes;
      link[direction].close();
    }
  }
}
