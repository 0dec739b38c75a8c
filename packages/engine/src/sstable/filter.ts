/**
 * Blocked Bloom filter over the distinct user keys of a table: a lookup of a key that is not there touches one line.
 * Invariant: it never says no to a key it was built with. Format: docs/format/sstable.md, "Filter".
 */

import { DecodeError, readU32, writeU32 } from '@kayadb/codec';

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

/** Collects hashes while a table is written. */
export class FilterBuilder {
  readonly #bitsPerKey: number;
  #hashes = new Uint32Array(1024);
  #count = 0;

  constructor(bitsPerKey: number) {
    this.#bitsPerKey = bitsPerKey;
  }

  /** Requires: not called twice for one user key, or the filter grows for nothing. */
  add(key: Uint8Array): void {
    if (this.#count === this.#hashes.length) {
      const grown = new Uint32Array(this.#count * 2);
      grown.set(this.#hashes);
      this.#hashes = grown;
    }
    this.#hashes[this.#count++] = hashKey(key);
  }

  /** Size of what `finish` returns, in bytes. */
  get bytes(): number {
    return FILTER_HEADER_BYTES + this.#lines() * FILTER_LINE_BYTES;
  }

  /** @returns The filter block in a new array. */
  finish(): Uint8Array {
    const lines = this.#lines();
    const block = new Uint8Array(this.bytes);
    writeU32(block, 0, FILTER_KIND_BLOCKED_BLOOM);
    writeU32(block, 4, FILTER_PROBES);
    writeU32(block, 8, lines);
    const words = new Uint32Array(block.buffer, FILTER_HEADER_BYTES);
    for (let k = 0; k < this.#count; k++) {
      const hash = this.#hashes[k]!;
      const line = Math.floor((hash * lines) / TWO_32) * LINE_WORDS;
      const mixed = mix32(hash ^ 0x9e3779b9);
      const step = ((mixed >>> 9) & (LINE_BITS - 1)) | 1;
      let bit = mixed & (LINE_BITS - 1);
      for (let probe = 0; probe < FILTER_PROBES; probe++) {
        words[line + (bit >>> 5)]! |= 1 << (bit & 31);
        bit = (bit + step) & (LINE_BITS - 1);
      }
    }
    return block;
  }

  #lines(): number {
    return Math.min(MAX_FILTER_LINES, Math.max(1, Math.ceil((this.#count * this.#bitsPerKey) / LINE_BITS)));
  }
}

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

  /** @returns false only if no key with this hash was added. Hot: 6 probes within one cache line. */
  mayContain(hash: number): boolean {
    const line = Math.floor((hash * this.#lines) / TWO_32) * LINE_WORDS;
    const mixed = mix32(hash ^ 0x9e3779b9);
    const step = ((mixed >>> 9) & (LINE_BITS - 1)) | 1;
    let bit = mixed & (LINE_BITS - 1);
    for (let probe = 0; probe < FILTER_PROBES; probe++) {
      if ((this.#words[line + (bit >>> 5)]! & (1 << (bit & 31))) === 0) return false;
      bit = (bit + step) & (LINE_BITS - 1);
    }
    return true;
  }
}
