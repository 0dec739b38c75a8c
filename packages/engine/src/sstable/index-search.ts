/**
 * Finds the data block of a key. Hot: the 6 key bytes after the prefix that all index keys share are kept as numbers in
 * one array, so that a search compares numbers and touches no entry of the index; the 4 bytes in the index's heads are
 * too few for keys that count up. Only keys whose numbers are equal are compared as a whole.
 */

import { copyBytes } from '@kayadb/codec';

import { comparePrefix, numberOf } from '../key/key-number.ts';
import type { BlockReader } from './block-reader.ts';

export class IndexSearch {
  readonly #index: BlockReader;
  readonly #prefix: Uint8Array;
  readonly #numbers: Float64Array;

  /** Keeps a reference to `index`. */
  constructor(index: BlockReader) {
    this.#index = index;
    this.#prefix = copyBytes(index.entry(0).key.subarray(0, index.prefixBytes));
    this.#numbers = new Float64Array(index.count);
    for (let i = 0; i < index.count; i++) this.#numbers[i] = numberOf(index.entry(i).key, index.prefixBytes);
  }

  /** Memory held beside the index block, in bytes. */
  get memoryBytes(): number {
    return this.#numbers.byteLength;
  }

  /** Ordinal of the first block whose last key is at or after `key`; the number of blocks if there is none. */
  firstAtOrAfter(key: Uint8Array): number {
    return this.#seek(key, 0);
  }

  /** Ordinal of the first block whose last key is after `key`; the number of blocks if there is none. */
  firstAfter(key: Uint8Array): number {
    return this.#seek(key, -1);
  }

  #seek(key: Uint8Array, sequence: 0 | -1): number {
    const prefix = this.#prefix;
    const numbers = this.#numbers;
    const side = comparePrefix(key, prefix);
    if (side !== 0) return side < 0 ? 0 : numbers.length;
    const number = numberOf(key, prefix.length);
    let low = 0;
    let high = numbers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (numbers[middle]! < number) low = middle + 1;
      else high = middle;
    }
    // Index entries have sequence number 0, so asking for 0 stops at an equal key and asking for -1 behind it.
    return low < numbers.length && numbers[low] === number ? this.#index.seek(key, sequence) : low;
  }
}
