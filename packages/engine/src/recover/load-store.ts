/**
 * Reads everything that opening a store needs, and changes nothing: CURRENT, manifest, live tables, write-ahead log.
 * Formats: docs/format/files.md, docs/format/manifest.md, docs/format/wal.md.
 */

import type { DirectoryEntry, FileSystem } from '@kayadb/vfs';

import { BACKUP_FILE } from '../backup/backup-format.ts';
import { CorruptionError, EngineError } from '../errors.ts';
import { type CurrentFile, readCurrent } from '../files/current-file.ts';
import { FILE_HEADER_BYTES } from '../files/file-header.ts';
import { CURRENT_FILE, manifestFileName, parseFileName, tableFileName, walFileName } from '../files/file-names.ts';
import type { FileNumber, SequenceNumber } from '../key/internal-key.ts';
import { Memtable } from '../memtable/memtable.ts';
import type { RangeDelete } from '../range-delete/range-delete.ts';
import type { ManifestContent } from '../version/manifest.ts';
import { readStoreState, type StoreState } from '../version/store-state.ts';
import type { Levels } from '../version/version.ts';
import { NO_SEGMENT, type ReplayedWal, type ReplayVisitor, replayWal } from '../wal/wal-replay.ts';

/** A store as it lies on disk, with the writes that are only in the log. */
export interface LoadedStore {
  readonly storeId: Uint8Array;
  readonly levels: Levels;
  /** Those of the manifest and, once the memtables are in tables, those of the memtables. */
  readonly rangeDeletes: readonly RangeDelete[];
  /** With an external log; otherwise undefined. */
  readonly durableIndex: number | undefined;
  /** What the log holds beyond the tables, oldest first. */
  readonly memtables: readonly Memtable[];
  readonly lastSequence: SequenceNumber;
  /** Where the log goes on. */
  readonly endLsn: number;
  /** Greater than every file number in the directory. */
  readonly nextFileNumber: FileNumber;
  /** No edit of the manifest, and none that a crash may still take from its end, names a table with this number or a greater one. */
  readonly unnamedFrom: FileNumber;
  readonly recoveredRecords: number;
  readonly verdict?: ReplayedWal['verdict'];
  readonly cleanClose: boolean;
}

/** What the files of a store say, before anything is made of it. */
export interface StoreOnDisk {
  readonly current: CurrentFile;
  readonly state: StoreState;
  readonly manifest: ManifestContent;
  readonly wal: ReplayedWal;
  /** Greater than every file number in the directory, and every one that the manifest knows of. */
  readonly nextFileNumber: FileNumber;
}

/**
 * Reads the store in `directory` as opening does, and hands out what its log holds beyond the tables.
 *
 * @returns `undefined` when the directory holds no store.
 * @throws CorruptionError when anything that may have been acknowledged is damaged or missing.
 * @throws EngineError KAYA_UNSUPPORTED when a newer version wrote it; KAYA_STORE_IS_BACKUP when it is a backup.
 */
export async function readStore(
  fs: FileSystem,
  directory: string,
  visit: ReplayVisitor,
): Promise<StoreOnDisk | undefined> {
  const entries = await fs.readDirectory(directory);
  refuseBackup(directory, entries);
  const current = await readCurrent(fs, directory);
  if (current === undefined) {
    await refuseLostCurrent(fs, directory, entries);
    return undefined;
  }
  const { state, manifest } = await readStoreState(fs, directory, current);
  refuseMixedLog(state, current);
  refuseLostEdit(state, manifest, entries);
  await checkLiveTables(fs, directory, state.levels);
  const wal = await replayWal(
    {
      fs,
      directory,
      storeId: current.storeId,
      segments: fileNumbers(entries, 'wal'),
      oldestSegment: state.oldestSegment,
      flushedSequence: state.flushedSequence,
      cleanClose: state.cleanClose,
    },
    visit,
  );
  return { current, state, manifest, wal, nextFileNumber: Math.max(state.nextFileNumber, nextFileNumber(entries)) };
}

/**
 * Loads the store in `directory`.
 *
 * @param memtableBytes - Size at which a memtable is left for the next one.
 * @returns `undefined` when the directory holds no store.
 * @throws CorruptionError, EngineError as `readStore` does.
 */
export async function loadStore(
  fs: FileSystem,
  directory: string,
  memtableBytes: number,
): Promise<LoadedStore | undefined> {
  const memtables: Memtable[] = [];
  let recoveredRecords = 0;
  const store = await readStore(fs, directory, ({ payload, firstSequence }) => {
    recoveredRecords++;
    if (memtables.length === 0 || memtables.at(-1)!.dataBytes >= memtableBytes) memtables.push(new Memtable());
    memtables.at(-1)!.insert(payload, firstSequence);
  });
  if (store === undefined) return undefined;
  const { current, state, wal } = store;
  return {
    storeId: current.storeId,
    levels: state.levels,
    rangeDeletes: [...state.rangeDeletes, ...memtables.flatMap(({ rangeDeletes }) => rangeDeletes)],
    durableIndex: state.durableIndex,
    memtables,
    lastSequence: wal.lastSequence,
    endLsn: wal.endLsn,
    nextFileNumber: store.nextFileNumber,
    unnamedFrom: state.nextFileNumber,
    recoveredRecords,
    verdict: wal.verdict,
    cleanClose: state.cleanClose !== undefined,
  };
}

/** One more than the largest file number among `entries`; 1 when there is none. */
export function nextFileNumber(entries: readonly DirectoryEntry[]): FileNumber {
  const numbers = (['wal', 'table', 'manifest'] as const).flatMap((kind) => fileNumbers(entries, kind));
  return 1 + numbers.reduce((largest, number) => Math.max(largest, number), 0);
}

function fileNumbers(entries: readonly DirectoryEntry[], wanted: 'wal' | 'table' | 'manifest'): readonly FileNumber[] {
  return entries.flatMap(({ name }) => {
    const parsed = parseFileName(name);
    return parsed.kind === wanted ? [parsed.fileNumber] : [];
  });
}

/** Opening writes, and a backup that has been written to is none any more. */
function refuseBackup(directory: string, entries: readonly DirectoryEntry[]): void {
  if (!entries.some(({ name }) => name === BACKUP_FILE)) return;
  throw new EngineError(
    'KAYA_STORE_IS_BACKUP',
    `${directory} is a backup, which is never opened itself; restore it into a new directory and open that`,
  );
}

/** A directory without CURRENT is new, unless a table or a segment with records says otherwise. */
async function refuseLostCurrent(fs: FileSystem, directory: string, entries: readonly DirectoryEntry[]): Promise<void> {
  for (const { name } of entries) {
    const { kind } = parseFileName(name);
    const isEvidence =
      kind === 'table' || (kind === 'wal' && ((await fs.stat(`${directory}/${name}`))?.bytes ?? 0) > FILE_HEADER_BYTES);
    if (isEvidence) {
      throw new CorruptionError(
        CURRENT_FILE,
        0,
        `it is missing although ${name} holds data; see the ways out with kayactl recover --plan`,
      );
    }
  }
}

/** A store keeps the kind of log that it was created with: its own, or a durable index for somebody else's. */
function refuseMixedLog(state: StoreState, { manifestNumber }: CurrentFile): void {
  const what = describeMixedLog(state);
  if (what !== undefined) throw new CorruptionError(manifestFileName(manifestNumber), FILE_HEADER_BYTES, what);
}

function describeMixedLog(state: StoreState): string | undefined {
  const { oldestSegment, durableIndex, cleanClose, flushedSequence } = state;
  if (oldestSegment === NO_SEGMENT) {
    if (durableIndex === undefined) return 'it names neither a log segment nor a durable index';
    const isClosedAtEnd =
      cleanClose === undefined ||
      (cleanClose.segment === NO_SEGMENT && cleanClose.endLsn === 0 && cleanClose.lastSequence === flushedSequence);
    return isClosedAtEnd ? undefined : 'it closes a store without a log of its own somewhere in a log';
  }
  if (durableIndex !== undefined) return 'it names both a log segment and a durable index';
  return cleanClose?.segment === NO_SEGMENT ? 'it closes a store with a log of its own outside of it' : undefined;
}

/**
 * A last edit that does not verify may be dropped only if all that it replaced is still there; otherwise it had been in
 * effect, and it is the manifest that is damaged.
 */
function refuseLostEdit(state: StoreState, { verdict }: ManifestContent, entries: readonly DirectoryEntry[]): void {
  if (verdict.kind !== 'torn') return;
  const present = new Set(entries.map(({ name }) => name));
  const needed = [
    ...(state.oldestSegment === NO_SEGMENT ? [] : [walFileName(state.oldestSegment)]),
    ...state.levels.flat().map((table) => tableFileName(table.fileNumber)),
  ];
  const missing = needed.find((name) => !present.has(name));
  if (missing === undefined) return;
  throw new CorruptionError(
    verdict.file,
    verdict.offset,
    `the edit here does not verify, and it had been in effect: ${missing}, which the edits before it need, is gone`,
  );
}

async function checkLiveTables(fs: FileSystem, directory: string, levels: Levels): Promise<void> {
  for (const { fileNumber, fileBytes } of levels.flat()) {
    const name = tableFileName(fileNumber);
    const stat = await fs.stat(`${directory}/${name}`);
    if (stat === undefined) throw new CorruptionError(name, 0, 'the manifest names this table, and it is missing');
    if (stat.bytes !== fileBytes) {
      throw new CorruptionError(
        name,
        Math.min(stat.bytes, fileBytes),
        `the manifest says that the table has ${fileBytes} bytes, and it has ${stat.bytes}`,
      );
    }
  }
}
