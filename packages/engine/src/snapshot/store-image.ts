/**
 * The flushed state of an open store at one moment, and all of it but the tables written into another directory.
 *
 * Invariant: tables hold every write up to `flushedSequence` and nothing behind it, since memtables are flushed whole and in order;
 * so the state of the version set is a state of the store, without any log.
 */

import { publishCurrent } from '../files/current-file.ts';
import { WAL_MAGIC } from '../files/file-header.ts';
import { walFileName } from '../files/file-names.ts';
import type { FileNumber } from '../key/internal-key.ts';
import { LogWriter } from '../log/log-writer.ts';
import type { CheckpointInfo } from '../types.ts';
import { ManifestWriter } from '../version/manifest.ts';
import { fullStateEdit, type StoreState } from '../version/store-state.ts';
import type { TableMeta } from '../version/table-meta.ts';
import { NO_SEGMENT } from '../wal/wal-replay.ts';
import type { SourceStore } from './source-store.ts';

export interface StoreImage {
  readonly state: StoreState;
  readonly tables: readonly TableMeta[];
  /** Where the log of the new store begins: behind everything that the old one has handed out. */
  readonly endLsn: number;
  readonly info: CheckpointInfo;
  /** Until then the files of the tables stay. Call it once. */
  readonly release: () => void;
}

export interface ImageIdentity {
  /** 16 bytes. */
  readonly storeId: Uint8Array;
  readonly resources: Pick<SourceStore['resources'], 'fileSystem'>;
}

/** Captures what tables hold now; flush first for what was written. */
export function captureImage({ versions, wal }: SourceStore): StoreImage {
  const version = versions.current.retain();
  const { nextFileNumber, oldestSegment, flushedSequence, rangeDeletes, durableIndex } = versions;
  const { levels } = version;
  const tables = levels.flat();
  return {
    state: { nextFileNumber, oldestSegment, flushedSequence, rangeDeletes, durableIndex, levels },
    tables,
    endLsn: oldestSegment === NO_SEGMENT ? 0 : wal.endLsn,
    info: {
      sequence: flushedSequence,
      durableIndex,
      tableCount: tables.length,
      bytes: tables.reduce((sum, { fileBytes }) => sum + fileBytes, 0),
    },
    release: () => version.release(),
  };
}

/**
 * Makes a store of `directory`, in which the tables are already: an empty segment if the store has a log of its own, a manifest
 * that records a clean close, and CURRENT.
 *
 * Durability: everything in `directory` that is synced itself survives power loss once this resolves, with its name.
 * @throws FileSystemError; files may be left behind.
 */
export async function writeImage(
  { storeId, resources: { fileSystem } }: ImageIdentity,
  directory: string,
  { state, endLsn }: Pick<StoreImage, 'state' | 'endLsn'>,
): Promise<void> {
  const hasLog = state.oldestSegment !== NO_SEGMENT;
  const manifestNumber = state.nextFileNumber;
  const segment = hasLog ? manifestNumber + 1 : NO_SEGMENT;
  if (hasLog) {
    const header = { magic: WAL_MAGIC, storeId, fileNumber: segment, startLsn: endLsn } as const;
    const log = await LogWriter.create(fileSystem, directory, walFileName(segment), header);
    await log.close();
  }
  const nextFileNumber: FileNumber = manifestNumber + 2;
  const edit = {
    ...fullStateEdit({ ...state, nextFileNumber, oldestSegment: segment }),
    cleanClose: { segment, endLsn, lastSequence: state.flushedSequence },
  };
  const manifest = await ManifestWriter.create(fileSystem, directory, { storeId, fileNumber: manifestNumber }, edit);
  await manifest.close();
  await publishCurrent(fileSystem, directory, { storeId, manifestNumber });
}
