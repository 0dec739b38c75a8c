/**
 * Memory for values that are handed out. Small ones are cut from a common buffer, as Node's own Buffers are, because an array with a
 * buffer of its own costs 0.3-0.7 µs more; each byte is handed out once, so what a caller does to its array is its own affair.
 */

import { EMPTY_BYTES } from '@kayadb/codec';

/** Bound: what one small value kept for long keeps with it. */
const POOL_BYTES = 8 * 1024;
const MAX_POOLED_BYTES = POOL_BYTES / 4;

export class ValuePool {
  #pool: Uint8Array = EMPTY_BYTES;
  #used = 0;

  /** The bytes of `from` at `at`, in an array of the caller's own. */
  copy(from: Uint8Array, at: number, length: number): Uint8Array {
    if (length > MAX_POOLED_BYTES || length === 0) return from.slice(at, at + length);
    if (this.#used + length > this.#pool.length) {
      this.#pool = new Uint8Array(POOL_BYTES);
      this.#used = 0;
    }
    const start = this.#used;
    // Multiples of 8 let callers lay words over what they get.
    this.#used = (start + length + 7) & ~7;
    this.#pool.set(from.subarray(at, at + length), start);
    return new Uint8Array(this.#pool.buffer, start, length);
  }
}
