/**
 * One data block or index block in memory of its own. Everything that could be out of bounds is checked once, when the
 * block is opened; afterwards lookups trust it. Format: docs/format/sstable.md, "Data block".
 */

import { readU32 } from '@kayadb/codec';

import { CorruptionError } from '../errors.ts';
import type { SequenceNumber } from '../key/internal-key.ts';
import { ENTRY_HEADER_BYTES } from '../wal/wal-format.ts';
import { BlockEntry } from './block-entry.ts';
import { findLayoutFault } from './block-layout.ts';
import {
  entryAt,
  findInBlock,
  headInBlock,
  headOf,
  keyBytesAt,
  keyEqualsInBlock,
  kindAt,
  seekInBlock,
  sequenceInBlock,
  valueBytesAt,
} from './block-search.ts';
import type { PointLookup } from './point-lookup.ts';
import { DATA_BLOCK_HEADER_BYTES } from './sstable-format.ts';

export class BlockReader {
  /** The raw block. */
  readonly bytes: Uint8Array;
  /** How many entries it has; at least 1. */
  readonly count: number;
  /** How many leading bytes all keys share. */
  readonly prefixBytes: number;
  /** The header, heads, deltas and offsets as words. */
  readonly #words: Uint32Array;

  /**
   * Keeps a reference to `bytes`. Requires: they start at a multiple of 4 in their buffer and never change.
   *
   * @param file - Name of the table, for errors.
   * @param offset - Where the block is in that file, for errors.
   * @param isChecked - Whether the bytes have been a block before, so that there is nothing to check.
   * @throws CorruptionError when the block is not laid out as the format says. Order and heads are left to `findDisagreement`.
   */
  constructor(bytes: Uint8Array, file: string, offset: number, isChecked = false) {
    const fault = isChecked ? undefined : findLayoutFault(bytes, bytes.length);
    if (fault !== undefined) throw new CorruptionError(file, offset, fault);
    this.bytes = bytes;
    this.count = readU32(bytes, 0);
    this.#words = new Uint32Array(bytes.buffer, bytes.byteOffset, DATA_BLOCK_HEADER_BYTES / 4 + 3 * this.count);
    this.prefixBytes = this.#words[1]!;
  }

  /** As `seekInBlock`. */
  seek(key: Uint8Array, sequence: number): number {
    return seekInBlock(this.#words, this.bytes, 0, key, sequence);
  }

  /** As `findInBlock`. */
  find(key: Uint8Array, maxSequence: number): number {
    return findInBlock(this.#words, this.bytes, 0, key, maxSequence);
  }

  /** Points `lookup` at this block. */
  attach(lookup: PointLookup): void {
    lookup.attach(this.#words, this.bytes, 0);
  }

  keyEquals(index: number, key: Uint8Array): boolean {
    return keyEqualsInBlock(this.#words, this.bytes, 0, index, key);
  }

  /** The entry at `index`, as views of this block. */
  entry(index: number): BlockEntry {
    const bytes = this.bytes;
    const at = entryAt(this.#words, 0, index);
    const valueAt = at + ENTRY_HEADER_BYTES + keyBytesAt(bytes, at);
    const valueEnd = valueAt + valueBytesAt(bytes, at);
    return new BlockEntry(bytes, at + ENTRY_HEADER_BYTES, valueAt, valueEnd, this.sequence(index), kindAt(bytes, at));
  }

  sequence(index: number): SequenceNumber {
    return sequenceInBlock(this.#words, 0, index);
  }

  /**
   * The costlier half of the checks, for verification: that prefix, heads and base agree with the entries.
   * The order of entries is the caller's, who compares across blocks as well.
   *
   * @returns What is wrong, or `undefined`.
   */
  findDisagreement(): string | undefined {
    const first = this.entry(0).key;
    let hasBase = false;
    for (let i = 0; i < this.count; i++) {
      const { key, sequence } = this.entry(i);
      for (let k = 0; k < this.prefixBytes; k++) {
        if (key[k] !== first[k]) return `the key of entry ${i} lacks the shared prefix`;
      }
      if (headInBlock(this.#words, 0, i) !== headOf(key, this.prefixBytes)) {
        return `the head of entry ${i} is not its key's`;
      }
      hasBase ||= this.#hasBase(sequence);
    }
    return hasBase ? undefined : 'no entry has the base sequence number';
  }

  #hasBase(sequence: SequenceNumber): boolean {
    return sequence === this.#words[2]! + this.#words[3]! * 2 ** 32;
  }
}
