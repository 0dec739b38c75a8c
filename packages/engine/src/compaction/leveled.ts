/**
 * The leveled compaction picker: pure, same levels and same pointers, same choice.
 *
 * Level 0 is due by its number of tables, since each costs every read a look; deeper levels by their bytes.
 * The level most over its target is picked first; inside a level, tables take turns by key.
 */

import { compareBytes } from '@kayadb/codec';

import { LEVEL_COUNT, type TableMeta } from '../version/table-meta.ts';
import { type Levels, overlappingTables } from '../version/version.ts';
import type { CompactionChoice } from './choice.ts';

export interface LeveledOptions {
  /** Level-0 tables that make level 0 due. */
  readonly level0Tables: number;
  /** Size at which level 1 is due; each deeper level's is ten times larger. */
  readonly level1Bytes: number;
}

const LEVEL_SIZE_FACTOR = 10;

/** Size at which `level` (1 or deeper) is due, in bytes. */
export function levelTargetBytes(level: number, options: LeveledOptions): number {
  return options.level1Bytes * LEVEL_SIZE_FACTOR ** (level - 1);
}

/** How far over its target a level is; 1 and above is due. The last level has none below it and is never due. */
export function levelScore(levels: Levels, level: number, options: LeveledOptions): number {
  if (level >= LEVEL_COUNT - 1) return 0;
  if (level === 0) return levels[0]!.length / options.level0Tables;
  return totalBytes(levels[level]!) / levelTargetBytes(level, options);
}

/**
 * @param pointers - For each level the largest key of the last compaction there; the next one starts behind it.
 */
export function pickCompaction(
  levels: Levels,
  pointers: readonly (Uint8Array | undefined)[],
  options: LeveledOptions,
): CompactionChoice {
  let level = -1;
  let best = 1;
  for (let candidate = 0; candidate < LEVEL_COUNT - 1; candidate++) {
    const score = levelScore(levels, candidate, options);
    if (score >= best && (level === -1 || score > best)) {
      level = candidate;
      best = score;
    }
  }
  if (level === -1) return { kind: 'none' };
  const inputs = level === 0 ? oldestOverlapping(levels[0]!) : [nextInTurn(levels[level]!, pointers[level])];
  const { smallest, largest } = keySpan(inputs);
  const overlaps = overlappingTables(levels[level + 1]!, smallest, largest);
  if (inputs.length === 1 && overlaps.length === 0) return { kind: 'move', level, table: inputs[0]! };
  return { kind: 'merge', level, inputs, overlaps };
}

/**
 * The oldest level-0 table and every other that overlaps it, directly or through others.
 * Taking the oldest keeps the rule that whatever stays in level 0 is newer than what goes down.
 */
function oldestOverlapping(tables: readonly TableMeta[]): readonly TableMeta[] {
  let chosen: readonly TableMeta[] = [tables[tables.length - 1]!];
  for (;;) {
    const { smallest, largest } = keySpan(chosen);
    const grown = overlappingTables(tables, smallest, largest);
    if (grown.length === chosen.length) return grown;
    chosen = grown;
  }
}

function nextInTurn(tables: readonly TableMeta[], pointer: Uint8Array | undefined): TableMeta {
  const next = pointer && tables.find((table) => compareBytes(table.smallestKey, pointer) > 0);
  return next ?? tables[0]!;
}

/** Smallest and largest user key over `tables`. Requires: at least one. */
export function keySpan(tables: readonly TableMeta[]): { readonly smallest: Uint8Array; readonly largest: Uint8Array } {
  let { smallestKey: smallest, largestKey: largest } = tables[0]!;
  for (const table of tables) {
    if (compareBytes(table.smallestKey, smallest) < 0) smallest = table.smallestKey;
    if (compareBytes(table.largestKey, largest) > 0) largest = table.largestKey;
  }
  return { smallest, largest };
}

function totalBytes(tables: readonly TableMeta[]): number {
  return tables.reduce((sum, table) => sum + table.fileBytes, 0);
}
