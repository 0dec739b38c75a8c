import { encodeUtf8 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import { tableMeta } from '../../test/support/entries.ts';
import type { KeySpan } from '../range-delete/range-delete.ts';
import type { TableMeta } from '../version/table-meta.ts';
import { applyEdit, EMPTY_LEVELS, type Levels } from '../version/version.ts';
import type { CompactionChoice } from './choice.ts';
import { pickRangeStep, startRangeCompaction } from './range-compaction.ts';
import { RangeRequests } from './range-requests.ts';

const options = { level0Tables: 4, level1Bytes: 10_000, memtableBytes: 1000, tableBytes: 500 };
const everything: KeySpan = { start: encodeUtf8('\0'), end: undefined };

function levels(...tables: readonly (readonly TableMeta[])[]): Levels {
  return EMPTY_LEVELS.map((empty, level) => tables[level] ?? empty);
}

function span(start: string, end: string): KeySpan {
  return { start: encodeUtf8(start), end: encodeUtf8(end) };
}

/** What the choice leaves, each input written anew for itself. */
function carryOut(present: Levels, choice: CompactionChoice, draw: () => number): Levels {
  if (choice.kind === 'none' || choice.kind === 'drop') throw new Error(`unexpected ${choice.kind}`);
  const { level } = choice;
  const inputs = choice.kind === 'move' ? choice.tables : choice.inputs;
  const overlaps = choice.kind === 'merge' ? choice.overlaps : [];
  const toLevel = choice.kind === 'rewrite' ? level : level + 1;
  const all = [...inputs, ...overlaps];
  const first = all.toSorted((a, b) => Buffer.compare(a.smallestKey, b.smallestKey))[0]!;
  const last = all.toSorted((a, b) => Buffer.compare(a.largestKey, b.largestKey)).at(-1)!;
  const merged = { ...first, fileNumber: choice.kind === 'move' ? 0 : draw(), largestKey: last.largestKey };
  return applyEdit(present, {
    removedTables: [
      ...inputs.map(({ fileNumber }) => ({ level, fileNumber })),
      ...overlaps.map(({ fileNumber }) => ({ level: level + 1, fileNumber })),
    ],
    addedTables: (choice.kind === 'move' ? inputs : [merged]).map((table) => ({ level: toLevel, table })),
  });
}

/** Runs the compaction to its end. @returns The levels then, and the kinds of its steps. */
function run(
  present: Levels,
  wanted: KeySpan,
  leastLevel?: number,
): { readonly after: Levels; readonly kinds: readonly string[] } {
  const kinds: string[] = [];
  let next = 100;
  let state = startRangeCompaction(wanted, next, leastLevel);
  let after = present;
  for (let step = pickRangeStep(state, after, options); step; step = pickRangeStep(state, after, options)) {
    kinds.push(`${step.choice.kind} ${'level' in step.choice ? step.choice.level : ''}`);
    after = carryOut(after, step.choice, () => next++);
    state = step.next;
  }
  return { after, kinds };
}

describe('pickRangeStep', () => {
  test('brings everything of the span down to the deepest level, and what was there is written anew', () => {
    const present = levels(
      [tableMeta(9, 'a', 'z'), tableMeta(8, 'c', 'd')],
      [tableMeta(5, 'a', 'e'), tableMeta(6, 'm', 'p')],
      [],
      [tableMeta(1, 'a', 'b'), tableMeta(2, 'q', 'z')],
    );

    const { after, kinds } = run(present, everything);

    expect(after.map(({ length }) => length)).toEqual([0, 0, 0, 1, 0, 0, 0]);
    expect(after[3]![0]!.fileNumber).toBeGreaterThanOrEqual(100);
    expect(kinds[0]).toBe('merge 0');
  });

  test('rewrites tables of the deepest level in slices, and only once', () => {
    const row = Array.from({ length: 20 }, (_, i) => tableMeta(i + 1, `k${10 + i}a`, `k${10 + i}z`));

    const { after, kinds } = run(levels([], row), everything);

    // Eight tables of 500 bytes make a job; each has 1,000.
    expect(kinds).toEqual(Array.from({ length: 5 }, () => 'rewrite 1'));
    expect(after[1]!.every(({ fileNumber }) => fileNumber >= 100)).toBe(true);
  });

  test('brings a store that is small down to the least level, and lets nothing move into it unread', () => {
    const present = levels([], [tableMeta(1, 'a', 'c'), tableMeta(2, 'd', 'f')]);

    const { after, kinds } = run(present, everything, 2);

    expect(after.map(({ length }) => length)).toEqual([0, 0, 1, 0, 0, 0, 0]);
    expect(kinds).toEqual(['merge 1']);
  });

  test('goes past the least level when the store is deeper, by moves where nothing lies below', () => {
    const present = levels([], [tableMeta(1, 'a', 'c')], [], [tableMeta(2, 'x', 'z')]);

    const { after, kinds } = run(present, everything, 2);

    expect(after.map(({ length }) => length)).toEqual([0, 0, 0, 2, 0, 0, 0]);
    expect(kinds).toEqual(['merge 1', 'move 2', 'rewrite 3']);
  });

  test('leaves alone what is outside of the span', () => {
    const present = levels([], [tableMeta(1, 'a', 'c'), tableMeta(2, 'd', 'f'), tableMeta(3, 'g', 'i')]);

    const { after } = run(present, span('e', 'g'));

    expect(after[1]!.map(({ fileNumber }) => fileNumber)).toEqual([1, 100, 3]);
  });

  test('does not put two tables into one job when a fresh one lies between them', () => {
    const present = levels([], [tableMeta(1, 'a', 'c'), tableMeta(200, 'd', 'f'), tableMeta(3, 'g', 'i')]);

    const step = pickRangeStep(startRangeCompaction(everything, 100), present, options);

    expect(step?.choice).toMatchObject({ kind: 'rewrite', inputs: [{ fileNumber: 1 }] });
  });

  test('ends though level 0 fills up again between its steps', () => {
    let next = 100;
    let present = levels([tableMeta(1, 'a', 'z')], [tableMeta(2, 'a', 'z')]);
    let state = startRangeCompaction(everything, next);
    let steps = 0;

    for (let step = pickRangeStep(state, present, options); step; step = pickRangeStep(state, present, options)) {
      present = carryOut(present, step.choice, () => next++);
      present = applyEdit(present, { addedTables: [{ level: 0, table: tableMeta(next++, 'a', 'z') }] });
      state = step.next;
      steps++;
    }

    expect(steps).toBeLessThan(10);
  });
});

describe('RangeRequests', () => {
  const due: CompactionChoice = { kind: 'drop', level: 3, tables: [] };

  test('takes turns with what is due by itself', () => {
    const requests = new RangeRequests(options);
    const present = levels([tableMeta(1, 'a', 'z')], [tableMeta(2, 'a', 'z')]);
    void requests.add(undefined, 100).catch(() => undefined);

    const turns = [requests.takeTurn(due, present), requests.takeTurn(due, present), requests.takeTurn(due, present)];

    expect(turns.map(({ kind }) => kind)).toEqual(['merge', 'drop', 'rewrite']);
  });

  test('resolves when nothing is left to do', async () => {
    const requests = new RangeRequests(options);
    const done = requests.add(undefined, 100);

    expect(requests.takeTurn({ kind: 'none' }, EMPTY_LEVELS)).toEqual({ kind: 'none' });

    await expect(done).resolves.toBeUndefined();
  });

  test('fails with what a compaction fails with, and at once when the store is closed', async () => {
    const requests = new RangeRequests(options);
    const first = requests.add(undefined, 100);

    requests.failAll(new Error('broken'));
    const second = requests.add(undefined, 100);
    requests.close();

    await expect(first).rejects.toThrow('broken');
    await expect(second).rejects.toMatchObject({ code: 'KAYA_ENGINE_CLOSED' });
    await expect(requests.add(undefined, 100)).rejects.toMatchObject({ code: 'KAYA_ENGINE_CLOSED' });
  });
});
