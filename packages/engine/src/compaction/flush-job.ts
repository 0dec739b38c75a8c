/** Moves the oldest frozen memtable into a level-0 table. */

import type { SequenceNumber } from '../key/internal-key.ts';
import type { MemtableList } from '../memtable/memtable-list.ts';
import type { TableMeta } from '../version/table-meta.ts';
import type { VersionSet } from '../version/version-set.ts';
import { withoutCovered, withRangeDeletesApplied } from './applied-range-deletes.ts';
import { checkTables, type TableCheck } from './check-tables.ts';
import type { TableMaker } from './table-maker.ts';
import type { TableJob } from './table-work.ts';

export interface FlushJob {
  readonly memtables: MemtableList;
  readonly versions: VersionSet;
  readonly maker: TableMaker;
  readonly check: TableCheck;
  /** Open now, ascending. */
  readonly snapshots: readonly SequenceNumber[];
  readonly table: TableJob['table'];
  readonly directory: string;
  /** Whether writes carry the applied index of an external log. */
  readonly hasExternalLog: boolean;
}

/**
 * Durability: the memtable's writes are in tables and its range deletes in the manifest, which says so, before the memtable is
 * forgotten; only then does its write-ahead log become obsolete.
 *
 * @returns The new tables (one, or none if nothing but range deletes was in it), or `undefined` when nothing is frozen.
 */
export async function runFlush(job: FlushJob): Promise<readonly TableMeta[] | undefined> {
  const { memtables, versions, maker, check, snapshots, table, directory, hasExternalLog } = job;
  const oldest = memtables.oldestFrozen();
  if (oldest === undefined) return undefined;
  const { memtable } = oldest;
  // Range deletes flushed before are older than anything in this memtable, so its own are all there are to apply.
  const { rangeDeletes, largestSequence } = memtable;
  const tableJob: TableJob = {
    directory,
    snapshots,
    rangeDeletes,
    table,
    targetBytes: Number.POSITIVE_INFINITY,
    bytesPerSecond: 0,
  };
  const written = memtable.entryCount === 0 ? [] : await maker.flush(tableJob, memtable);
  await checkTables(written, check, versions);
  const tables = withRangeDeletesApplied(written, rangeDeletes, largestSequence, snapshots);
  const durableIndex = hasExternalLog ? memtable.appliedIndex : undefined;
  await versions.apply({
    addedTables: tables.map((added) => ({ level: 0, table: added })),
    oldestSegment: memtables.segmentAfterOldest(),
    flushedSequence: Math.max(versions.flushedSequence, largestSequence),
    addedRangeDeletes: withoutCovered(rangeDeletes, snapshots),
    ...(durableIndex !== undefined && { durableIndex }),
  });
  memtables.dropOldest();
  return tables;
}
