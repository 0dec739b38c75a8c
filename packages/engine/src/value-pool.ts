/**
 * Memory for values that are handed out. Small ones are cut from a common buffer, as Node's own Buffers are, because an array with a
 * buffer of its own costs 0.3-0.7 µs more; each byte is handed out once, so what a caller does to its array is its own affair.
 */

import { EMPTY_BYTES } from '@kayadb/codec';

import type { PointLookup } from './sstable/point-lookup.ts';

/** Bound: what one small value kept for long keeps with it. */
const POOL_BYTES = 8 * 1024;
const MAX_POOLED_BYTES = POOL_BYTES / 4;
/** Up to here a loop over words beats the call of `set` and the view that it needs, by 60 ns at 100 bytes. */
const MAX_WORDWISE_BYTES = 128;

export class ValuePool {
  #pool: Uint8Array = EMPTY_BYTES;
  #words: Uint32Array = new Uint32Array(0);
  #used = 0;

  /** The bytes of `from` at `at`, in an array of the caller's own. */
  copy(from: Uint8Array, at: number, length: number): Uint8Array {
    if (length > MAX_POOLED_BYTES || length === 0) return from.slice(at, at + length);
    if (this.#used + length > POOL_BYTES || this.#pool.length === 0) this.#renew();
    const start = this.#used;
    // Multiples of 8 let callers lay words over what they get.
    this.#used = (start + length + 7) & ~7;
    this.#pool.set(from.subarray(at, at + length), start);
    return new Uint8Array(this.#pool.buffer, start, length);
  }

  /** The value that `lookup` found, in an array of the caller's own. */
  copyFound({ words, bytes, valueAt, valueBytes }: PointLookup): Uint8Array {
    const wordsEnd = (valueAt + valueBytes + 3) >>> 2;
    const isShort = valueBytes > 0 && valueBytes <= MAX_WORDWISE_BYTES;
    if (!isShort || wordsEnd > words.length) return this.copy(bytes, valueAt, valueBytes);
    if (this.#used + valueBytes + 8 > POOL_BYTES || this.#pool.length === 0) this.#renew();
    const into = this.#words;
    // The copy stands in its words as the value does in its own, with a few foreign bytes before and behind it.
    let at = this.#used >>> 2;
    const start = this.#used + (valueAt & 3);
    for (let from = valueAt >>> 2; from < wordsEnd; from++) into[at++] = words[from]!;
    this.#used = (start + valueBytes + 7) & ~7;
    return new Uint8Array(this.#pool.buffer, start, valueBytes);
  }

  #renew(): void {
    const buffer = new ArrayBuffer(POOL_BYTES);
    this.#pool = new Uint8Array(buffer);
    this.#words = new Uint32Array(buffer);
    this.#used = 0;
  }
}
