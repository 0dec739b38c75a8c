/**
 * Cuts a byte stream into frames, for requests and responses alike, without any I/O. Both versions of the protocol have the same
 * length field, so a connection that goes over to version 2 keeps its decoder: nothing behind a frame is looked at before it was taken.
 *
 * Invariant: a length field is judged before one byte behind it is kept. Bound: the chunks pushed and not yet
 * taken, plus at most twice what has arrived of one unfinished frame; a length field alone allocates nothing.
 * A frame that lies whole in one chunk is handed out as a view of it; any other is copied at most twice per byte.
 * Format: docs/format/wire.md and docs/format/wire-2.md, "Frames".
 */

import { EMPTY_BYTES } from '../bytes.ts';
import { readU32 } from '../fixed-int.ts';
import { ProtocolError } from './protocol-error.ts';
import { FRAME_HEADER_BYTES, MAX_FRAME_BYTES } from './wire-format.ts';

/** Smallest buffer for an unfinished frame, unless the frame is smaller. */
const FIRST_BUFFER_BYTES = 1024;

export class FrameDecoder {
  /** Bound: the length field of frames from the next one on; may be changed between two calls of `next`. */
  maxFrameBytes: number;
  readonly #header = new Uint8Array(FRAME_HEADER_BYTES);
  readonly #waiting: Uint8Array[] = [];
  #headerBytes = 0;
  #chunk: Uint8Array = EMPTY_BYTES;
  #offset = 0;
  /** The frame that is being put together from several chunks: its bytes, how many are in, how many it will have. */
  #partial: Uint8Array = EMPTY_BYTES;
  #partialBytes = 0;
  #frameBytes = 0;
  #waitingBytes = 0;
  #failure: ProtocolError | undefined;

  constructor(options: { readonly maxFrameBytes?: number } = {}) {
    this.maxFrameBytes = options.maxFrameBytes ?? MAX_FRAME_BYTES;
  }

  /** Bytes pushed that have not come out as frames. 0 means that the stream stands at the end of a frame. */
  get bufferedBytes(): number {
    return this.#waitingBytes + (this.#chunk.length - this.#offset) + this.#headerBytes + this.#partialBytes;
  }

  /** Adds the next bytes of the stream. Keeps `chunk`, and frames may be views of it: it must not change any more. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0 || this.#failure !== undefined) return;
    if (this.#offset === this.#chunk.length) {
      this.#chunk = chunk;
      this.#offset = 0;
      return;
    }
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
  }

  /**
   * @returns The next frame without its length field (so it has at least one byte), or `undefined` until more is pushed.
   * @throws ProtocolError KAYA_FRAME_EMPTY or KAYA_FRAME_TOO_LARGE, now and on every later call: the stream is lost.
   */
  next(): Uint8Array | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    do {
      const frame = this.#takeFromChunk();
      if (frame !== undefined) return frame;
    } while (this.#nextChunk());
    return undefined;
  }

  #nextChunk(): boolean {
    const chunk = this.#waiting.shift();
    this.#chunk = chunk ?? EMPTY_BYTES;
    this.#offset = 0;
    if (chunk === undefined) return false;
    this.#waitingBytes -= chunk.length;
    return true;
  }

  #takeFromChunk(): Uint8Array | undefined {
    if (this.#frameBytes === 0 && !this.#takeHeader()) return undefined;
    const left = this.#chunk.length - this.#offset;
    if (this.#partialBytes === 0 && left >= this.#frameBytes) {
      const start = this.#offset;
      this.#offset += this.#frameBytes;
      this.#frameBytes = 0;
      return this.#chunk.subarray(start, this.#offset);
    }
    if (left > 0) this.#addToPartial(Math.min(left, this.#frameBytes - this.#partialBytes));
    return this.#partialBytes > 0 && this.#partialBytes === this.#frameBytes ? this.#finishPartial() : undefined;
  }

  /** @returns Whether the length of the next frame is known now. */
  #takeHeader(): boolean {
    while (this.#headerBytes < FRAME_HEADER_BYTES) {
      if (this.#offset === this.#chunk.length) return false;
      this.#header[this.#headerBytes++] = this.#chunk[this.#offset++]!;
    }
    const length = readU32(this.#header, 0);
    this.#headerBytes = 0;
    if (length === 0) this.#fail(new ProtocolError('KAYA_FRAME_EMPTY', 'a frame has length 0; the shortest has 1'));
    if (length > this.maxFrameBytes) {
      const message = `a frame of ${length} bytes is over the limit of ${this.maxFrameBytes} bytes; send smaller requests`;
      this.#fail(new ProtocolError('KAYA_FRAME_TOO_LARGE', message));
    }
    this.#frameBytes = length;
    return true;
  }

  #fail(error: ProtocolError): never {
    this.#failure = error;
    this.#chunk = EMPTY_BYTES;
    this.#offset = 0;
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
    throw error;
  }

  /** The buffer doubles up to the frame's length, so that a sender pays for the memory with bytes. */
  #addToPartial(count: number): void {
    const needed = this.#partialBytes + count;
    if (needed > this.#partial.length) {
      const size = Math.min(this.#frameBytes, Math.max(needed, this.#partial.length * 2, FIRST_BUFFER_BYTES));
      const grown = new Uint8Array(size);
      grown.set(this.#partial.subarray(0, this.#partialBytes));
      this.#partial = grown;
    }
    this.#partial.set(this.#chunk.subarray(this.#offset, this.#offset + count), this.#partialBytes);
    this.#offset += count;
    this.#partialBytes = needed;
  }

  #finishPartial(): Uint8Array {
    const frame = this.#partial.subarray(0, this.#frameBytes);
    this.#partial = EMPTY_BYTES;
    this.#partialBytes = 0;
    this.#frameBytes = 0;
    return frame;
  }
}
