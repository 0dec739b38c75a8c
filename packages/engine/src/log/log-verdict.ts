/**
 * Reads a log of any number of segments and decides where it ends: normally, in a torn write, or in damage.
 *
 * Invariant: what is handed out is a prefix of what was written, and a record that had been acknowledged as durable is
 * missing from it only if the verdict is `refused` (or if nothing behind it vouches for it). Never writes.
 * Format: docs/format/record-log.md, "Where a log ends".
 */

import { assert, AssertionError, DecodeError } from '@kayadb/codec';

import { CorruptionError, EngineError } from '../errors.ts';
import { FILE_HEADER_BYTES } from '../files/file-header.ts';
import { recordBytes } from './log-format.ts';
import type { LogFileReport, LogOutcome, LogVerdict } from './log-outcome.ts';
import { LogReader, type LogRecord, type LogStop } from './log-reader.ts';
import { refuseRecord } from './log-record-check.ts';
import { type LogSearch, SCAN_ALLOWANCE_BYTES, scanLog } from './log-scan.ts';
import { type LogFile, type LogSource, readSegmentHeader, type SegmentHeader, withLogFile } from './log-segment.ts';
import { ReadWindow } from './read-window.ts';

export interface LogReadOptions extends LogSource {
  /** The one kind of record that this log holds. */
  readonly recordKind: number;
  /** Bound for the first ordinal of the first record; a greater one means that records are missing before it. */
  readonly maxFirstOrdinal: number;
}

/**
 * Gets each record in order; its payload is a view that is valid until the promise resolves.
 * A DecodeError or CorruptionError that it throws becomes the verdict `refused`; anything else ends the reading.
 */
export type LogVisitor = (record: LogRecord, file: LogFile) => void | Promise<void>;

type ValidHeader = Extract<SegmentHeader, { kind: 'valid' }>;
type Report = { -readonly [Name in keyof LogFileReport]: LogFileReport[Name] };
type Refusal = Extract<LogVerdict, { kind: 'refused' }>;

interface Segment extends LogFile {
  readonly header: SegmentHeader;
  /** Position among all files of the log. */
  readonly at: number;
  readonly report: Report;
}

type UsedSegment = Segment & { readonly header: ValidHeader };

/**
 * Reads the log and decides.
 *
 * @returns A verdict for any content; damage is a verdict, not an exception.
 * @throws FileSystemError when reading fails, and what `visit` throws.
 */
export async function readLog(options: LogReadOptions, visit: LogVisitor): Promise<LogOutcome> {
  return new LogReading(options, visit).run();
}

class LogReading {
  readonly #options: LogReadOptions;
  readonly #visit: LogVisitor;
  #segments: readonly Segment[] = [];
  #nextOrdinal: number | undefined;

  constructor(options: LogReadOptions, visit: LogVisitor) {
    assert(options.files.length > 0, 'a log to read has at least one file');
    this.#options = options;
    this.#visit = visit;
  }

  async run(): Promise<LogOutcome> {
    this.#segments = await readHeaders(this.#options);
    const verdict = this.#refuseHeaders() ?? (await this.#readRecords());
    return {
      verdict,
      files: this.#segments.map(({ report }) => report),
      lastOrdinal: this.#nextOrdinal === undefined ? undefined : this.#nextOrdinal - 1,
    };
  }

  /** Damage that needs no look at any record. The first file was in use, so a blank one in its place is damaged too. */
  #refuseHeaders(): Refusal | undefined {
    for (const [i, { header }] of this.#segments.entries()) {
      if (header.kind === 'refused' || (header.kind === 'blank' && i === 0))
        return { kind: 'refused', error: header.error };
    }
    return undefined;
  }

  async #readRecords(): Promise<LogVerdict> {
    const used = this.#segments.filter(isUsed);
    for (const [i, segment] of used.entries()) {
      const stop = await this.#readSegment(segment);
      if (stop.kind === 'refused') return stop;
      const behind = used.slice(i + 1);
      if (behind[0]?.header.startLsn === stop.lsn) continue;
      segment.report.state = 'stopped';
      segment.report.note = stop.reason;
      for (const { report } of behind) report.state = 'behind';
      return this.#judge(segment, stop, behind);
    }
    throw new AssertionError('the last segment of a log has none to go on with');
  }

  /** Hands out the records of one segment. @returns Where reading stopped, or why it is refused. */
  #readSegment(segment: UsedSegment): Promise<LogStop | Refusal> {
    const { file, report } = segment;
    return withLogFile(this.#options, file, async (handle) => {
      const reader = new LogReader({ ...segment.header, window: new ReadWindow(handle) });
      for (let record = await reader.next(); record !== undefined; record = await reader.next()) {
        const error = this.#refuseRecord(record, file) ?? (await this.#handOut(record, segment));
        if (error !== undefined) {
          report.state = 'stopped';
          report.note = error.message;
          return { kind: 'refused', error };
        }
        this.#nextOrdinal = record.firstOrdinal + record.count;
        report.recordCount++;
        report.recordBytes += recordBytes(record.payloadBytes);
        report.firstOrdinal ??= record.firstOrdinal;
        report.lastOrdinal = this.#nextOrdinal - 1;
      }
      return reader.stop!;
    });
  }

  #refuseRecord(record: LogRecord, file: string): Refusal['error'] | undefined {
    const { recordKind, maxFirstOrdinal } = this.#options;
    return refuseRecord(record, file, { recordKind, maxFirstOrdinal, nextOrdinal: this.#nextOrdinal });
  }

  async #handOut(record: LogRecord, { file, fileNumber }: LogFile): Promise<Refusal['error'] | undefined> {
    try {
      await this.#visit(record, { file, fileNumber });
      return undefined;
    } catch (error) {
      if (error instanceof CorruptionError || error instanceof EngineError) return error;
      if (!(error instanceof DecodeError)) throw error;
      const message = `the payload of a record is malformed: ${error.message}`;
      return new CorruptionError(file, record.offset, message, { cause: error });
    }
  }

  /** Reading stopped in `segment`, and the next one, if any, does not begin there. */
  async #judge(segment: UsedSegment, stop: LogStop, behind: readonly UsedSegment[]): Promise<LogVerdict> {
    const { file } = segment;
    const { offset, lsn, reason } = stop;
    const next = behind[0];
    if (next !== undefined && next.header.startLsn < lsn) {
      return refuse(next.file, 0, `it claims to begin at LSN ${next.header.startLsn}, and ${file} goes on to ${lsn}`);
    }
    const rest = await this.#scan(segment, stop, behind);
    if (rest.exhausted) {
      return refuse(
        file,
        offset,
        `${reason}, and behind it is too much that looks like records to decide what it means`,
      );
    }
    const blank = this.#segments.slice(segment.at + 1, next?.at).find(({ header }) => header.kind === 'blank');
    if (rest.witness !== undefined && !rest.ownContent && blank !== undefined) {
      // The records here end as they should: what is missing stood in the segment that comes next.
      return refuse(
        blank.file,
        0,
        `no record is left in it, although the record ${rest.witness} says that it held some`,
      );
    }
    if (rest.witness !== undefined) {
      return refuse(file, offset, `${reason}, although the record ${rest.witness} says that this place was durable`);
    }
    if (blank?.header.kind === 'blank' && rest.laterContent) return { kind: 'refused', error: blank.header.error };
    if (rest.droppedBytes === 0 && behind.length === 0) return { kind: 'end', file, offset, lsn };
    return { kind: 'torn', file, offset, lsn, reason, droppedBytes: rest.droppedBytes };
  }

  /** Looks through everything behind `stop`. */
  async #scan(segment: UsedSegment, stop: LogStop, behind: readonly UsedSegment[]): Promise<Rest> {
    const rest: Rest = {
      droppedBytes: 0,
      ownContent: false,
      laterContent: false,
      witness: undefined,
      exhausted: false,
    };
    const all = [segment, ...behind];
    const search: LogSearch = {
      recordKind: this.#options.recordKind,
      stopLsn: stop.lsn,
      nextOrdinal: this.#nextOrdinal,
      allowance: { bytes: all.reduce((sum, { header }) => sum + header.fileBytes, SCAN_ALLOWANCE_BYTES) },
    };
    for (const scanned of all) {
      const { file, header, report } = scanned;
      const from = scanned === segment ? stop.offset : FILE_HEADER_BYTES;
      const scan = await withLogFile(this.#options, file, (handle) =>
        scanLog({ ...header, window: new ReadWindow(handle) }, from, search),
      );
      report.strayRecordCount = scan.recordCount;
      rest.droppedBytes += scan.contentEnd - from;
      rest.ownContent ||= scanned === segment && scan.contentEnd > from;
      rest.laterContent ||= scanned !== segment && scan.contentEnd > from;
      if (scan.witness !== undefined) rest.witness ??= `in ${file} at offset ${scan.witness.offset}`;
      if (scan.exhausted) rest.exhausted = true;
      if (scan.exhausted) break;
    }
    return rest;
  }
}

/** What stands behind the place where reading stopped. */
interface Rest {
  droppedBytes: number;
  /** The segment where reading stopped holds something behind that place, or there. */
  ownContent: boolean;
  /** A later segment holds something. */
  laterContent: boolean;
  /** Where a record stands that vouches for the place. */
  witness: string | undefined;
  exhausted: boolean;
}

async function readHeaders(options: LogReadOptions): Promise<readonly Segment[]> {
  const segments: Segment[] = [];
  for (const [at, { file, fileNumber }] of options.files.entries()) {
    const header = await readSegmentHeader(options, { file, fileNumber });
    segments.push({ file, fileNumber, header, at, report: startReport(file, header) });
  }
  return segments;
}

function startReport(file: string, header: SegmentHeader): Report {
  const states = { valid: 'whole', blank: 'blank', refused: 'damaged' } as const;
  return {
    file,
    state: states[header.kind],
    fileBytes: header.fileBytes,
    startLsn: header.kind === 'valid' ? header.startLsn : undefined,
    recordCount: 0,
    recordBytes: 0,
    firstOrdinal: undefined,
    lastOrdinal: undefined,
    strayRecordCount: 0,
    note: header.kind === 'valid' ? '' : header.error.message,
  };
}

function isUsed(segment: Segment): segment is UsedSegment {
  return segment.header.kind === 'valid';
}

function refuse(file: string, offset: number, message: string): Refusal {
  return { kind: 'refused', error: new CorruptionError(file, offset, message) };
}
