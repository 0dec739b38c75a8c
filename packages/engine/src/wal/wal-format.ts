/**
 * One operation of a commit group. Entries of memtables and of tables' data blocks have the same layout.
 * Format: docs/format/wal.md, "Operation".
 */

import { writeU16, writeU32 } from '@kayadb/codec';

import type { OperationKind } from '../key/internal-key.ts';

export const COMMIT_GROUP_RECORD = 1;
export const ENTRY_HEADER_BYTES = 8;

/** Offsets inside an entry's header. */
export const VALUE_BYTES_AT = 0;
export const KEY_BYTES_AT = 4;
export const ENTRY_KIND_AT = 6;
export const ENTRY_RESERVED_AT = 7;

/** Writes all `ENTRY_HEADER_BYTES` at `offset`; the key follows, then the value. */
export function encodeEntryHeader(
  bytes: Uint8Array,
  offset: number,
  kind: OperationKind,
  keyBytes: number,
  valueBytes: number,
): void {
  writeU32(bytes, offset + VALUE_BYTES_AT, valueBytes);
  writeU16(bytes, offset + KEY_BYTES_AT, keyBytes);
  bytes[offset + ENTRY_KIND_AT] = kind;
  bytes[offset + ENTRY_RESERVED_AT] = 0;
}
