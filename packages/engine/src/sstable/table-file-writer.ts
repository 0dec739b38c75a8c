/**
 * Appends to a new file in pieces: large enough to be few, small enough that the kernel does not throttle them. One piece is being
 * written while the next is filled. Invariant: `offset` speaks of everything appended, written or not.
 */

import { EMPTY_BYTES } from '@kayadb/codec';
import type { FileHandle } from '@kayadb/vfs';

import type { MaybePromise } from '../iterate/cursor.ts';
import { PieceMemory } from './piece-memory.ts';

/** Appended bytes are written once there are this many. */
const PIECE_BYTES = 112 * 1024;
/** Bound: no single write is larger. */
const MAX_WRITE_BYTES = 128 * 1024;
/** Room for a piece, and for most indexes behind it. */
const MEMORY_BYTES = 256 * 1024;
/** What writers that are done leave for the next ones. */
const pieceMemory = new PieceMemory(MEMORY_BYTES, 4);

export class TableFileWriter {
  readonly #handle: FileHandle;
  readonly #writeSync: boolean;
  #pending: Uint8Array = pieceMemory.take();
  #pendingBytes = 0;
  /** Where the pending bytes begin. */
  #pendingOffset = 0;
  /** The piece that is being written, or was last; fails with what its write failed with. */
  #writing: Promise<void> | undefined;
  /** Memory of the piece before, free again once `#writing` is done. */
  #previous: Uint8Array = EMPTY_BYTES;

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
      const grown = new Uint8Array(end + PIECE_BYTES);
      grown.set(this.#pending.subarray(0, this.#pendingBytes));
      pieceMemory.give(this.#pending);
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

  /** Writes everything appended; nothing may be appended after it. Durability: none. */
  async flush(): Promise<void> {
    await this.#writing;
    this.#startWriting();
    await this.#writing;
    this.#letGo();
  }

  /** Waits until nothing is being written, whatever came of it. Nothing may be appended after it. Idempotent. */
  async settle(): Promise<void> {
    await this.#writing?.catch(() => undefined);
    this.#letGo();
  }

  /** Requires: nothing is being written. */
  #letGo(): void {
    pieceMemory.give(this.#pending);
    pieceMemory.give(this.#previous);
    this.#pending = EMPTY_BYTES;
    this.#previous = EMPTY_BYTES;
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
    const free = this.#previous;
    this.#previous = this.#pending;
    this.#pending = free.length === MEMORY_BYTES ? free : pieceMemory.take();
  }

  async #write(bytes: Uint8Array, offset: number): Promise<void> {
    for (let start = 0; start < bytes.length; start += MAX_WRITE_BYTES) {
      const piece = bytes.subarray(start, start + MAX_WRITE_BYTES);
      if (this.#writeSync) this.#handle.writeSync(piece, offset + start);
      else await this.#handle.write(piece, offset + start);
    }
  }
}
