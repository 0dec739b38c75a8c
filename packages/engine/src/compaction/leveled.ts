/**
 * The leveled compaction picker: pure, same state, same choice. In this order: tables that can go unread; the level most over its
 * target (level 0 by its number of tables, since each costs every read a look; deeper levels by their bytes); tables that are mostly
 * deletes; tables that a range delete still touches.
 */

import type { SequenceNumber } from '../key/internal-key.ts';
import { type RangeDelete, spanContains } from '../range-delete/range-delete.ts';
import { mayHideEntryOf } from '../range-delete/spent.ts';
import { LEVEL_COUNT, type TableMeta } from '../version/table-meta.ts';
import type { Levels } from '../version/version.ts';
import { type CompactionChoice, NO_CHOICE } from './choice.ts';
import { handDown, MAX_JOB_TABLES, overlapClosure, overlapsOfAll, pickSlice } from './level-slice.ts';
import { type LeveledOptions, levelScore, levelTargets, totalBytes } from './level-targets.ts';

/** What a choice depends on. */
export interface CompactionState {
  readonly levels: Levels;
  /** Those of `VersionSet.rangeDeletes`. */
  readonly rangeDeletes: readonly RangeDelete[];
  /** Of the open ones; undefined when none is. */
  readonly oldestSnapshot: SequenceNumber | undefined;
}

/** Deletes of a table are worth a merge of their own from this number on, if they are more than half of its entries. */
const MIN_DELETES = 128;

/** The next compaction, of all that are due the one to run first. */
export function pickCompaction(state: CompactionState, options: LeveledOptions): CompactionChoice {
  const picks = [pickDrop, pickByScore, pickDeletes, pickRewrite];
  for (const pick of picks) {
    const choice = pick(state, options);
    if (choice.kind !== 'none') return choice;
  }
  return NO_CHOICE;
}

/** Whether nobody reads a state from before `sequence`. */
function isSeenByAll(sequence: SequenceNumber, { oldestSnapshot }: CompactionState): boolean {
  return oldestSnapshot === undefined || sequence <= oldestSnapshot;
}

function pickDrop(state: CompactionState): CompactionChoice {
  const deletes = state.rangeDeletes.filter(({ sequence }) => isSeenByAll(sequence, state));
  if (deletes.length === 0) return NO_CHOICE;
  for (const [level, tables] of state.levels.entries()) {
    const hidden = tables.filter(({ smallestKey, largestKey, largestSequence }) =>
      deletes.some((one) => one.sequence > largestSequence && spanContains(one, smallestKey, largestKey)),
    );
    if (hidden.length > 0) return { kind: 'drop', level, tables: hidden };
  }
  return NO_CHOICE;
}

function pickByScore({ levels }: CompactionState, options: LeveledOptions): CompactionChoice {
  const targets = levelTargets(levels, options);
  let level = -1;
  let best = 1;
  for (let candidate = 0; candidate < LEVEL_COUNT - 1; candidate++) {
    const score = levelScore(levels, candidate, targets, options);
    if (score >= best && (level === -1 || score > best)) {
      level = candidate;
      best = score;
    }
  }
  if (level === -1) return NO_CHOICE;
  const tables = levels[level]!;
  const below = levels[level + 1]!;
  if (level > 0) {
    const excessBytes = totalBytes(tables) - targets[level]!;
    return pickSlice(level, tables, below, excessBytes, MAX_JOB_TABLES * options.tableBytes);
  }
  // Beginning with the oldest keeps the rule that whatever stays in level 0 is newer than what goes down.
  return handDownLevel0(levels, [tables[tables.length - 1]!]);
}

/** Tables that are mostly deletes go down until these have met what they hide; where nothing lies below, the deletes go. */
function pickDeletes(state: CompactionState): CompactionChoice {
  const { levels } = state;
  for (const [level, tables] of levels.entries()) {
    const table = tables.find((one) => isMostlyDeletes(one) && isSeenByAll(one.largestSequence, state));
    if (table === undefined) continue;
    if (level === 0) return handDownLevel0(levels, [table]);
    const hasBelow = levels.slice(level + 1).some((deeper) => overlapsOfAll(deeper, [table]).length > 0);
    if (!hasBelow) return { kind: 'rewrite', level, inputs: [table] };
    return handDown(level, [table], overlapsOfAll(levels[level + 1]!, [table]));
  }
  return NO_CHOICE;
}

function pickRewrite(state: CompactionState): CompactionChoice {
  const deletes = state.rangeDeletes.filter(({ sequence }) => isSeenByAll(sequence, state));
  if (deletes.length === 0) return NO_CHOICE;
  for (const [level, tables] of state.levels.entries()) {
    const touched = tables.find((table) => deletes.some((one) => mayHideEntryOf(one, table)));
    if (touched !== undefined) return { kind: 'rewrite', level, inputs: [touched] };
  }
  return NO_CHOICE;
}

/** `chosen` tables of level 0 with all that they overlap there, into level 1. */
export function handDownLevel0(levels: Levels, chosen: readonly TableMeta[]): CompactionChoice {
  const inputs = overlapClosure(levels[0]!, chosen);
  return handDown(0, inputs, overlapsOfAll(levels[1]!, inputs));
}

function isMostlyDeletes({ deleteCount, entryCount }: TableMeta): boolean {
  return deleteCount >= MIN_DELETES && 2 * deleteCount > entryCount;
}
