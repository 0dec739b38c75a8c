/** Records and entries of a log segment, as bytes. Format: docs/format/raft-log.md, "Records". */

import { assert, crc32c, readU16, readU32, readU64, writeU16, writeU32, writeU64 } from '@kayadb/codec';

import type { Entry, EntryKind, LogIndex, Term } from '../core/types.ts';

export const RECORD_HEADER_BYTES = 48;
export const RECORD_ALIGNMENT = 8;
export const RECORD_MARKER = 0x4c52;
export const ENTRY_HEADER_BYTES = 28;
export const MAX_RECORD_PAYLOAD_BYTES = 256 * 1024 * 1024;
/** Entries take the place of everything from the first index on. */
export const APPEND_RECORD = 1;
/** A snapshot stands for everything before the first index, and nothing else is left. */
export const RESET_RECORD = 2;

const CRC_AT = 0;
const CRC_COVERS_FROM = 4;
const PAYLOAD_BYTES_AT = 4;
const DURABLE_LSN_AT = 8;
const FIRST_INDEX_AT = 16;
const PREVIOUS_TERM_AT = 24;
const COMMIT_AT = 32;
const COUNT_AT = 40;
const KIND_AT = 44;
const MARKER_AT = 46;

const ENTRY_DATA_BYTES_AT = 4;
const ENTRY_INDEX_AT = 8;
const ENTRY_TERM_AT = 16;
const ENTRY_KIND_AT = 24;
const ENTRY_RESERVED_AT = 26;

/** By their numbers in the format. */
const ENTRY_KINDS: readonly EntryKind[] = ['normal', 'config', 'config-v1'];

/** What a record says beside its entries. */
export interface RecordFields {
  readonly kind: number;
  readonly firstIndex: LogIndex;
  readonly previousTerm: Term;
  readonly commit: LogIndex;
  /** Every byte of the log below it is known to be on disk. */
  readonly durableLsn: number;
}

export interface RecordHeader extends RecordFields {
  readonly payloadBytes: number;
  readonly count: number;
}

/** What an entry's header says, as it stands. */
export interface EntryHeader {
  readonly dataBytes: number;
  readonly index: LogIndex;
  readonly term: Term;
  readonly kind: number;
}

/** Bytes that a record takes up in the file, padding included. */
export function recordBytes(payloadBytes: number): number {
  return Math.ceil((RECORD_HEADER_BYTES + payloadBytes) / RECORD_ALIGNMENT) * RECORD_ALIGNMENT;
}

export function payloadBytesOf(entries: readonly Entry[]): number {
  let bytes = entries.length * ENTRY_HEADER_BYTES;
  for (const { data } of entries) bytes += data.length;
  return bytes;
}

/** Fills `bytes`, which is `recordBytes(payloadBytesOf(entries))` long, whatever was in it. */
export function encodeRecord(bytes: Uint8Array, fields: RecordFields, entries: readonly Entry[], seed: number): void {
  let at = RECORD_HEADER_BYTES;
  for (const entry of entries) at = encodeEntry(bytes, at, entry, seed);
  writeU32(bytes, PAYLOAD_BYTES_AT, at - RECORD_HEADER_BYTES);
  writeU64(bytes, DURABLE_LSN_AT, fields.durableLsn);
  writeU64(bytes, FIRST_INDEX_AT, fields.firstIndex);
  writeU64(bytes, PREVIOUS_TERM_AT, fields.previousTerm);
  writeU64(bytes, COMMIT_AT, fields.commit);
  writeU32(bytes, COUNT_AT, entries.length);
  writeU16(bytes, KIND_AT, fields.kind);
  writeU16(bytes, MARKER_AT, RECORD_MARKER);
  writeU32(bytes, CRC_AT, crc32c(bytes, seed, CRC_COVERS_FROM, at));
  while (at < bytes.length) bytes[at++] = 0;
}

/** @returns Where the entry ends. */
function encodeEntry(bytes: Uint8Array, start: number, entry: Entry, seed: number): number {
  const { data } = entry;
  const end = start + ENTRY_HEADER_BYTES + data.length;
  const kind = ENTRY_KINDS.indexOf(entry.kind);
  assert(kind >= 0, `an entry of kind ${entry.kind}`);
  writeU32(bytes, start + ENTRY_DATA_BYTES_AT, data.length);
  writeU64(bytes, start + ENTRY_INDEX_AT, entry.index);
  writeU64(bytes, start + ENTRY_TERM_AT, entry.term);
  writeU16(bytes, start + ENTRY_KIND_AT, kind);
  writeU16(bytes, start + ENTRY_RESERVED_AT, 0);
  bytes.set(data, start + ENTRY_HEADER_BYTES);
  writeU32(bytes, start, crc32c(bytes, seed, start + CRC_COVERS_FROM, end));
  return end;
}

/** The fields at `start` as they stand: nothing is verified. Requires: `RECORD_HEADER_BYTES` bytes from `start`. */
export function decodeRecordHeader(bytes: Uint8Array, start: number): RecordHeader {
  return {
    payloadBytes: readU32(bytes, start + PAYLOAD_BYTES_AT),
    durableLsn: readU64(bytes, start + DURABLE_LSN_AT),
    firstIndex: readU64(bytes, start + FIRST_INDEX_AT),
    previousTerm: readU64(bytes, start + PREVIOUS_TERM_AT),
    commit: readU64(bytes, start + COMMIT_AT),
    count: readU32(bytes, start + COUNT_AT),
    kind: readU16(bytes, start + KIND_AT),
  };
}

/** Whether a record may stand at `start`, by its marker. Requires: `RECORD_HEADER_BYTES` bytes from `start`. */
export function hasRecordMarker(bytes: Uint8Array, start: number): boolean {
  return readU16(bytes, start + MARKER_AT) === RECORD_MARKER;
}

/** Requires: the whole record, without padding, from `start`. */
export function hasValidRecordCrc(bytes: Uint8Array, start: number, payloadBytes: number, seed: number): boolean {
  const end = start + RECORD_HEADER_BYTES + payloadBytes;
  return crc32c(bytes, seed, start + CRC_COVERS_FROM, end) === readU32(bytes, start + CRC_AT);
}

/** As `decodeRecordHeader`. Requires: `ENTRY_HEADER_BYTES` bytes from `start`. */
export function decodeEntryHeader(bytes: Uint8Array, start: number): EntryHeader {
  return {
    dataBytes: readU32(bytes, start + ENTRY_DATA_BYTES_AT),
    index: readU64(bytes, start + ENTRY_INDEX_AT),
    term: readU64(bytes, start + ENTRY_TERM_AT),
    kind: readU16(bytes, start + ENTRY_KIND_AT),
  };
}

export function isEntryKind(kind: number): boolean {
  return kind < ENTRY_KINDS.length;
}

/**
 * The entry that fills `bytes` from `start` to `end`; its data is a view.
 *
 * @returns undefined when that is not an entry with `index` and `term`, or does not verify.
 */
export function decodeEntry(
  bytes: Uint8Array,
  start: number,
  end: number,
  index: LogIndex,
  term: Term,
  seed: number,
): Entry | undefined {
  if (end > bytes.length || end - start < ENTRY_HEADER_BYTES) return undefined;
  const header = decodeEntryHeader(bytes, start);
  const kind = ENTRY_KINDS[header.kind];
  if (header.index !== index || header.term !== term || kind === undefined) return undefined;
  if (start + ENTRY_HEADER_BYTES + header.dataBytes !== end) return undefined;
  if (crc32c(bytes, seed, start + CRC_COVERS_FROM, end) !== readU32(bytes, start)) return undefined;
  return { index, term, kind, data: bytes.subarray(start + ENTRY_HEADER_BYTES, end) };
}
