/** What a manifest says, summed up over its edits. Format: docs/format/manifest.md. */

import { DecodeError } from '@kayadb/codec';
import type { FileSystem } from '@kayadb/vfs';

import type { CurrentFile } from '../files/current-file.ts';
import type { FileNumber, SequenceNumber } from '../key/internal-key.ts';
import type { RangeDelete } from '../range-delete/range-delete.ts';
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
  /** Those that may still hide something in the tables, by their sequence numbers ascending. */
  readonly rangeDeletes: readonly RangeDelete[];
  /** With an external log: tables hold everything up to this applied index. Otherwise undefined. */
  readonly durableIndex?: number | undefined;
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
    addedRangeDeletes: state.rangeDeletes,
    ...(state.durableIndex !== undefined && { durableIndex: state.durableIndex }),
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
  const rangeDeletes = tryEditRangeDeletes(state?.rangeDeletes ?? [], edit);
  if (typeof rangeDeletes === 'string') throw new DecodeError(rangeDeletes, 0);
  const durableIndex = edit.durableIndex ?? state?.durableIndex;
  if (durableIndex !== undefined && state !== undefined && durableIndex < (state.durableIndex ?? Infinity)) {
    throw new DecodeError('the durable index goes back, or comes late', 0);
  }
  return {
    nextFileNumber,
    oldestSegment,
    flushedSequence,
    levels,
    rangeDeletes,
    durableIndex,
    cleanClose: edit.cleanClose,
  };
}

/** The range deletes after `edit`. @returns Or, in words, what is wrong with it. */
export function tryEditRangeDeletes(
  present: readonly RangeDelete[],
  { addedRangeDeletes = [], removedRangeDeletes = [] }: VersionEdit,
): readonly RangeDelete[] | string {
  if (addedRangeDeletes.length === 0 && removedRangeDeletes.length === 0) return present;
  const bySequence = new Map(present.map((one) => [one.sequence, one]));
  for (const sequence of removedRangeDeletes) {
    if (!bySequence.delete(sequence)) return `range delete ${sequence} is removed, and it is not there`;
  }
  for (const one of addedRangeDeletes) {
    if (bySequence.has(one.sequence)) return `range delete ${one.sequence} is added twice`;
    bySequence.set(one.sequence, one);
  }
  return [...bySequence.values()].toSorted((a, b) => a.sequence - b.sequence);
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
