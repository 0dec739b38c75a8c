/**
 * Walks one log file from its header to its end and goes on behind everything that does not verify: every record that
 * is left is found, and every gap between them. It says what is there, not what it means; opening reads logs with
 * log-verdict.ts. Format: docs/format/record-log.md.
 *
 * Bound: linear in the file's bytes; records made to look valid but for their CRC cost at most the allowance.
 */

import type { FileHandle } from '@kayadb/vfs';

import { FILE_HEADER_BYTES } from '../files/file-header.ts';
import {
  decodeRecordHeader,
  hasRecordMarker,
  hasValidRecordCrc,
  lsnAt,
  MAX_RECORD_PAYLOAD_BYTES,
  RECORD_ALIGNMENT,
  RECORD_HEADER_BYTES,
  recordBytes,
} from '../log/log-format.ts';
import { LogReader, type LogRecord } from '../log/log-reader.ts';
import { SCAN_ALLOWANCE_BYTES } from '../log/log-scan.ts';
import { ReadWindow } from '../log/read-window.ts';

export interface LogToWalk {
  readonly handle: FileHandle;
  readonly fileBytes: number;
  readonly seed: number;
  readonly startLsn: number;
}

/** A stretch that holds no valid record, though something stands in it or behind it. */
export interface LogGap {
  readonly offset: number;
  readonly lsn: number;
  /** Up to the next valid record, or to the last byte that is not zero. */
  readonly bytes: number;
  readonly reason: string;
  /** Whether a valid record follows in this file. */
  readonly isInside: boolean;
}

export interface LogWalk {
  readonly gaps: readonly LogGap[];
  readonly recordCount: number;
  /** Offset behind the last valid record. */
  readonly endOffset: number;
  /** Offset behind the last byte that is part of a record or not zero. */
  readonly contentEnd: number;
  /** The largest durable LSN that a record claims: everything of the log below it had been on disk. */
  readonly durableLsn: number;
}

/** @param visit - Gets every record that verifies; its payload is a view, valid until the call returns. */
export async function walkLog(log: LogToWalk, visit: (record: LogRecord) => void): Promise<LogWalk> {
  const { fileBytes, seed, startLsn } = log;
  const window = new ReadWindow(log.handle);
  const gaps: LogGap[] = [];
  const allowance = { bytes: fileBytes + SCAN_ALLOWANCE_BYTES };
  let recordCount = 0;
  let durableLsn = 0;
  let offset = FILE_HEADER_BYTES;
  let contentEnd = offset;
  for (;;) {
    const reader = new LogReader({ window, fileBytes, seed, startLsn }, offset);
    for (let record = await reader.next(); record !== undefined; record = await reader.next()) {
      visit(record);
      recordCount++;
      durableLsn = Math.max(durableLsn, record.durableLsn);
      offset = record.offset + recordBytes(record.payloadBytes);
      contentEnd = record.offset + RECORD_HEADER_BYTES + record.payloadBytes;
    }
    const { reason } = reader.stop!;
    const found = await findRecord(window, log, offset, allowance);
    if (found.bytes > 0) gaps.push({ offset, lsn: lsnAt(startLsn, offset), reason, ...found });
    if (!found.isInside) {
      if (found.bytes > 0) contentEnd = offset + found.bytes;
      return { gaps, recordCount, endOffset: offset, contentEnd, durableLsn };
    }
    offset += found.bytes;
  }
}

/** @returns How far from `from` the next valid record is, or what is left of the file without the zeros at its end. */
async function findRecord(
  window: ReadWindow,
  log: LogToWalk,
  from: number,
  allowance: { bytes: number },
): Promise<Pick<LogGap, 'bytes' | 'isInside'>> {
  let contentEnd = from;
  for (let offset = from; offset < log.fileBytes;) {
    const chunk = await window.viewBuffered(offset, RECORD_HEADER_BYTES);
    const used = usedBytes(chunk);
    if (used > 0) contentEnd = Math.max(contentEnd, offset + used);
    const at = findMarker(chunk);
    if (at === -1) {
      if (chunk.length < RECORD_HEADER_BYTES) break;
      offset += chunk.length - (chunk.length % RECORD_ALIGNMENT) - RECORD_HEADER_BYTES + RECORD_ALIGNMENT;
      continue;
    }
    offset += at;
    const bytes = await recordAt(window, log, chunk.subarray(at), offset);
    if (bytes !== undefined && allowance.bytes > 0) {
      const payloadBytes = bytes.length - RECORD_HEADER_BYTES;
      if (hasValidRecordCrc(bytes, 0, payloadBytes, log.seed)) return { bytes: offset - from, isInside: true };
      allowance.bytes -= bytes.length;
    }
    offset += RECORD_ALIGNMENT;
  }
  return { bytes: contentEnd - from, isInside: false };
}

async function recordAt(
  window: ReadWindow,
  log: LogToWalk,
  header: Uint8Array,
  offset: number,
): Promise<Uint8Array | undefined> {
  const { payloadBytes, count, durableLsn } = decodeRecordHeader(header, 0);
  const isPossible =
    count > 0 &&
    payloadBytes <= MAX_RECORD_PAYLOAD_BYTES &&
    offset + RECORD_HEADER_BYTES + payloadBytes <= log.fileBytes &&
    durableLsn <= lsnAt(log.startLsn, offset);
  return isPossible ? window.view(offset, RECORD_HEADER_BYTES + payloadBytes) : undefined;
}

function findMarker(chunk: Uint8Array): number {
  for (let at = 0; at + RECORD_HEADER_BYTES <= chunk.length; at += RECORD_ALIGNMENT) {
    if (hasRecordMarker(chunk, at)) return at;
  }
  return -1;
}

/** How many bytes of `bytes` are left without the zeros at its end. */
function usedBytes(bytes: Uint8Array): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return end;
}
