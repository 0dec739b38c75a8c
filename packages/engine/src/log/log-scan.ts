/**
 * Looks for valid records behind the place where reading stopped: whether any was durable decides what that place is.
 *
 * Bound: linear in the bytes scanned. Content made to look like record headers can make the scan compute CRCs over and
 * over; `ScanAllowance` puts an end to that. Format: docs/format/record-log.md, "Where a log ends".
 */

import {
  decodeRecordHeader,
  hasRecordMarker,
  hasValidRecordCrc,
  type LogRecordHeader,
  lsnAt,
  MAX_RECORD_PAYLOAD_BYTES,
  RECORD_ALIGNMENT,
  RECORD_HEADER_BYTES,
  recordBytes,
} from './log-format.ts';
import type { LogSegmentBytes } from './log-reader.ts';

/** Added to the bytes of the log: how many bytes of CRCs that come out wrong a scan may compute. */
export const SCAN_ALLOWANCE_BYTES = 256 * 1024 * 1024;

/** Shared by the scans of one log, and used up by records that turn out to be none. */
export interface ScanAllowance {
  bytes: number;
}

export interface LogSearch {
  readonly recordKind: number;
  /** Where reading stopped, in the whole log. */
  readonly stopLsn: number;
  /** The ordinal that the record at `stopLsn` should have; `undefined` when no record was read before. */
  readonly nextOrdinal: number | undefined;
  readonly allowance: ScanAllowance;
}

export interface LogScan {
  readonly recordCount: number;
  /** The first record that says that the bytes at `stopLsn` had been on disk. */
  readonly witness: { readonly offset: number; readonly durableLsn: number } | undefined;
  /** Offset behind the last byte that is not zero; where the scan began when all are. */
  readonly contentEnd: number;
  /** The allowance ran out: there may be more records. */
  readonly exhausted: boolean;
}

/** Scans `segment` from file offset `from`, a multiple of `RECORD_ALIGNMENT`, to its end. */
export async function scanLog(segment: LogSegmentBytes, from: number, search: LogSearch): Promise<LogScan> {
  const { window, seed } = segment;
  let recordCount = 0;
  let witness: LogScan['witness'];
  let contentEnd = from;
  let offset = from;
  let seenTo = from;
  for (;;) {
    const chunk = await window.viewBuffered(offset, RECORD_HEADER_BYTES);
    const unseen = chunk.subarray(Math.max(0, seenTo - offset));
    const used = usedBytes(unseen);
    if (used > 0) contentEnd = offset + chunk.length - unseen.length + used;
    seenTo = Math.max(seenTo, offset + chunk.length);
    const at = findCandidate(segment, chunk, offset, search);
    if (at === chunk.length) {
      if (chunk.length < RECORD_HEADER_BYTES) break;
      offset += firstUnseen(chunk.length);
      continue;
    }

    const found = decodeRecordHeader(chunk, at);
    offset += at;
    const bytes = await window.view(offset, RECORD_HEADER_BYTES + found.payloadBytes);
    if (hasValidRecordCrc(bytes, 0, found.payloadBytes, seed)) {
      recordCount++;
      if (found.durableLsn > search.stopLsn) witness ??= { offset, durableLsn: found.durableLsn };
      contentEnd = Math.max(contentEnd, offset + bytes.length);
      // A valid record is taken whole: what its payload looks like is its writer's business.
      offset += recordBytes(found.payloadBytes);
      continue;
    }
    search.allowance.bytes -= bytes.length;
    if (search.allowance.bytes < 0) return { recordCount, witness, contentEnd, exhausted: true };
    offset += RECORD_ALIGNMENT;
  }
  return { recordCount, witness, contentEnd, exhausted: false };
}

/** @returns Where in `chunk` a plausible record header stands, or the chunk's length. `offset` is the chunk's in the file. */
function findCandidate(segment: LogSegmentBytes, chunk: Uint8Array, offset: number, search: LogSearch): number {
  for (let at = 0; at + RECORD_HEADER_BYTES <= chunk.length; at += RECORD_ALIGNMENT) {
    if (!hasRecordMarker(chunk, at)) continue;
    if (isPlausible(segment, decodeRecordHeader(chunk, at), offset + at, search)) return at;
  }
  return chunk.length;
}

/** Cheap tests that every record behind the stop passes, so that few others cost a CRC. */
function isPlausible(segment: LogSegmentBytes, header: LogRecordHeader, offset: number, search: LogSearch): boolean {
  const { payloadBytes, kind, count, durableLsn, firstOrdinal } = header;
  const lsn = lsnAt(segment.startLsn, offset);
  return (
    kind === search.recordKind &&
    count > 0 &&
    payloadBytes <= MAX_RECORD_PAYLOAD_BYTES &&
    offset + RECORD_HEADER_BYTES + payloadBytes <= segment.fileBytes &&
    durableLsn <= lsn &&
    Number.isSafeInteger(firstOrdinal + count) &&
    followsOrdinal(firstOrdinal, lsn, search)
  );
}

/** Ordinals only grow, and by no more than one per byte of the log. */
function followsOrdinal(firstOrdinal: number, lsn: number, { nextOrdinal, stopLsn }: LogSearch): boolean {
  if (nextOrdinal === undefined) return true;
  return firstOrdinal >= nextOrdinal && firstOrdinal - nextOrdinal <= lsn - stopLsn;
}

/** The first header position that did not fit a chunk of `length` bytes as a whole. */
function firstUnseen(length: number): number {
  return length - (length % RECORD_ALIGNMENT) - RECORD_HEADER_BYTES + RECORD_ALIGNMENT;
}

/** How many bytes of `bytes` are left without the zeros at its end. */
function usedBytes(bytes: Uint8Array): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return end;
}
