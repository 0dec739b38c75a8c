/**
 * Blocked Bloom filter over the distinct user keys of a table: a lookup of a key that is not there touches one line.
 * Invariant: it never says no to a key it was built with (filter-builder.ts). Format: docs/format/sstable.md, "Filter".
 */

import { DecodeError, readU32 } from '@kayadb/codec';

import { mix32, murmur3 } from './murmur3.ts';
import {
  FILTER_HEADER_BYTES,
  FILTER_KIND_BLOCKED_BLOOM,
  FILTER_LINE_BYTES,
  FILTER_PROBES,
  MAX_FILTER_LINES,
} from './sstable-format.ts';

const LINE_BITS = FILTER_LINE_BYTES * 8;
const LINE_WORDS = FILTER_LINE_BYTES / 4;
const TWO_32 = 0x1_0000_0000;

/** The hash that the filter takes. Callers that ask several tables for one key compute it once. */
export const hashKey: (key: Uint8Array) => number = murmur3;

/** A filter in memory. */
export class Filter {
  readonly #lines: number;
  readonly #words: Uint32Array;

  /**
   * Keeps a view of `block`. Requires: `block` starts at a multiple of 4 in its buffer.
   *
   * @throws DecodeError unless it is a whole filter block.
   */
  constructor(block: Uint8Array) {
    if (block.length < FILTER_HEADER_BYTES) throw new DecodeError('the filter is cut short', 0);
    if (readU32(block, 0) !== FILTER_KIND_BLOCKED_BLOOM) throw new DecodeError('the filter is of an unknown kind', 0);
    if (readU32(block, 4) !== FILTER_PROBES) throw new DecodeError('the filter has an unknown number of probes', 4);
    if (readU32(block, 12) !== 0) throw new DecodeError('reserved bytes of the filter are not zero', 12);
    const lines = readU32(block, 8);
    if (lines < 1 || lines > MAX_FILTER_LINES || block.length !== FILTER_HEADER_BYTES + lines * FILTER_LINE_BYTES) {
      throw new DecodeError(`a filter of ${block.length} bytes cannot have ${lines} lines`, 8);
    }
    this.#lines = lines;
    this.#words = new Uint32Array(block.buffer, block.byteOffset + FILTER_HEADER_BYTES, lines * LINE_WORDS);
  }

  /** Memory held, in bytes. */
  get memoryBytes(): number {
    return this.#words.byteLength;
  }

  /**
   * Hot: 6 probes within one cache line; all of them are made, since stopping at the first zero costs a mispredicted branch.
   *
   * @returns false only if no key with this hash was added.
   */
  mayContain(hash: number): boolean {
    const line = Math.floor((hash * this.#lines) / TWO_32) * LINE_WORDS;
    const mixed = mix32(hash ^ 0x9e3779b9);
    const step = ((mixed >>> 9) & (LINE_BITS - 1)) | 1;
    let bit = mixed & (LINE_BITS - 1);
    const words = this.#words;
    let found = words[line + (bit >>> 5)]! >>> (bit & 31);
    for (let probe = 1; probe < FILTER_PROBES; probe++) {
      bit = (bit + step) & (LINE_BITS - 1);
      found &= words[line + (bit >>> 5)]! >>> (bit & 31);
    }
    return (found & 1) !== 0;
  }
}
