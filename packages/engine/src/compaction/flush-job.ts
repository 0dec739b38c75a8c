/** Moves the oldest frozen memtable into a level-0 table. */

import type { MemtableList } from '../memtable/memtable-list.ts';
import type { TableMeta } from '../version/table-meta.ts';
import type { VersionSet } from '../version/version-set.ts';
import { type MergeJob, runMergeJob } from './merge-job.ts';
import { Retention } from './retention.ts';

export interface FlushJob extends Omit<MergeJob, 'source' | 'retention' | 'signal'> {
  readonly memtables: MemtableList;
  readonly versions: VersionSet;
  /** Open snapshots, ascending. */
  readonly snapshots: () => readonly number[];
}

/**
 * Durability: the memtable's writes are in tables, and the manifest says so, before the memtable is forgotten; only
 * then does its write-ahead log become obsolete.
 *
 * @returns The new tables (one, unless a single key's versions and the target size make it more), or `undefined` when
 * nothing is frozen.
 */
export async function runFlush(job: FlushJob): Promise<readonly TableMeta[] | undefined> {
  const oldest = job.memtables.oldestFrozen();
  if (oldest === undefined) return undefined;
  const { memtable } = oldest;
  // Older versions of a key may lie in any level, so every delete is still needed.
  const retention = new Retention(job.snapshots(), () => true);
  const output = { ...job.output, targetBytes: Number.POSITIVE_INFINITY };
  const tables = await runMergeJob({ ...job, output, source: memtable.cursor('forward'), retention });
  await job.versions.apply({
    addedTables: tables.map((table) => ({ level: 0, table })),
    oldestSegment: job.memtables.segmentAfterOldest(),
    flushedSequence: memtable.largestSequence,
  });
  job.memtables.dropOldest();
  return tables;
}
