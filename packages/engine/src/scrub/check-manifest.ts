/** CURRENT and the manifest in force, read back from disk and compared with what the open store knows. */

import { DecodeError, equalBytes } from '@kayadb/codec';
import { type FileSystem, FileSystemError, isNotFound } from '@kayadb/vfs';

import { CorruptionError } from '../errors.ts';
import { readCurrent } from '../files/current-file.ts';
import { CURRENT_FILE, manifestFileName } from '../files/file-names.ts';
import type { FileNumber, SequenceNumber } from '../key/internal-key.ts';
import type { RangeDelete } from '../range-delete/range-delete.ts';
import { readManifest } from '../version/manifest.ts';
import { fullStateEdit, type StoreState } from '../version/store-state.ts';
import { type AddedTable, encodeVersionEdit, type VersionEdit } from '../version/version-edit.ts';

export interface ExpectedManifest {
  readonly storeId: Uint8Array;
  readonly manifestNumber: FileNumber;
  /** What the edits of the manifest add up to. */
  readonly state: StoreState;
}

/**
 * Requires: no edit is being appended and no manifest replaced meanwhile. So whatever is on disk was synced, and must be there.
 *
 * @returns What is damaged or not what it should be; empty when all is well.
 * @throws FileSystemError, EngineError for what keeps it from being read and is no damage.
 */
export async function checkManifest(
  fs: FileSystem,
  directory: string,
  expected: ExpectedManifest,
): Promise<readonly CorruptionError[]> {
  const current = await asDamage(CURRENT_FILE, () => checkCurrent(fs, directory, expected));
  const manifest = await asDamage(manifestFileName(expected.manifestNumber), () => checkState(fs, directory, expected));
  return [current, manifest].filter((found) => found !== undefined);
}

async function checkCurrent(fs: FileSystem, directory: string, expected: ExpectedManifest): Promise<void> {
  const current = await readCurrent(fs, directory);
  if (current === undefined) throw new CorruptionError(CURRENT_FILE, 0, 'it is missing, and the store is open');
  if (!equalBytes(current.storeId, expected.storeId) || current.manifestNumber !== expected.manifestNumber) {
    throw new CorruptionError(
      CURRENT_FILE,
      0,
      `it names ${manifestFileName(current.manifestNumber)} and not ${manifestFileName(expected.manifestNumber)} of this store`,
    );
  }
}

async function checkState(fs: FileSystem, directory: string, expected: ExpectedManifest): Promise<void> {
  const { storeId, manifestNumber: fileNumber, state } = expected;
  const file = manifestFileName(fileNumber);
  const sum = new EditSum();
  const { verdict } = await readManifest(fs, directory, { storeId, fileNumber }, (edit) => sum.add(edit));
  if (verdict.kind === 'torn') {
    throw new CorruptionError(file, verdict.offset, `an edit that was in effect does not verify: ${verdict.reason}`);
  }
  const known = new EditSum();
  known.add(fullStateEdit(state));
  if (!equalBytes(sum.encode(), known.encode())) {
    throw new CorruptionError(
      file,
      verdict.offset,
      'its edits up to here do not add up to the state of the open store',
    );
  }
}

/** What edits come to, at the cost of their own size: applying each to the levels of a large store would take the thread for long. */
class EditSum {
  #last: VersionEdit = {};
  readonly #tables = new Map<FileNumber, AddedTable>();
  readonly #rangeDeletes = new Map<SequenceNumber, RangeDelete>();

  add(edit: VersionEdit): void {
    const { removedTables, addedTables, removedRangeDeletes, addedRangeDeletes } = edit;
    for (const { fileNumber } of removedTables ?? []) this.#tables.delete(fileNumber);
    for (const added of addedTables ?? []) this.#tables.set(added.table.fileNumber, added);
    for (const sequence of removedRangeDeletes ?? []) this.#rangeDeletes.delete(sequence);
    for (const one of addedRangeDeletes ?? []) this.#rangeDeletes.set(one.sequence, one);
    const { oldestSegment, flushedSequence, durableIndex } = edit;
    if (oldestSegment !== undefined) this.#last = { ...this.#last, oldestSegment };
    if (flushedSequence !== undefined) this.#last = { ...this.#last, flushedSequence };
    if (durableIndex !== undefined) this.#last = { ...this.#last, durableIndex };
  }

  encode(): Uint8Array {
    return encodeVersionEdit({
      ...this.#last,
      // The number that memory draws next is always ahead of the disk.
      nextFileNumber: 1,
      addedTables: [...this.#tables.values()].toSorted((a, b) => a.table.fileNumber - b.table.fileNumber),
      addedRangeDeletes: [...this.#rangeDeletes.values()].toSorted((a, b) => a.sequence - b.sequence),
    });
  }
}

/** A file that is missing, and a bad sector, are damage too. */
async function asDamage(file: string, check: () => Promise<void>): Promise<CorruptionError | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    if (error instanceof CorruptionError) return error;
    if (error instanceof DecodeError) return new CorruptionError(file, 0, error.message);
    if (isNotFound(error)) return new CorruptionError(file, 0, 'it is missing, and the store is open');
    if (!(error instanceof FileSystemError) || error.code !== 'KAYA_IO') throw error;
    return new CorruptionError(file, 0, `the disk does not give it: ${error.message}`, { cause: error });
  }
}
