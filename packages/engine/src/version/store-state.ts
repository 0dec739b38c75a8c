/** What a manifest says, summed up over its edits. Format: docs/format/manifest.md. */

import { DecodeError } from '@kayadb/codec';
import type { FileSystem } from '@kayadb/vfs';

import type { CurrentFile } from '../files/current-file.ts';
import type { FileNumber, SequenceNumber } from '../key/internal-key.ts';
import { type ManifestContent, readManifest } from './manifest.ts';
import type { CleanClose, VersionEdit } from './version-edit.ts';
import { EMPTY_LEVELS, type Levels, tryApplyEdit } from './version.ts';

export interface StoreState {
  /** Greater than every file number in use when the last edit was written. */
  readonly nextFileNumber: FileNumber;
  /** Oldest write-ahead log segment still needed. */
  readonly oldestSegment: FileNumber;
  /** Tables hold every sequence number up to this one. */
  readonly flushedSequence: SequenceNumber;
  readonly levels: Levels;
  /** Only when the last edit recorded a clean close. */
  readonly cleanClose?: CleanClose | undefined;
}

/** The whole state as one edit: what a manifest begins with. */
export function fullStateEdit(state: StoreState): VersionEdit {
  return {
    nextFileNumber: state.nextFileNumber,
    oldestSegment: state.oldestSegment,
    flushedSequence: state.flushedSequence,
    addedTables: state.levels.flatMap((tables, level) => tables.map((table) => ({ level, table }))),
  };
}

/**
 * The state after one more edit.
 *
 * @param state - `undefined` before the first edit, which must be a whole state.
 * @throws DecodeError when the edit does not fit what was before.
 */
export function addEdit(state: StoreState | undefined, edit: VersionEdit): StoreState {
  const nextFileNumber = edit.nextFileNumber ?? state?.nextFileNumber;
  const oldestSegment = edit.oldestSegment ?? state?.oldestSegment;
  const flushedSequence = edit.flushedSequence ?? state?.flushedSequence;
  if (nextFileNumber === undefined || oldestSegment === undefined || flushedSequence === undefined) {
    throw new DecodeError('the first edit is not a whole state', 0);
  }
  const levels = tryApplyEdit(state?.levels ?? EMPTY_LEVELS, edit);
  if (typeof levels === 'string') throw new DecodeError(levels, 0);
  return { nextFileNumber, oldestSegment, flushedSequence, levels, cleanClose: edit.cleanClose };
}

/**
 * Reads the manifest that CURRENT names.
 *
 * @throws CorruptionError, EngineError as `readManifest` does.
 */
export async function readStoreState(
  fs: FileSystem,
  directory: string,
  { storeId, manifestNumber }: CurrentFile,
): Promise<{ readonly state: StoreState; readonly manifest: ManifestContent }> {
  let state: StoreState | undefined;
  const manifest = await readManifest(fs, directory, { storeId, fileNumber: manifestNumber }, (edit) => {
    state = addEdit(state, edit);
  });
  return { state: state!, manifest };
}
