/**
 * One end of an in-memory byte stream. A write is taken only as the other end receives it, in chunks of any size,
 * so back-pressure shows at once. Nothing moves except through the scheduler it is given.
 */

import { copyBytes } from '@kayadb/codec';

import type { ByteStream, StreamEvents } from '../buffered-connection.ts';
import type { Endpoint } from '../network.ts';
import { TransportError } from '../transport-error.ts';

/** What a stream needs from its network. */
export interface MemoryLink {
  /** The listener's port: what `hold` and `cut` go by. */
  readonly port: number;
  /** Whether bytes stand still for now. */
  isHeld(): boolean;
  schedule(task: () => void): void;
  /** Size of the next chunk to deliver, 1 or more. */
  nextChunkBytes(): number;
  /** Called once when both ends are over. */
  onGone(): void;
}

interface PendingWrite {
  readonly bytes: Uint8Array;
  offset: number;
  readonly onWritten: () => void;
}

export class MemoryStream implements ByteStream {
  readonly remoteAddress: Endpoint;
  readonly #link: MemoryLink;
  #events: StreamEvents | undefined;
  #peer: MemoryStream | undefined;
  #pending: PendingWrite | undefined;
  #isPaused = true;
  #endState: 'open' | 'sent' | 'received' = 'open';
  #isOver = false;
  /** It was given up, and the other end does not know yet. */
  #hasToTell = false;

  constructor(link: MemoryLink, remoteAddress: Endpoint) {
    this.#link = link;
    this.remoteAddress = remoteAddress;
  }

  /** Joins two ends; each reports to its own events. */
  static join(a: MemoryStream, aEvents: StreamEvents, b: MemoryStream, bEvents: StreamEvents): void {
    a.#peer = b;
    b.#peer = a;
    a.#events = aEvents;
    b.#events = bEvents;
  }

  write(bytes: Uint8Array, onWritten: () => void): void {
    this.#pending = { bytes, offset: 0, onWritten };
    this.#link.schedule(() => this.move());
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#link.schedule(() => this.#peer?.move());
  }

  end(): void {
    this.#endState = 'sent';
    this.#link.schedule(() => this.move());
  }

  destroy(): void {
    if (this.#isOver) return;
    this.#finish();
    this.#hasToTell = true;
    this.#link.schedule(() => this.move());
  }

  afterTurn(callback: () => void): void {
    this.#link.schedule(callback);
  }

  /** Both ends notice that the line is gone, held or not. */
  cut(): void {
    if (this.#peer !== undefined) this.#peer.#break('the line was cut');
    this.#break('the line was cut');
  }

  /** Delivers one chunk, or the end, if the other side takes it now; what cannot move is tried again on `resume`. */
  move(): void {
    const peer = this.#peer;
    if (this.#hasToTell && !this.#link.isHeld()) {
      this.#hasToTell = false;
      if (peer !== undefined) peer.#break('the other side gave the connection up');
    }
    if (peer === undefined || this.#isOver || peer.#isOver || peer.#isPaused || this.#link.isHeld()) return;
    if (this.#pending !== undefined) this.#moveChunk(this.#pending, peer);
    else if (this.#endState === 'sent') this.#moveEnd(peer);
  }

  #moveChunk(pending: PendingWrite, peer: MemoryStream): void {
    const end = Math.min(pending.bytes.length, pending.offset + this.#link.nextChunkBytes());
    const chunk = copyBytes(pending.bytes.subarray(pending.offset, end));
    pending.offset = end;
    if (end === pending.bytes.length) this.#pending = undefined;
    peer.#events?.handleData(chunk);
    if (this.#isOver) return;
    if (this.#pending === undefined) pending.onWritten();
    else this.#link.schedule(() => this.move());
  }

  #moveEnd(peer: MemoryStream): void {
    this.#endState = 'received';
    peer.#events?.handleEnd();
    if (peer.#endState !== 'received') return;
    for (const each of [peer, this]) {
      each.#finish();
      each.#events?.handleClosed();
    }
  }

  #break(reason: string): void {
    if (this.#isOver) return;
    this.#finish();
    this.#events?.handleClosed(new TransportError('KAYA_CONNECTION_LOST', `the connection broke: ${reason}`));
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#pending = undefined;
    if (this.#peer === undefined || this.#peer.#isOver) this.#link.onGone();
  }
}
