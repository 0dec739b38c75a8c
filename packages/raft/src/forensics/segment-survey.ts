/**
 * All that verifies in one segment of the log, also behind damage. For people: opening goes by segment-recovery.ts.
 *
 * Invariant: what is called whole verifies. Format: docs/format/raft-log.md, "Records".
 */

import { RaftError } from '../errors.ts';
import { RAFT_HEADER_BYTES } from '../storage/file-header.ts';
import {
  decodeEntry,
  decodeEntryHeader,
  decodeRecordHeader,
  ENTRY_HEADER_BYTES,
  hasRecordMarker,
  hasValidRecordCrc,
  RECORD_ALIGNMENT,
  RECORD_HEADER_BYTES,
  recordBytes,
  type RecordHeader,
} from '../storage/segment-format.ts';
import {
  classifyTail,
  isPlausible,
  lsnAt,
  readEntries,
  SEARCH_ALLOWANCE_BYTES,
  type SegmentBytes,
  type TailKind,
  whyNoRecord,
} from '../storage/segment-records.ts';

export interface SurveyedEntry {
  readonly offset: number;
  readonly index: number;
  readonly term: number;
  /** By its number in the format. */
  readonly kind: number;
  /** A view; undefined where the entry does not verify. */
  readonly data: Uint8Array | undefined;
  readonly dataBytes: number;
}

export interface SurveyedRecord extends RecordHeader {
  readonly offset: number;
  readonly lsn: number;
  readonly entries: readonly SurveyedEntry[];
}

/** A stretch in which no record verifies, and others do behind it. */
export interface SurveyedGap {
  readonly offset: number;
  readonly lsn: number;
  readonly bytes: number;
  readonly reason: string;
  /** What can still be read of entries in it; each has a CRC of its own. */
  readonly entries: readonly SurveyedEntry[];
}

export interface SegmentSurvey {
  readonly records: readonly SurveyedRecord[];
  readonly gaps: readonly SurveyedGap[];
  /** Records that verify and make no sense. */
  readonly wrong: readonly { readonly offset: number; readonly reason: string }[];
  readonly tail: { readonly offset: number; readonly lsn: number; readonly reason: string; readonly kind: TailKind };
  /** The largest durable LSN that a record says. */
  readonly durableLsn: number;
}

/** @param segment - Its limit is Infinity: what stands behind the next segment's start is told too. */
export function surveySegment(segment: SegmentBytes): SegmentSurvey {
  const { header } = segment;
  const records: SurveyedRecord[] = [];
  const gaps: SurveyedGap[] = [];
  const wrong: { offset: number; reason: string }[] = [];
  let durableLsn = header.startLsn;
  for (let offset = RAFT_HEADER_BYTES; ;) {
    const reason = whyNoRecord(segment, offset);
    if (reason !== undefined) {
      const next = findNext(segment, offset);
      const lsn = lsnAt(header, offset);
      if (next === undefined) {
        const kind = classifyTail(segment, { offset, lsn, reason });
        return { records, gaps, wrong, tail: { offset, lsn, reason, kind }, durableLsn };
      }
      gaps.push({ offset, lsn, bytes: next - offset, reason, entries: salvageEntries(segment, offset, next) });
      offset = next;
      continue;
    }
    const fields = decodeRecordHeader(segment.bytes, offset);
    durableLsn = Math.max(durableLsn, fields.durableLsn);
    const record = { ...fields, offset, lsn: lsnAt(header, offset) };
    try {
      records.push({ ...record, entries: entriesOf(segment, record) });
    } catch (error) {
      if (!(error instanceof RaftError)) throw error;
      wrong.push({ offset, reason: error.message.replace(/^.* is damaged at offset \d+: /, '') });
    }
    offset += recordBytes(fields.payloadBytes);
  }
}

/** Where the next whole record begins. Bound: as for witnesses, so many bytes of CRCs that come out wrong. */
function findNext(segment: SegmentBytes, from: number): number | undefined {
  const { header, bytes } = segment;
  let allowance = bytes.length + SEARCH_ALLOWANCE_BYTES;
  for (let at = from + RECORD_ALIGNMENT; at + RECORD_HEADER_BYTES <= bytes.length; at += RECORD_ALIGNMENT) {
    if (!isPlausible(segment, at)) continue;
    const { payloadBytes } = decodeRecordHeader(bytes, at);
    if (hasValidRecordCrc(bytes, at, payloadBytes, header.seed)) return at;
    allowance -= payloadBytes;
    if (allowance < 0) return undefined;
  }
  return undefined;
}

function entriesOf(
  { file, bytes, header }: SegmentBytes,
  record: RecordHeader & { readonly offset: number; readonly lsn: number },
): readonly SurveyedEntry[] {
  return readEntries(file, bytes, record.offset, record).map((place) => {
    const { index, term, kind, dataBytes } = decodeEntryHeader(bytes, place.offset);
    const data = decodeEntry(bytes, place.offset, place.offset + place.bytes, index, term, header.seed)?.data;
    return { offset: place.offset, index, term, kind, dataBytes, data };
  });
}

/** As long as the headers of entries lead from one to the next. */
function salvageEntries({ bytes, header }: SegmentBytes, start: number, end: number): readonly SurveyedEntry[] {
  if (!hasRecordMarker(bytes, start)) return [];
  const entries: SurveyedEntry[] = [];
  for (let at = start + RECORD_HEADER_BYTES; at + ENTRY_HEADER_BYTES <= end;) {
    const { index, term, kind, dataBytes } = decodeEntryHeader(bytes, at);
    const next = at + ENTRY_HEADER_BYTES + dataBytes;
    if (next > end || !Number.isSafeInteger(index) || !Number.isSafeInteger(term) || index < 1) break;
    const data = decodeEntry(bytes, at, next, index, term, header.seed)?.data;
    // A header that leads nowhere and an entry that is damaged look the same when nothing follows.
    if (data === undefined && next + ENTRY_HEADER_BYTES > end && entries.length === 0) break;
    entries.push({ offset: at, index, term, kind, dataBytes, data });
    at = next;
  }
  return entries;
}
