/**
 * Reads one log segment or manifest by itself, whatever its header says, and finds everything in it that is left.
 * Format: docs/format/record-log.md, docs/format/wal.md, docs/format/manifest.md.
 */

import { DecodeError } from '@kayadb/codec';
import type { FileHandle } from '@kayadb/vfs';

import { EngineError } from '../errors.ts';
import { FILE_HEADER_BYTES } from '../files/file-header.ts';
import { decodeOperations } from '../key/write-batch.ts';
import { lsnAt } from '../log/log-format.ts';
import type { LogRecord } from '../log/log-reader.ts';
import { addEdit, type StoreState } from '../version/store-state.ts';
import { decodeVersionEdit, VERSION_EDIT_RECORD, type VersionEdit } from '../version/version-edit.ts';
import { COMMIT_GROUP_RECORD } from '../wal/wal-format.ts';
import { type HeaderEvidence, type NumberedKind, readHeaderEvidence } from './file-header-evidence.ts';
import type { FileDamage } from './recovery-report.ts';
import { type LogGap, type LogWalk, walkLog } from './walk-log.ts';

export interface LogExamination {
  readonly header: HeaderEvidence;
  readonly gaps: readonly LogGap[];
  readonly recordCount: number;
  /** Ordinals that the records take up: operations, or edits. */
  readonly ordinalCount: number;
  readonly firstOrdinal: number | undefined;
  readonly lastOrdinal: number | undefined;
  /** LSN behind the last record; `undefined` without a record. */
  readonly endLsn: number | undefined;
  /** Offset behind the last byte that is part of a record or not zero. */
  readonly contentEnd: number;
  readonly durableLsn: number;
  readonly records: readonly ExaminedRecord[];
  /** Records that verify and are wrong all the same, by what they say. */
  readonly wrongRecords: readonly FileDamage[];
}

/** Where a record stands in the log, and how far it goes. */
export interface ExaminedRecord {
  readonly lsn: number;
  readonly lastOrdinal: number;
}

/** @returns What is wrong with a record that verifies, in words. */
type RecordCheck = (record: LogRecord) => string | undefined;

/** @throws FileSystemError only. */
export async function examineLog(handle: FileHandle, kind: NumberedKind, check: RecordCheck): Promise<LogExamination> {
  const header = await readHeaderEvidence(handle, kind);
  const fileBytes = await handle.size();
  let result = startTally();
  for (const seed of header.seeds) {
    const tally = startTally();
    tally.walk = await walkLog({ handle, fileBytes, seed, startLsn: header.startLsn }, (record) =>
      addRecord(tally, record, check(record)),
    );
    if (result.walk === undefined || tally.walk.recordCount > 0) result = tally;
    if (tally.walk.recordCount > 0) break;
  }
  const { walk, ...found } = result;
  return {
    ...found,
    header,
    gaps: walk?.gaps ?? [],
    recordCount: walk?.recordCount ?? 0,
    endLsn: walk === undefined || walk.recordCount === 0 ? undefined : lsnAt(header.startLsn, walk.endOffset),
    contentEnd: walk?.contentEnd ?? FILE_HEADER_BYTES,
    durableLsn: walk?.durableLsn ?? 0,
  };
}

interface Tally {
  walk: LogWalk | undefined;
  ordinalCount: number;
  firstOrdinal: number | undefined;
  lastOrdinal: number | undefined;
  readonly records: ExaminedRecord[];
  readonly wrongRecords: FileDamage[];
}

function startTally(): Tally {
  return {
    walk: undefined,
    ordinalCount: 0,
    firstOrdinal: undefined,
    lastOrdinal: undefined,
    records: [],
    wrongRecords: [],
  };
}

function addRecord(tally: Tally, record: LogRecord, wrong: string | undefined): void {
  const { firstOrdinal, count, offset, lsn } = record;
  if (wrong !== undefined) tally.wrongRecords.push({ offset, reason: wrong });
  tally.ordinalCount += count;
  tally.firstOrdinal ??= firstOrdinal;
  tally.lastOrdinal = firstOrdinal + count - 1;
  tally.records.push({ lsn, lastOrdinal: tally.lastOrdinal });
}

/** What a record of a commit group says, checked as replay does. */
export function checkGroup(
  record: LogRecord,
  visit: Parameters<typeof decodeOperations>[2] = () => {},
): string | undefined {
  if (record.kind !== COMMIT_GROUP_RECORD) return `a record of kind ${record.kind} is not known here`;
  try {
    const count = decodeOperations(record.payload, record.firstOrdinal, visit);
    return count === record.count ? undefined : `there are ${count} operations instead of ${record.count}`;
  } catch (error) {
    if (error instanceof DecodeError) return `the payload of a record is malformed: ${error.message}`;
    throw error;
  }
}

/** Sums up the edits of a manifest as they are examined. */
export class EditSum {
  /** After the last edit that fits. */
  state: StoreState | undefined;

  /** @param visit - Gets the edit even if it does not fit what was before. */
  check(record: LogRecord, visit: (edit: VersionEdit) => void = () => {}): string | undefined {
    if (record.kind !== VERSION_EDIT_RECORD) return `a record of kind ${record.kind} is not known here`;
    try {
      const edit = decodeVersionEdit(record.payload);
      visit(edit);
      this.state = addEdit(this.state, edit);
      return undefined;
    } catch (error) {
      if (error instanceof DecodeError) return `the payload of a record is malformed: ${error.message}`;
      if (error instanceof EngineError) return error.message;
      throw error;
    }
  }
}
