/**
 * Appends to a new file in pieces: large enough to be few, small enough that the kernel does not throttle them.
 * Invariant: `offset` speaks of everything appended, written or not.
 */

import type { FileHandle } from '@kayadb/vfs';

import type { MaybePromise } from '../iterate/cursor.ts';

/** Appended bytes are written once there are this many. */
const PIECE_BYTES = 64 * 1024;
/** The memory to begin with; it doubles up to the largest write. */
const FIRST_BYTES = 8 * 1024;
/** Bound: no single write is larger. */
const MAX_WRITE_BYTES = 128 * 1024;

export class TableFileWriter {
  readonly #handle: FileHandle;
  #pending = new Uint8Array(FIRST_BYTES);
  #pendingBytes = 0;
  #writtenBytes = 0;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** Where the next byte goes. */
  get offset(): number {
    return this.#writtenBytes + this.#pendingBytes;
  }

  /**
   * Extends the file by `bytes` bytes.
   *
   * @returns The memory to fill with them, before any other call.
   */
  reserve(bytes: number): Uint8Array {
    const end = this.#pendingBytes + bytes;
    if (end > this.#pending.length) {
      const grown = new Uint8Array(Math.max(end, Math.min(2 * this.#pending.length, MAX_WRITE_BYTES)));
      grown.set(this.#pending.subarray(0, this.#pendingBytes));
      this.#pending = grown;
    }
    const space = this.#pending.subarray(this.#pendingBytes, end);
    this.#pendingBytes = end;
    return space;
  }

  /** Writes if a piece is full. */
  maybeFlush(): MaybePromise {
    return this.#pendingBytes >= PIECE_BYTES ? this.flush() : undefined;
  }

  /** Writes everything appended. Durability: none. */
  async flush(): Promise<void> {
    const pending = this.#pending.subarray(0, this.#pendingBytes);
    for (let start = 0; start < pending.length; start += MAX_WRITE_BYTES) {
      const piece = pending.subarray(start, start + MAX_WRITE_BYTES);
      await this.#handle.write(piece, this.#writtenBytes);
      this.#writtenBytes += piece.length;
    }
    this.#pendingBytes = 0;
    if (this.#pending.length > MAX_WRITE_BYTES) this.#pending = new Uint8Array(MAX_WRITE_BYTES);
  }
}
