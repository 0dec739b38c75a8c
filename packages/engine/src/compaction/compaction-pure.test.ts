import { encodeUtf8 } from '@kayadb/codec';
import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { del, put, show, sortEntries, tableMeta } from '../../test/support/entries.ts';
import { type Entry, PUT_KIND } from '../key/internal-key.ts';
import type { TableMeta } from '../version/table-meta.ts';
import { EMPTY_LEVELS, type Levels } from '../version/version.ts';
import { pickCompaction } from './leveled.ts';
import { OutputSplitter } from './output-splitter.ts';
import { Retention } from './retention.ts';

const options = { level0Tables: 2, level1Bytes: 2500 };

function levels(...tables: readonly (readonly TableMeta[])[]): Levels {
  return EMPTY_LEVELS.map((empty, level) => tables[level] ?? empty);
}

function numbers(tables: readonly TableMeta[]): readonly number[] {
  return tables.map(({ fileNumber }) => fileNumber);
}

describe('pickCompaction', () => {
  test('finds nothing due in small levels', () => {
    expect(pickCompaction(levels([tableMeta(1, 'a', 'b')], [tableMeta(2, 'a', 'z')]), [], options)).toEqual({
      kind: 'none',
    });
  });

  test('takes the oldest level-0 table with all that overlap it, through others too, and the overlaps below', () => {
    const level0 = [tableMeta(9, 'x', 'z'), tableMeta(8, 'd', 'g'), tableMeta(7, 'b', 'e'), tableMeta(6, 'a', 'c')];
    const level1 = [tableMeta(1, 'a', 'b'), tableMeta(2, 'f', 'h'), tableMeta(3, 'm', 'n')];

    const choice = pickCompaction(levels(level0, level1), [], options);

    expect(choice.kind).toBe('merge');
    if (choice.kind !== 'merge') return;
    expect(choice.level).toBe(0);
    expect(numbers(choice.inputs)).toEqual([8, 7, 6]);
    expect(numbers(choice.overlaps)).toEqual([1, 2]);
  });

  test('moves a table that overlaps nothing below', () => {
    const table = tableMeta(6, 'a', 'c');

    const choice = pickCompaction(levels([tableMeta(9, 'x', 'z'), table], [tableMeta(1, 'd', 'e')]), [], options);

    expect(choice).toEqual({ kind: 'move', level: 0, table });
  });

  test('takes turns inside a deeper level, starting over behind the last table', () => {
    const level1 = [tableMeta(1, 'a', 'c'), tableMeta(2, 'd', 'f'), tableMeta(3, 'g', 'i')];
    const below = [tableMeta(4, 'a', 'z')];
    const chosen = [undefined, 'c', 'f', 'i'].map((pointer) => {
      const choice = pickCompaction(
        levels([], level1, below),
        [undefined, pointer === undefined ? undefined : encodeUtf8(pointer)],
        options,
      );
      return choice.kind === 'merge' ? numbers(choice.inputs) : choice.kind;
    });

    expect(chosen).toEqual([[1], [2], [3], [1]]);
  });

  test('prefers the level most over its target', () => {
    const level1 = [1, 2, 3, 4, 5, 6].map((n) => tableMeta(n, `k${n}`, `k${n}`, { fileBytes: 2000 }));

    const choice = pickCompaction(levels([tableMeta(9, 'a', 'z'), tableMeta(8, 'a', 'z')], level1), [], options);

    expect(choice).toMatchObject({ level: 1 });
  });

  test('never finds the last level due', () => {
    const last = [tableMeta(1, 'a', 'z', { fileBytes: 1e15 })];

    expect(pickCompaction(levels([], [], [], [], [], [], last), [], options)).toEqual({ kind: 'none' });
  });
});

/** What a reader at `sequence` sees of `entries`, slowly. */
function stateAt(entries: readonly Entry[], sequence: number): Record<string, string> {
  const state: Record<string, string> = {};
  for (const entry of entries.filter((one) => one.sequence <= sequence).toSorted((a, b) => a.sequence - b.sequence)) {
    const key = Buffer.from(entry.key).toString();
    if (entry.kind === PUT_KIND) state[key] = Buffer.from(entry.value).toString();
    else delete state[key];
  }
  return state;
}

describe('Retention', () => {
  test('keeps the newest version of each key when there is no snapshot', () => {
    const entries = [put('a', 9), put('a', 5), del('b', 8), put('b', 3), put('c', 1)];
    const retention = new Retention([], () => false);

    expect(entries.filter((entry) => retention.shouldKeep(entry)).map(show)).toEqual(['a#9', 'c#1']);
  });

  test('keeps a delete while an older version may lie deeper', () => {
    const retention = new Retention([], (key) => Buffer.from(key).toString() === 'b');

    expect([del('a', 8), del('b', 7)].filter((entry) => retention.shouldKeep(entry)).map(show)).toEqual(['b#7-']);
  });

  test('keeps what each snapshot sees', () => {
    const entries = [put('a', 9), put('a', 7), put('a', 5), put('a', 3), put('a', 2)];
    const retention = new Retention([4, 8], () => false);

    expect(entries.filter((entry) => retention.shouldKeep(entry)).map(show)).toEqual(['a#9', 'a#7', 'a#3']);
  });

  test('changes no state that a snapshot or the present can see, with and without deeper versions', () => {
    const random = seededRandom(testSeed());
    for (let round = 0; round < 300; round++) {
      const history: Entry[] = [];
      for (let sequence = 1; sequence <= 40; sequence++) {
        const key = `k${random.int(6)}`;
        history.push(random.chance(0.3) ? del(key, sequence) : put(key, sequence));
      }
      const deeperUntil = random.int(20);
      const deeper = history.filter(({ sequence }) => sequence <= deeperUntil);
      const merged = history.filter(({ sequence }) => sequence > deeperUntil);
      const snapshots = [random.int(40), random.int(40)].filter((sequence) => sequence > 0).toSorted((a, b) => a - b);
      const retention = new Retention(snapshots, (key) => deeper.some((entry) => Buffer.compare(entry.key, key) === 0));

      const kept = sortEntries(merged).filter((entry) => retention.shouldKeep(entry));

      for (const sequence of [...snapshots, 40]) {
        expect(stateAt([...deeper, ...kept], sequence), `round ${round}`).toEqual(stateAt(history, sequence));
      }
    }
  });
});

describe('OutputSplitter', () => {
  test('splits at the first new key behind the target, never inside a key', () => {
    const splitter = new OutputSplitter(100);
    const steps = [
      ['a', 0],
      ['b', 99],
      ['b', 150],
      ['b', 200],
      ['c', 250],
      ['d', 20],
    ] as const;

    const splits = steps.map(([key, bytes]) => splitter.shouldSplitBefore(encodeUtf8(key), bytes));

    expect(splits).toEqual([false, false, false, false, true, false]);
  });
});
