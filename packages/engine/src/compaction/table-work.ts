/**
 * Making new tables of a memtable or of other tables: what a flush and a compaction have to do off the main thread. The job is plain data, so
 * that the same function does it inline and in a worker; for the same job the tables are the same, byte for byte.
 */

import type { Clock } from '@kayadb/codec';
import type { FileSystem } from '@kayadb/vfs';

import type { FileNumber, SequenceNumber } from '../key/internal-key.ts';
import { NO_RANGE_DELETES, RangeDeleteSet } from '../range-delete/range-delete-set.ts';
import type { RangeDelete } from '../range-delete/range-delete.ts';
import type { TableBuilderOptions } from '../sstable/table-builder.ts';
import type { TableMeta } from '../version/table-meta.ts';
import { findTable } from '../version/version.ts';
import { type EntryRun } from './entry-run.ts';
import { mergeRuns } from './merge-job.ts';
import { type AbortFlag, Pace } from './pace.ts';
import { Retention } from './retention.ts';
import { TableRun } from './table-run.ts';

/** What both kinds of job say. Can be posted to another thread. */
export interface TableJob {
  readonly directory: string;
  /** Open snapshots, ascending. */
  readonly snapshots: readonly SequenceNumber[];
  /** Those to apply. */
  readonly rangeDeletes: readonly RangeDelete[];
  /** What every new table has in common. */
  readonly table: Omit<TableBuilderOptions, 'fileNumber' | 'zstd'>;
  /** Size at which a table is left for the next one. */
  readonly targetBytes: number;
  /** Bound: bytes written per second; 0 for none. */
  readonly bytesPerSecond: number;
}

export interface MergeTablesJob extends TableJob {
  /** Tables of one run are sorted by key and do not overlap. */
  readonly runs: readonly (readonly TableMeta[])[];
  /**
   * Sorted tables, level by level, that may hold older versions of what is merged; `everywhere` when any key may have some.
   * A delete is needed where they do.
   */
  readonly below: readonly (readonly TableMeta[])[] | 'everywhere';
}

/** The world in which a job runs. */
export interface TableWorld {
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly yieldTurn: () => Promise<void>;
  readonly signal?: AbortFlag;
  readonly reserveTable: () => FileNumber | Promise<FileNumber>;
  readonly releaseTable: (fileNumber: FileNumber) => void;
  /** Reads and writes in the caller's turn: cheaper, for a thread that keeps nobody waiting. Default false. */
  readonly isOwnThread?: boolean;
}

/** @returns The new tables, synced, in key order; not opened again yet. */
export function mergeTables(job: MergeTablesJob, world: TableWorld): Promise<readonly TableMeta[]> {
  const { fileSystem, isOwnThread = false } = world;
  const { directory, runs, below, table } = job;
  const source = { fileSystem, directory, storeId: table.storeId, readSync: isOwnThread };
  const olderVersionsBelow =
    below === 'everywhere'
      ? () => true
      : (key: Uint8Array) => below.some((tables) => findTable(tables, key) !== undefined);
  const sharedBytes = sharedKeyBytes(runs.flat());
  return writeTables(
    job,
    world,
    runs.map((tables) => new TableRun(source, tables)),
    sharedBytes,
    olderVersionsBelow,
  );
}

/** As `mergeTables`, of a memtable's entries. Deletes are kept: older versions of a key may lie in any level. */
export function flushEntries(job: TableJob, world: TableWorld, entries: EntryRun): Promise<readonly TableMeta[]> {
  return writeTables(job, world, [entries], 0, () => true);
}

function writeTables(
  job: TableJob,
  world: TableWorld,
  runs: readonly EntryRun[],
  sharedBytes: number,
  olderVersionsBelow: (key: Uint8Array) => boolean,
): Promise<readonly TableMeta[]> {
  const { directory, table, targetBytes, snapshots, rangeDeletes, bytesPerSecond } = job;
  const { fileSystem, reserveTable, releaseTable, clock, yieldTurn, signal, isOwnThread = false } = world;
  const set = rangeDeletes.length === 0 ? NO_RANGE_DELETES : new RangeDeleteSet(rangeDeletes);
  return mergeRuns({
    runs,
    sharedBytes,
    retention: new Retention(snapshots, olderVersionsBelow, set),
    output: {
      fileSystem,
      directory,
      table: { ...table, writeSync: isOwnThread },
      targetBytes,
      reserveTable,
      releaseTable,
      checkTable: () => Promise.resolve(),
    },
    clock,
    yieldTurn,
    ...(signal !== undefined && { signal }),
    ...(bytesPerSecond > 0 && { pace: new Pace(clock, bytesPerSecond) }),
  });
}

/** How many leading bytes all keys of `tables` share: what their smallest and their largest key do. */
function sharedKeyBytes(tables: readonly TableMeta[]): number {
  const first = tables[0];
  if (first === undefined) return 0;
  let shared = first.smallestKey.length;
  for (const { smallestKey, largestKey } of tables) {
    for (const key of [smallestKey, largestKey]) {
      let same = 0;
      while (same < shared && same < key.length && key[same] === first.smallestKey[same]) same++;
      shared = same;
    }
  }
  return shared;
}
