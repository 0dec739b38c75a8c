/**
 * Makes a loaded store ready for use.
 *
 * Durability: everything the log brought back is written to tables of its own, synced, before anything is built on it: what a
 * crashed process left in the page cache may never have reached the disk, and a failed fsync may have marked it clean.
 * The new state takes effect in one step, when CURRENT names the new manifest. A crash before that changes nothing.
 */

import type { FileSystem } from '@kayadb/vfs';

import { runMergeJob } from './compaction/merge-job.ts';
import { Retention } from './compaction/retention.ts';
import { Counters } from './counters.ts';
import { publishCurrent } from './files/current-file.ts';
import { parseFileName } from './files/file-names.ts';
import type { FileNumber } from './key/internal-key.ts';
import type { ResolvedOptions } from './options.ts';
import type { LoadedStore } from './recover/load-store.ts';
import type { Resources } from './resources.ts';
import { BlockCache } from './sstable/block-cache.ts';
import { TableCache } from './sstable/table-cache.ts';
import { Tables } from './sstable/tables.ts';
import { Store } from './store.ts';
import { ManifestWriter } from './version/manifest.ts';
import { fullStateEdit, type StoreState } from './version/store-state.ts';
import type { TableMeta } from './version/table-meta.ts';
import { VersionSet } from './version/version-set.ts';
import { applyEdit } from './version/version.ts';
import { ExternalLog } from './wal/external-log.ts';
import { WalWriter } from './wal/wal-writer.ts';
import type { WriteLog } from './wal/write-log.ts';
import { Poison } from './write/poison.ts';

export interface StartOptions {
  readonly directory: string;
  readonly options: ResolvedOptions;
  readonly resources: Resources;
  readonly loaded: LoadedStore;
}

/** Durability: the store, as loaded, is on disk under its new manifest once this resolves. */
export async function startStore({ directory, options, resources, loaded }: StartOptions): Promise<Store> {
  const { fileSystem, clock } = resources;
  const { storeId } = loaded;
  const blockCache = new BlockCache(options.blockCacheBytes, options.blockBytes);
  const { maxOpenTables } = options;
  const tables = new Tables(new TableCache({ fs: fileSystem, directory, storeId, blockCache, maxOpenTables }));
  let next = loaded.nextFileNumber;
  const allocate = (): FileNumber => next++;
  let wal: WriteLog | undefined;
  try {
    if (loaded.memtables.length > 0) await removeOrphanTables(fileSystem, directory, loaded.unnamedFrom);
    const recovered = await writeRecovered({ directory, options, resources, loaded }, tables, allocate);
    let allocateLater = allocate;
    const allocateFileNumber = (): FileNumber => allocateLater();
    wal =
      options.log === 'external'
        ? new ExternalLog()
        : await WalWriter.create({ fs: fileSystem, directory, storeId, startLsn: loaded.endLsn, allocateFileNumber });
    const manifestNumber = allocate();
    const state: StoreState = {
      nextFileNumber: next,
      oldestSegment: wal.fileNumber,
      flushedSequence: loaded.lastSequence,
      rangeDeletes: loaded.rangeDeletes,
      durableIndex: loaded.durableIndex,
      levels: applyEdit(loaded.levels, { addedTables: recovered.map((table) => ({ level: 0, table })) }),
    };
    const startManifest = async (fileNumber: FileNumber, present: StoreState): Promise<ManifestWriter> => {
      const identity = { storeId, fileNumber };
      const writer = await ManifestWriter.create(fileSystem, directory, identity, fullStateEdit(present));
      try {
        await publishCurrent(fileSystem, directory, { storeId, manifestNumber: fileNumber });
      } catch (error) {
        await writer.close().catch(() => undefined);
        throw error;
      }
      return writer;
    };
    const manifest = await startManifest(manifestNumber, state);
    let store: Store | undefined;
    const versions = new VersionSet(state, manifest, { startManifest, onObsolete: () => store?.onObsolete() });
    allocateLater = () => versions.newFileNumber();
    store = new Store({
      directory,
      options,
      resources,
      storeId,
      versions,
      wal,
      tables,
      blockCache,
      poison: new Poison((cause) => options.onEvent({ kind: 'poisoned', cause })),
      counters: new Counters(clock),
      lastSequence: loaded.lastSequence,
      startLsn: loaded.endLsn,
    });
    return store;
  } catch (error) {
    // The first failure is the one to report; descriptors are given back as well as they can be.
    await wal?.close().catch(() => undefined);
    await tables.close().catch(() => undefined);
    throw error;
  }
}

/**
 * Removes tables that opening attempts before this one wrote and did not get to name. They would go at its end anyway; but
 * where room is short, each attempt would leave less of it for the next.
 *
 * Durability: tables that the manifest has named and given up stay: the edit that gave them up may be in the page cache only, and
 * a power loss now would bring back the state that needs them.
 */
async function removeOrphanTables(fs: FileSystem, directory: string, unnamedFrom: FileNumber): Promise<void> {
  for (const { name } of await fs.readDirectory(directory)) {
    const parsed = parseFileName(name);
    if (parsed.kind !== 'table' || parsed.fileNumber < unnamedFrom) continue;
    // What cannot be removed is named by the next cleaning up.
    await fs.unlink(`${directory}/${name}`).catch(() => undefined);
  }
}

/** One or more level-0 tables for each recovered memtable, oldest first. */
async function writeRecovered(
  { directory, options, resources, loaded }: StartOptions,
  tables: Tables,
  allocate: () => FileNumber,
): Promise<readonly TableMeta[]> {
  const written: TableMeta[] = [];
  for (const memtable of loaded.memtables) {
    const job = runMergeJob({
      ...resources,
      source: memtable.cursor('forward'),
      // Nobody holds a snapshot yet; deletes still hide what lies in deeper levels.
      retention: new Retention([], () => true),
      output: {
        fileSystem: resources.fileSystem,
        directory,
        table: { storeId: loaded.storeId, compression: 'none', blockBytes: options.blockBytes },
        targetBytes: Number.POSITIVE_INFINITY,
        reserveTable: allocate,
        releaseTable: () => undefined,
        checkTable: (table) => tables.check(table),
      },
    });
    written.push(...(await job));
  }
  return written;
}
