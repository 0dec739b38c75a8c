/**
 * Where the records of a sound store stand, read without the engine's code: what `allowedRows` judges by.
 * Format: docs/format/record-log.md; what the manifest's edits say is taken from `inspectFile`, of the undamaged store only.
 */

import { readU32, readU64 } from '@kayadb/codec';
import type { InspectedEdit } from '@kayadb/engine';

const FILE_HEADER_BYTES = 64;
const RECORD_HEADER_BYTES = 32;
const START_LSN_AT = 40;

/** A record of a log, in the order of the log. */
export interface LogPiece {
  readonly file: string;
  readonly offset: number;
  /** Behind the payload; the padding is not covered by the checksum. */
  readonly end: number;
  readonly lsn: number;
  /** What it vouches for: every byte of the log below. */
  readonly durableLsn: number;
  readonly firstOrdinal: number;
  readonly count: number;
}

/** What the manifest says from one edit on. */
export interface StateAtEdit {
  /** 0 with an external log. */
  readonly oldestSegment: number;
  readonly flushedSequence: number;
  readonly durableIndex: number | undefined;
  readonly closed: boolean;
  /** Names of the tables in force. */
  readonly tables: readonly string[];
}

export interface StoreLayout {
  readonly manifest: string;
  readonly edits: readonly LogPiece[];
  /** For each edit. */
  readonly states: readonly StateAtEdit[];
  /** Of all segments in the directory. */
  readonly records: readonly LogPiece[];
}

/** @param bytes - A sound log file. */
export function readPieces(file: string, bytes: Uint8Array): readonly LogPiece[] {
  const pieces: LogPiece[] = [];
  const startLsn = readU64(bytes, START_LSN_AT);
  for (let offset = FILE_HEADER_BYTES; offset + RECORD_HEADER_BYTES <= bytes.length;) {
    // No record has a count of 0: behind the last one, zeros stand.
    const count = readU32(bytes, offset + 24);
    if (count === 0) break;
    const end = offset + RECORD_HEADER_BYTES + readU32(bytes, offset + 4);
    const lsn = startLsn + offset - FILE_HEADER_BYTES;
    const durableLsn = readU64(bytes, offset + 8);
    pieces.push({ file, offset, end, lsn, durableLsn, firstOrdinal: readU64(bytes, offset + 16), count });
    offset = Math.ceil(end / 8) * 8;
  }
  return pieces;
}

/** What each edit leaves in force. */
export function sumUpEdits(edits: readonly InspectedEdit[]): readonly StateAtEdit[] {
  let state: StateAtEdit = { oldestSegment: 0, flushedSequence: 0, durableIndex: undefined, closed: false, tables: [] };
  return edits.map((edit) => {
    const removed = new Set(edit.removedTables.map(({ fileNumber }) => tableName(fileNumber)));
    const added = edit.addedTables.map(({ fileNumber }) => tableName(fileNumber));
    state = {
      oldestSegment: edit.oldestSegment ?? state.oldestSegment,
      flushedSequence: edit.flushedSequence ?? state.flushedSequence,
      durableIndex: edit.durableIndex ?? state.durableIndex,
      closed: edit.cleanClose !== null,
      // A table that moves to another level is removed and added by one edit.
      tables: [...state.tables.filter((name) => !removed.has(name)), ...added],
    };
    return state;
  });
}

export function segmentNumber(file: string): number {
  return Number.parseInt(file, 10);
}

function tableName(fileNumber: number): string {
  return `${String(fileNumber).padStart(6, '0')}.sst`;
}
