/**
 * Walks the records of one segment that was read whole, and looks for witnesses behind the place where they end.
 *
 * Invariant: what is handed out verifies and is well-formed. Format: docs/format/raft-log.md, "Records" and "Where the log ends".
 */

import type { Term } from '../core/types.ts';
import { RaftCorruptionError } from '../errors.ts';
import { type DecodedHeader, RAFT_HEADER_BYTES, unsupported } from './file-header.ts';
import {
  APPEND_RECORD,
  decodeEntryHeader,
  decodeRecordHeader,
  ENTRY_HEADER_BYTES,
  hasRecordMarker,
  hasValidRecordCrc,
  isEntryKind,
  RECORD_ALIGNMENT,
  RECORD_HEADER_BYTES,
  recordBytes,
  type RecordHeader,
  RESET_RECORD,
} from './segment-format.ts';

/** Added to the bytes of the file: how many bytes of CRCs that come out wrong a search may compute. */
export const SEARCH_ALLOWANCE_BYTES = 256 * 1024 * 1024;

export interface SegmentBytes {
  readonly file: string;
  readonly header: DecodedHeader;
  readonly bytes: Uint8Array;
  /** LSN of the next segment; Infinity in the last. */
  readonly limitLsn: number;
}

export interface SegmentRecord extends RecordHeader {
  readonly offset: number;
  readonly lsn: number;
  readonly entries: readonly EntryPlace[];
}

/** One entry of a record. */
export interface EntryPlace {
  readonly term: Term;
  readonly offset: number;
  /** With its header. */
  readonly bytes: number;
}

/** Where records end, and why. */
export interface SegmentStop {
  readonly offset: number;
  readonly lsn: number;
  readonly reason: string;
}

/**
 * - `blank`: zeros, or the end of the file.
 * - `torn`: a record begins that was not written whole.
 * - `rests`: what the file held before it became this segment; or a record of which not even the beginning was written.
 */
export type TailKind = 'blank' | 'torn' | 'rests';

/**
 * Hands out records up to the limit, or to the first place that does not verify.
 *
 * @throws RaftCorruptionError for a record that verifies and makes no sense. @throws RaftError KAYA_RAFT_UNSUPPORTED
 */
export function walkSegment(segment: SegmentBytes, visit: (record: SegmentRecord) => void): SegmentStop {
  const { file, header, bytes, limitLsn } = segment;
  for (let offset = RAFT_HEADER_BYTES; ;) {
    const lsn = lsnAt(header, offset);
    if (lsn === limitLsn) return { offset, lsn, reason: 'the next segment begins' };
    const reason = whyNoRecord(segment, offset);
    if (reason !== undefined) return { offset, lsn, reason };
    const fields = decodeRecordHeader(bytes, offset);
    const end = offset + recordBytes(fields.payloadBytes);
    if (lsnAt(header, end) > limitLsn) {
      throw new RaftCorruptionError(file, offset, 'a record reaches into the next segment');
    }
    visit({ ...fields, offset, lsn, entries: readEntries(file, bytes, offset, { ...fields, lsn }) });
    offset = end;
  }
}

/**
 * Looks for a record behind `stop` that says that the bytes there had been durable.
 *
 * @returns A sentence about the first, or about why nobody can tell; undefined when there is none.
 */
export function findWitness(segment: SegmentBytes, stop: SegmentStop): string | undefined {
  const { header, bytes } = segment;
  let allowance = bytes.length + SEARCH_ALLOWANCE_BYTES;
  for (let offset = stop.offset; offset + RECORD_HEADER_BYTES <= bytes.length; offset += RECORD_ALIGNMENT) {
    if (!isPlausible(segment, offset)) continue;
    const { payloadBytes, durableLsn } = decodeRecordHeader(bytes, offset);
    if (hasValidRecordCrc(bytes, offset, payloadBytes, header.seed)) {
      if (durableLsn > stop.lsn) return `although the record at offset ${offset} says that this place was durable`;
      // A valid record is passed over whole: what its entries look like is their writers' business.
      offset += recordBytes(payloadBytes) - RECORD_ALIGNMENT;
      continue;
    }
    allowance -= payloadBytes;
    if (allowance < 0) return 'and behind it is too much that looks like records to decide what it means';
  }
  return undefined;
}

/** What stands where the records of the last segment end. Requires: nothing behind it is a witness. */
export function classifyTail({ header, bytes }: SegmentBytes, { offset, lsn }: SegmentStop): TailKind {
  const start = bytes.subarray(offset, offset + RECORD_HEADER_BYTES);
  if (start.every((byte) => byte === 0)) return 'blank';
  if (start.length < RECORD_HEADER_BYTES || !hasRecordMarker(bytes, offset)) return 'rests';
  const { durableLsn } = decodeRecordHeader(bytes, offset);
  return durableLsn >= header.startLsn && durableLsn <= lsn ? 'torn' : 'rests';
}

export function lsnAt(header: DecodedHeader, offset: number): number {
  return header.startLsn + offset - RAFT_HEADER_BYTES;
}

/** @returns Why no whole record stands at `offset`; undefined when one does. */
export function whyNoRecord({ header, bytes }: SegmentBytes, offset: number): string | undefined {
  if (offset + RECORD_HEADER_BYTES > bytes.length) return 'the file ends';
  if (!hasRecordMarker(bytes, offset)) return 'no record begins';
  const { payloadBytes, durableLsn } = decodeRecordHeader(bytes, offset);
  if (offset + RECORD_HEADER_BYTES + payloadBytes > bytes.length) return 'a record goes on behind the end of the file';
  if (!hasValidRecordCrc(bytes, offset, payloadBytes, header.seed)) return 'the CRC of a record does not match';
  // Two headers may have one CRC, and so one seed.
  if (durableLsn < header.startLsn) return 'a record is of what the file held before';
  return undefined;
}

/** Cheap tests that every record of this segment passes, and those of what the file held before do not. */
export function isPlausible({ header, bytes }: SegmentBytes, offset: number): boolean {
  if (!hasRecordMarker(bytes, offset)) return false;
  const { kind, payloadBytes, durableLsn } = decodeRecordHeader(bytes, offset);
  return (
    (kind === APPEND_RECORD || kind === RESET_RECORD) &&
    offset + RECORD_HEADER_BYTES + payloadBytes <= bytes.length &&
    durableLsn >= header.startLsn &&
    durableLsn <= lsnAt(header, offset)
  );
}

/** The entries of a record that verifies. @throws RaftCorruptionError, RaftError KAYA_RAFT_UNSUPPORTED */
export function readEntries(
  file: string,
  bytes: Uint8Array,
  offset: number,
  record: RecordHeader & { readonly lsn: number },
): readonly EntryPlace[] {
  const { kind, count, firstIndex, previousTerm, commit, durableLsn, payloadBytes } = record;
  const refuse = (what: string): RaftCorruptionError => new RaftCorruptionError(file, offset, what);
  if (kind !== APPEND_RECORD && kind !== RESET_RECORD) throw unsupported(file, `a record of kind ${kind}`);
  if (durableLsn > record.lsn) throw refuse('a record claims that what comes after it had been durable');
  if (firstIndex < 1 || ![firstIndex + count, previousTerm, commit].every(Number.isSafeInteger)) {
    throw refuse(`a record begins at index ${firstIndex}`);
  }
  const places: EntryPlace[] = [];
  const end = offset + RECORD_HEADER_BYTES + payloadBytes;
  let at = offset + RECORD_HEADER_BYTES;
  let term = previousTerm;
  while (at < end && places.length < count) {
    if (at + ENTRY_HEADER_BYTES > end) throw refuse('the last entry of a record is cut off');
    const entry = decodeEntryHeader(bytes, at);
    if (entry.index !== firstIndex + places.length) throw refuse(`entry ${entry.index} stands in another's place`);
    if (entry.term < term || !Number.isSafeInteger(entry.term))
      throw refuse(`the term of entry ${entry.index} goes down`);
    if (!isEntryKind(entry.kind)) throw unsupported(file, `an entry of kind ${entry.kind}`);
    places.push({ term: entry.term, offset: at, bytes: ENTRY_HEADER_BYTES + entry.dataBytes });
    at += ENTRY_HEADER_BYTES + entry.dataBytes;
    term = entry.term;
  }
  if (at !== end || places.length !== count)
    throw refuse(`the entries of a record do not fill it: ${count} are said to`);
  return places;
}
