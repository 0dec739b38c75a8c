/** The record header of the write-ahead log and the manifest. Format: docs/format/record-log.md, "Records". */

import { crc32c, readU16, readU32, readU64, writeU16, writeU32, writeU64 } from '@kayadb/codec';

import { FILE_HEADER_BYTES } from '../files/file-header.ts';

export const RECORD_HEADER_BYTES = 32;
export const RECORD_ALIGNMENT = 8;
export const RECORD_MARKER = 0x4b52;
export const MAX_RECORD_PAYLOAD_BYTES = 64 * 1024 * 1024;

const CRC_AT = 0;
const CRC_COVERS_FROM = 4;
const PAYLOAD_BYTES_AT = 4;
const DURABLE_LSN_AT = 8;
const FIRST_ORDINAL_AT = 16;
const COUNT_AT = 24;
const KIND_AT = 28;
const MARKER_AT = 30;

/** What a writer says about a record. */
export interface LogRecordFields {
  readonly kind: number;
  readonly firstOrdinal: number;
  /** How many ordinals the record takes up, at least 1. */
  readonly count: number;
  /** Every byte of the log below it is known to be on disk. */
  readonly durableLsn: number;
}

export interface LogRecordHeader extends LogRecordFields {
  readonly payloadBytes: number;
}

/** Bytes that a record takes up in the file, padding included. */
export function recordBytes(payloadBytes: number): number {
  return Math.ceil((RECORD_HEADER_BYTES + payloadBytes) / RECORD_ALIGNMENT) * RECORD_ALIGNMENT;
}

/** LSN of file offset `offset` in a segment that begins at `startLsn`. */
export function lsnAt(startLsn: number, offset: number): number {
  return startLsn + (offset - FILE_HEADER_BYTES);
}

/**
 * Writes the header of a record whose payload stands in `bytes` already, behind `RECORD_HEADER_BYTES` at `start`.
 *
 * @param seed - The file's seed.
 */
export function encodeRecordHeader(bytes: Uint8Array, start: number, header: LogRecordHeader, seed: number): void {
  writeU32(bytes, start + PAYLOAD_BYTES_AT, header.payloadBytes);
  writeU64(bytes, start + DURABLE_LSN_AT, header.durableLsn);
  writeU64(bytes, start + FIRST_ORDINAL_AT, header.firstOrdinal);
  writeU32(bytes, start + COUNT_AT, header.count);
  writeU16(bytes, start + KIND_AT, header.kind);
  writeU16(bytes, start + MARKER_AT, RECORD_MARKER);
  const end = start + RECORD_HEADER_BYTES + header.payloadBytes;
  writeU32(bytes, start + CRC_AT, crc32c(bytes, seed, start + CRC_COVERS_FROM, end));
}

/**
 * The fields at `start`, as they stand: nothing is verified, and 64-bit fields may not be safe integers.
 * Requires: `RECORD_HEADER_BYTES` bytes from `start`.
 */
export function decodeRecordHeader(bytes: Uint8Array, start: number): LogRecordHeader {
  return {
    payloadBytes: readU32(bytes, start + PAYLOAD_BYTES_AT),
    durableLsn: readU64(bytes, start + DURABLE_LSN_AT),
    firstOrdinal: readU64(bytes, start + FIRST_ORDINAL_AT),
    count: readU32(bytes, start + COUNT_AT),
    kind: readU16(bytes, start + KIND_AT),
  };
}

/** Whether a record header may stand at `start`, by its marker. Requires: `RECORD_HEADER_BYTES` bytes from `start`. */
export function hasRecordMarker(bytes: Uint8Array, start: number): boolean {
  return bytes[start + MARKER_AT] === (RECORD_MARKER & 0xff) && bytes[start + MARKER_AT + 1] === RECORD_MARKER >>> 8;
}

/** Requires: the whole record, without padding, from `start`. */
export function hasValidRecordCrc(bytes: Uint8Array, start: number, payloadBytes: number, seed: number): boolean {
  const end = start + RECORD_HEADER_BYTES + payloadBytes;
  return crc32c(bytes, seed, start + CRC_COVERS_FROM, end) === readU32(bytes, start + CRC_AT);
}

/** The CRC that stands in the record and the one that its bytes have. Requires: the whole record, without padding, from `start`. */
export function recordCrcs(
  bytes: Uint8Array,
  start: number,
  payloadBytes: number,
  seed: number,
): { readonly stored: number; readonly computed: number } {
  const end = start + RECORD_HEADER_BYTES + payloadBytes;
  return { stored: readU32(bytes, start + CRC_AT), computed: crc32c(bytes, seed, start + CRC_COVERS_FROM, end) };
}
