/**
 * How large the levels should be, for the size that the store has now. Pure.
 *
 * What level 0 hands down at a time is the base. The deepest level holds most of the data and is never due; the levels between grow
 * by one ratio, which follows from the store's size (as RocksDB's dynamic level bytes, but filled from the top, so that a small
 * store has one level). The ratio stays below `MAX_RATIO`: a merge rewrites about that many bytes below for each that goes
 * down. Why, and the figures: docs/decisions/20261122-background-workers.md.
 */

import { LEVEL_COUNT, type TableMeta } from '../version/table-meta.ts';
import type { Levels } from '../version/version.ts';

export interface LeveledOptions {
  /** Level-0 tables that make level 0 due. */
  readonly level0Tables: number;
  /** Least size that level 1 is given, in bytes. */
  readonly level1Bytes: number;
  /** Size of a memtable, so about of a level-0 table, in bytes. */
  readonly memtableBytes: number;
  /** Size at which a merge starts a new table, in bytes. */
  readonly tableBytes: number;
}

/** Bound: how many times larger a level may be than the one above, before there is one more. */
const MAX_RATIO = 3;

/**
 * @returns For each level the bytes above which it is due; Infinity for level 0, which is due by its number of tables, and from
 * the deepest one on.
 */
export function levelTargets(levels: Levels, options: LeveledOptions): readonly number[] {
  const base = Math.max(options.level1Bytes, options.level0Tables * options.memtableBytes);
  const bytes = levels.map(totalBytes);
  const total = bytes.reduce((sum, size) => sum + size, 0) - bytes[0]!;
  const wanted = Math.ceil(Math.log(Math.max(total / base, 1)) / Math.log(MAX_RATIO));
  const depth = Math.min(LEVEL_COUNT - 1, Math.max(1, wanted, deepestLevel(levels)));
  const ratio = Math.max(1, total / base) ** (1 / depth);
  return levels.map((_, level) => (level === 0 || level >= depth ? Infinity : base * ratio ** level));
}

/** How far over its target a level is; 1 and above is due. */
export function levelScore(levels: Levels, level: number, targets: readonly number[], options: LeveledOptions): number {
  return level === 0 ? levels[0]!.length / options.level0Tables : totalBytes(levels[level]!) / targets[level]!;
}

/** What compaction has still to move down to bring every level to its size, in bytes of tables. */
export function compactionDebt(levels: Levels, options: LeveledOptions): number {
  const targets = levelTargets(levels, options);
  let coming = levels[0]!.length < options.level0Tables ? 0 : totalBytes(levels[0]!);
  let debt = coming;
  for (let level = 1; level < levels.length; level++) {
    coming = Math.max(0, totalBytes(levels[level]!) + coming - targets[level]!);
    debt += coming;
  }
  return debt;
}

/** The deepest level that has tables; at least 1. */
export function deepestLevel(levels: Levels): number {
  return Math.max(
    1,
    levels.findLastIndex((tables) => tables.length > 0),
  );
}

export function totalBytes(tables: readonly TableMeta[]): number {
  let bytes = 0;
  for (const table of tables) bytes += table.fileBytes;
  return bytes;
}
