/** Carries a compaction choice out: merges tables into the next level, or moves one down as it is. */

import { assertNever } from '@kayadb/codec';

import type { Cursor } from '../iterate/cursor.ts';
import { LevelCursor, type OpenTableCursor } from '../iterate/level-cursor.ts';
import { MergingCursor } from '../iterate/merging-cursor.ts';
import type { TableMeta } from '../version/table-meta.ts';
import type { VersionEdit } from '../version/version-edit.ts';
import type { VersionSet } from '../version/version-set.ts';
import { findTable, type Version } from '../version/version.ts';
import type { CompactionChoice } from './choice.ts';
import { keySpan } from './leveled.ts';
import { type MergeJob, runMergeJob } from './merge-job.ts';
import { Retention } from './retention.ts';

export interface CompactionJob extends Omit<MergeJob, 'source' | 'retention'> {
  readonly versions: VersionSet;
  readonly openTableCursor: OpenTableCursor;
  /** Open snapshots, ascending. */
  readonly snapshots: () => readonly number[];
}

export interface CompactionResult {
  readonly fromLevel: number;
  /** The largest of what left that level: where the next turn there begins. */
  readonly largestKey: Uint8Array;
  /** Of both levels. */
  readonly inputs: readonly TableMeta[];
  readonly outputs: readonly TableMeta[];
}

/** @returns What was done, or `undefined` when nothing was due. */
export async function runCompaction(
  choice: CompactionChoice,
  job: CompactionJob,
): Promise<CompactionResult | undefined> {
  switch (choice.kind) {
    case 'none':
      return undefined;
    case 'move': {
      const { level, table } = choice;
      await job.versions.apply({
        removedTables: [{ level, fileNumber: table.fileNumber }],
        addedTables: [{ level: level + 1, table }],
      });
      return { fromLevel: level, largestKey: table.largestKey, inputs: [table], outputs: [table] };
    }
    case 'merge': {
      const inputs = [...choice.inputs, ...choice.overlaps];
      const version = job.versions.current.retain();
      try {
        const outputs = await merge(choice, version, job);
        await job.versions.apply(replace(choice, outputs));
        return { fromLevel: choice.level, largestKey: keySpan(choice.inputs).largest, inputs, outputs };
      } finally {
        version.release();
      }
    }
    default:
      return assertNever(choice, 'compaction choice');
  }
}

type Merge = Extract<CompactionChoice, { kind: 'merge' }>;

function merge(choice: Merge, version: Version, job: CompactionJob): Promise<readonly TableMeta[]> {
  const deeper = version.levels.slice(choice.level + 2);
  const retention = new Retention(job.snapshots(), (key) =>
    deeper.some((tables) => findTable(tables, key) !== undefined),
  );
  return runMergeJob({ ...job, source: new MergingCursor(sources(choice, job.openTableCursor), 'forward'), retention });
}

/** Level-0 tables overlap, so each is a source of its own; the tables of any other level follow each other. */
function sources(choice: Merge, openTable: OpenTableCursor): readonly Cursor[] {
  const runs = choice.level === 0 ? choice.inputs.map((table) => [table]) : [choice.inputs];
  return [...runs, choice.overlaps].map((tables) => new LevelCursor(tables, 'forward', openTable));
}

function replace(choice: Merge, outputs: readonly TableMeta[]): VersionEdit {
  const { level } = choice;
  return {
    removedTables: [
      ...choice.inputs.map(({ fileNumber }) => ({ level, fileNumber })),
      ...choice.overlaps.map(({ fileNumber }) => ({ level: level + 1, fileNumber })),
    ],
    addedTables: outputs.map((table) => ({ level: level + 1, table })),
  };
}
