/**
 * What the log holds beyond the tables: the part without a gap, what can be read behind it, and what is lost.
 *
 * Invariant: the first part is a prefix of what was written: sequence numbers have no gaps, so records that follow each other without
 * one leave nothing out. What a later segment shows to have been cut off is no part of either.
 * Bound: memory for the operations beyond the tables, as opening needs it. Format: docs/format/wal.md.
 */

import { type FileHandle, FileSystemError } from '@kayadb/vfs';

import { FILE_HEADER_BYTES } from '../../files/file-header.ts';
import { walFileName } from '../../files/file-names.ts';
import type { FileNumber, SequenceNumber } from '../../key/internal-key.ts';
import { decodeOperations } from '../../key/write-batch.ts';
import { lsnAt, recordBytes } from '../../log/log-format.ts';
import type { LogRecord } from '../../log/log-reader.ts';
import { Memtable } from '../../memtable/memtable.ts';
import type { RangeDelete } from '../../range-delete/range-delete.ts';
import type { StoreState } from '../../version/store-state.ts';
import { NO_SEGMENT } from '../../wal/wal-replay.ts';
import type { EvidenceView } from '../evidence-view.ts';
import { checkGroup } from '../examine-log.ts';
import { describeStranger, type HeaderEvidence, ownSeeds, readHeaderEvidence } from '../file-header-evidence.ts';
import { walkLog } from '../walk-log.ts';
import { addStretch, describeLogLosses, type LogStretch } from './log-losses.ts';
import type { Loss } from './recovery-plan.ts';
import { numbersOf, type StoreBasis } from './store-basis.ts';

/** Size at which a memtable is left for the next one. */
const MEMTABLE_BYTES = 64 * 1024 * 1024;

export interface LogEvidence {
  /** The part without a gap, beyond what tables hold. */
  readonly prefix: readonly Memtable[];
  /** Whole records behind the first gap. */
  readonly behind: readonly Memtable[];
  /** Tables and the part without a gap hold everything up to it. */
  readonly lastSequence: SequenceNumber;
  /** What is lost of the log if only the part without a gap is kept, and if the records behind it are too. */
  readonly lossesOfPrefix: readonly Loss[];
  readonly lossesOfAll: readonly Loss[];
}

interface WalkProgress {
  /** Behind the last record. */
  offset: number;
  recordCount: number;
  hasGap: boolean;
}

interface Segment {
  readonly file: string;
  readonly fileBytes: number;
  readonly header: HeaderEvidence;
  /** What its records may have been written with. */
  readonly seeds: readonly number[];
  /** Why it is another file than its name says. */
  readonly stranger: string | undefined;
  /** Records from this LSN on were cut off when the store went on elsewhere. */
  cutLsn: number;
}

/** @throws FileSystemError when reading fails in a way that is no damage. */
export async function readLogEvidence(view: EvidenceView, directory: string, basis: StoreBasis): Promise<LogEvidence> {
  return new LogGathering(view, directory, basis).run();
}

export function rangeDeletesOf(memtables: readonly Memtable[]): readonly RangeDelete[] {
  return memtables.flatMap(({ rangeDeletes }) => rangeDeletes);
}

class LogGathering {
  readonly #view: EvidenceView;
  readonly #directory: string;
  readonly #storeId: Uint8Array | undefined;
  readonly #state: StoreState | undefined;
  readonly #flushed: SequenceNumber;
  readonly #prefix: Memtable[] = [];
  readonly #behind: Memtable[] = [];
  readonly #stretches: LogStretch[] = [];
  /** The sequence number that the next record without a gap begins with; `undefined` until a record says it. */
  #next: SequenceNumber | undefined;
  /** A gap was met. */
  #isBroken = false;

  constructor(view: EvidenceView, directory: string, { storeId, state }: StoreBasis) {
    this.#view = view;
    this.#directory = directory;
    this.#storeId = storeId;
    this.#state = state;
    this.#flushed = state?.flushedSequence ?? 0;
    this.#next = state === undefined ? undefined : this.#flushed + 1;
  }

  async run(): Promise<LogEvidence> {
    const oldest = this.#state?.oldestSegment ?? 1;
    if (oldest !== NO_SEGMENT) {
      const segments = await this.#openSegments(numbersOf(this.#view, 'wal').filter((number) => number >= oldest));
      this.#noteMissing(segments);
      for (const segment of segments) await this.#readSegment(segment, segment === segments.at(-1));
    }
    const lastSequence = (this.#next ?? this.#flushed + 1) - 1;
    const cleanLast = this.#state?.cleanClose?.lastSequence;
    const found = describeLogLosses({
      stretches: this.#stretches,
      lastSequence,
      closedAt: oldest === NO_SEGMENT ? undefined : cleanLast,
    });
    const behind = found.isTorn ? [] : this.#behind;
    return { prefix: this.#prefix, behind, lastSequence, ...found };
  }

  async #openSegments(numbers: readonly FileNumber[]): Promise<readonly Segment[]> {
    const segments: Segment[] = [];
    for (const fileNumber of numbers) {
      const file = walFileName(fileNumber);
      try {
        const { header, fileBytes } = await this.#readHeader(file);
        const expected = { storeId: this.#storeId, fileNumber };
        const stranger = describeStranger(header, expected);
        const seeds = ownSeeds('wal', header, expected);
        const segment = { file, fileBytes, header, seeds, stranger, cutLsn: this.#closedAt(fileNumber) };
        const before = segments.at(-1);
        if (before !== undefined && isPlaced(before) && isPlaced(segment)) {
          before.cutLsn = Math.min(before.cutLsn, header.startLsn);
        }
        segments.push(segment);
      } catch (error) {
        const reason = `it cannot be read: ${unreadableWords(error)}`;
        this.#stretches.push({ kind: 'gap', file, offset: 0, bytes: 0, reason, lsn: 0, isNeeded: true });
      }
    }
    return segments;
  }

  /** Nothing that counts stands behind the place where the store was closed, in the segment that ended there. */
  #closedAt(fileNumber: FileNumber): number {
    const cleanClose = this.#state?.cleanClose;
    return cleanClose?.segment === fileNumber ? cleanClose.endLsn : Infinity;
  }

  async #readHeader(file: string): Promise<Pick<Segment, 'header' | 'fileBytes'>> {
    const handle = await this.#view.open(`${this.#directory}/${file}`, 'read');
    try {
      return { header: await readHeaderEvidence(handle, 'wal'), fileBytes: await handle.size() };
    } finally {
      await handle.close();
    }
  }

  /** The manifest needs its oldest segment, and the one that a clean close names. */
  #noteMissing(segments: readonly Segment[]): void {
    if (this.#state === undefined) return;
    const { oldestSegment, cleanClose } = this.#state;
    for (const number of new Set([oldestSegment, cleanClose?.segment ?? oldestSegment])) {
      const file = walFileName(number);
      if (segments.some((segment) => segment.file === file)) continue;
      const reason = 'the manifest needs this segment, and it is missing';
      this.#stretches.push({ kind: 'gap', file, offset: 0, bytes: 0, reason, lsn: 0, isNeeded: true });
    }
  }

  async #readSegment(segment: Segment, isLast: boolean): Promise<void> {
    const { file, fileBytes, header, stranger } = segment;
    if (stranger !== undefined || header.state === 'unsupported') {
      const reason = stranger ?? header.reason;
      this.#stretches.push({ kind: 'gap', file, offset: 0, bytes: fileBytes, reason, lsn: 0, isNeeded: true });
      return;
    }
    const handle = await this.#view.open(`${this.#directory}/${file}`, 'read').catch(unreadable);
    const progress = { offset: FILE_HEADER_BYTES, recordCount: 0, hasGap: false };
    try {
      if (handle !== undefined) await this.#walk(handle, segment, progress);
      if (progress.recordCount === 0 && !progress.hasGap && header.state === 'damaged')
        this.#noteBlank(segment, isLast);
    } catch (error) {
      const reason = `the disk does not give it: ${unreadableWords(error)}`;
      const { offset } = progress;
      const place = { file, offset, bytes: fileBytes - offset, lsn: lsnAt(header.startLsn, offset) };
      this.#stretches.push({ kind: 'gap', ...place, reason, isNeeded: true });
    } finally {
      await handle?.close();
    }
  }

  /** Tries each seed that the header may have had. */
  async #walk(
    handle: FileHandle,
    { file, fileBytes, header, seeds, cutLsn }: Segment,
    progress: WalkProgress,
  ): Promise<void> {
    const isUnplaced = header.state === 'damaged';
    for (const seed of seeds) {
      const log = { handle, fileBytes, seed, startLsn: header.startLsn };
      const walk = await walkLog(log, (record) => {
        progress.recordCount++;
        if (record.lsn >= cutLsn) return;
        this.#addRecord(record, file, progress.offset, isUnplaced);
        progress.offset = record.offset + recordBytes(record.payloadBytes);
      });
      progress.hasGap ||= walk.gaps.length > 0;
      const tail = walk.gaps.find(({ isInside }) => !isInside);
      const isChosen = progress.recordCount > 0 || seeds.at(-1) === seed;
      if (tail !== undefined && tail.lsn < cutLsn && isChosen) {
        const { offset, bytes, reason, lsn } = tail;
        this.#stretches.push({ kind: 'gap', file, offset, bytes, reason, lsn, isNeeded: isUnplaced });
      }
      if (progress.recordCount > 0) return;
    }
  }

  /** A header that does not verify, and nothing behind it: made ready and never used, unless its place says that it was. */
  #noteBlank({ file, fileBytes, header }: Segment, isLast: boolean): void {
    const needed = [this.#state?.oldestSegment, this.#state?.cleanClose?.segment];
    if (isLast && !needed.some((number) => number !== undefined && walFileName(number) === file)) return;
    const { reason } = header;
    this.#stretches.push({ kind: 'gap', file, offset: 0, bytes: fileBytes, reason, lsn: 0, isNeeded: true });
  }

  #addRecord(record: LogRecord, file: string, expected: number, isUnplaced: boolean): void {
    const { firstOrdinal, count, offset, lsn, durableLsn } = record;
    if (offset > expected) {
      const reason = 'what stands here does not verify';
      const lsnBefore = lsn - (offset - expected);
      this.#stretches.push({
        kind: 'gap',
        file,
        offset: expected,
        bytes: offset - expected,
        reason,
        lsn: lsnBefore,
        isNeeded: isUnplaced,
      });
    }
    const bytes = recordBytes(record.payloadBytes);
    const wrong = checkGroup(record);
    if (wrong !== undefined) {
      this.#stretches.push({ kind: 'gap', file, offset, bytes, reason: wrong, lsn, isNeeded: true });
      return;
    }
    const last = firstOrdinal + count - 1;
    if (last <= this.#flushed) {
      if (this.#isBroken) return;
      addStretch(this.#stretches, { kind: 'held', file, offset, bytes, lsn, durableLsn, first: firstOrdinal, last });
      return;
    }
    if (this.#next === undefined && !this.#isVouchedFor(record)) {
      insertBeyond(this.#behind, record, this.#flushed);
      addStretch(this.#stretches, { kind: 'behind', file, offset, bytes, lsn, durableLsn, first: firstOrdinal, last });
      return;
    }
    this.#next ??= firstOrdinal;
    const follows = firstOrdinal === this.#next || (this.#next === this.#flushed + 1 && firstOrdinal < this.#next);
    if (!this.#isBroken && follows) {
      insertBeyond(this.#prefix, record, this.#flushed);
      this.#next = last + 1;
      addStretch(this.#stretches, { kind: 'held', file, offset, bytes, lsn, durableLsn, first: firstOrdinal, last });
      return;
    }
    this.#isBroken = true;
    insertBeyond(this.#behind, record, this.#flushed);
    addStretch(this.#stretches, { kind: 'behind', file, offset, bytes, lsn, durableLsn, first: firstOrdinal, last });
  }

  /** Whether a record that may be the first of all is none behind a torn place, which opening drops. */
  #isVouchedFor({ durableLsn }: LogRecord): boolean {
    return this.#stretches.every(
      (stretch) => stretch.kind !== 'gap' || (!stretch.isNeeded && stretch.lsn < durableLsn),
    );
  }
}

/** Whether its header says truly where it stands in the log. */
function isPlaced({ header, stranger }: Segment): boolean {
  return header.state === 'valid' && stranger === undefined;
}

/** Inserts the operations of the record that tables do not hold. */
function insertBeyond(memtables: Memtable[], record: LogRecord, flushed: SequenceNumber): void {
  let skippedBytes = 0;
  let skippedCount = 0;
  decodeOperations(record.payload, record.firstOrdinal, ({ sequence }, end) => {
    if (sequence > flushed) return;
    skippedBytes = end;
    skippedCount++;
  });
  const first = record.firstOrdinal + skippedCount;
  const last = memtables.at(-1);
  const isFull = last === undefined || last.dataBytes >= MEMTABLE_BYTES || first <= last.largestSequence;
  if (isFull) memtables.push(new Memtable());
  memtables.at(-1)!.insert(record.payload.subarray(skippedBytes), first);
}

function unreadableWords(error: unknown): string {
  if (!(error instanceof FileSystemError)) throw error;
  return error.message;
}

function unreadable(error: unknown): undefined {
  if (!(error instanceof FileSystemError)) throw error;
  return undefined;
}
