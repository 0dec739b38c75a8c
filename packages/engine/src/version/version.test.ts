import { DecodeError, encodeUtf8 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import { tableMeta } from '../../test/support/entries.ts';
import { addEdit, fullStateEdit } from './store-state.ts';
import { applyEdit, EMPTY_LEVELS, findTable, overlappingTables, tryApplyEdit, Version } from './version.ts';

const level1 = [tableMeta(1, 'a', 'c'), tableMeta(2, 'e', 'g'), tableMeta(3, 'm', 'm')];

describe('applyEdit', () => {
  test('keeps level 0 newest first and deeper levels in key order', () => {
    const levels = applyEdit(EMPTY_LEVELS, {
      addedTables: [
        { level: 0, table: tableMeta(5, 'a', 'z', { largestSequence: 50 }) },
        { level: 0, table: tableMeta(7, 'a', 'z', { largestSequence: 70 }) },
        { level: 1, table: tableMeta(3, 'm', 'm') },
        { level: 1, table: tableMeta(1, 'a', 'c') },
      ],
    });

    expect(levels[0]!.map(({ fileNumber }) => fileNumber)).toEqual([7, 5]);
    expect(levels[1]!.map(({ fileNumber }) => fileNumber)).toEqual([1, 3]);
  });

  test.each([
    ['removes what is not there', { removedTables: [{ level: 1, fileNumber: 9 }] }, 'removed from level 1'],
    ['adds a table twice', { addedTables: [{ level: 2, table: tableMeta(1, 'x', 'y') }] }, 'added twice'],
    ['makes a level overlap', { addedTables: [{ level: 1, table: tableMeta(4, 'c', 'd') }] }, 'overlap'],
  ])('finds an edit that %s', (_name, edit, problem) => {
    const levels = applyEdit(EMPTY_LEVELS, { addedTables: level1.map((table) => ({ level: 1, table })) });

    expect(tryApplyEdit(levels, edit)).toContain(problem);
    expect(() => applyEdit(levels, edit)).toThrow('wrong version edit');
  });
});

describe('addEdit', () => {
  test('sums edits up, and a whole-state edit gives the state back', () => {
    const first = addEdit(undefined, { nextFileNumber: 4, oldestSegment: 1, flushedSequence: 0 });
    const second = addEdit(first, { flushedSequence: 9, addedTables: [{ level: 0, table: tableMeta(3, 'a', 'b') }] });

    expect(second).toMatchObject({ nextFileNumber: 4, oldestSegment: 1, flushedSequence: 9 });
    expect(addEdit(undefined, fullStateEdit(second))).toEqual(second);
  });

  test('forgets a clean close at the next edit', () => {
    const closed = addEdit(
      { nextFileNumber: 4, oldestSegment: 1, flushedSequence: 0, rangeDeletes: [], levels: EMPTY_LEVELS },
      { cleanClose: { segment: 1, endLsn: 0, lastSequence: 0 } },
    );

    expect(closed.cleanClose).toBeDefined();
    expect(addEdit(closed, { nextFileNumber: 5 }).cleanClose).toBeUndefined();
  });

  test('refuses, as bytes that are wrong, a first edit without a state and edits that do not fit', () => {
    expect(() => addEdit(undefined, { nextFileNumber: 1 })).toThrow(DecodeError);
    const state = addEdit(undefined, { nextFileNumber: 4, oldestSegment: 1, flushedSequence: 0 });
    expect(() => addEdit(state, { removedTables: [{ level: 0, fileNumber: 3 }] })).toThrow(DecodeError);
  });
});

describe('finding tables', () => {
  test.each([
    ['A', undefined],
    ['a', 1],
    ['b', 1],
    ['c', 1],
    ['d', undefined],
    ['e', 2],
    ['m', 3],
    ['n', undefined],
  ])('key %s lies in table %s', (key, fileNumber) => {
    expect(findTable(level1, encodeUtf8(key))?.fileNumber).toBe(fileNumber);
  });

  test('overlap includes both ends', () => {
    const found = overlappingTables(level1, encodeUtf8('c'), encodeUtf8('e'));

    expect(found.map(({ fileNumber }) => fileNumber)).toEqual([1, 2]);
  });
});

describe('Version', () => {
  test('says once that nobody uses it any more', () => {
    const unused: Version[] = [];
    const version = new Version(EMPTY_LEVELS, (one) => unused.push(one));

    version.retain();
    version.retain();
    version.release();
    expect(unused).toEqual([]);
    version.release();

    expect(unused).toEqual([version]);
    expect(() => version.release()).toThrow('more often than retained');
  });
});
