/**
 * Appends to a new file in pieces: large enough to be few, small enough that the kernel does not throttle them. One piece is being
 * written while the next is filled. Invariant: `offset` speaks of everything appended, written or not.
 */

import type { FileHandle } from '@kayadb/vfs';

import type { MaybePromise } from '../iterate/cursor.ts';

/** Appended bytes are written once there are this many. */
const PIECE_BYTES = 112 * 1024;
/** The memory to begin with; it doubles up to the largest write. */
const FIRST_BYTES = 8 * 1024;
/** Bound: no single write is larger. */
const MAX_WRITE_BYTES = 128 * 1024;

export class TableFileWriter {
  readonly #handle: FileHandle;
  readonly #writeSync: boolean;
  #pending = new Uint8Array(FIRST_BYTES);
  #pendingBytes = 0;
  /** Where the pending bytes begin. */
  #pendingOffset = 0;
  /** The piece that is being written, or was last; fails with what its write failed with. */
  #writing: Promise<void> | undefined;
  /** Memory of the piece before, free again once `#writing` is done. */
  #previous: Uint8Array<ArrayBuffer> = this.#pending;

  /** @param writeSync - Whether to write in the caller's turn. */
  constructor(handle: FileHandle, writeSync: boolean) {
    this.#handle = handle;
    this.#writeSync = writeSync;
  }

  /** Where the next byte goes. */
  get offset(): number {
    return this.#pendingOffset + this.#pendingBytes;
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

  /** Begins to write if a piece is full. @returns A promise if the piece before is still being written. */
  maybeFlush(): MaybePromise {
    if (this.#pendingBytes < PIECE_BYTES) return undefined;
    const before = this.#writing;
    if (before !== undefined) return before.then(() => this.#startWriting());
    this.#startWriting();
    return undefined;
  }

  /** Writes everything appended. Durability: none. */
  async flush(): Promise<void> {
    await this.#writing;
    this.#startWriting();
    await this.#writing;
  }

  /** Waits until nothing is being written, whatever came of it. */
  async settle(): Promise<void> {
    await this.#writing?.catch(() => undefined);
  }

  /** Requires: the piece before is written. */
  #startWriting(): void {
    const piece = this.#pending.subarray(0, this.#pendingBytes);
    const writing = this.#write(piece, this.#pendingOffset);
    // Whoever waits for the piece meets its failure; until then nobody listens.
    writing.catch(() => undefined);
    this.#writing = writing;
    this.#pendingOffset += this.#pendingBytes;
    this.#pendingBytes = 0;
    const free = this.#previous === this.#pending ? new Uint8Array(this.#pending.length) : this.#previous;
    this.#previous = this.#pending;
    this.#pending = free.length > MAX_WRITE_BYTES ? new Uint8Array(MAX_WRITE_BYTES) : free;
  }

  async #write(bytes: Uint8Array, offset: number): Promise<void> {
    for (let start = 0; start < bytes.length; start += MAX_WRITE_BYTES) {
      const piece = bytes.subarray(start, start + MAX_WRITE_BYTES);
      if (this.#writeSync) this.#handle.writeSync(piece, offset + start);
      else await this.#handle.write(piece, offset + start);
    }
  }
}
