/**
 * TCP between simulated machines: connections of the real `BufferedConnection`, on links that are slow, cut in one direction or both, and broken.
 *
 * Invariant: the bytes of a direction arrive in order, or not at all. What is sent over a link that is cut stands still until it is whole again, as with a TCP that keeps trying.
 */

import { type Clock, crc32c } from '@kayadb/codec';
import type { SeededRandom } from '@kayadb/testkit';
import {
  type Connection,
  DEFAULT_DIAL_LIMITS,
  DEFAULT_LISTENER_LIMITS,
  type DialOptions,
  formatEndpoint,
  type Listener,
  type ListenOptions,
  type Network,
  TransportError,
} from '@kayadb/transport';
import { BufferedConnection } from '@kayadb/transport/testing';

import { drawFrom, type Span } from '../world/profile.ts';
import type { Timeline } from '../world/timeline.ts';
import { type Door, Host } from './host.ts';
import { type Item, SimStream, type Way } from './sim-stream.ts';

export interface TcpWorld {
  readonly timeline: Timeline;
  readonly random: SeededRandom;
  readonly delay: Span;
  /** Share of writes that are cut in two. */
  readonly splits: number;
  readonly counts: { connections: number };
  /** Told a number for everything that arrives. */
  readonly note: (value: number) => void;
}

/** All nodes listen at the same port of their own hosts. */
export const PEER_PORT = 7480;
/** Between two attempts to reach somebody who does not answer. */
const SYN_MS = 300;
const HOST = /^10\.0\.0\.(\d+)$/u;

export class SimTcp {
  readonly #world: TcpWorld;
  readonly #hosts = new Map<number, Host>();
  readonly #cut = new Set<string>();
  /** Ways on which something stands still, by their link. */
  readonly #stuck = new Map<string, Set<Lane>>();
  /** On top of every delay. */
  extra: Span = { from: 0, to: 0 };

  constructor(world: TcpWorld) {
    this.#world = world;
  }

  host(id: number): Host {
    const known = this.#hosts.get(id);
    if (known !== undefined) return known;
    const host = new Host(id);
    this.#hosts.set(id, host);
    return host;
  }

  /** Nothing that `from` sends arrives at `to`. */
  cut(from: number, to: number): void {
    this.#cut.add(linkOf(from, to));
  }

  isCut(from: number, to: number): boolean {
    return this.#cut.has(linkOf(from, to));
  }

  /** Every link is whole and fast again. */
  heal(): void {
    this.extra = { from: 0, to: 0 };
    const links = [...this.#cut];
    this.#cut.clear();
    for (const link of links) {
      const lanes = this.#stuck.get(link);
      this.#stuck.delete(link);
      for (const lane of lanes ?? []) lane.flush();
    }
  }

  /** Every connection between the two is reset, at both ends. */
  reset(a: number, b: number): void {
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const host = this.host(one);
      const streams = [...host.streams].filter(({ remoteAddress }) => idOf(remoteAddress.host) === other);
      for (const stream of streams) host.enter(() => stream.take({ kind: 'reset' }));
    }
  }

  /** The network as the process behind the host's gate sees it. */
  networkOf(id: number, clock: Clock): Network {
    return {
      listen: (options) => this.#listen(id, options, clock),
      dial: (options) => this.#dial(id, options, clock),
    };
  }

  /** @param link - Where `lane` waits for the end of a cut. */
  noteStuck(link: string, lane: Lane): void {
    const lanes = this.#stuck.get(link) ?? new Set<Lane>();
    lanes.add(lane);
    this.#stuck.set(link, lanes);
  }

  drawDelayMs(): number {
    const { delay, random } = this.#world;
    return drawFrom(delay, random) + (this.extra.to > 0 ? drawFrom(this.extra, random) : 0);
  }

  #listen(id: number, options: ListenOptions, clock: Clock): Promise<Listener> {
    const { host, port } = options;
    const door: Door = { options, clock };
    const { doors } = this.host(id);
    doors.set(port, door);
    const close = (): Promise<void> => {
      if (doors.get(port) === door) doors.delete(port);
      return Promise.resolve();
    };
    const counts = { open: 0, accepted: 0, refusedTotal: 0, refusedPerAddress: 0, handshaking: 0, failedHandshakes: 0 };
    return Promise.resolve({ address: { host, port }, counts, close, [Symbol.asyncDispose]: close });
  }

  #dial(id: number, options: DialOptions, clock: Clock): Promise<Connection> {
    const { timeoutMs, signal } = options;
    const near = this.host(id);
    const { gate } = near;
    const where = formatEndpoint(options);
    return new Promise((resolve, reject) => {
      let isSettled = false;
      const settle = (): boolean => {
        const wasSettled = isSettled;
        isSettled = true;
        timer.cancel();
        signal?.removeEventListener('abort', handleAbort);
        return !wasSettled;
      };
      const fail = (code: 'KAYA_DIAL_FAILED' | 'KAYA_DIAL_TIMEOUT' | 'KAYA_DIAL_ABORTED', what: string): void => {
        if (settle()) reject(new TransportError(code, `${where} ${what}`));
      };
      const handleAbort = (): void => fail('KAYA_DIAL_ABORTED', 'is not wanted any more');
      const timer = clock.setTimer(timeoutMs, () => fail('KAYA_DIAL_TIMEOUT', `did not answer in ${timeoutMs} ms`));
      signal?.addEventListener('abort', handleAbort);
      const attempt = (): void => {
        if (isSettled || gate === undefined || gate.isDead) return;
        const far = this.host(idOf(options.host));
        if (far.isDark || this.isCut(near.id, far.id) || this.isCut(far.id, near.id)) {
          this.#world.timeline.after(SYN_MS, attempt);
          return;
        }
        const door = far.doors.get(options.port);
        if (door !== undefined) {
          this.#connect(near, far, door, options, clock, (connection) => {
            if (settle()) resolve(connection);
            else connection.destroy();
          });
        } else {
          const refuse = (): void => fail('KAYA_DIAL_FAILED', 'has nobody who listens');
          this.#world.timeline.after(this.drawDelayMs(), () => gate.enter(refuse));
        }
      };
      this.#world.timeline.after(this.drawDelayMs(), attempt);
    });
  }

  /** The far end has it at once, the near one when the answer has come. */
  #connect(
    near: Host,
    far: Host,
    { options, clock: farClock }: Door,
    dial: DialOptions,
    nearClock: Clock,
    then: (connection: Connection) => void,
  ): void {
    const { timeline, counts } = this.#world;
    counts.connections++;
    const out = new Lane(this, this.#world, near, far);
    const back = new Lane(this, this.#world, far, near);
    const nearEnd = new SimStream(near, { host: dial.host, port: dial.port }, out);
    const farEnd = new SimStream(far, { host: hostOf(near.id), port: PEER_PORT }, back);
    SimStream.join(nearEnd, farEnd);
    out.target = farEnd;
    back.target = nearEnd;
    far.enter(() => {
      const connection = new BufferedConnection(farEnd, { ...DEFAULT_LISTENER_LIMITS, ...options.limits }, farClock);
      farEnd.open(connection);
      far.streams.add(farEnd);
      options.onConnection(connection);
    });
    const { gate } = near;
    timeline.after(back.reserve(), () => {
      if (gate === undefined || gate.isDead) {
        farEnd.host.enter(() => farEnd.take({ kind: 'reset' }));
        return;
      }
      gate.enter(() => {
        const connection = new BufferedConnection(nearEnd, { ...DEFAULT_DIAL_LIMITS, ...dial.limits }, nearClock);
        nearEnd.open(connection);
        near.streams.add(nearEnd);
        then(connection);
      });
    });
  }
}

/** One direction of a connection. */
class Lane implements Way {
  target: SimStream | undefined;
  readonly #tcp: SimTcp;
  readonly #world: TcpWorld;
  readonly #from: Host;
  readonly #to: Host;
  #lastAtMs = 0;
  readonly #stuck: Item[] = [];

  constructor(tcp: SimTcp, world: TcpWorld, from: Host, to: Host) {
    this.#tcp = tcp;
    this.#world = world;
    this.#from = from;
    this.#to = to;
  }

  send(item: Item): void {
    const { random, splits } = this.#world;
    if (item.kind === 'data' && item.bytes.length > 1 && random.chance(splits)) {
      const at = 1 + random.int(item.bytes.length - 1);
      this.#carry({ kind: 'data', bytes: item.bytes.subarray(0, at) });
      this.#carry({ kind: 'data', bytes: item.bytes.subarray(at) });
    } else this.#carry(item);
  }

  /** What is sent from now on arrives later than this. @returns Milliseconds from now. */
  reserve(): number {
    const { timeline } = this.#world;
    this.#lastAtMs = Math.max(this.#lastAtMs, timeline.nowMs + this.#tcp.drawDelayMs());
    return this.#lastAtMs - timeline.nowMs;
  }

  /** The link is whole again. */
  flush(): void {
    for (const item of this.#stuck.splice(0)) this.#deliver(item);
  }

  #carry(item: Item): void {
    this.#world.timeline.after(this.reserve(), () => {
      const isCut = this.#tcp.isCut(this.#from.id, this.#to.id);
      if (!isCut && this.#stuck.length === 0) this.#deliver(item);
      else {
        this.#stuck.push(item);
        this.#tcp.noteStuck(linkOf(this.#from.id, this.#to.id), this);
      }
    });
  }

  #deliver(item: Item): void {
    this.#world.note(this.#to.id);
    this.#world.note(item.kind === 'data' ? crc32c(item.bytes) : 0);
    this.#to.enter(() => this.target?.take(item));
  }
}

export function hostOf(id: number): string {
  return `10.0.0.${id}`;
}

function idOf(host: string): number {
  return Number(HOST.exec(host)?.[1]);
}

function linkOf(from: number, to: number): string {
  return `${from}>${to}`;
}
