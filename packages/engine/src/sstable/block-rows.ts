/**
 * Sorted entries in one block of memory, read by index without an object for each: what scans are made of. The bytes of
 * an entry are laid out as docs/format/sstable.md, "Data block" says. Hot: words and bytes are public so that the loops
 * of iterate/ read them in place; measured in docs/decisions/20261122-scans-in-blocks.md.
 */

import { isAscii } from 'node:buffer';

import { copyBytes, readU64 } from '@kayadb/codec';

import { PUT_KIND, type SequenceNumber } from '../key/internal-key.ts';
import { ENTRY_HEADER_BYTES } from '../wal/wal-format.ts';
import { DATA_BLOCK_HEADER_BYTES } from './sstable-format.ts';

/** Bound: larger blocks are not looked through for their encoding; they hold few entries, which are asked one by one. */
const MAX_ASCII_CHECK_BYTES = 64 * 1024;
/** Where an entry has its headers cleared, so that only keys and values are looked at. */
let scratch = new Uint8Array(0);

export class BlockRows {
  readonly bytes: Uint8Array;
  /** At least 1. */
  readonly count: number;
  /** Of entry `i` the sequence number minus `baseSequence` is at `deltasAt + i`, its place in `bytes` at `offsetsAt + i`. */
  readonly words: Uint32Array;
  readonly deltasAt: number;
  readonly offsetsAt: number;
  readonly baseSequence: SequenceNumber;
  #isAscii: boolean | undefined;

  /** Keeps references; nothing may change as long as the rows are used. */
  constructor(
    bytes: Uint8Array,
    words: Uint32Array,
    deltasAt: number,
    offsetsAt: number,
    count: number,
    baseSequence: SequenceNumber,
  ) {
    this.bytes = bytes;
    this.words = words;
    this.deltasAt = deltasAt;
    this.offsetsAt = offsetsAt;
    this.count = count;
    this.baseSequence = baseSequence;
  }

  /** The rows of a data block. Requires: what a BlockReader has accepted. */
  static ofBlock({ bytes, count }: { readonly bytes: Uint8Array; readonly count: number }): BlockRows {
    const headsAt = DATA_BLOCK_HEADER_BYTES / 4;
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, headsAt + 3 * count);
    return new BlockRows(bytes, words, headsAt + count, headsAt + 2 * count, count, readU64(bytes, 8));
  }

  /** The entry at `at`, alone and in memory of its own; on demand without its value, which is garbage then. */
  static ofCopy({ bytes }: BlockRows, at: number, withValue: boolean): BlockRows {
    const keyEnd = at + ENTRY_HEADER_BYTES + keyBytesAt(bytes, at);
    const end = withValue ? keyEnd + valueBytesAt(bytes, at) : keyEnd;
    return new BlockRows(copyBytes(bytes.subarray(at, end)), new Uint32Array(2), 0, 1, 1, 0);
  }

  sequence(index: number): SequenceNumber {
    return this.baseSequence + this.words[this.deltasAt + index]!;
  }

  /** A view of the key at `index`. */
  key(index: number): Uint8Array {
    const at = this.words[this.offsetsAt + index]!;
    const keyAt = at + ENTRY_HEADER_BYTES;
    return this.bytes.subarray(keyAt, keyAt + keyBytesAt(this.bytes, at));
  }

  isPut(index: number): boolean {
    return this.bytes[this.words[this.offsetsAt + index]! + 6] === PUT_KIND;
  }

  /** Whether every key and value is ASCII. False may also mean that nobody looked. */
  get isAscii(): boolean {
    return (this.#isAscii ??= this.#checkAscii());
  }

  /** Index of the first entry whose key is at or after `key`; `count` if there is none. */
  firstAtOrAfter(key: Uint8Array): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compareKey(middle, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @returns Negative, zero or positive as the key at `index` sorts before, equals or sorts after `key`. */
  compareKey(index: number, key: Uint8Array): number {
    const bytes = this.bytes;
    const at = this.words[this.offsetsAt + index]!;
    const keyAt = at + ENTRY_HEADER_BYTES;
    const ownBytes = keyBytesAt(bytes, at);
    const shared = ownBytes < key.length ? ownBytes : key.length;
    for (let i = 0; i < shared; i++) {
      const difference = bytes[keyAt + i]! - key[i]!;
      if (difference !== 0) return difference;
    }
    return ownBytes - key.length;
  }

  #checkAscii(): boolean {
    // Rows gathered in reverse lie from the last to the first.
    const start = Math.min(this.words[this.offsetsAt]!, this.words[this.offsetsAt + this.count - 1]!);
    const size = this.bytes.length - start;
    if (size > MAX_ASCII_CHECK_BYTES) return false;
    if (scratch.length < size) scratch = new Uint8Array(MAX_ASCII_CHECK_BYTES);
    scratch.set(this.bytes.subarray(start));
    for (let i = 0; i < this.count; i++) {
      const at = this.words[this.offsetsAt + i]! - start;
      for (let k = 0; k < ENTRY_HEADER_BYTES; k++) scratch[at + k] = 0;
    }
    return isAscii(scratch.subarray(0, size));
  }
}

/** Requires: an entry starts at `at`. */
export function keyBytesAt(bytes: Uint8Array, at: number): number {
  return bytes[at + 4]! | (bytes[at + 5]! << 8);
}

/** Requires: an entry starts at `at`. Values are far below 2^31 bytes. */
export function valueBytesAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** Whether the entries at `at` and `otherAt` have the same key. Sorted keys share beginnings, so ends are looked at first. */
export function hasSameKey(bytes: Uint8Array, at: number, other: Uint8Array, otherAt: number): boolean {
  const keyBytes = keyBytesAt(bytes, at);
  if (keyBytes !== keyBytesAt(other, otherAt)) return false;
  for (let i = ENTRY_HEADER_BYTES + keyBytes - 1; i >= ENTRY_HEADER_BYTES; i--) {
    if (bytes[at + i] !== other[otherAt + i]) return false;
  }
  return true;
}

/** @returns Negative, zero or positive as entry `i` of `a` comes before, is, or comes after entry `j` of `b`. */
export function compareRows(a: BlockRows, i: number, b: BlockRows, j: number): number {
  const aBytes = a.bytes;
  const bBytes = b.bytes;
  const aAt = a.words[a.offsetsAt + i]!;
  const bAt = b.words[b.offsetsAt + j]!;
  const aKeyBytes = keyBytesAt(aBytes, aAt);
  const bKeyBytes = keyBytesAt(bBytes, bAt);
  const end = ENTRY_HEADER_BYTES + (aKeyBytes < bKeyBytes ? aKeyBytes : bKeyBytes);
  for (let k = ENTRY_HEADER_BYTES; k < end; k++) {
    const difference = aBytes[aAt + k]! - bBytes[bAt + k]!;
    if (difference !== 0) return difference;
  }
  return aKeyBytes - bKeyBytes || b.sequence(j) - a.sequence(i);
}
