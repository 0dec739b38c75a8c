/**
 * This node's way to another one, for one stream: a connection that is made again whenever it is lost, and a bounded queue in front of it.
 *
 * Invariant: at most one attempt or connection at a time; no frame is sent before the other side has accepted this node, and none twice.
 * What is lost with a connection stays lost: the protocol above says it again. Format: docs/format/peer-handshake.md.
 */

import { assert, readU32 } from '@kayadb/codec';

import type { Connection, Endpoint } from '../network.ts';
import { TransportError } from '../transport-error.ts';
import { BackOff } from './back-off.ts';
import { type FramePriority, FrameQueue } from './frame-queue.ts';
import type { Greeting } from './greeting.ts';
import { dialPeer, type PeerDialOptions, type PeerDialOutcome } from './peer-dial.ts';
import { DEFAULT_PEER_LINK_LIMITS, type PeerLinkLimits } from './peer-limits.ts';
import { SilenceWatch } from './silence-watch.ts';

/** Never called from within `send` or the constructor, nor after `close` has begun. They must not throw. */
export interface PeerLinkEvents {
  /** Frames are taken from now on. `answer` is what the node said of itself; what was on its way before is lost. */
  handleUp?(answer: Greeting, version: number): void;
  /** The connection is over. A new attempt follows by itself. */
  handleDown?(reason: TransportError): void;
  /** An attempt came to nothing; `answer` is there when the node refused. A new attempt follows by itself. */
  handleFailed?(reason: TransportError, answer: Greeting | undefined): void;
  /** The policy said that this node is fenced or removed: nothing follows. */
  handleStopped?(reason: TransportError, answer: Greeting): void;
}

export interface PeerLinkOptions extends PeerDialOptions {
  /** Where the node is; a name is looked up at each attempt. */
  readonly address: Endpoint;
  /** Uniform in [0, 1): spreads attempts. */
  readonly random: () => number;
  readonly limits?: Partial<PeerLinkLimits>;
  readonly events: PeerLinkEvents;
}

export type PeerLinkState = 'connecting' | 'up' | 'waiting' | 'stopped' | 'closed';

export interface PeerLinkCounts {
  readonly queuedFrames: number;
  readonly queuedBytes: number;
  /** Frames that were refused, pushed out, or lost in the queue with their connection; only grows. */
  readonly droppedFrames: number;
  /** Connections that came up; only grows. */
  readonly connections: number;
}

export class PeerLink {
  readonly #options: PeerLinkOptions;
  readonly #limits: PeerLinkLimits;
  readonly #queue: FrameQueue;
  readonly #backOff: BackOff;
  readonly #silence: SilenceWatch;
  #address: Endpoint;
  #state: PeerLinkState = 'waiting';
  #connection: Connection | undefined;
  #upSince = 0;
  #connections = 0;
  #abort = new AbortController();
  #cancelRetry: () => void = () => {};
  #isFlushDue = false;
  #isDraining = false;
  #closing: Promise<void> | undefined;

  /** Begins to connect at once. */
  constructor(options: PeerLinkOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_PEER_LINK_LIMITS, ...options.limits };
    this.#address = options.address;
    this.#queue = new FrameQueue(this.#limits);
    this.#backOff = new BackOff(this.#limits, options.random);
    this.#silence = new SilenceWatch(options.clock, this.#limits.silenceMs, () => this.#handleSilence());
    this.#connect();
  }

  get node(): number {
    return this.#options.node;
  }

  get state(): PeerLinkState {
    return this.#state;
  }

  /** Since it came up; 0 while it is not. */
  get upForMs(): number {
    return this.#state === 'up' ? this.#options.clock.now() - this.#upSince : 0;
  }

  get address(): Endpoint {
    return this.#address;
  }

  get counts(): PeerLinkCounts {
    const { frames, bytes, droppedFrames } = this.#queue;
    const queuedBytes = bytes + (this.#connection?.bufferedBytes ?? 0);
    return { queuedFrames: frames, queuedBytes, droppedFrames, connections: this.#connections };
  }

  /**
   * Queues a frame; what one turn sends goes out together, the urgent ones first. Keeps `frame`, which must not change any more.
   *
   * While the link is not up, urgent frames wait for it, the newest few, and normal ones are refused: they would be out of date.
   *
   * @param frame - With its length field in front.
   * @returns Whether it was taken. That is no promise that it arrives.
   */
  send(frame: Uint8Array, priority: FramePriority): boolean {
    assert(frame.length > 4 && readU32(frame, 0) === frame.length - 4, 'a frame begins with its length');
    const isUp = this.#state === 'up';
    const isOver = this.#state === 'stopped' || this.#state === 'closed';
    if (isOver || (!isUp && priority === 'normal')) return this.#queue.refuse();
    const isTaken = this.#queue.push(frame, priority);
    if (isUp) this.#scheduleFlush();
    return isTaken;
  }

  /** Something came from the node, on whatever way. Without such calls a link that is written to is made anew every `silenceMs`. */
  noteHeard(): void {
    this.#silence.noteHeard();
  }

  /** Where the node is from now on. Unless that is where it was, the connection is given up for a new one. */
  setAddress(address: Endpoint): void {
    if (address.host === this.#address.host && address.port === this.#address.port) return;
    this.#address = address;
    this.reconnect(new TransportError('KAYA_CONNECTION_DESTROYED', 'the address of the node was changed'));
  }

  /** Tries now what would be tried later: the node has just been heard of. Does nothing unless the link waits. */
  retryNow(): void {
    if (this.#state === 'waiting') this.#connect();
  }

  /**
   * Gives up what there is and connects anew at once. Due when the node has connected anew to this one although its last connection had
   * not ended: then packets were lost in both directions, and TCP may take a minute to try again on this one.
   */
  reconnect(reason: TransportError): void {
    if (this.#state === 'stopped' || this.#state === 'closed') return;
    const connection = this.#leave();
    connection?.destroy(reason);
    this.#queue.clear();
    this.#connect();
    if (connection !== undefined) this.#options.events.handleDown?.(reason);
  }

  /** Sends what waits, then ends the connection. Idempotent. Bound: `closeMs`. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const wasUp = this.#state === 'up';
    const connection = this.#leave();
    this.#state = 'closed';
    if (connection === undefined || !wasUp) {
      this.#queue.clear();
      return;
    }
    for (let frame = this.#queue.take(); frame !== undefined; frame = this.#queue.take()) connection.send(frame);
    const timer = this.#options.clock.setTimer(this.#limits.closeMs, () => connection.destroy());
    await connection.close();
    timer.cancel();
  }

  #connect(): void {
    this.#cancelRetry();
    this.#state = 'connecting';
    const abort = new AbortController();
    this.#abort = abort;
    void this.#attempt(abort.signal);
  }

  async #attempt(signal: AbortSignal): Promise<void> {
    const outcome = await dialPeer(this.#options, this.#address, this.#limits, signal);
    if (!signal.aborted) this.#handleOutcome(outcome);
    // Given up meanwhile: what it brought is not wanted any more.
    else if (outcome.kind === 'up') outcome.connection.destroy();
  }

  #handleOutcome(outcome: PeerDialOutcome): void {
    const { events } = this.#options;
    if (outcome.kind === 'up') {
      this.#handleUp(outcome.connection);
      events.handleUp?.(outcome.answer, outcome.version);
      return;
    }
    const { error } = outcome;
    if (outcome.kind === 'refused' && outcome.advice === 'stop') {
      this.#state = 'stopped';
      this.#queue.clear();
      events.handleStopped?.(error, outcome.answer);
      return;
    }
    const isSlow = outcome.kind === 'refused' && outcome.advice !== 'retry';
    this.#retryAfter(isSlow ? this.#backOff.nextSlow() : this.#backOff.next());
    events.handleFailed?.(error, outcome.kind === 'refused' ? outcome.answer : undefined);
  }

  #handleUp(connection: Connection): void {
    this.#state = 'up';
    this.#connection = connection;
    this.#connections++;
    this.#upSince = this.#options.clock.now();
    connection.onData(() => {
      const message = `node ${this.node} sent something behind its answer, which ends a connection`;
      connection.destroy(new TransportError('KAYA_PEER_MALFORMED', message));
    });
    connection.resume();
    void connection.closed.then((reason) => this.#handleClosed(connection, reason));
    this.#scheduleFlush();
  }

  #handleClosed(connection: Connection, reason: TransportError | undefined): void {
    if (this.#connection !== connection) return;
    this.#leave();
    const { clock, events } = this.#options;
    // Only a connection that lasted shows that the node is well: one that is lost at once again and again is no reason to hurry.
    if (clock.now() - this.#upSince >= this.#limits.maxRetryMs) this.#backOff.reset();
    this.#retryAfter(this.#backOff.next());
    events.handleDown?.(reason ?? new TransportError('KAYA_CONNECTION_LOST', `node ${this.node} ended the connection`));
  }

  /** Nothing is under way after this. @returns The connection there was, still open unless it ended by itself. */
  #leave(): Connection | undefined {
    const connection = this.#connection;
    this.#abort.abort();
    this.#cancelRetry();
    this.#silence.stop();
    this.#connection = undefined;
    return connection;
  }

  #retryAfter(delayMs: number): void {
    this.#queue.clear();
    this.#state = 'waiting';
    const timer = this.#options.clock.setTimer(delayMs, () => this.#connect());
    this.#cancelRetry = () => timer.cancel();
  }

  #handleSilence(): void {
    const message = `node ${this.node} was not heard for ${this.#limits.silenceMs} ms, although it was written to`;
    this.reconnect(new TransportError('KAYA_PEER_SILENT', message));
  }

  /** After this turn's other calls, so that urgent frames go first whenever they were sent in it. */
  #scheduleFlush(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    queueMicrotask(() => {
      this.#isFlushDue = false;
      this.#flush();
    });
  }

  #flush(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    while (connection.bufferedBytes < this.#limits.windowBytes) {
      const frame = this.#queue.take();
      if (frame === undefined) return;
      connection.send(frame);
      this.#silence.noteSent();
    }
    if (!this.#isDraining && this.#queue.frames > 0) void this.#flushWhenDrained(connection);
  }

  async #flushWhenDrained(connection: Connection): Promise<void> {
    this.#isDraining = true;
    await connection.drained();
    this.#isDraining = false;
    this.#flush();
  }
}
