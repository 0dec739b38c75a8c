/** Small makers of report entries, so that every entry has every field. */

import type {
  FileDamage,
  FileOpening,
  OpeningAction,
  RecoveredFile,
  RecoveredFileKind,
  RecoveredFileState,
} from './recovery-report.ts';

type Given = Pick<RecoveredFile, 'name' | 'kind' | 'state'> & Partial<RecoveredFile>;

/** An entry with `given`, and nothing known of the rest. Offset and reason are by default those of the first damage. */
export function fileReport(given: Given): RecoveredFile {
  const { name, kind, state, ...known } = given;
  const first: FileDamage | undefined = given.damage?.[0];
  return {
    name,
    kind,
    state,
    formatVersion: null,
    offset: first?.offset ?? null,
    reason: first?.reason ?? null,
    damage: [],
    bytes: 0,
    recordCount: null,
    entryCount: null,
    firstSequence: null,
    lastSequence: null,
    level: null,
    hasKeyRange: false,
    smallestKey: null,
    largestKey: null,
    opening: opening('none'),
    ...known,
  };
}

export function opening(action: OpeningAction, counts: Partial<Omit<FileOpening, 'action'>> = {}): FileOpening {
  return { action, recordsReplayed: 0, bytesCut: 0, ...counts };
}

/** The entry of a file whose content was not read. @param bytes - Its size, which is known all the same if it is there. */
export function unreadReport(
  name: string,
  kind: RecoveredFileKind,
  state: RecoveredFileState,
  reason: string,
  bytes = 0,
): RecoveredFile {
  return fileReport({ name, kind, state, reason, bytes });
}
