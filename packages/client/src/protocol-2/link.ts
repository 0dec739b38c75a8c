/**
 * One connection in version 2: dialed, agreed on by HELLO, let in by AUTH; then requests with ids, answered in any order.
 *
 * A request that is given up is taken back with CANCEL; its id is taken until the answer has come. A connection on which nothing came since a request was
 * sent, until that was given up as late, is taken for dead, and everything on it for lost: other nodes may answer.
 *
 * Invariant: an id is used once. Bound: `maxInFlightRequests` and `maxInFlightBytes` are sent and unanswered; the rest waits its turn.
 * Format: docs/format/wire-2.md.
 */

import {
  DecodeError,
  decodeResponse2,
  decodeResponseId2,
  encodeRequest2,
  FrameDecoder,
  ProtocolError,
  type Request2,
  type RequestKind2,
  type Response2,
} from '@kayadb/codec';
import { type Connection, type Endpoint, formatEndpoint, TransportError } from '@kayadb/transport';

import { refusingRanges } from '../arguments.ts';
import { ClientError } from '../client-error.ts';
import { Exchange } from '../exchange.ts';
import type { ClientSettings } from '../options.ts';
import type { PooledChannel } from '../pool.ts';
import { type Greeting, greet } from './greet.ts';

/** A request of version 2 on its way. */
export class Exchange2 extends Exchange<RequestKind2, Response2> {
  readonly id: number;
  /** How many frames had come when it was sent. */
  framesBefore = 0;

  constructor(
    id: number,
    kind: RequestKind2,
    frame: Uint8Array,
    onAbandoned: (exchange: Exchange<RequestKind2, Response2>) => void,
  ) {
    super(kind, frame, onAbandoned);
    this.id = id;
  }
}

/** How the opening of a link ended. */
export type LinkOpening =
  | { readonly kind: 'up' }
  | { readonly kind: 'version-1' }
  | { readonly kind: 'failed'; readonly cause: unknown };

/** Bound: the ids of one connection. */
const MAX_ID = 2 ** 32 - 1;

const OPERATOR_KINDS: ReadonlySet<RequestKind2> = new Set([
  'add-member',
  'promote-member',
  'remove-member',
  'transfer-leader',
]);

export class Link implements PooledChannel {
  readonly endpoint: Endpoint;
  /** Resolves once; never rejects. */
  readonly opened: Promise<LinkOpening>;
  readonly #settings: ClientSettings;
  readonly #onClosed: (link: Link) => void;
  readonly #decoder = new FrameDecoder();
  readonly #opening = new AbortController();
  readonly #waiting = new Set<Exchange2>();
  readonly #inFlight = new Map<number, Exchange2>();
  readonly #scans = new Set<number>();
  #inFlightBytes = 0;
  #framesReceived = 0;
  #lastId = 0;
  #hasSentOperator = false;
  #connection: Connection | undefined;
  #isClosed = false;
  #failure: unknown;

  /** Dials at once; requests may be given before the connection stands. */
  constructor(endpoint: Endpoint, settings: ClientSettings, onClosed: (link: Link) => void) {
    this.endpoint = endpoint;
    this.#settings = settings;
    this.#onClosed = onClosed;
    this.opened = this.#open();
  }

  get isUsable(): boolean {
    return !this.#isClosed && this.#lastId < MAX_ID - 1;
  }

  /** Requests that are waiting or in flight, and open scans. */
  get load(): number {
    return this.#waiting.size + this.#inFlight.size + this.#scans.size;
  }

  /**
   * Queues a request and sends it as soon as the bounds allow.
   *
   * @param deadlineMs - How long the node may take; 0: for ever.
   * @throws ClientError KAYA_INVALID_ARGUMENT for what can not be encoded.
   */
  start(request: Request2, deadlineMs: number): Exchange2 {
    if (OPERATOR_KINDS.has(request.kind)) this.#authorizeOperator();
    const exchange = this.#encode(request, deadlineMs);
    if (this.#isClosed) exchange.fail(this.#failure);
    else this.#waiting.add(exchange);
    this.#sendWaiting();
    return exchange;
  }

  /** Its scan is open on this connection. */
  keepScan(id: number): void {
    this.#scans.add(id);
  }

  /** Ends a scan, and tells the node unless it knows. Idempotent. */
  endScan(id: number, isKnown: boolean): void {
    if (!this.#scans.delete(id) || isKnown || this.#isClosed) return;
    this.#sendNow({ kind: 'end-scan', scan: id });
  }

  /** A request takes longer than a try may. */
  giveUpLate(exchange: Exchange2): void {
    const isSilent = exchange.wasSent && exchange.framesBefore === this.#framesReceived;
    exchange.abandon();
    if (!isSilent || this.#isClosed) return;
    const message = `${formatEndpoint(this.endpoint)} said nothing for as long as a request may take`;
    this.#destroy(new TransportError('KAYA_CONNECTION_DESTROYED', message));
  }

  /** Fails what is not answered, then ends the connection in order. */
  async close(): Promise<void> {
    const connection = this.#connection;
    this.#finish(new TransportError('KAYA_CONNECTION_DESTROYED', 'the client was closed'));
    await connection?.close();
  }

  async #open(): Promise<LinkOpening> {
    const { clock, network, timeoutMs, tls, clientToken } = this.#settings;
    const endsAt = clock.now() + timeoutMs;
    let greeting: Greeting;
    try {
      const options = { ...this.endpoint, tls, timeoutMs, signal: this.#opening.signal };
      greeting = await greet({ network, clock, decoder: this.#decoder }, options);
    } catch (error) {
      this.#finish(error);
      return { kind: 'failed', cause: error };
    }
    const { connection, version } = greeting;
    if (version === 1) {
      const message = `${formatEndpoint(this.endpoint)} speaks version 1 of the protocol only`;
      this.#finish(new ClientError('KAYA_UNSUPPORTED', message));
      await connection.close();
      return { kind: 'version-1' };
    }
    if (this.#isClosed) {
      connection.destroy();
      return { kind: 'failed', cause: this.#failure };
    }
    greeting.setReceiver((chunk) => this.#handleData(chunk));
    void this.#watch(connection);
    return clientToken === undefined
      ? this.#becomeUp(connection)
      : await this.#showToken(connection, clientToken, endsAt);
  }

  /** Nothing else is sent before: without it, frames have to be small. */
  async #showToken(connection: Connection, token: Uint8Array, endsAt: number): Promise<LinkOpening> {
    const { clock } = this.#settings;
    const exchange = this.#encode({ kind: 'auth', role: 'client', token }, 0);
    this.#send(connection, exchange);
    const timer = clock.setTimer(Math.max(1, endsAt - clock.now()), () => this.giveUpLate(exchange));
    const outcome = await exchange.outcome;
    timer.cancel();
    if (outcome.kind === 'answered' && outcome.response.kind === 'done') return this.#becomeUp(connection);
    const cause =
      outcome.kind === 'answered' && outcome.response.kind === 'refused'
        ? new ClientError('KAYA_UNAUTHORIZED', `the server refused the credential: ${outcome.response.message}`)
        : (this.#failure ?? new TransportError('KAYA_CONNECTION_LOST', 'the credential was not answered'));
    this.#destroy(cause, connection);
    return { kind: 'failed', cause };
  }

  #becomeUp(connection: Connection): LinkOpening {
    if (this.#isClosed) return { kind: 'failed', cause: this.#failure };
    this.#connection = connection;
    this.#settings.onEvent({ kind: 'connection-up', endpoint: formatEndpoint(this.endpoint) });
    this.#sendWaiting();
    return { kind: 'up' };
  }

  async #watch(connection: Connection): Promise<void> {
    const reason = await connection.closed;
    const message = `${formatEndpoint(this.endpoint)} closed the connection`;
    this.#finish(reason ?? new TransportError('KAYA_CONNECTION_LOST', message));
  }

  /** The node looks at nothing behind an AUTH before that is answered, and refuses what needs it by itself. */
  #authorizeOperator(): void {
    const token = this.#settings.operatorToken;
    if (token === undefined || this.#hasSentOperator || this.#isClosed) return;
    this.#hasSentOperator = true;
    this.#waiting.add(this.#encode({ kind: 'auth', role: 'operator', token }, 0));
  }

  #encode(request: Request2, deadlineMs: number): Exchange2 {
    const id = ++this.#lastId;
    const frame = refusingRanges(() => encodeFrame(id, deadlineMs, request));
    return new Exchange2(id, request.kind, frame, (abandoned) => this.#handleAbandoned(abandoned as Exchange2));
  }

  #sendWaiting(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    for (const exchange of this.#waiting) {
      if (!this.#hasRoomFor(exchange.frame.length)) return;
      this.#waiting.delete(exchange);
      this.#send(connection, exchange);
    }
  }

  #hasRoomFor(bytes: number): boolean {
    const { maxInFlightRequests, maxInFlightBytes } = this.#settings;
    if (this.#inFlight.size === 0) return true;
    return this.#inFlight.size < maxInFlightRequests && this.#inFlightBytes + bytes <= maxInFlightBytes;
  }

  /** What frees the node of work does not wait behind work. */
  #sendNow(request: Request2): void {
    const connection = this.#connection;
    if (connection !== undefined && this.#lastId < MAX_ID) this.#send(connection, this.#encode(request, 0));
  }

  #send(connection: Connection, exchange: Exchange2): void {
    this.#inFlight.set(exchange.id, exchange);
    this.#inFlightBytes += exchange.frame.length;
    exchange.framesBefore = this.#framesReceived;
    exchange.markSent();
    connection.send(exchange.frame);
  }

  #handleData(chunk: Uint8Array): void {
    this.#decoder.push(chunk);
    try {
      for (let frame = this.#decoder.next(); frame !== undefined && !this.#isClosed; frame = this.#decoder.next()) {
        this.#handleFrame(frame);
      }
    } catch (error) {
      if (!(error instanceof DecodeError || error instanceof ProtocolError)) throw error;
      this.#destroy(error);
      return;
    }
    this.#sendWaiting();
  }

  #handleFrame(frame: Uint8Array): void {
    this.#framesReceived++;
    const id = decodeResponseId2(frame);
    const exchange = this.#inFlight.get(id);
    if (exchange === undefined) {
      throw new DecodeError(`${formatEndpoint(this.endpoint)} answered a question ${id} that was not asked`, 0);
    }
    const wasAbandoned = exchange.isSettled;
    try {
      if (!wasAbandoned) {
        exchange.settle({ kind: 'answered', response: decodeResponse2(exchange.kind, frame) });
      }
    } catch (error) {
      exchange.settle({ kind: 'malformed', cause: error });
      throw error;
    }
    this.#inFlight.delete(id);
    this.#inFlightBytes -= exchange.frame.length;
    if (exchange.kind === 'scan' && wasAbandoned) this.#sendNow({ kind: 'end-scan', scan: id });
  }

  #handleAbandoned(exchange: Exchange2): void {
    if (this.#waiting.delete(exchange) || this.#isClosed) return;
    this.#sendNow({ kind: 'cancel', target: exchange.id });
  }

  #destroy(cause: unknown, connection = this.#connection): void {
    this.#finish(cause);
    connection?.destroy();
  }

  #finish(cause: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#failure = cause;
    this.#connection = undefined;
    this.#opening.abort();
    for (const exchange of [...this.#inFlight.values(), ...this.#waiting]) exchange.fail(cause);
    this.#inFlight.clear();
    this.#waiting.clear();
    this.#scans.clear();
    this.#settings.onEvent({ kind: 'connection-down', endpoint: formatEndpoint(this.endpoint), cause });
    this.#onClosed(this);
  }
}

function encodeFrame(id: number, deadlineMs: number, request: Request2): Uint8Array {
  try {
    return encodeRequest2({ id, deadlineMs }, request);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new ClientError('KAYA_INVALID_ARGUMENT', error.message, { cause: error });
  }
}
