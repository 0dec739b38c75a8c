/** A store made of its parts, without an engine around it: what checkpoints and backups are taken from. */

import { VirtualClock } from '@kayadb/testkit';
import type { FileSystem } from '@kayadb/vfs';
import { FaultyFileSystem, MemoryFileSystem } from '@kayadb/vfs/testing';

import { publishCurrent } from '../../src/files/current-file.ts';
import { WAL_MAGIC } from '../../src/files/file-header.ts';
import { tableFileName, walFileName } from '../../src/files/file-names.ts';
import { pickObsoleteFiles } from '../../src/files/obsolete-files.ts';
import { LogWriter } from '../../src/log/log-writer.ts';
import type { RangeDelete } from '../../src/range-delete/range-delete.ts';
import type { SourceStore } from '../../src/snapshot/source-store.ts';
import { parseEntries } from '../../src/testing/lsm-notation.ts';
import { TEST_STORE_ID, writeTable } from '../../src/testing/write-table.ts';
import { ManifestWriter } from '../../src/version/manifest.ts';
import { fullStateEdit, type StoreState } from '../../src/version/store-state.ts';
import { VersionSet } from '../../src/version/version-set.ts';
import { EMPTY_LEVELS } from '../../src/version/version.ts';

export const SOURCE = '/db';
/** Where the log of every test source stands. */
const END_LSN = 4096;

/** What `describeStore` says of a copy of `filledSource`. */
export const WHOLE_COPY: object = {
  verdict: 'clean',
  cleanClose: true,
  damage: [],
  lastSequence: 16,
  lastLsn: END_LSN,
  durableIndex: null,
  rangeDeleteCount: 0,
  tables: ['000003.sst', '000004.sst'],
  opening: { outcome: 'opens', recordsReplayed: 0, walTruncatedBytes: 0 },
};

export class TestSource implements SourceStore {
  readonly directory = SOURCE;
  readonly storeId = TEST_STORE_ID;
  readonly wal: { readonly endLsn: number };
  readonly resources: SourceStore['resources'];
  readonly versions: VersionSet;

  private constructor(fileSystem: FileSystem, versions: VersionSet, endLsn: number) {
    this.resources = { fileSystem, clock: new VirtualClock(), yieldTurn: () => Promise.resolve() };
    this.versions = versions;
    this.wal = { endLsn };
  }

  /** @param durableIndex - Given, the store has no log of its own. */
  static async create(fs: FileSystem, durableIndex?: number): Promise<TestSource> {
    await fs.makeDirectory(SOURCE);
    await fs.syncDirectory('/');
    const oldestSegment = durableIndex === undefined ? 1 : 0;
    if (durableIndex === undefined) {
      const header = { magic: WAL_MAGIC, storeId: TEST_STORE_ID, fileNumber: 1, startLsn: 0 } as const;
      const log = await LogWriter.create(fs, SOURCE, walFileName(1), header);
      await log.close();
    }
    const state: StoreState = {
      nextFileNumber: 3,
      oldestSegment,
      flushedSequence: 0,
      levels: EMPTY_LEVELS,
      rangeDeletes: [],
      durableIndex,
    };
    const startManifest = async (fileNumber: number, present: StoreState): Promise<ManifestWriter> => {
      const identity = { storeId: TEST_STORE_ID, fileNumber };
      const manifest = await ManifestWriter.create(fs, SOURCE, identity, fullStateEdit(present));
      await publishCurrent(fs, SOURCE, { storeId: TEST_STORE_ID, manifestNumber: fileNumber });
      return manifest;
    };
    const hooks = { startManifest, onObsolete: () => undefined };
    const versions = new VersionSet(state, await startManifest(2, state), hooks);
    return new TestSource(fs, versions, durableIndex === undefined ? END_LSN : 0);
  }

  /** Flushes a table of `entries`, in the notation of tests. @returns Its file name. */
  async addTable(
    entries: string,
    more: { durableIndex?: number; rangeDeletes?: readonly RangeDelete[] } = {},
  ): Promise<string> {
    const { fileSystem } = this.resources;
    const fileNumber = this.versions.reserveTable();
    const path = `${SOURCE}/${tableFileName(fileNumber)}`;
    const table = await writeTable(fileSystem, path, parseEntries(entries), { fileNumber, blockBytes: 64 });
    await fileSystem.syncDirectory(SOURCE);
    const { durableIndex, rangeDeletes = [] } = more;
    await this.versions.apply({
      addedTables: [{ level: 0, table }],
      addedRangeDeletes: rangeDeletes,
      flushedSequence: Math.max(table.largestSequence, ...rangeDeletes.map(({ sequence }) => sequence)),
      ...(durableIndex !== undefined && { durableIndex }),
    });
    return tableFileName(fileNumber);
  }

  /** What a compaction that finds nothing worth keeping does: every table goes. */
  async dropTables(): Promise<void> {
    const removedTables = this.versions.current.levels.flatMap((tables, level) =>
      tables.map(({ fileNumber }) => ({ level, fileNumber })),
    );
    await this.versions.apply({ removedTables });
  }

  /** Removes the files that nobody needs, as background work does. */
  async sweep(): Promise<void> {
    const { fileSystem } = this.resources;
    const names = (await fileSystem.readDirectory(SOURCE)).map(({ name }) => name);
    const { versions } = this;
    const inUse = {
      tables: versions.liveTables(),
      manifestNumber: versions.manifestNumber,
      oldestSegment: versions.oldestSegment,
      nextFileNumber: versions.nextFileNumber,
    };
    for (const name of pickObsoleteFiles(names, inUse)) await fileSystem.unlink(`${SOURCE}/${name}`);
  }
}

/** Eight entries, one after another. */
function eightEntries(from: number): string {
  return Array.from(
    { length: 8 },
    (_, i) => `k${String(from + i).padStart(3, '0')}#${from + i},SET:${'v'.repeat(20)}`,
  ).join(' ');
}

/** Two tables of several blocks. */
export async function filledSource(fs: FileSystem, durableIndex?: number): Promise<TestSource> {
  const source = await TestSource.create(fs, durableIndex);
  await source.addTable(eightEntries(1), durableIndex === undefined ? {} : { durableIndex: durableIndex + 5 });
  await source.addTable(eightEntries(9), durableIndex === undefined ? {} : { durableIndex: durableIndex + 9 });
  return source;
}

/** How many calls of the file system `work` makes on a `filledSource`. */
export async function countOperations(work: (source: TestSource) => Promise<unknown>): Promise<number> {
  const fs = new FaultyFileSystem(new MemoryFileSystem());
  const source = await filledSource(fs);
  const before = fs.countOf();
  await work(source);
  return fs.countOf() - before;
}
