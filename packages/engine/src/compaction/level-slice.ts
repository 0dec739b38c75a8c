/** Which tables of a level go down together, so that little is rewritten and no job is long. Pure. */

import { compareBytes } from '@kayadb/codec';

import type { TableMeta } from '../version/table-meta.ts';
import { findTableIndex, overlappingTables } from '../version/version.ts';
import type { CompactionChoice } from './choice.ts';
import { totalBytes } from './level-targets.ts';

/** Bound: what one job writes, in tables of the size that merges make, unless a single input needs more. */
export const MAX_JOB_TABLES = 8;

/**
 * Tables of a sorted level to hand down: those that bring the fewest bytes of the level below with them, and their neighbours as long as
 * the job stays within `maxBytes`.
 *
 * @param excessBytes - No more than this is handed down, give or take a table.
 */
export function pickSlice(
  level: number,
  tables: readonly TableMeta[],
  below: readonly TableMeta[],
  excessBytes: number,
  maxBytes: number,
): CompactionChoice {
  const overlapBytes = tables.map((table) => totalBytes(overlapsOf(below, table)));
  let first = 0;
  for (let i = 1; i < tables.length; i++) {
    if (overlapBytes[i]! / tables[i]!.fileBytes < overlapBytes[first]! / tables[first]!.fileBytes) first = i;
  }
  return takeSlice(level, tables.slice(first), below, { excessBytes, maxBytes, mayMove: true });
}

export interface SliceBounds {
  /** No more than this is handed down, give or take a table. */
  readonly excessBytes: number;
  /** Bound: what is read, unless a single input needs more. */
  readonly maxBytes: number;
  /** Whether tables that overlap nothing may go down as they are. */
  readonly mayMove: boolean;
}

/** As `pickSlice`, beginning with the first of `tables`, which follow each other in the level. Requires: at least one. */
export function takeSlice(
  level: number,
  tables: readonly TableMeta[],
  below: readonly TableMeta[],
  { excessBytes, maxBytes, mayMove }: SliceBounds,
): CompactionChoice {
  const isMove = mayMove && overlapsOf(below, tables[0]!).length === 0;
  const inputs: TableMeta[] = [];
  let inputBytes = 0;
  for (const table of tables) {
    const grown = [...inputs, table];
    const overlaps = overlapsOfAll(below, grown);
    const isOver = inputBytes >= excessBytes || totalBytes(grown) + totalBytes(overlaps) > maxBytes;
    if (inputs.length > 0 && (isMove ? overlaps.length > 0 || inputBytes >= excessBytes : isOver)) break;
    inputs.push(table);
    inputBytes += table.fileBytes;
  }
  const overlaps = overlapsOfAll(below, inputs);
  return mayMove ? handDown(level, inputs, overlaps) : { kind: 'merge', level, inputs, overlaps };
}

/** `inputs` of `level` one level down, by a merge only if there is something to merge with. */
export function handDown(
  level: number,
  inputs: readonly TableMeta[],
  overlaps: readonly TableMeta[],
): CompactionChoice {
  const isMove = overlaps.length === 0 && (level > 0 || inputs.length === 1);
  return isMove ? { kind: 'move', level, tables: inputs } : { kind: 'merge', level, inputs, overlaps };
}

/** `chosen` of the tables of level 0 and every other that overlaps them, directly or through others. */
export function overlapClosure(tables: readonly TableMeta[], chosen: readonly TableMeta[]): readonly TableMeta[] {
  for (let closure = chosen; ;) {
    const { smallest, largest } = keySpan(closure);
    const grown = overlappingTables(tables, smallest, largest);
    if (grown.length === closure.length) return grown;
    closure = grown;
  }
}

/** Tables of a sorted level that overlap any of the keys between the smallest and the largest of `tables`. */
export function overlapsOfAll(sorted: readonly TableMeta[], tables: readonly TableMeta[]): readonly TableMeta[] {
  const { smallest, largest } = keySpan(tables);
  const first = findTableIndex(sorted, smallest);
  let end = first;
  while (end < sorted.length && compareBytes(sorted[end]!.smallestKey, largest) <= 0) end++;
  return sorted.slice(first, end);
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

function overlapsOf(sorted: readonly TableMeta[], table: TableMeta): readonly TableMeta[] {
  return overlapsOfAll(sorted, [table]);
}
