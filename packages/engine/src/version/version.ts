/** Which tables make up the database at one moment. Immutable; a version in use keeps its tables' files alive. */

import { assert, AssertionError, compareBytes } from '@kayadb/codec';

import { SortedRun } from './sorted-run.ts';
import { LEVEL_COUNT, type TableMeta } from './table-meta.ts';
import type { VersionEdit } from './version-edit.ts';

/** `levels[0]` is newest first and may overlap; deeper levels are sorted by key and do not overlap. */
export type Levels = readonly (readonly TableMeta[])[];

export class Version {
  readonly levels: Levels;
  #users = 0;
  readonly #onUnused: (version: Version) => void;
  #runs: readonly SortedRun[] | undefined;

  constructor(levels: Levels, onUnused: (version: Version) => void) {
    this.levels = levels;
    this.#onUnused = onUnused;
  }

  /**
   * Where to look for a key, one after the other: what is in a run is newer than what is in those behind it. Each table of
   * level 0 is a run of its own, each deeper level that has tables another.
   */
  get runs(): readonly SortedRun[] {
    this.#runs ??= runsOf(this.levels);
    return this.#runs;
  }

  /** Keeps the tables' files until the matching `release()`. */
  retain(): this {
    this.#users++;
    return this;
  }

  release(): void {
    assert(this.#users > 0, 'a version is released more often than retained');
    if (--this.#users === 0) this.#onUnused(this);
  }
}

function runsOf([level0, ...deeper]: Levels): readonly SortedRun[] {
  const runs = [...level0!.map((table) => [table]), ...deeper.filter((tables) => tables.length > 0)];
  return runs.map((tables) => new SortedRun(tables));
}

export const EMPTY_LEVELS: Levels = Array.from({ length: LEVEL_COUNT }, () => []);

/**
 * The levels after `edit`.
 *
 * @returns Or, in words, what is wrong: the edit removes a table that is not there, adds one that is, or makes tables of
 * a deeper level overlap.
 */
export function tryApplyEdit(levels: Levels, edit: VersionEdit): Levels | string {
  const next = levels.map((tables) => [...tables]);
  for (const { level, fileNumber } of edit.removedTables ?? []) {
    const at = next[level]!.findIndex((table) => table.fileNumber === fileNumber);
    if (at === -1) return `table ${fileNumber} is removed from level ${level}, where it is not`;
    next[level]!.splice(at, 1);
  }
  const known = new Set(next.flatMap((tables) => tables.map(({ fileNumber }) => fileNumber)));
  for (const { level, table } of edit.addedTables ?? []) {
    if (known.has(table.fileNumber)) return `table ${table.fileNumber} is added twice`;
    known.add(table.fileNumber);
    next[level]!.push(table);
  }
  next[0]!.sort((a, b) => b.largestSequence - a.largestSequence || b.fileNumber - a.fileNumber);
  for (const tables of next.slice(1)) {
    tables.sort((a, b) => compareBytes(a.smallestKey, b.smallestKey));
    const overlap = tables.findIndex(
      (table, i) => i > 0 && compareBytes(tables[i - 1]!.largestKey, table.smallestKey) >= 0,
    );
    if (overlap !== -1) {
      return `tables ${tables[overlap - 1]!.fileNumber} and ${tables[overlap]!.fileNumber} overlap in one level`;
    }
  }
  return next;
}

/** The levels after `edit`. Requires: an edit made for these levels. */
export function applyEdit(levels: Levels, edit: VersionEdit): Levels {
  const next = tryApplyEdit(levels, edit);
  if (typeof next === 'string') throw new AssertionError(`wrong version edit: ${next}`);
  return next;
}

/** The table of a sorted level that may hold `key`, by binary search. */
export function findTable(tables: readonly TableMeta[], key: Uint8Array): TableMeta | undefined {
  const table = tables[findTableIndex(tables, key)];
  return table !== undefined && compareBytes(table.smallestKey, key) <= 0 ? table : undefined;
}

/** Index of the first table of a sorted level whose largest key is at or after `key`; the length if there is none. */
export function findTableIndex(tables: readonly TableMeta[], key: Uint8Array): number {
  let low = 0;
  let high = tables.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareBytes(tables[middle]!.largestKey, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Tables that hold keys in `[smallest, largest]`, in the order given. */
export function overlappingTables(
  tables: readonly TableMeta[],
  smallest: Uint8Array,
  largest: Uint8Array,
): readonly TableMeta[] {
  return tables.filter(
    (table) => compareBytes(table.smallestKey, largest) <= 0 && compareBytes(table.largestKey, smallest) >= 0,
  );
}
