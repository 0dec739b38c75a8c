/**
 * Builds the filter of a table: collects hashes while entries go by, sets the bits at the end.
 * Format: docs/format/sstable.md, "Filter".
 */

import { writeU32 } from '@kayadb/codec';

import { mix32, murmur3Within } from './murmur3.ts';
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

const FIRST_HASHES = 1024;
/** Bound: more are not kept for the next filter. */
const MAX_KEPT_HASHES = 256 * 1024;
/** Memory for hashes that the last filter of this thread left. */
let spareHashes: Uint32Array<ArrayBuffer> | undefined;

export class FilterBuilder {
  readonly #bitsPerKey: number;
  #hashes: Uint32Array<ArrayBuffer> = spareHashes ?? new Uint32Array(FIRST_HASHES);
  #count = 0;

  constructor(bitsPerKey: number) {
    this.#bitsPerKey = bitsPerKey;
    spareHashes = undefined;
  }

  /**
   * Adds the key that is the `length` bytes from `start` on; by default all of them.
   * Requires: not called twice for one user key, or the filter grows for nothing.
   */
  add(bytes: Uint8Array, start = 0, length: number = bytes.length): void {
    if (this.#count === this.#hashes.length) {
      const grown = new Uint32Array(this.#count * 2);
      grown.set(this.#hashes);
      this.#hashes = grown;
    }
    this.#hashes[this.#count++] = murmur3Within(bytes, start, length);
  }

  /** Size of what `finish` returns, in bytes. */
  get bytes(): number {
    return FILTER_HEADER_BYTES + this.#lines() * FILTER_LINE_BYTES;
  }

  /** @returns The filter block in a new array. Nothing may be added after it. */
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
    if (this.#hashes.length <= MAX_KEPT_HASHES) spareHashes = this.#hashes;
    this.#hashes = new Uint32Array(0);
    return block;
  }

  #lines(): number {
    return Math.min(MAX_FILTER_LINES, Math.max(1, Math.ceil((this.#count * this.#bitsPerKey) / LINE_BITS)));
  }
}
