/**
 * Searches of a block that lies somewhere in a larger array, such as a slot of the block cache: functions over (words,
 * bytes, base), so that a lookup makes no object. Hot: words are read through one 32-bit view, keys are compared byte by byte
 * in place; figures in docs/decisions/20261122-slab-block-cache.md. Format: docs/format/sstable.md, "Data block".
 *
 * Requires: `words` and `bytes` are views of the same memory from the same byte on; `base`, in bytes, is a multiple of 4; the
 * block at `base` has passed `findLayoutFault`.
 */

import type { EntryKind, SequenceNumber } from '../key/internal-key.ts';
import { ENTRY_HEADER_BYTES } from '../wal/wal-format.ts';
import { DATA_BLOCK_HEADER_BYTES } from './sstable-format.ts';

const HEADS_AT = DATA_BLOCK_HEADER_BYTES / 4;
/** The front of a block of 30 entries. */
const TOUCHED_WORDS = 96;
const TWO_32 = 0x1_0000_0000;

/**
 * @param sequence - Of the versions of `key`, those newer than this come before the position sought. Infinity asks
 * for the first version, -1 for the first entry behind all of them.
 * @returns Index of the first entry at or after (`key`, `sequence`) in the order of entries; the count if there is none.
 */
export function seekInBlock(
  words: Uint32Array,
  bytes: Uint8Array,
  base: number,
  key: Uint8Array,
  sequence: number,
): number {
  const front = base >>> 2;
  const count = words[front]!;
  const prefixBytes = words[front + 1]!;
  const headsAt = front + HEADS_AT;
  const prefixAt = base + words[headsAt + 2 * count]! + ENTRY_HEADER_BYTES;
  const shared = key.length < prefixBytes ? key.length : prefixBytes;
  for (let i = 0; i < shared; i++) {
    const difference = key[i]! - bytes[prefixAt + i]!;
    if (difference !== 0) return difference < 0 ? 0 : count;
  }
  // A key that ends within the prefix has head 0 and is shorter than any here, so it comes first.
  const head = headOf(key, prefixBytes);
  let low = lowerBound(words, headsAt, count, head);
  if (low === count || words[headsAt + low] !== head) return low;
  // Usually a single entry has this head, so the end of those that do is looked for in growing steps.
  let high = low + 1;
  for (let step = 1; high < count && words[headsAt + high] === head; step *= 2) high += step;
  if (high > count) high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const isBefore = words[headsAt + middle] === head && isEntryBefore(words, bytes, base, middle, key, sequence);
    if (isBefore) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Looks for the newest version of `key` that is not newer than `maxSequence`. Does not touch the first key, as `seekInBlock`
 * does to compare the prefix: a key that lacks it is not equal to any here, wherever the search ends up.
 *
 * @returns Its index; -1 if there is none in the table; the count if the next block has to be asked, because this one
 * ends with newer versions of `key`.
 */
export function findInBlock(
  words: Uint32Array,
  bytes: Uint8Array,
  base: number,
  key: Uint8Array,
  maxSequence: number,
): number {
  const front = base >>> 2;
  const count = words[front]!;
  const headsAt = front + HEADS_AT;
  const head = headOf(key, words[front + 1]!);
  const low = lowerBound(words, headsAt, count, head);
  const isAlone = low + 1 < count && words[headsAt + low + 1] !== head;
  if (isAlone && sequenceInBlock(words, base, low) <= maxSequence) {
    return keyEqualsInBlock(words, bytes, base, low, key) ? low : -1;
  }
  const position = seekInBlock(words, bytes, base, key, maxSequence);
  if (position < count) return keyEqualsInBlock(words, bytes, base, position, key) ? position : -1;
  return keyEqualsInBlock(words, bytes, base, count - 1, key) ? count : -1;
}

export function keyEqualsInBlock(
  words: Uint32Array,
  bytes: Uint8Array,
  base: number,
  index: number,
  key: Uint8Array,
): boolean {
  const at = entryAt(words, base, index);
  const keyBytes = key.length;
  if ((bytes[at + 4]! | (bytes[at + 5]! << 8)) !== keyBytes) return false;
  const keyAt = at + ENTRY_HEADER_BYTES;
  // Keys of a block share their beginnings, so a difference is found sooner from the end.
  for (let i = keyBytes - 1; i >= 0; i--) if (bytes[keyAt + i] !== key[i]) return false;
  return true;
}

/**
 * Touches the header, heads, deltas and offsets of a usual block, one word to a cache line. A search would come to these lines one
 * after the other, each known only when the one before it has arrived; this way they arrive together.
 */
export function touchFront(words: Uint32Array, base: number): number {
  const at = base >>> 2;
  if (at + TOUCHED_WORDS > words.length) return 0;
  return (words[at]! ^ words[at + 16]! ^ words[at + 32]! ^ words[at + 48]! ^ words[at + 64]! ^ words[at + 80]!) & 1;
}

/** Where the entry at `index` starts in `bytes`. */
export function entryAt(words: Uint32Array, base: number, index: number): number {
  const front = base >>> 2;
  return base + words[front + HEADS_AT + 2 * words[front]! + index]!;
}

export function sequenceInBlock(words: Uint32Array, base: number, index: number): SequenceNumber {
  const front = base >>> 2;
  return words[front + 2]! + words[front + 3]! * TWO_32 + words[front + HEADS_AT + words[front]! + index]!;
}

/** Length of the value of the entry that starts at `at`. */
export function valueBytesAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** Length of the key of the entry that starts at `at`. */
export function keyBytesAt(bytes: Uint8Array, at: number): number {
  return bytes[at + 4]! | (bytes[at + 5]! << 8);
}

export function kindAt(bytes: Uint8Array, at: number): EntryKind {
  return bytes[at + 6] as EntryKind;
}

/** The head that the entry at `index` has. */
export function headInBlock(words: Uint32Array, base: number, index: number): number {
  return words[(base >>> 2) + HEADS_AT + index]!;
}

/** The 4 key bytes from `at` on, the first most significant, zeros past the end. @returns An unsigned integer. */
export function headOf(key: Uint8Array, at: number): number {
  const length = key.length;
  if (at + 4 <= length) return ((key[at]! << 24) | (key[at + 1]! << 16) | (key[at + 2]! << 8) | key[at + 3]!) >>> 0;
  let head = 0;
  for (let i = at; i < at + 4; i++) head = (head << 8) | (i < length ? key[i]! : 0);
  return head >>> 0;
}

/** Index of the first head that is not smaller; the count if there is none. */
function lowerBound(words: Uint32Array, headsAt: number, count: number, head: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (words[headsAt + middle]! < head) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isEntryBefore(
  words: Uint32Array,
  bytes: Uint8Array,
  base: number,
  index: number,
  key: Uint8Array,
  sequence: number,
): boolean {
  const at = entryAt(words, base, index);
  const keyAt = at + ENTRY_HEADER_BYTES;
  const ownBytes = keyBytesAt(bytes, at);
  const keyBytes = key.length;
  const shared = ownBytes < keyBytes ? ownBytes : keyBytes;
  for (let i = words[(base >>> 2) + 1]!; i < shared; i++) {
    const difference = bytes[keyAt + i]! - key[i]!;
    if (difference !== 0) return difference < 0;
  }
  return ownBytes === keyBytes ? sequenceInBlock(words, base, index) > sequence : ownBytes < keyBytes;
}
