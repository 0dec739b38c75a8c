/**
 * One end of a simulated TCP connection, as `BufferedConnection` sees a socket, and the way to the other end: bytes arrive in order and late, stand still while the link is cut, and wait for
 * a process that does not read.
 */

import type { Endpoint } from '@kayadb/transport';
import { TransportError } from '@kayadb/transport';
import type { ByteStream, StreamEvents } from '@kayadb/transport/testing';

import type { Host } from './host.ts';

export type Item =
  | { readonly kind: 'data'; readonly bytes: Uint8Array }
  /** The other side will send nothing more. */
  | { readonly kind: 'end' }
  /** The other side has given the connection up, or has never heard of it. */
  | { readonly kind: 'reset' };

/** The way from one end to the other. */
export interface Way {
  send(item: Item): void;
}

/** Bound: bytes that the operating systems at both ends hold in one direction. */
const WINDOW_BYTES = 16_384;

export class SimStream implements ByteStream {
  readonly remoteAddress: Endpoint;
  readonly host: Host;
  readonly #way: Way;
  #events: StreamEvents | undefined;
  /** Arrived, and not read. */
  #unread: Item[] = [];
  #isPaused = true;
  #isOver = false;
  #hasSentEnd = false;
  #hasReceivedEnd = false;
  /** Sent, and not read by the other end. */
  #outBytes = 0;
  #onWritten: (() => void) | undefined;
  #other: SimStream | undefined;

  constructor(host: Host, remoteAddress: Endpoint, way: Way) {
    this.host = host;
    this.remoteAddress = remoteAddress;
    this.#way = way;
  }

  static join(a: SimStream, b: SimStream): void {
    a.#other = b;
    b.#other = a;
  }

  /** Whom it tells. */
  open(events: StreamEvents): void {
    this.#events = events;
  }

  write(bytes: Uint8Array, onWritten: () => void): void {
    this.#outBytes += bytes.length;
    this.#onWritten = onWritten;
    // The sender may use its bytes again.
    this.#way.send({ kind: 'data', bytes: bytes.slice() });
    this.afterTurn(() => this.#maybeTell());
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#unread.length > 0) this.afterTurn(() => this.#read());
  }

  end(): void {
    this.#hasSentEnd = true;
    this.#way.send({ kind: 'end' });
    this.afterTurn(() => this.#maybeFinish());
  }

  destroy(): void {
    if (this.#isOver) return;
    this.#finish();
    this.#way.send({ kind: 'reset' });
  }

  afterTurn(callback: () => void): void {
    queueMicrotask(callback);
  }

  /** Its process is gone, and tells nobody. */
  vanish(): void {
    if (!this.#isOver) this.#finish();
  }

  /** Its host tells the other end that nobody is here. */
  reset(): void {
    this.#way.send({ kind: 'reset' });
  }

  /** Something has arrived. Requires: its process runs. */
  take(item: Item): void {
    if (this.#isOver) return;
    if (item.kind === 'reset') {
      this.#finish();
      this.#events?.handleClosed(
        new TransportError('KAYA_CONNECTION_LOST', 'the connection broke: it was reset by the other side'),
      );
      return;
    }
    this.#unread.push(item);
    this.#read();
  }

  #read(): void {
    while (!this.#isPaused && !this.#isOver && this.#events !== undefined) {
      const item = this.#unread.shift();
      if (item === undefined) return;
      if (item.kind === 'data') {
        this.#other?.wasRead(item.bytes.length);
        this.#events.handleData(item.bytes);
      } else {
        this.#hasReceivedEnd = true;
        this.#events.handleEnd();
        this.#maybeFinish();
      }
    }
  }

  /** The other end has room again. */
  wasRead(bytes: number): void {
    this.#outBytes -= bytes;
    if (this.#onWritten !== undefined) this.host.enter(() => this.#maybeTell());
  }

  #maybeTell(): void {
    const onWritten = this.#onWritten;
    if (onWritten === undefined || this.#isOver || this.#outBytes > WINDOW_BYTES) return;
    this.#onWritten = undefined;
    onWritten();
  }

  #maybeFinish(): void {
    if (this.#isOver || !this.#hasSentEnd || !this.#hasReceivedEnd) return;
    this.#finish();
    this.#events?.handleClosed();
  }

  #finish(): void {
    this.#isOver = true;
    this.#unread = [];
    this.host.streams.delete(this);
  }
}
