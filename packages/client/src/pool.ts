/**
 * The connections of a client: which endpoint comes next, and a few channels to each. What a channel speaks is its own business.
 *
 * Bound: `connectionsPerEndpoint` usable channels per endpoint, and as many again that still owe late answers; `MAX_NAMED_LEADERS` endpoints that were not
 * configured. When a node names a leader, idle channels to leaders named before are closed; they are asked again when no configured endpoint answers.
 */

import type { Clock } from '@kayadb/codec';
import { type Endpoint, formatEndpoint, parseEndpoint } from '@kayadb/transport';

import { MAX_NAMED_LEADERS, SILENT_MS } from './limits.ts';

/** What the pool needs to know of a connection. */
export interface PooledChannel {
  readonly endpoint: Endpoint;
  /** Whether a new request has a fair chance. */
  readonly isUsable: boolean;
  /** What it has to do; at 0 it may be closed. */
  readonly load: number;
  close(): Promise<void>;
}

export interface PoolOptions<Channel extends PooledChannel> {
  readonly endpoints: readonly Endpoint[];
  readonly connectionsPerEndpoint: number;
  readonly clock: Pick<Clock, 'now'>;
  /** Opens a channel, which reports its own end. */
  readonly openChannel: (endpoint: Endpoint, onClosed: (channel: Channel) => void) => Channel;
  /** Another node leads than was thought; undefined: it is not known any more. */
  readonly onLeaderChanged?: (leader: Endpoint | undefined) => void;
}

export class Pool<Channel extends PooledChannel> {
  readonly #options: PoolOptions<Channel>;
  readonly #channels = new Map<string, Channel[]>();
  /** Index of the endpoint to use while no leader is known: of the configured ones, and behind them those in `#named`. */
  #current = 0;
  /** Leaders and members that nodes have named and nobody has configured, the newest last. */
  #named: readonly Endpoint[] = [];
  #leader: Endpoint | undefined;
  /** Endpoints that did not answer when they were last asked, by name, and until when each is passed over. */
  readonly #silentUntil = new Map<string, number>();
  /** Whose turn it is of those that may serve anything. */
  #turn = 0;

  constructor(options: PoolOptions<Channel>) {
    this.#options = options;
  }

  /**
   * A channel to the leader as far as it is known: an idle one, else a new one, else the one with the least to do.
   * Channels that owe late answers are passed over while others can be had.
   */
  pick(): Channel {
    return this.#pickTo(this.#leader ?? this.#candidates[this.#current % this.#candidates.length]!);
  }

  /**
   * For what any node may answer: a channel to one of the configured endpoints, one after the other. Those that did not answer are passed over; after a while one
   * request tries them again. When all of them are silent, endpoints that nodes have named are asked, too.
   */
  pickAny(): Channel {
    const { endpoints } = this.#options;
    return this.#pickTo(this.#nextToTry(endpoints) ?? this.#nextToTry(this.#candidates) ?? this.#next(endpoints));
  }

  #pickTo(endpoint: Endpoint): Channel {
    const channels = this.#channelsTo(endpoint);
    const usable = channels.filter((channel) => channel.isUsable);
    const { connectionsPerEndpoint } = this.#options;
    const mayOpen = usable.length < connectionsPerEndpoint && channels.length < 2 * connectionsPerEndpoint;
    const [least] = (usable.length > 0 ? usable : channels).toSorted((a, b) => a.load - b.load);
    const isFine = least !== undefined && least.isUsable && least.load === 0;
    return least === undefined || (mayOpen && !isFine) ? this.#open(endpoint) : least;
  }

  /** A node said who leads. An address that cannot be read, or none, sends the next try to another endpoint. */
  noteLeader(from: Endpoint, address: string | undefined): void {
    const leader = address === undefined ? undefined : parseEndpoint(address);
    this.noteAnswer(from);
    if (leader === undefined) {
      this.#leave(from);
      return;
    }
    this.noteAnswer(leader);
    this.#setLeader(leader);
    this.#remember(leader);
    this.#closeStrangers();
  }

  /** `address` is one of the cluster's, to be asked when those that were configured do not answer. One that cannot be read is passed over. */
  noteMember(address: string): void {
    const member = parseEndpoint(address);
    if (member !== undefined) this.#remember(member);
  }

  /** An endpoint answers. */
  noteAnswer(endpoint: Endpoint): void {
    this.#silentUntil.delete(formatEndpoint(endpoint));
  }

  /** An endpoint did not answer: the next try goes elsewhere, and those after it too for a while, since a try that hangs is dear. */
  noteFailure(endpoint: Endpoint): void {
    this.#passOver(endpoint);
    this.#leave(endpoint);
  }

  async close(): Promise<void> {
    const channels = [...this.#channels.values()].flat();
    await Promise.all(channels.map((channel) => channel.close()));
  }

  #leave(endpoint: Endpoint): void {
    const left = formatEndpoint(endpoint);
    if (this.#leader !== undefined && formatEndpoint(this.#leader) !== left) return;
    this.#setLeader(undefined);
    const candidates = this.#candidates;
    if (formatEndpoint(candidates[this.#current % candidates.length]!) !== left) return;
    for (let steps = 0; steps < candidates.length; steps++) {
      this.#current = (this.#current + 1) % candidates.length;
      if (!this.#isPassedOver(candidates[this.#current]!)) return;
    }
    this.#current = (this.#current + 1) % candidates.length;
  }

  #isPassedOver(endpoint: Endpoint): boolean {
    const until = this.#silentUntil.get(formatEndpoint(endpoint));
    return until !== undefined && this.#options.clock.now() < until;
  }

  #next(endpoints: readonly Endpoint[]): Endpoint {
    return endpoints[this.#turn++ % endpoints.length]!;
  }

  /** One that was silent is tried by whoever comes to it first; until that is answered, the others still pass it over. */
  #nextToTry(endpoints: readonly Endpoint[]): Endpoint | undefined {
    for (let steps = 0; steps < endpoints.length; steps++) {
      const endpoint = this.#next(endpoints);
      if (this.#isPassedOver(endpoint)) continue;
      if (this.#silentUntil.has(formatEndpoint(endpoint))) this.#passOver(endpoint);
      return endpoint;
    }
    return undefined;
  }

  #passOver(endpoint: Endpoint): void {
    this.#silentUntil.set(formatEndpoint(endpoint), this.#options.clock.now() + SILENT_MS);
  }

  get #candidates(): readonly Endpoint[] {
    return [...this.#options.endpoints, ...this.#named];
  }

  #remember(endpoint: Endpoint): void {
    const name = formatEndpoint(endpoint);
    if (this.#options.endpoints.some((each) => formatEndpoint(each) === name)) return;
    const others = this.#named.filter((each) => formatEndpoint(each) !== name);
    const named = [...others, endpoint];
    for (const forgotten of named.slice(0, -MAX_NAMED_LEADERS)) this.noteAnswer(forgotten);
    this.#named = named.slice(-MAX_NAMED_LEADERS);
  }

  #setLeader(leader: Endpoint | undefined): void {
    const before = this.#leader;
    this.#leader = leader;
    const isSame = (before && formatEndpoint(before)) === (leader && formatEndpoint(leader));
    if (!isSame) this.#options.onLeaderChanged?.(leader);
  }

  #channelsTo(endpoint: Endpoint): Channel[] {
    return this.#channels.get(formatEndpoint(endpoint)) ?? [];
  }

  #open(endpoint: Endpoint): Channel {
    const channel = this.#options.openChannel(endpoint, (closed) => this.#forget(closed));
    this.#channels.set(formatEndpoint(endpoint), [...this.#channelsTo(endpoint), channel]);
    return channel;
  }

  #forget(channel: Channel): void {
    const name = formatEndpoint(channel.endpoint);
    const left = (this.#channels.get(name) ?? []).filter((each) => each !== channel);
    if (left.length > 0) this.#channels.set(name, left);
    else this.#channels.delete(name);
  }

  /** Endpoints that were only ever named by another node are not kept beside the present leader. */
  #closeStrangers(): void {
    const known = [...this.#options.endpoints, ...(this.#leader === undefined ? [] : [this.#leader])].map(
      formatEndpoint,
    );
    for (const [name, channels] of this.#channels) {
      if (known.includes(name)) continue;
      for (const channel of channels) if (channel.load === 0) void channel.close();
    }
  }
}
