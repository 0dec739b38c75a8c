/**
 * Reads what the write-ahead log holds beyond the tables. The mirror of wal-writer.ts.
 *
 * Invariant: groups come in the order of their sequence numbers, without a gap to what the tables hold.
 * A store without a log of its own (oldest segment 0) has nothing to replay, whatever lies in its directory.
 * Format: docs/format/wal.md; docs/format/manifest.md, "Clean close".
 */

import { DecodeError } from '@kayadb/codec';
import type { FileSystem } from '@kayadb/vfs';

import { CorruptionError } from '../errors.ts';
import { WAL_MAGIC } from '../files/file-header.ts';
import { walFileName } from '../files/file-names.ts';
import type { FileNumber, SequenceNumber } from '../key/internal-key.ts';
import { decodeOperations } from '../key/write-batch.ts';
import type { LogOutcome, LogVerdict } from '../log/log-outcome.ts';
import type { LogRecord } from '../log/log-reader.ts';
import { readLog } from '../log/log-verdict.ts';
import type { CleanClose } from '../version/version-edit.ts';
import { COMMIT_GROUP_RECORD } from './wal-format.ts';

/** What the manifest of a store without a log of its own has for segments. */
export const NO_SEGMENT: FileNumber = 0;

export interface WalReplayOptions {
  readonly fs: FileSystem;
  readonly directory: string;
  readonly storeId: Uint8Array;
  /** Numbers of all segments in the directory, in any order. Those below `oldestSegment` are not read. */
  readonly segments: readonly FileNumber[];
  /** What the manifest says; 0 when the store has no log of its own. */
  readonly oldestSegment: FileNumber;
  readonly flushedSequence: SequenceNumber;
  /** From the manifest's last edit, if the store was closed in good order. */
  readonly cleanClose?: CleanClose | undefined;
}

/** Operations that were checked and follow each other; operation `i` has sequence `firstSequence + i`. */
export interface ReplayedGroup {
  readonly firstSequence: SequenceNumber;
  readonly count: number;
  /** Encoded operations: a view, valid until the visitor's promise resolves. */
  readonly payload: Uint8Array;
}

/** Gets every group, or part of a group, above the flushed sequence. May be asynchronous, to make room. */
export type ReplayVisitor = (group: ReplayedGroup) => void | Promise<void>;

export interface WalOutcome extends LogOutcome {
  /** The newest sequence number that tables or log hold. */
  readonly lastSequence: SequenceNumber;
}

export interface ReplayedWal extends WalOutcome {
  readonly verdict: Exclude<LogVerdict, { readonly kind: 'refused' }>;
  /** Where the next segment starts. */
  readonly endLsn: number;
}

/**
 * Replays the log for opening. Memory filled by `visit` must be thrown away when this rejects.
 *
 * @throws CorruptionError when anything that may have been durable is missing or damaged.
 * @throws EngineError KAYA_UNSUPPORTED when a newer version wrote it.
 */
export async function replayWal(options: WalReplayOptions, visit: ReplayVisitor): Promise<ReplayedWal> {
  const outcome = await inspectWal(options, visit);
  const { verdict } = outcome;
  if (verdict.kind === 'refused') throw verdict.error;
  return { ...outcome, verdict, endLsn: verdict.lsn };
}

/** As `replayWal`, but damage is part of the answer: for those who look into a broken store. */
export async function inspectWal(options: WalReplayOptions, visit: ReplayVisitor): Promise<WalOutcome> {
  const { fs, directory, storeId, oldestSegment, flushedSequence, cleanClose } = options;
  if (oldestSegment === NO_SEGMENT) return withoutLog(flushedSequence);
  const needed = options.segments.filter((number) => number >= oldestSegment).toSorted((a, b) => a - b);
  for (const number of [oldestSegment, cleanClose?.segment ?? oldestSegment]) {
    if (!needed.includes(number)) return missing(number, flushedSequence);
  }
  const outcome = await readLog(
    {
      fs,
      directory,
      storeId,
      magic: WAL_MAGIC,
      files: needed.map((fileNumber) => ({ file: walFileName(fileNumber), fileNumber })),
      recordKind: COMMIT_GROUP_RECORD,
      maxFirstOrdinal: flushedSequence + 1,
    },
    (record) => {
      const group = decodeGroup(record, flushedSequence);
      return group === undefined ? undefined : visit(group);
    },
  );
  const lastSequence = Math.max(flushedSequence, outcome.lastOrdinal ?? 0);
  const verdict = checkCleanClose(outcome.verdict, lastSequence, cleanClose);
  return { ...outcome, verdict, lastSequence };
}

/** @returns The part of the group above `flushedSequence`, if any. @throws DecodeError */
function decodeGroup(record: LogRecord, flushedSequence: SequenceNumber): ReplayedGroup | undefined {
  const { payload, firstOrdinal } = record;
  let skippedBytes = 0;
  let skippedCount = 0;
  const count = decodeOperations(payload, firstOrdinal, ({ sequence }, end) => {
    if (sequence > flushedSequence) return;
    skippedBytes = end;
    skippedCount++;
  });
  if (count !== record.count) throw new DecodeError(`there are ${count} operations instead of ${record.count}`, 0);
  if (skippedCount === count) return undefined;
  return {
    firstSequence: firstOrdinal + skippedCount,
    count: count - skippedCount,
    payload: payload.subarray(skippedBytes),
  };
}

/**
 * After a clean close the end is known, so a log that ends elsewhere is damaged, however it looks.
 * What stands behind that place does not matter: it was never acknowledged.
 */
function checkCleanClose(
  verdict: LogVerdict,
  lastSequence: SequenceNumber,
  cleanClose: CleanClose | undefined,
): LogVerdict {
  if (cleanClose === undefined || verdict.kind === 'refused') return verdict;
  if (verdict.lsn === cleanClose.endLsn && lastSequence === cleanClose.lastSequence) return verdict;
  const message =
    `the store was closed with the log ending at LSN ${cleanClose.endLsn}, sequence ${cleanClose.lastSequence}, ` +
    `and what is here ends at LSN ${verdict.lsn}, sequence ${lastSequence}`;
  return { kind: 'refused', error: new CorruptionError(verdict.file, verdict.offset, message) };
}

/** A log that no file holds ends at LSN 0. */
function withoutLog(flushedSequence: SequenceNumber): WalOutcome {
  const verdict = { kind: 'end', file: '', offset: 0, lsn: 0 } as const;
  return { verdict, files: [], lastOrdinal: undefined, lastSequence: flushedSequence };
}

function missing(segment: FileNumber, lastSequence: SequenceNumber): WalOutcome {
  const error = new CorruptionError(walFileName(segment), 0, 'the manifest needs this segment, and it is missing');
  return { verdict: { kind: 'refused', error }, files: [], lastOrdinal: undefined, lastSequence };
}
