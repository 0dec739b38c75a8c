/**
 * One data block or index block in memory. Everything that could be out of bounds is checked once, when the block is
 * opened; afterwards lookups trust it. Hot: words are read through one 32-bit view, keys are compared byte by byte in
 * place. Format: docs/format/sstable.md, "Data block".
 */

import { assert, readU32, readU64 } from '@kayadb/codec';

import { CorruptionError } from '../errors.ts';
import { DELETE_KIND, type EntryKind, PUT_KIND, type SequenceNumber } from '../key/internal-key.ts';
import { MAX_KEY_BYTES, MAX_VALUE_BYTES } from '../limits.ts';
import { ENTRY_HEADER_BYTES } from '../wal/wal-format.ts';
import { BlockEntry } from './block-entry.ts';
import { DATA_BLOCK_HEADER_BYTES } from './sstable-format.ts';

const HEADS_AT = DATA_BLOCK_HEADER_BYTES / 4;

assert(new Uint8Array(Uint32Array.of(1).buffer)[0] === 1, 'tables can only be read on little-endian machines');

export class BlockReader {
  /** The raw block. */
  readonly bytes: Uint8Array;
  /** How many entries it has; at least 1. */
  readonly count: number;
  /** How many leading bytes all keys share. */
  readonly prefixBytes: number;
  /** The header, heads, deltas and offsets as words. */
  readonly #words: Uint32Array;
  readonly #deltasAt: number;
  readonly #offsetsAt: number;
  readonly #baseSequence: number;

  /**
   * Keeps a reference to `bytes`. Requires: they start at a multiple of 4 in their buffer and never change.
   *
   * @param file - Name of the table, for errors.
   * @param offset - Where the block is in that file, for errors.
   * @throws CorruptionError when the block is not laid out as the format says. Order and heads are left to `findDisagreement`.
   */
  constructor(bytes: Uint8Array, file: string, offset: number) {
    const count = bytes.length < DATA_BLOCK_HEADER_BYTES ? 0 : readU32(bytes, 0);
    const front = DATA_BLOCK_HEADER_BYTES + 12 * count;
    if (count === 0 || front > bytes.length) {
      throw new CorruptionError(file, offset, `a block of ${bytes.length} bytes cannot have ${count} entries`);
    }
    this.bytes = bytes;
    this.count = count;
    this.#words = new Uint32Array(bytes.buffer, bytes.byteOffset, front / 4);
    this.#deltasAt = HEADS_AT + count;
    this.#offsetsAt = HEADS_AT + 2 * count;
    this.prefixBytes = this.#words[1]!;
    this.#baseSequence = readU64(bytes, 8);
    const fault = this.#findFault(front);
    if (fault !== undefined) throw new CorruptionError(file, offset, fault);
  }

  /**
   * @param sequence - Of the versions of `key`, those newer than this come before the position sought. Infinity asks
   * for the first version, -1 for the first entry behind all of them.
   * @returns Index of the first entry at or after (`key`, `sequence`) in the order of entries; `count` if there is none.
   */
  seek(key: Uint8Array, sequence: number): number {
    const bytes = this.bytes;
    const words = this.#words;
    const count = this.count;
    const prefixBytes = this.prefixBytes;
    const prefixAt = words[this.#offsetsAt]! + ENTRY_HEADER_BYTES;
    const keyBytes = key.length;
    const shared = keyBytes < prefixBytes ? keyBytes : prefixBytes;
    for (let i = 0; i < shared; i++) {
      const difference = key[i]! - bytes[prefixAt + i]!;
      if (difference !== 0) return difference < 0 ? 0 : count;
    }
    // A key that ends within the prefix has head 0 and is shorter than any here, so it comes first.
    const head = headOf(key, prefixBytes);
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (words[HEADS_AT + middle]! < head) low = middle + 1;
      else high = middle;
    }
    if (low === count || words[HEADS_AT + low] !== head) return low;
    // Usually a single entry has this head, so the end of those that do is looked for in growing steps.
    high = low + 1;
    for (let step = 1; high < count && words[HEADS_AT + high] === head; step *= 2) high += step;
    if (high > count) high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (words[HEADS_AT + middle] === head && this.#isBefore(middle, key, sequence)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Looks for the newest version of `key` that is not newer than `maxSequence`. Does not touch the first key, as `seek`
   * does to compare the prefix: a key that lacks it is not equal to any here, wherever the search ends up.
   *
   * @returns Its index; -1 if there is none in the table; `count` if the next block has to be asked, because this one
   * ends with newer versions of `key`.
   */
  find(key: Uint8Array, maxSequence: number): number {
    const words = this.#words;
    const count = this.count;
    const head = headOf(key, this.prefixBytes);
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (words[HEADS_AT + middle]! < head) low = middle + 1;
      else high = middle;
    }
    const isAlone = low + 1 < count && words[HEADS_AT + low + 1] !== head;
    if (isAlone && this.sequence(low) <= maxSequence) return this.keyEquals(low, key) ? low : -1;
    const position = this.seek(key, maxSequence);
    if (position < count) return this.keyEquals(position, key) ? position : -1;
    return this.keyEquals(count - 1, key) ? count : -1;
  }

  keyEquals(index: number, key: Uint8Array): boolean {
    const bytes = this.bytes;
    const at = this.#words[this.#offsetsAt + index]!;
    const keyBytes = key.length;
    if ((bytes[at + 4]! | (bytes[at + 5]! << 8)) !== keyBytes) return false;
    const keyAt = at + ENTRY_HEADER_BYTES;
    // Keys of a block share their beginnings, so a difference is found sooner from the end.
    for (let i = keyBytes - 1; i >= 0; i--) if (bytes[keyAt + i] !== key[i]) return false;
    return true;
  }

  /** The entry at `index`, as views of this block. */
  entry(index: number): BlockEntry {
    const bytes = this.bytes;
    const at = this.#words[this.#offsetsAt + index]!;
    const valueBytes = readU32(bytes, at);
    const keyBytes = bytes[at + 4]! | (bytes[at + 5]! << 8);
    const valueAt = at + ENTRY_HEADER_BYTES + keyBytes;
    const kind = bytes[at + 6] as EntryKind;
    return new BlockEntry(bytes, at + ENTRY_HEADER_BYTES, valueAt, valueAt + valueBytes, this.sequence(index), kind);
  }

  sequence(index: number): SequenceNumber {
    return this.#baseSequence + this.#words[this.#deltasAt + index]!;
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
      if (this.#words[HEADS_AT + i] !== headOf(key, this.prefixBytes)) return `the head of entry ${i} is not its key's`;
      hasBase ||= sequence === this.#baseSequence;
    }
    return hasBase ? undefined : 'no entry has the base sequence number';
  }

  #isBefore(index: number, key: Uint8Array, sequence: number): boolean {
    const bytes = this.bytes;
    const at = this.#words[this.#offsetsAt + index]!;
    const keyAt = at + ENTRY_HEADER_BYTES;
    const ownBytes = bytes[at + 4]! | (bytes[at + 5]! << 8);
    const keyBytes = key.length;
    const shared = ownBytes < keyBytes ? ownBytes : keyBytes;
    for (let i = this.prefixBytes; i < shared; i++) {
      const difference = bytes[keyAt + i]! - key[i]!;
      if (difference !== 0) return difference < 0;
    }
    return ownBytes === keyBytes ? this.sequence(index) > sequence : ownBytes < keyBytes;
  }

  #findFault(front: number): string | undefined {
    const bytes = this.bytes;
    let largestDelta = 0;
    let expected = front;
    for (let i = 0; i < this.count; i++) {
      const at = this.#words[this.#offsetsAt + i]!;
      if (at !== expected || at + ENTRY_HEADER_BYTES > bytes.length) return `entry ${i} is not where it belongs`;
      const valueBytes = readU32(bytes, at);
      const keyBytes = bytes[at + 4]! | (bytes[at + 5]! << 8);
      const kind = bytes[at + 6]!;
      if (keyBytes === 0 || keyBytes > MAX_KEY_BYTES) return `entry ${i} has a key of ${keyBytes} bytes`;
      if (keyBytes < this.prefixBytes) return `the key of entry ${i} is shorter than the shared prefix`;
      if (valueBytes > MAX_VALUE_BYTES) return `entry ${i} has a value of ${valueBytes} bytes`;
      if (kind !== PUT_KIND && (kind !== DELETE_KIND || valueBytes > 0)) return `entry ${i} is of no known kind`;
      if (bytes[at + 7] !== 0) return `reserved bytes of entry ${i} are not zero`;
      largestDelta = Math.max(largestDelta, this.#words[this.#deltasAt + i]!);
      expected = at + ENTRY_HEADER_BYTES + keyBytes + valueBytes;
    }
    if (expected !== bytes.length) return `its entries end at byte ${expected} of ${bytes.length}`;
    if (!Number.isSafeInteger(this.#baseSequence + largestDelta)) return 'a sequence number is not below 2^53';
    return undefined;
  }
}

/** The 4 key bytes from `at` on, the first most significant, zeros past the end. @returns An unsigned integer. */
function headOf(key: Uint8Array, at: number): number {
  const length = key.length;
  if (at + 4 <= length) return ((key[at]! << 24) | (key[at + 1]! << 16) | (key[at + 2]! << 8) | key[at + 3]!) >>> 0;
  let head = 0;
  for (let i = at; i < at + 4; i++) head = (head << 8) | (i < length ? key[i]! : 0);
  return head >>> 0;
}
