/**
 * The window of appends that were sent to one follower and not yet answered, bounded by how many they are and by the bytes of their entries.
 *
 * Invariant: indexes ascend from the oldest on. Bound: `maxMessages`, and `maxBytes` but for the message that exceeds it.
 * The ring grows as far as it is needed, so that many idle followers cost nothing.
 */

import { assert } from '@kayadb/codec';

import type { LogIndex } from './types.ts';

export interface InflightLimits {
  /** At least 1. */
  readonly maxMessages: number;
  /** Infinity for no limit. The window is full once this is reached; the message that reaches it was still sent. */
  readonly maxBytes: number;
}

const FIRST_CAPACITY = 8;

export class Inflights {
  readonly #limits: InflightLimits;
  #start = 0;
  #count = 0;
  #bytes = 0;
  #indexes: LogIndex[] = [];
  #sizes: number[] = [];

  constructor(limits: InflightLimits) {
    this.#limits = limits;
  }

  /** Messages on their way. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of the entries on their way. */
  get bytes(): number {
    return this.#bytes;
  }

  get isFull(): boolean {
    return this.#count >= this.#limits.maxMessages || this.#bytes >= this.#limits.maxBytes;
  }

  /**
   * A message with `bytes` of entries, the last of them at `index`, is on its way. Requires: not full; `index` is not below the last one added.
   */
  add(index: LogIndex, bytes: number): void {
    assert(!this.isFull, `an append up to index ${index} was sent though the window is full`);
    if (this.#count === this.#indexes.length) this.#grow();
    const at = (this.#start + this.#count) % this.#indexes.length;
    this.#indexes[at] = index;
    this.#sizes[at] = bytes;
    this.#count++;
    this.#bytes += bytes;
  }

  /** Everything up to and including `index` has arrived. */
  freeUpTo(index: LogIndex): void {
    while (this.#count > 0 && this.#indexes[this.#start]! <= index) {
      this.#bytes -= this.#sizes[this.#start]!;
      this.#start = (this.#start + 1) % this.#indexes.length;
      this.#count--;
    }
  }

  /** Nothing is on its way. */
  clear(): void {
    this.#start = 0;
    this.#count = 0;
    this.#bytes = 0;
  }

  #grow(): void {
    const capacity = Math.min(Math.max(2 * this.#count, FIRST_CAPACITY), this.#limits.maxMessages);
    this.#indexes = this.#straightened(this.#indexes, capacity);
    this.#sizes = this.#straightened(this.#sizes, capacity);
    this.#start = 0;
  }

  #straightened(ring: readonly number[], capacity: number): number[] {
    return Array.from({ length: capacity }, (_, i) => (i < this.#count ? ring[(this.#start + i) % ring.length]! : 0));
  }
}
