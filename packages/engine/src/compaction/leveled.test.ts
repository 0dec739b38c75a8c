import { encodeUtf8 } from '@kayadb/codec';
import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { tableMeta } from '../../test/support/entries.ts';
import type { RangeDelete } from '../range-delete/range-delete.ts';
import type { TableMeta } from '../version/table-meta.ts';
import { applyEdit, EMPTY_LEVELS, type Levels } from '../version/version.ts';
import type { CompactionChoice } from './choice.ts';
import { compactionDebt, levelTargets } from './level-targets.ts';
import { type CompactionState, pickCompaction } from './leveled.ts';

const options = { level0Tables: 2, level1Bytes: 10_000, memtableBytes: 1000, tableBytes: 1000 };

function levels(...tables: readonly (readonly TableMeta[])[]): Levels {
  return EMPTY_LEVELS.map((empty, level) => tables[level] ?? empty);
}

function pick(present: Levels, more: Partial<CompactionState> = {}): CompactionChoice {
  return pickCompaction({ levels: present, rangeDeletes: [], oldestSnapshot: undefined, ...more }, options);
}

function numbers(tables: readonly TableMeta[]): readonly number[] {
  return tables.map(({ fileNumber }) => fileNumber);
}

/** `count` tables side by side, of 1,000 bytes. */
function row(firstNumber: number, count: number, more: Partial<TableMeta> = {}): readonly TableMeta[] {
  return Array.from({ length: count }, (_, i) => {
    const key = String(firstNumber + i).padStart(4, '0');
    return tableMeta(firstNumber + i, `${key}a`, `${key}z`, more);
  });
}

function rangeDelete(start: string, end: string, sequence: number): RangeDelete {
  return { start: encodeUtf8(start), end: encodeUtf8(end), sequence };
}

describe('levelTargets', () => {
  test('leave a small store with one level', () => {
    expect(levelTargets(levels([], row(1, 10)), options).slice(0, 3)).toEqual([Infinity, Infinity, Infinity]);
  });

  test('grow by one ratio from level to level of a large store, and never by more than three', () => {
    const targets = levelTargets(levels([], [], [], [tableMeta(1, 'a', 'z', { fileBytes: 269_000 })]), options);

    expect(targets[1]! / 10_000).toBeCloseTo(3, 1);
    expect(targets[2]! / targets[1]!).toBeCloseTo(targets[1]! / 10_000, 9);
    expect(targets[3]).toBe(Infinity);
  });

  test('ask for one more level once the deepest has outgrown the ratio', () => {
    const one = levelTargets(levels([], [tableMeta(1, 'a', 'z', { fileBytes: 29_000 })]), options);
    const two = levelTargets(levels([], [tableMeta(1, 'a', 'z', { fileBytes: 31_000 })]), options);

    expect([one[1], two[2]]).toEqual([Infinity, Infinity]);
    expect(two[1]).toBeLessThan(31_000);
  });
});

describe('compactionDebt', () => {
  test('counts what has to move once for each level that it has to leave', () => {
    const level1 = row(10, 60);
    const present = levels([tableMeta(2, 'a', 'z'), tableMeta(1, 'a', 'z')], level1);
    const target = levelTargets(present, options)[1]!;

    expect(compactionDebt(levels([tableMeta(1, 'a', 'z')], row(10, 3)), options)).toBe(0);
    expect(compactionDebt(present, options)).toBeCloseTo(2000 + (62_000 - target), 3);
  });
});

describe('pickCompaction by score', () => {
  test('finds nothing due in small levels', () => {
    expect(pick(levels([tableMeta(1, 'a', 'b')], [tableMeta(2, 'a', 'z')]))).toEqual({ kind: 'none' });
  });

  test('takes the oldest level-0 table with all that overlap it, through others too, and the overlaps below', () => {
    const level0 = [tableMeta(9, 'x', 'z'), tableMeta(8, 'd', 'g'), tableMeta(7, 'b', 'e'), tableMeta(6, 'a', 'c')];
    const level1 = [tableMeta(1, 'a', 'b'), tableMeta(2, 'f', 'h'), tableMeta(3, 'm', 'n')];

    const choice = pick(levels(level0, level1));

    expect(choice.kind).toBe('merge');
    if (choice.kind !== 'merge') return;
    expect(choice.level).toBe(0);
    expect(numbers(choice.inputs)).toEqual([8, 7, 6]);
    expect(numbers(choice.overlaps)).toEqual([1, 2]);
  });

  test('moves a table that overlaps nothing below', () => {
    const table = tableMeta(6, 'a', 'c');

    const choice = pick(levels([tableMeta(9, 'x', 'z'), table], [tableMeta(1, 'd', 'e')]));

    expect(choice).toEqual({ kind: 'move', level: 0, tables: [table] });
  });

  test('hands down the table that brings least with it, and neighbours up to what is too much', () => {
    const level1 = row(100, 60);
    const below = [tableMeta(1, '0100a', '0129z', { fileBytes: 9000 }), tableMeta(2, '0130a', '0145z')];

    const choice = pick(levels([], level1, below));

    // Nothing lies below the tables from 0146 on.
    expect(choice).toMatchObject({ kind: 'move', level: 1 });
    expect(numbers((choice as { tables: readonly TableMeta[] }).tables).slice(0, 2)).toEqual([146, 147]);
  });

  test('keeps a job within eight tables unless one input alone needs more', () => {
    const level1 = row(100, 60);
    const below = row(100, 60);

    const choice = pick(levels([], level1, below));

    expect(choice).toMatchObject({ kind: 'merge', level: 1 });
    if (choice.kind !== 'merge') return;
    expect(choice.inputs.length + choice.overlaps.length).toBe(8);
  });

  test('never finds the last level due', () => {
    const last = [tableMeta(1, 'a', 'z', { fileBytes: 1e15 })];

    expect(pick(levels([], [], [], [], [], [], last))).toEqual({ kind: 'none' });
  });

  test('moves everything of a sequential load and rewrites nothing', () => {
    let present: Levels = EMPTY_LEVELS;
    const kinds = new Set<string>();

    for (let n = 1; n <= 300; n++) {
      present = applyEdit(present, { addedTables: [{ level: 0, table: row(n, 1)[0]! }] });
      for (let choice = pick(present); choice.kind !== 'none'; choice = pick(present)) {
        kinds.add(choice.kind);
        if (choice.kind !== 'move') break;
        const { level, tables } = choice;
        present = applyEdit(present, {
          removedTables: tables.map(({ fileNumber }) => ({ level, fileNumber })),
          addedTables: tables.map((table) => ({ level: level + 1, table })),
        });
      }
    }

    expect([...kinds]).toEqual(['move']);
    expect(present.flat()).toHaveLength(300);
  });
});

describe('pickCompaction for deletes', () => {
  const deletes = { entryCount: 300, deleteCount: 200, largestSequence: 20 };

  test('merges a table that is mostly deletes with what it hides', () => {
    const table = tableMeta(5, 'a', 'c', deletes);

    const choice = pick(levels([], [table], [tableMeta(1, 'b', 'd')]));

    expect(choice).toMatchObject({ kind: 'merge', level: 1, inputs: [table] });
  });

  test('rewrites it where nothing lies below, however deep', () => {
    const table = tableMeta(5, 'a', 'c', deletes);

    expect(pick(levels([], [table]))).toEqual({ kind: 'rewrite', level: 1, inputs: [table] });
    expect(pick(levels([], [table], [], [tableMeta(1, 'b', 'd')]))).toMatchObject({ kind: 'move', level: 1 });
  });

  test('leaves it while a snapshot may see what it hides, or when deletes are few', () => {
    const table = tableMeta(5, 'a', 'c', deletes);
    const few = tableMeta(5, 'a', 'c', { entryCount: 300, deleteCount: 150 });

    expect(pick(levels([], [table]), { oldestSnapshot: 19 })).toEqual({ kind: 'none' });
    expect(pick(levels([], [few]))).toEqual({ kind: 'none' });
  });
});

describe('pickCompaction for range deletes', () => {
  const table = tableMeta(5, 'c', 'e', { smallestSequence: 3, largestSequence: 20 });

  test('drops a table that lies inside of a newer one, unread and before all else', () => {
    const full = levels([tableMeta(9, 'a', 'z'), tableMeta(8, 'a', 'z')], [], [table]);

    const choice = pick(full, { rangeDeletes: [rangeDelete('b', 'f', 21)] });

    expect(choice).toEqual({ kind: 'drop', level: 2, tables: [table] });
  });

  test.each([
    ['it ends before the table does', rangeDelete('b', 'e', 21), undefined],
    ['the table has newer entries', rangeDelete('b', 'f', 20), undefined],
    ['a snapshot does not see it', rangeDelete('b', 'f', 21), 20],
  ])('drops nothing when %s', (_case, one, oldestSnapshot) => {
    expect(pick(levels([], [], [table]), { rangeDeletes: [one], oldestSnapshot }).kind).not.toBe('drop');
  });

  test('rewrites a table that one touches, once, and not while a snapshot needs what it hides', () => {
    const rangeDeletes = [rangeDelete('d', 'z', 15)];

    const choice = pick(levels([], [], [table]), { rangeDeletes });
    const rewritten = { ...table, fileNumber: 30, rangeDeletesApplied: 25 };

    expect(choice).toEqual({ kind: 'rewrite', level: 2, inputs: [table] });
    expect(pick(levels([], [], [rewritten]), { rangeDeletes })).toEqual({ kind: 'none' });
    expect(pick(levels([], [], [table]), { rangeDeletes, oldestSnapshot: 14 })).toEqual({ kind: 'none' });
  });
});

describe('pickCompaction, random', () => {
  test('chooses only what keeps the levels sorted, newer above older, and comes to rest', () => {
    const random = seededRandom(testSeed());
    for (let round = 0; round < 20; round++) {
      let present: Levels = EMPTY_LEVELS;
      let next = 1;
      for (let flush = 0; flush < 40; flush++) {
        const [a, b] = [random.int(90), random.int(90)].toSorted((x, y) => x - y);
        const sequences = { smallestSequence: next, largestSequence: next };
        const table = tableMeta(next, `k${10 + a!}`, `k${10 + b!}`, {
          ...sequences,
          fileBytes: 500 + random.int(2000),
        });
        next++;
        present = applyEdit(present, { addedTables: [{ level: 0, table }] });
        for (let steps = 0; ; steps++) {
          expect(steps, `round ${round}`).toBeLessThan(500);
          const choice = pick(present);
          if (choice.kind === 'none') break;
          present = carryOut(present, choice, () => next++);
        }
      }
    }
  });
});

/** What the job would leave, with outputs cut at the inputs' borders. `applyEdit` refuses levels that overlap. */
function carryOut(present: Levels, choice: CompactionChoice, draw: () => number): Levels {
  if (choice.kind === 'move') {
    const { level, tables } = choice;
    return applyEdit(present, {
      removedTables: tables.map(({ fileNumber }) => ({ level, fileNumber })),
      addedTables: tables.map((table) => ({ level: level + 1, table })),
    });
  }
  if (choice.kind !== 'merge') throw new Error(`unexpected ${choice.kind}`);
  const { level, inputs, overlaps } = choice;
  if (level === 0) {
    const left = present[0]!.filter((table) => !inputs.includes(table));
    const newest = Math.max(...inputs.map(({ largestSequence }) => largestSequence));
    const olderLeft = left.filter(
      (table) =>
        table.largestSequence < newest &&
        inputs.some((input) => overlap(input, table) && input.largestSequence > table.largestSequence),
    );
    if (olderLeft.length > 0) throw new Error('an older table that overlaps what goes down stays in level 0');
  }
  const all = [...inputs, ...overlaps];
  const smallest = all.map(({ smallestKey }) => Buffer.from(smallestKey).toString()).toSorted()[0]!;
  const largest = all
    .map(({ largestKey }) => Buffer.from(largestKey).toString())
    .toSorted()
    .at(-1)!;
  const fileBytes = all.reduce((sum, table) => sum + table.fileBytes, 0);
  const largestSequence = Math.max(...all.map((table) => table.largestSequence));
  return applyEdit(present, {
    removedTables: [
      ...inputs.map(({ fileNumber }) => ({ level, fileNumber })),
      ...overlaps.map(({ fileNumber }) => ({ level: level + 1, fileNumber })),
    ],
    addedTables: [{ level: level + 1, table: tableMeta(draw(), smallest, largest, { fileBytes, largestSequence }) }],
  });
}

function overlap(a: TableMeta, b: TableMeta): boolean {
  return Buffer.compare(a.smallestKey, b.largestKey) <= 0 && Buffer.compare(b.smallestKey, a.largestKey) <= 0;
}
