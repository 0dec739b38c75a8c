/** Sums up the entries of a table as they go by. Hot: numbers only. */

import { copyBytes } from '@kayadb/codec';

import { DELETE_KIND, type SequenceNumber } from '../key/internal-key.ts';
import type { TableProperties } from './table-properties.ts';

export class EntryCounts {
  #entryCount = 0;
  #deleteCount = 0;
  #smallestSequence = Infinity;
  #largestSequence = 0;
  #keyBytes = 0;
  #valueBytes = 0;

  get entryCount(): number {
    return this.#entryCount;
  }

  /** @param kind - As it stands in the entry. */
  add(kind: number, sequence: SequenceNumber, keyBytes: number, valueBytes: number): void {
    this.#entryCount++;
    if (kind === DELETE_KIND) this.#deleteCount++;
    if (sequence < this.#smallestSequence) this.#smallestSequence = sequence;
    if (sequence > this.#largestSequence) this.#largestSequence = sequence;
    this.#keyBytes += keyBytes;
    this.#valueBytes += valueBytes;
  }

  /** Requires: at least one entry. The keys are copied. */
  properties(blockCount: number, smallestKey: Uint8Array, largestKey: Uint8Array): TableProperties {
    return {
      entryCount: this.#entryCount,
      deleteCount: this.#deleteCount,
      smallestSequence: this.#smallestSequence,
      largestSequence: this.#largestSequence,
      keyBytes: this.#keyBytes,
      valueBytes: this.#valueBytes,
      blockCount,
      smallestKey: copyBytes(smallestKey),
      largestKey: copyBytes(largestKey),
    };
  }
}
