/**
 * Sums up the entries of a table as they go by and watches their order, for whoever has them as objects: the verifier, tests.
 * Hot: one comparison and, for a new user key, one short copy per entry.
 */

import { copyBytes } from '@kayadb/codec';

import type { Entry, SequenceNumber } from '../key/internal-key.ts';
import { EntryCounts } from './entry-counts.ts';
import type { TableProperties } from './table-properties.ts';

export class EntryTally {
  readonly #counts = new EntryCounts();
  #smallestKey: Uint8Array | undefined;
  #lastKey = new Uint8Array(64);
  #lastKeyBytes = 0;
  #lastSequence: SequenceNumber = Infinity;

  get entryCount(): number {
    return this.#counts.entryCount;
  }

  /** User key of the last entry; a view, valid until the next `add`. */
  get lastKey(): Uint8Array {
    return this.#lastKey.subarray(0, this.#lastKeyBytes);
  }

  /**
   * How an entry would follow the last one.
   *
   * @returns 1: its user key is greater. 0: another, older version of the same user key. -1: it must not come here.
   */
  order(key: Uint8Array, sequence: SequenceNumber): -1 | 0 | 1 {
    const last = this.#lastKey;
    const lastBytes = this.#lastKeyBytes;
    const shared = key.length < lastBytes ? key.length : lastBytes;
    for (let i = 0; i < shared; i++) {
      const difference = key[i]! - last[i]!;
      if (difference !== 0) return difference < 0 ? -1 : 1;
    }
    if (key.length !== lastBytes) return key.length < lastBytes ? -1 : 1;
    return sequence < this.#lastSequence ? 0 : -1;
  }

  /** Copies what it needs. @param order - What `order` said; not -1. */
  add(entry: Entry, order: 0 | 1): void {
    const { key, sequence } = entry;
    if (order > 0) this.#copyKey(key);
    this.#lastSequence = sequence;
    this.#counts.add(entry.kind, sequence, key.length, entry.value.length);
  }

  /** Requires: at least one entry. The keys are copies. */
  properties(blockCount: number): TableProperties {
    return this.#counts.properties(blockCount, this.#smallestKey!, this.lastKey);
  }

  #copyKey(key: Uint8Array): void {
    const length = key.length;
    if (length > this.#lastKey.length) this.#lastKey = new Uint8Array(length * 2);
    const last = this.#lastKey;
    if (length > 32) last.set(key);
    else for (let i = 0; i < length; i++) last[i] = key[i]!;
    this.#lastKeyBytes = length;
    this.#smallestKey ??= copyBytes(key);
  }
}
