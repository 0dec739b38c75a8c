/**
 * A network inside one process, for tests: the same Connection and the same limits as TCP, with bytes that move one
 * chunk per step in a fixed order.
 *
 * `delivery: 'immediate'` moves them in microtasks; `'manual'` only when `pump` is called. A port can be held (nothing
 * moves and nobody connects), released, and its connections cut.
 */

import type { Clock } from '@kayadb/codec';

import { Admission } from '../admission.ts';
import { BufferedConnection } from '../buffered-connection.ts';
import { formatEndpoint } from '../endpoint.ts';
import { DEFAULT_DIAL_LIMITS, DEFAULT_LISTENER_LIMITS, type ListenerLimits } from '../limits.ts';
import type { Connection, DialOptions, Endpoint, Listener, ListenOptions, Network } from '../network.ts';
import { TransportError } from '../transport-error.ts';
import { type MemoryLink, MemoryStream } from './memory-stream.ts';

const FIRST_FREE_PORT = 49_152;

export interface MemoryNetworkOptions {
  readonly clock: Clock;
  readonly delivery?: 'immediate' | 'manual';
  /** Size of each chunk in turn; give a seeded one to cut messages anywhere. Default: a whole write. */
  readonly nextChunkBytes?: () => number;
}

interface Door {
  readonly options: ListenOptions;
  readonly limits: ListenerLimits;
  readonly admission: Admission;
}

export class MemoryNetwork implements Network {
  readonly #clock: Clock;
  readonly #isManual: boolean;
  readonly #nextChunkBytes: () => number;
  readonly #doors = new Map<number, Door>();
  readonly #held = new Set<string>();
  readonly #streams = new Map<
    MemoryStream,
    { readonly port: number; readonly from: string; readonly other: MemoryStream }
  >();
  readonly #waitingDials: (() => void)[] = [];
  #tasks: (() => void)[] = [];
  #isPumpDue = false;
  #nextPort = FIRST_FREE_PORT;

  constructor(options: MemoryNetworkOptions) {
    this.#clock = options.clock;
    this.#isManual = options.delivery === 'manual';
    this.#nextChunkBytes = options.nextChunkBytes ?? (() => Number.MAX_SAFE_INTEGER);
  }

  /** Steps that wait for `pump`. */
  get pendingSteps(): number {
    return this.#tasks.length;
  }

  /** Connections of the listener on `port` that are not over. */
  openConnections(port: number): number {
    return [...this.#streams.values()].filter((each) => each.port === port).length;
  }

  /** Runs up to `steps` steps, those that they cause included. @returns How many ran. */
  pump(steps = Number.MAX_SAFE_INTEGER): number {
    let count = 0;
    while (count < steps) {
      const task = this.#tasks.shift();
      if (task === undefined) break;
      task();
      count++;
    }
    return count;
  }

  /**
   * From now on no byte moves from or to `port`, no end hears that the other was given up, and nobody connects, until `release`.
   *
   * @param from - Only for who dials from there: one link of several.
   */
  hold(port: number, from?: string): void {
    this.#held.add(linkName(port, from));
  }

  /** Takes back `hold` with the same arguments. */
  release(port: number, from?: string): void {
    this.#held.delete(linkName(port, from));
    for (const [stream, { other }] of this.#streams) {
      this.#schedule(() => stream.move());
      this.#schedule(() => other.move());
    }
    for (const retry of this.#waitingDials.splice(0)) this.#schedule(retry);
  }

  /** Breaks every connection of the listener on `port`, or those dialed from one host: both ends get KAYA_CONNECTION_LOST. */
  cut(port: number, from?: string): void {
    for (const [stream, each] of this.#streams) {
      if (each.port === port && (from === undefined || each.from === from)) stream.cut();
    }
  }

  /** The same network as seen by a machine at `host`. */
  from(host: string): Network {
    return { listen: (options) => this.listen(options), dial: (options) => this.#dialFrom(host, options) };
  }

  /** @throws TypeError when TLS is asked for: nothing here could be overheard. */
  listen(options: ListenOptions): Promise<Listener> {
    if (options.tls !== undefined) return Promise.reject(new TypeError('the network in memory has no TLS'));
    const port = options.port === 0 ? this.#nextPort++ : options.port;
    const address: Endpoint = { host: options.host, port };
    if (this.#doors.has(port)) {
      const message = `cannot listen on ${formatEndpoint(address)}: the port is in use`;
      return Promise.reject(new TransportError('KAYA_LISTEN_FAILED', message));
    }
    const limits = { ...DEFAULT_LISTENER_LIMITS, ...options.limits };
    const admission = new Admission(limits);
    const door: Door = { options, limits, admission };
    this.#doors.set(port, door);
    const close = (): Promise<void> => {
      if (this.#doors.get(port) === door) this.#doors.delete(port);
      return Promise.resolve();
    };
    return Promise.resolve({
      address,
      get counts() {
        return { ...admission.counts, handshaking: 0, failedHandshakes: 0 };
      },
      close,
      [Symbol.asyncDispose]: close,
    });
  }

  /** @throws TypeError as `listen`. */
  dial(options: DialOptions): Promise<Connection> {
    return this.#dialFrom('127.0.0.1', options);
  }

  #dialFrom(host: string, options: DialOptions): Promise<Connection> {
    const { port, timeoutMs, signal, tls } = options;
    if (tls !== undefined) return Promise.reject(new TypeError('the network in memory has no TLS'));
    const where = formatEndpoint({ host: options.host, port });
    return new Promise((resolve, reject) => {
      let isSettled = false;
      const settle = (): boolean => {
        const wasSettled = isSettled;
        isSettled = true;
        timer.cancel();
        signal?.removeEventListener('abort', handleAbort);
        return !wasSettled;
      };
      const fail = (code: 'KAYA_DIAL_FAILED' | 'KAYA_DIAL_TIMEOUT' | 'KAYA_DIAL_ABORTED', message: string): void => {
        if (settle()) reject(new TransportError(code, message, { cause: signal?.reason }));
      };
      const handleAbort = (): void => fail('KAYA_DIAL_ABORTED', `connecting to ${where} was aborted`);
      const timer = this.#clock.setTimer(timeoutMs, () =>
        fail('KAYA_DIAL_TIMEOUT', `${where} did not accept a connection within ${timeoutMs} ms`),
      );
      signal?.addEventListener('abort', handleAbort);
      if (signal?.aborted === true) handleAbort();
      const attempt = (): void => {
        if (isSettled) return;
        if (this.#isHeld(port, host)) {
          this.#waitingDials.push(attempt);
          return;
        }
        const door = this.#doors.get(port);
        if (door === undefined) fail('KAYA_DIAL_FAILED', `cannot connect to ${where}: nobody listens there`);
        else if (settle()) resolve(this.#connect(door, host, options));
      };
      this.#schedule(attempt);
    });
  }

  #connect(door: Door, host: string, options: DialOptions): Connection {
    const { port } = options;
    let near: MemoryStream | undefined;
    const link: MemoryLink = {
      port,
      isHeld: () => this.#isHeld(port, host),
      schedule: (task) => this.#schedule(task),
      nextChunkBytes: this.#nextChunkBytes,
      onGone: () => {
        if (near !== undefined) this.#streams.delete(near);
      },
    };
    near = new MemoryStream(link, { host: options.host, port });
    const far = new MemoryStream(link, { host, port: this.#nextPort++ });
    const dialed = new BufferedConnection(near, { ...DEFAULT_DIAL_LIMITS, ...options.limits }, this.#clock);
    const isAdmitted = door.admission.admit(host);
    const accepted = new BufferedConnection(far, door.limits, this.#clock);
    MemoryStream.join(near, dialed, far, accepted);
    this.#streams.set(near, { port, from: host, other: far });
    if (isAdmitted) {
      void accepted.closed.then(() => door.admission.leave(host));
      door.options.onConnection(accepted);
    } else {
      accepted.destroy();
    }
    return dialed;
  }

  #isHeld(port: number, from: string): boolean {
    return this.#held.has(linkName(port)) || this.#held.has(linkName(port, from));
  }

  #schedule(task: () => void): void {
    this.#tasks.push(task);
    if (!this.#isManual) this.#requestPump();
  }

  /** One step per microtask, so that what a step resolves runs before the next one. */
  #requestPump(): void {
    if (this.#isPumpDue) return;
    this.#isPumpDue = true;
    queueMicrotask(() => {
      this.#isPumpDue = false;
      this.pump(1);
      if (this.#tasks.length > 0) this.#requestPump();
    });
  }
}

function linkName(port: number, from = ''): string {
  return `${from}>${port}`;
}
