/**
 * Walks a file front to back through one buffer, so that a file of any size is read in bounded memory.
 *
 * Bound: the buffer holds `READ_CHUNK_BYTES`, or one request if that is larger.
 */

import { EMPTY_BYTES } from '@kayadb/codec';
import type { FileHandle } from '@kayadb/vfs';

/** The first read; each further one doubles, up to the bound: most logs are read to their end at once. */
const FIRST_READ_BYTES = 8 * 1024;
const READ_CHUNK_BYTES = 256 * 1024;

export type ReadableFile = Pick<FileHandle, 'read' | 'size'>;

export class ReadWindow {
  readonly #handle: Pick<FileHandle, 'read'>;
  #buffer = EMPTY_BYTES;
  #chunkBytes = FIRST_READ_BYTES;
  /** File offset of the buffer's first byte, and how many bytes of the file it holds. */
  #start = 0;
  #length = 0;

  /** Does not own `handle`. */
  constructor(handle: Pick<FileHandle, 'read'>) {
    this.#handle = handle;
  }

  /**
   * The bytes `[offset, offset + length)` of the file, fewer only at its end. A view, valid until the next call.
   *
   * Requires: `length` is bounded by the caller, since the buffer grows to it.
   */
  async view(offset: number, length: number): Promise<Uint8Array> {
    if (!this.#holds(offset, length)) await this.#load(offset, length);
    const at = offset - this.#start;
    return this.#buffer.subarray(at, Math.max(at, Math.min(at + length, this.#length)));
  }

  /** Everything in the buffer from `offset` on: at least `atLeast` bytes, fewer only at the end of the file. A view as above. */
  async viewBuffered(offset: number, atLeast: number): Promise<Uint8Array> {
    if (!this.#holds(offset, atLeast)) await this.#load(offset, atLeast);
    return this.#buffer.subarray(offset - this.#start, this.#length);
  }

  #holds(offset: number, length: number): boolean {
    return offset >= this.#start && offset + length <= this.#start + this.#length;
  }

  async #load(offset: number, length: number): Promise<void> {
    const needed = Math.max(length, this.#chunkBytes);
    this.#chunkBytes = Math.min(2 * this.#chunkBytes, READ_CHUNK_BYTES);
    // Shrinks too: one large record must not keep its buffer for the rest of the file.
    if (this.#buffer.length !== needed) this.#buffer = new Uint8Array(needed);
    this.#length = 0;
    this.#start = offset;
    this.#length = await this.#handle.read(this.#buffer, offset);
  }
}
