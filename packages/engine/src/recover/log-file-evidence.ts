/** What was found in one log file, before it is judged, and small judgements that need nothing else. */

import type { FileNumber } from '../key/internal-key.ts';
import type { LogExamination } from './examine-log.ts';
import { fileReport, opening } from './file-report.ts';
import type { FileDamage, OpeningAction, RecoveredFile, RecoveredFileState } from './recovery-report.ts';

export interface LogFileEvidence {
  readonly name: string;
  readonly fileNumber: FileNumber;
  readonly bytes: number;
  readonly examination: LogExamination;
}

export interface Torn {
  readonly offset: number;
  readonly reason: string;
  readonly bytesCut: number;
}

export interface FoundLog {
  readonly damage: readonly FileDamage[];
  readonly torn: Torn | undefined;
  /** `intact` for a file that is needed, or when nobody can tell. */
  readonly state: RecoveredFileState;
  readonly entryCount: number | null;
  readonly action: OpeningAction;
  readonly recordsReplayed: number;
}

/** What a manifest is that is not in force; nobody can tell when CURRENT is lost. */
export function sideOf(fileNumber: FileNumber, inForce: FileNumber | undefined): RecoveredFileState {
  if (inForce === undefined) return 'intact';
  return fileNumber < inForce ? 'obsolete' : 'orphan';
}

export function tornByItself({ gaps }: LogExamination): Torn | undefined {
  const [first] = gaps;
  return first === undefined ? undefined : { offset: first.offset, reason: first.reason, bytesCut: 0 };
}

/** A header that was never finished, and nothing behind it. */
export function isBlank({ header, recordCount, gaps }: LogExamination): boolean {
  return header.state === 'damaged' && recordCount === 0 && gaps.length === 0;
}

/** A segment beside a store without a log of its own: not this store's, so nothing of it is judged. */
export function strayLogReport({ name, bytes, examination }: LogFileEvidence, action: OpeningAction): RecoveredFile {
  return fileReport({
    name,
    kind: 'wal',
    state: 'orphan',
    bytes,
    formatVersion: examination.header.formatVersion,
    reason: 'the store has no log of its own',
    recordCount: examination.recordCount,
    entryCount: examination.ordinalCount,
    firstSequence: examination.firstOrdinal ?? null,
    lastSequence: examination.lastOrdinal ?? null,
    opening: opening(action),
  });
}
