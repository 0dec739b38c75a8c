/**
 * Entries as they lie in memory: a header of lengths and kind, the key, the value; the layout of an operation of the log, of a
 * memtable's arena and of a data block. Merges pass them on as (bytes, offset, sequence) and never make objects of them.
 * Format: docs/format/wal.md, "Operation".
 */

import { writeU16, writeU32 } from '@kayadb/codec';

import { ENTRY_HEADER_BYTES, ENTRY_KIND_AT } from '../wal/wal-format.ts';
import type { Entry } from './internal-key.ts';

/** Key bytes that a head holds; a number has room for no more. */
const HEAD_KEY_BYTES = 6;

/** Length of the key of the entry at `at`. */
export function encodedKeyBytes(bytes: Uint8Array, at: number): number {
  return bytes[at + 4]! | (bytes[at + 5]! << 8);
}

/** Length of the whole entry at `at`. */
export function encodedEntryBytes(bytes: Uint8Array, at: number): number {
  const valueBytes = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  return ENTRY_HEADER_BYTES + encodedKeyBytes(bytes, at) + valueBytes;
}

/** The key of the entry at `at`; a view. */
export function encodedKey(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.subarray(at + ENTRY_HEADER_BYTES, at + ENTRY_HEADER_BYTES + encodedKeyBytes(bytes, at));
}

/** The kind of the entry at `at`, as it stands there. */
export function encodedKind(bytes: Uint8Array, at: number): number {
  return bytes[at + ENTRY_KIND_AT]!;
}

/**
 * Lays `entry` out at the beginning of `scratch`.
 *
 * @returns `scratch`, or a larger array in its place when it is too small.
 */
export function encodeEntry({ key, value, kind }: Entry, scratch: Uint8Array): Uint8Array {
  const length = ENTRY_HEADER_BYTES + key.length + value.length;
  const into = scratch.length < length ? new Uint8Array(2 * length) : scratch;
  writeU32(into, 0, value.length);
  writeU16(into, 4, key.length);
  into[ENTRY_KIND_AT] = kind;
  into[ENTRY_KIND_AT + 1] = 0;
  into.set(key, ENTRY_HEADER_BYTES);
  into.set(value, ENTRY_HEADER_BYTES + key.length);
  return into;
}

/**
 * The six key bytes from `skip` on as one number, zeros where the key ends: of two keys that share their first `skip` bytes,
 * the one with the smaller head is the smaller; equal heads say nothing. Requires: the key has `skip` bytes.
 */
export function keyHead(bytes: Uint8Array, at: number, skip: number): number {
  const from = at + ENTRY_HEADER_BYTES + skip;
  const left = encodedKeyBytes(bytes, at) - skip;
  if (left >= HEAD_KEY_BYTES) {
    const high = (bytes[from]! << 16) | (bytes[from + 1]! << 8) | bytes[from + 2]!;
    const low = (bytes[from + 3]! << 16) | (bytes[from + 4]! << 8) | bytes[from + 5]!;
    return high * 0x100_0000 + low;
  }
  let head = 0;
  for (let i = 0; i < HEAD_KEY_BYTES; i++) head = head * 0x100 + (i < left ? bytes[from + i]! : 0);
  return head;
}

/** As `compareBytes`, of two keys in place that share their first `skip` bytes. */
export function compareEncodedKeys(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, skip: number): number {
  const aBytes = encodedKeyBytes(a, aAt);
  const bBytes = encodedKeyBytes(b, bAt);
  const shared = aBytes < bBytes ? aBytes : bBytes;
  const aKeyAt = aAt + ENTRY_HEADER_BYTES;
  const bKeyAt = bAt + ENTRY_HEADER_BYTES;
  for (let i = skip; i < shared; i++) {
    const difference = a[aKeyAt + i]! - b[bKeyAt + i]!;
    if (difference !== 0) return difference;
  }
  return aBytes - bBytes;
}
