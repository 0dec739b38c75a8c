/** Carries a compaction choice out: merges tables into the next level, rewrites them in theirs, or only says where they belong. */

import { assertNever } from '@kayadb/codec';

import type { SequenceNumber } from '../key/internal-key.ts';
import type { TableMeta } from '../version/table-meta.ts';
import type { RemovedTable } from '../version/version-edit.ts';
import type { VersionSet } from '../version/version-set.ts';
import type { Levels } from '../version/version.ts';
import { withRangeDeletesApplied } from './applied-range-deletes.ts';
import { checkTables, type TableCheck } from './check-tables.ts';
import type { CompactionChoice } from './choice.ts';
import { overlapsOfAll } from './level-slice.ts';
import type { TableMaker } from './table-maker.ts';
import type { MergeTablesJob, TableJob } from './table-work.ts';

export interface CompactionJob {
  readonly versions: VersionSet;
  readonly maker: TableMaker;
  readonly check: TableCheck;
  /** Open now, ascending. */
  readonly snapshots: readonly SequenceNumber[];
  readonly directory: string;
  /** What new tables of a level have in common. */
  readonly tableOf: (level: number) => TableJob['table'];
  readonly targetBytes: number;
  readonly bytesPerSecond: number;
  readonly signal: AbortSignal;
}

export interface CompactionResult {
  readonly fromLevel: number;
  readonly toLevel: number;
  /** Of both levels. */
  readonly inputs: readonly TableMeta[];
  readonly outputs: readonly TableMeta[];
  /** Whether tables were read and written, not only moved or removed. */
  readonly isRewritten: boolean;
}

type Rewriting = Extract<CompactionChoice, { kind: 'merge' | 'rewrite' }>;

/** @returns What was done, or `undefined` when nothing was due. */
export async function runCompaction(
  choice: CompactionChoice,
  job: CompactionJob,
): Promise<CompactionResult | undefined> {
  switch (choice.kind) {
    case 'none':
      return undefined;
    case 'move': {
      const { level, tables } = choice;
      const removedTables = removals(level, tables);
      await job.versions.apply({ removedTables, addedTables: tables.map((table) => ({ level: level + 1, table })) });
      return { fromLevel: level, toLevel: level + 1, inputs: tables, outputs: tables, isRewritten: false };
    }
    case 'drop': {
      const { level, tables } = choice;
      await job.versions.apply({ removedTables: removals(level, tables) });
      return { fromLevel: level, toLevel: level, inputs: tables, outputs: [], isRewritten: false };
    }
    case 'merge':
    case 'rewrite':
      return await rewrite(choice, job);
    default:
      return assertNever(choice, 'compaction choice');
  }
}

async function rewrite(choice: Rewriting, job: CompactionJob): Promise<CompactionResult> {
  const { versions, maker, check, snapshots, signal } = job;
  const { level } = choice;
  const toLevel = choice.kind === 'merge' ? level + 1 : level;
  const overlaps = choice.kind === 'merge' ? choice.overlaps : [];
  const inputs = [...choice.inputs, ...overlaps];
  // Both are read now: every range delete up to the flushed sequence is among these, or spent.
  const { rangeDeletes, flushedSequence } = versions;
  const version = versions.current.retain();
  try {
    const written = await maker.merge(describeMerge(choice, inputs, toLevel, version.levels, job), signal);
    await checkTables(written, check, versions);
    const outputs = withRangeDeletesApplied(written, rangeDeletes, flushedSequence, snapshots);
    await versions.apply({
      removedTables: [...removals(level, choice.inputs), ...removals(toLevel, overlaps)],
      addedTables: outputs.map((table) => ({ level: toLevel, table })),
    });
    return { fromLevel: level, toLevel, inputs, outputs, isRewritten: true };
  } finally {
    version.release();
  }
}

function describeMerge(
  choice: Rewriting,
  inputs: readonly TableMeta[],
  toLevel: number,
  levels: Levels,
  { versions, snapshots, directory, tableOf, targetBytes, bytesPerSecond }: CompactionJob,
): MergeTablesJob {
  // Level-0 tables overlap, so each is a run of its own; the tables of any other level follow each other.
  const upper = choice.level === 0 ? choice.inputs.map((table) => [table]) : [choice.inputs];
  const runs = choice.kind === 'merge' && choice.overlaps.length > 0 ? [...upper, choice.overlaps] : upper;
  return {
    directory,
    snapshots,
    rangeDeletes: versions.rangeDeletes,
    table: tableOf(toLevel),
    // Splitting a table of level 0 would make two of what costs every read a look.
    targetBytes: toLevel === 0 ? Number.POSITIVE_INFINITY : targetBytes,
    bytesPerSecond,
    runs,
    below: toLevel === 0 ? 'everywhere' : levels.slice(toLevel + 1).map((tables) => overlapsOfAll(tables, inputs)),
  };
}

function removals(level: number, tables: readonly TableMeta[]): readonly RemovedTable[] {
  return tables.map(({ fileNumber }) => ({ level, fileNumber }));
}
