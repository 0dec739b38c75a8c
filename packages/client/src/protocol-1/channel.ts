/**
 * One pipelined connection. Answers come in the order of the requests, so the oldest unanswered one owns the next frame.
 *
 * A request that is abandoned keeps its place and its late answer is dropped. Until that has come the channel takes no
 * new requests (`isUsable`), and when nobody waits for any of its answers any more it is closed: the other side
 * may hang, and a fresh connection costs less than guessing.
 *
 * Bound: `maxInFlightRequests` and `maxInFlightBytes` are sent and unanswered; the rest waits its turn.
 */

import {
  DecodeError,
  decodeResponse,
  FrameDecoder,
  ProtocolError,
  type RequestKind,
  type Response,
} from '@kayadb/codec';
import {
  type Connection,
  type DialTls,
  type Endpoint,
  formatEndpoint,
  type Network,
  TransportError,
} from '@kayadb/transport';

import { Exchange } from '../exchange.ts';

/** A request of version 1 on its way. */
export type Exchange1 = Exchange<RequestKind, Response>;

export interface ChannelOptions {
  readonly network: Network;
  readonly tls: DialTls | undefined;
  readonly timeoutMs: number;
  readonly maxInFlightRequests: number;
  readonly maxInFlightBytes: number;
}

export class Channel {
  readonly endpoint: Endpoint;
  readonly #options: ChannelOptions;
  readonly #onClosed: (channel: Channel) => void;
  readonly #decoder = new FrameDecoder();
  readonly #dialing = new AbortController();
  /** Both are first in, first out: a Set keeps its order and forgets from the middle. */
  readonly #waiting = new Set<Exchange1>();
  readonly #inFlight = new Set<Exchange1>();
  #inFlightBytes = 0;
  /** Answers on their way that nobody waits for. */
  #owedAnswers = 0;
  #connection: Connection | undefined;
  #failure: unknown;
  #isClosed = false;

  /** Dials at once; requests may be given before the connection stands. */
  constructor(endpoint: Endpoint, options: ChannelOptions, onClosed: (channel: Channel) => void) {
    this.endpoint = endpoint;
    this.#options = options;
    this.#onClosed = onClosed;
    void this.#dial();
  }

  /** Whether a new request has a fair chance: the channel is not closed and owes no late answers. */
  get isUsable(): boolean {
    return !this.#isClosed && this.#owedAnswers === 0;
  }

  /** Requests that are waiting or in flight. */
  get load(): number {
    return this.#waiting.size + this.#inFlight.size;
  }

  /** Queues one frame and sends it as soon as the bounds allow. Keeps `frame` until then. */
  start(kind: RequestKind, frame: Uint8Array): Exchange1 {
    const exchange = new Exchange<RequestKind, Response>(kind, frame, (abandoned) => this.#handleAbandoned(abandoned));
    if (this.#isClosed) {
      exchange.fail(this.#failure);
      return exchange;
    }
    this.#waiting.add(exchange);
    this.#sendWaiting();
    return exchange;
  }

  /** Fails what is not answered, then ends the connection in order. */
  async close(): Promise<void> {
    const connection = this.#connection;
    this.#finish(new TransportError('KAYA_CONNECTION_DESTROYED', 'the client was closed'));
    await connection?.close();
  }

  async #dial(): Promise<void> {
    const { network, timeoutMs, tls } = this.#options;
    try {
      const connection = await network.dial({ ...this.endpoint, tls, timeoutMs, signal: this.#dialing.signal });
      if (this.#isClosed) connection.destroy();
      else this.#handleConnected(connection);
    } catch (error) {
      this.#finish(error);
    }
  }

  #handleConnected(connection: Connection): void {
    this.#connection = connection;
    connection.onData((chunk) => this.#handleData(chunk));
    void this.#watch(connection);
    this.#sendWaiting();
  }

  async #watch(connection: Connection): Promise<void> {
    const reason = await connection.closed;
    const message = `${formatEndpoint(this.endpoint)} closed the connection`;
    this.#finish(reason ?? new TransportError('KAYA_CONNECTION_LOST', message));
  }

  #sendWaiting(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    for (const exchange of this.#waiting) {
      if (!this.#hasRoomFor(exchange.frame.length)) return;
      this.#waiting.delete(exchange);
      this.#inFlight.add(exchange);
      this.#inFlightBytes += exchange.frame.length;
      exchange.markSent();
      connection.send(exchange.frame);
    }
  }

  #hasRoomFor(bytes: number): boolean {
    const { maxInFlightRequests, maxInFlightBytes } = this.#options;
    if (this.#inFlight.size === 0) return true;
    return this.#inFlight.size < maxInFlightRequests && this.#inFlightBytes + bytes <= maxInFlightBytes;
  }

  #handleData(chunk: Uint8Array): void {
    this.#decoder.push(chunk);
    try {
      for (let frame = this.#decoder.next(); frame !== undefined; frame = this.#decoder.next())
        this.#handleFrame(frame);
    } catch (error) {
      if (!(error instanceof DecodeError || error instanceof ProtocolError)) throw error;
      // What follows cannot be matched to requests any more.
      this.#oldest()?.settle({ kind: 'malformed', cause: error });
      this.#destroy(error);
      return;
    }
    this.#sendWaiting();
  }

  #handleFrame(frame: Uint8Array): void {
    const exchange = this.#oldest();
    if (exchange === undefined)
      throw new DecodeError(`${formatEndpoint(this.endpoint)} answered an unasked question`, 0);
    const isAwaited = !exchange.isSettled;
    if (isAwaited) exchange.settle({ kind: 'answered', response: decodeResponse(exchange.kind, frame) });
    else this.#owedAnswers--;
    this.#inFlight.delete(exchange);
    this.#inFlightBytes -= exchange.frame.length;
  }

  #oldest(): Exchange1 | undefined {
    const [oldest] = this.#inFlight;
    return oldest;
  }

  #handleAbandoned(exchange: Exchange1): void {
    if (this.#waiting.delete(exchange) || this.#isClosed) return;
    this.#owedAnswers++;
    if (this.#owedAnswers < this.#inFlight.size) return;
    const message = `${formatEndpoint(this.endpoint)} owes answers that nobody waits for any more`;
    this.#destroy(new TransportError('KAYA_CONNECTION_DESTROYED', message));
  }

  #destroy(cause: unknown): void {
    const connection = this.#connection;
    this.#finish(cause);
    connection?.destroy();
  }

  #finish(cause: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#failure = cause;
    this.#connection = undefined;
    this.#dialing.abort();
    for (const exchange of [...this.#inFlight, ...this.#waiting]) exchange.fail(cause);
    this.#inFlight.clear();
    this.#waiting.clear();
    this.#onClosed(this);
  }
}
