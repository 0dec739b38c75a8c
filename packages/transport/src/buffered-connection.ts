/**
 * A Connection over any byte stream: queueing, back-pressure, limits and the orderly end. TCP and the in-memory
 * network share it, so that what is tested on one holds on the other.
 *
 * Invariant: at most one write is in flight; everything else waits in the queue, where it is joined and counted.
 */

import { assert, type Clock } from '@kayadb/codec';

import { type ConnectionLimits, MAX_WRITE_BYTES } from './limits.ts';
import type { Connection, Endpoint } from './network.ts';
import { OutputQueue } from './output-queue.ts';
import { TimeLimits } from './time-limits.ts';
import type { ConnectionTls } from './tls/peer-identity.ts';
import { TransportError } from './transport-error.ts';

/** What a transport provides. It starts paused, and calls none of `StreamEvents` from inside these methods. */
export interface ByteStream {
  readonly remoteAddress: Endpoint;
  readonly tls?: ConnectionTls | undefined;
  /** Calls `onWritten` once all of `bytes` is taken. One write at a time. */
  write(bytes: Uint8Array, onWritten: () => void): void;
  pause(): void;
  resume(): void;
  /** Nothing more will be written; what was written still arrives. */
  end(): void;
  destroy(): void;
  /** Runs `callback` when this turn of the event loop is over. */
  afterTurn(callback: () => void): void;
}

/** What a transport reports to its connection. */
export interface StreamEvents {
  handleData(chunk: Uint8Array): void;
  /** The other side will send nothing more. */
  handleEnd(): void;
  /** Both directions are over; `error` unless both ended in order. */
  handleClosed(error?: TransportError): void;
}

export class BufferedConnection implements Connection, StreamEvents {
  readonly closed: Promise<TransportError | undefined>;
  readonly #stream: ByteStream;
  readonly #limits: ConnectionLimits;
  readonly #timeLimits: TimeLimits;
  readonly #queue = new OutputQueue();
  readonly #resolveClosed: (reason: TransportError | undefined) => void;
  #drainWaiters: (() => void)[] = [];
  #state: 'open' | 'closing' | 'closed' = 'open';
  #hasEnded = false;
  #isFlushDue = false;
  #inFlightBytes = 0;
  #isPaused = false;
  #dataReceiver: ((chunk: Uint8Array) => void) | undefined;
  #endReceiver: (() => void) | undefined;

  constructor(stream: ByteStream, limits: ConnectionLimits, clock: Clock) {
    this.#stream = stream;
    this.#limits = limits;
    this.#timeLimits = new TimeLimits(clock, limits, (error) => this.destroy(error));
    const { promise, resolve } = withResolver<TransportError | undefined>();
    this.closed = promise;
    this.#resolveClosed = resolve;
  }

  get remoteAddress(): Endpoint {
    return this.#stream.remoteAddress;
  }

  get tls(): ConnectionTls | undefined {
    return this.#stream.tls;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get bufferedBytes(): number {
    return this.#queue.bytes + this.#inFlightBytes;
  }

  send(bytes: Uint8Array): void {
    if (this.#state !== 'open') return;
    this.#queue.push(bytes);
    const { maxBufferedBytes } = this.#limits;
    if (this.bufferedBytes > maxBufferedBytes) {
      const message = `${this.bufferedBytes} bytes wait to be sent, over the limit maxBufferedBytes of ${maxBufferedBytes}`;
      this.destroy(new TransportError('KAYA_SEND_OVERFLOW', message));
      return;
    }
    this.#scheduleFlush();
  }

  drained(): Promise<void> {
    if (this.#state === 'closed' || this.bufferedBytes <= this.#limits.resumeSendBytes) return Promise.resolve();
    return new Promise((resolve) => this.#drainWaiters.push(resolve));
  }

  onData(receiver: (chunk: Uint8Array) => void): void {
    this.#dataReceiver = receiver;
    if (this.#state === 'open' && !this.#isPaused) this.#stream.resume();
  }

  onEnd(receiver: () => void): void {
    this.#endReceiver = receiver;
  }

  pause(): void {
    this.#isPaused = true;
    if (this.#state === 'open') this.#stream.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#state === 'open' && this.#dataReceiver !== undefined) this.#stream.resume();
  }

  async close(): Promise<void> {
    if (this.#state === 'open') {
      this.#state = 'closing';
      this.#timeLimits.noteClosing();
      // What still comes is read and dropped: unread bytes would make the system reset the connection and lose answers.
      this.#stream.resume();
      this.#scheduleFlush();
    }
    await this.closed;
  }

  destroy(reason?: TransportError): void {
    if (this.#state === 'closed') return;
    this.#stream.destroy();
    this.#finish(reason ?? new TransportError('KAYA_CONNECTION_DESTROYED', 'this side gave the connection up'));
  }

  handleData(chunk: Uint8Array): void {
    if (this.#state === 'closed') return;
    this.#timeLimits.noteReceived();
    if (this.#state === 'closing') return;
    assert(this.#dataReceiver !== undefined && !this.#isPaused, 'a paused stream delivered bytes');
    this.#dataReceiver(chunk);
  }

  handleEnd(): void {
    if (this.#state !== 'open') return;
    if (this.#endReceiver === undefined) void this.close();
    else this.#endReceiver();
  }

  handleClosed(error?: TransportError): void {
    if (this.#state === 'closed') return;
    this.#finish(error);
  }

  #finish(reason: TransportError | undefined): void {
    this.#state = 'closed';
    this.#timeLimits.stop();
    this.#queue.clear();
    this.#inFlightBytes = 0;
    this.#dataReceiver = undefined;
    this.#endReceiver = undefined;
    this.#resolveClosed(reason);
    this.#wakeDrainWaiters();
  }

  #scheduleFlush(): void {
    if (this.#isFlushDue || this.#inFlightBytes > 0) return;
    this.#isFlushDue = true;
    this.#stream.afterTurn(() => {
      this.#isFlushDue = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#state === 'closed' || this.#hasEnded) return;
    const bytes = this.#queue.take(MAX_WRITE_BYTES);
    if (bytes !== undefined) {
      this.#inFlightBytes = bytes.length;
      this.#timeLimits.noteWaiting();
      this.#stream.write(bytes, () => this.#handleWritten());
    } else if (this.#state === 'closing') {
      this.#hasEnded = true;
      this.#stream.end();
    }
  }

  #handleWritten(): void {
    if (this.#state === 'closed') return;
    this.#inFlightBytes = 0;
    this.#timeLimits.noteWritten(this.#queue.bytes > 0);
    if (this.bufferedBytes <= this.#limits.resumeSendBytes) this.#wakeDrainWaiters();
    this.#flush();
  }

  #wakeDrainWaiters(): void {
    const waiters = this.#drainWaiters;
    this.#drainWaiters = [];
    for (const wake of waiters) wake();
  }
}

function withResolver<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: ((value: T) => void) | undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  assert(resolve !== undefined, 'a promise runs its executor at once');
  return { promise, resolve };
}
