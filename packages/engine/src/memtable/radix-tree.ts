/**
 * An ordered set of entries in flat memory: an adaptive radix tree of 32-bit words (art-layout.ts) over chunks of entry bytes.
 * No object per entry, so the garbage collector never sees the millions of entries of a busy memtable. This is its reading side, the
 * same in every thread; tree-writer.ts fills it. A hot file; figures: docs/decisions/20261122-radix-tree-memtable.md.
 *
 * Invariant: versions are only added, never moved or removed; nodes move when they grow, which counts as a change. Order: user key
 * ascending, then sequence number descending (key/internal-key.ts).
 */

import { readU16, readU32 } from '@kayadb/codec';

import type { Entry, EntryKind } from '../key/internal-key.ts';
import { ENTRY_HEADER_BYTES, ENTRY_KIND_AT, KEY_BYTES_AT, VALUE_BYTES_AT } from '../wal/wal-format.ts';
import { slotOf } from './art-children.ts';
import {
  CHUNK_SHIFT,
  DEPTH_SHIFT,
  END,
  FIRST_FREE,
  OFFSET,
  OLDER,
  ROOT,
  SEQUENCE_HIGH_AND_CHUNK,
  SEQUENCE_HIGH_MASK,
  SEQUENCE_LOW,
} from './art-layout.ts';
import type { MemtableHit } from './memtable-hit.ts';

const TWO_32 = 0x1_0000_0000;

/** What `find` returns when there is nothing; no version has this number. */
export const NO_VERSION = 0;

const EMPTY_TREE = new Int32Array(new SharedArrayBuffer(FIRST_FREE * Int32Array.BYTES_PER_ELEMENT));
const CLOSED_TREE = new Int32Array(0);

export class RadixTree {
  /** Replaced when the tree grows, so read anew after every insertion. */
  words: Int32Array;
  readonly chunks: readonly Uint8Array[];
  /** Counts the keys that came; who stands on nodes must look them up again after each. */
  changes = 0;

  /** @param chunks - What versions lie in; may grow. */
  constructor(chunks: readonly Uint8Array[], words: Int32Array = EMPTY_TREE) {
    this.words = words;
    this.chunks = chunks;
  }

  /** Lets go of the words, which may be another tree's from now on. */
  close(): void {
    this.words = CLOSED_TREE;
  }

  get isClosed(): boolean {
    return this.words === CLOSED_TREE;
  }

  /** The newest version of `key` at or below `maxSequence`, or NO_VERSION. */
  find(key: Uint8Array, maxSequence: number): number {
    let version = this.#findNewest(key);
    while (version !== NO_VERSION && this.sequence(version) > maxSequence) version = this.words[version + OLDER]!;
    return version;
  }

  older(version: number): number {
    return this.words[version + OLDER]!;
  }

  sequence(version: number): number {
    const { words } = this;
    const high = words[version + SEQUENCE_HIGH_AND_CHUNK]! & SEQUENCE_HIGH_MASK;
    return high * TWO_32 + (words[version + SEQUENCE_LOW]! >>> 0);
  }

  /** The chunk that has the version's bytes, from `offset` on. */
  chunk(version: number): Uint8Array {
    return this.chunks[this.words[version + SEQUENCE_HIGH_AND_CHUNK]! >>> CHUNK_SHIFT]!;
  }

  offset(version: number): number {
    return this.words[version + OFFSET]!;
  }

  /** A view; valid as long as the tree. */
  key(version: number): Uint8Array {
    const chunk = this.chunk(version);
    const at = this.offset(version);
    return viewOf(chunk, at + ENTRY_HEADER_BYTES, readU16(chunk, at + KEY_BYTES_AT));
  }

  /** With views; valid as long as the tree. */
  entry(version: number): Entry {
    const chunk = this.chunk(version);
    const at = this.offset(version);
    const keyAt = at + ENTRY_HEADER_BYTES;
    const keyBytes = readU16(chunk, at + KEY_BYTES_AT);
    return {
      key: viewOf(chunk, keyAt, keyBytes),
      sequence: this.sequence(version),
      kind: chunk[at + ENTRY_KIND_AT] as EntryKind,
      value: viewOf(chunk, keyAt + keyBytes, readU32(chunk, at + VALUE_BYTES_AT)),
    };
  }

  /** All of `entry` but the key, without a view. */
  describe(version: number, hit: MemtableHit): void {
    const chunk = this.chunk(version);
    const at = this.offset(version);
    hit.sequence = this.sequence(version);
    hit.kind = chunk[at + ENTRY_KIND_AT] as EntryKind;
    hit.bytes = chunk;
    hit.valueAt = at + ENTRY_HEADER_BYTES + readU16(chunk, at + KEY_BYTES_AT);
    hit.valueBytes = readU32(chunk, at + VALUE_BYTES_AT);
  }

  keyBytes(version: number): number {
    return readU16(this.chunk(version), this.offset(version) + KEY_BYTES_AT);
  }

  /** Byte `index` of the version's key. Requires: it has one. */
  keyByte(version: number, index: number): number {
    return this.chunk(version)[this.offset(version) + ENTRY_HEADER_BYTES + index]!;
  }

  /** How many bytes the version's key and `bytes[start, start + length)` have in common from their beginning. */
  commonBytes(version: number, bytes: Uint8Array, start: number, length: number): number {
    const chunk = this.chunk(version);
    const keyStart = this.offset(version) + ENTRY_HEADER_BYTES;
    const keyBytes = readU16(chunk, keyStart - ENTRY_HEADER_BYTES + KEY_BYTES_AT);
    const shared = keyBytes < length ? keyBytes : length;
    let i = 0;
    while (i < shared && chunk[keyStart + i] === bytes[start + i]) i++;
    return i;
  }

  #findNewest(key: Uint8Array): number {
    const { words } = this;
    const { length } = key;
    let at = words[ROOT]!;
    while (at > 0) {
      const head = words[at]!;
      const depth = head >>> DEPTH_SHIFT;
      if (depth < length) at = words[slotOf(words, at, head, key[depth]!)]!;
      else if (depth === length) at = words[at + END]!;
      else return NO_VERSION;
    }
    const version = -at;
    if (version === NO_VERSION) return NO_VERSION;
    return this.keyBytes(version) === length && this.commonBytes(version, key, 0, length) === length
      ? version
      : NO_VERSION;
  }
}

/** As `subarray`, which takes twice the time on shared memory. Chunks begin where their buffers do. */
function viewOf(chunk: Uint8Array, start: number, length: number): Uint8Array {
  return new Uint8Array(chunk.buffer, start, length);
}
