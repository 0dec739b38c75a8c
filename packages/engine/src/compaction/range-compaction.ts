/**
 * The compaction of a span of keys that somebody asked for, as a sequence of ordinary choices. Pure: each step is worked out from the
 * levels as they are then, so automatic compactions may run in between.
 *
 * Level by level from the top, what is in the span goes down: to the deepest level, and at least to the one from which on tables are
 * compressed as they are to stay. At the deepest level, tables from before the beginning are written anew, for they may hold
 * what nobody can see any more. Invariant: `level`, then `from`, only ever go forward, so it ends
 * however much is written meanwhile.
 */

import { compareBytes } from '@kayadb/codec';

import type { FileNumber } from '../key/internal-key.ts';
import { type KeySpan, spanOverlaps } from '../range-delete/range-delete.ts';
import type { TableMeta } from '../version/table-meta.ts';
import type { Levels } from '../version/version.ts';
import type { CompactionChoice } from './choice.ts';
import { MAX_JOB_TABLES, takeSlice } from './level-slice.ts';
import { deepestLevel, type LeveledOptions, totalBytes } from './level-targets.ts';
import { handDownLevel0 } from './leveled.ts';

/** How far a compaction of a span has come. */
export interface RangeCompaction {
  readonly span: KeySpan;
  /** Tables with this number or a greater one were written since it began. */
  readonly firstFresh: FileNumber;
  /** Everything goes down at least to this level, and is written anew on its way into it. */
  readonly leastLevel: number;
  /** The level at hand; those above are done. */
  readonly level: number;
  /** Largest key of what has left this level. */
  readonly from: Uint8Array | undefined;
}

export interface RangeStep {
  readonly choice: CompactionChoice;
  /** Where it goes on once the choice has been carried out. */
  readonly next: RangeCompaction;
}

export function startRangeCompaction(span: KeySpan, firstFresh: FileNumber, leastLevel = 1): RangeCompaction {
  return { span, firstFresh, leastLevel, level: 0, from: undefined };
}

/** @returns The next step; undefined when nothing is left to do. */
export function pickRangeStep(state: RangeCompaction, levels: Levels, options: LeveledOptions): RangeStep | undefined {
  const deepest = Math.max(deepestLevel(levels), state.leastLevel);
  const maxBytes = MAX_JOB_TABLES * options.tableBytes;
  for (let { level, from } = state; level <= deepest; level++, from = undefined) {
    const tables = levels[level]!.filter((table) => isDue(table, state.span, from));
    if (level === 0) {
      if (tables.length === 0) continue;
      return { choice: handDownLevel0(levels, tables), next: { ...state, level: 1, from: undefined } };
    }
    const isDeepest = level === deepest;
    const slice = isDeepest ? takeStale(tables, state.firstFresh, maxBytes) : tables;
    if (slice.length === 0) continue;
    const choice: CompactionChoice = isDeepest
      ? { kind: 'rewrite', level, inputs: slice }
      : takeSlice(level, slice, levels[level + 1]!, {
          excessBytes: Infinity,
          maxBytes,
          mayMove: level + 1 !== state.leastLevel,
        });
    return { choice, next: { ...state, level, from: largestKeyOf(choice) } };
  }
  return undefined;
}

function isDue(table: TableMeta, span: KeySpan, from: Uint8Array | undefined): boolean {
  if (from !== undefined && compareBytes(table.smallestKey, from) <= 0) return false;
  return spanOverlaps(span, table.smallestKey, table.largestKey);
}

/** The first tables from before the beginning that follow each other, as many as one job takes. */
function takeStale(tables: readonly TableMeta[], firstFresh: FileNumber, maxBytes: number): readonly TableMeta[] {
  const first = tables.findIndex(({ fileNumber }) => fileNumber < firstFresh);
  if (first === -1) return [];
  let end = first + 1;
  while (
    end < tables.length &&
    tables[end]!.fileNumber < firstFresh &&
    totalBytes(tables.slice(first, end + 1)) <= maxBytes
  ) {
    end++;
  }
  return tables.slice(first, end);
}

function largestKeyOf(choice: CompactionChoice): Uint8Array | undefined {
  if (choice.kind === 'none') return undefined;
  const tables = 'inputs' in choice ? choice.inputs : choice.tables;
  return tables[tables.length - 1]!.largestKey;
}
