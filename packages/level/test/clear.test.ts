/** clear(): one range delete where that says it all, rows one by one where it does not. */

import { describe, expect, test } from 'vitest';

import { openLevel, putAll } from './support/test-folder.ts';

const LETTERS = 'abcdefghij'.split('');

describe('clear() of a KayaLevel', () => {
  test.each([
    [{}, ''],
    [{ gt: 'c' }, 'abc'],
    [{ gte: 'c' }, 'ab'],
    [{ lt: 'c' }, 'cdefghij'],
    [{ lte: 'c' }, 'defghij'],
    [{ gt: 'b', lte: 'h' }, 'abij'],
    [{ gt: 'x', gte: 'b', lt: 'a', lte: 'h' }, 'aij'],
    [{ gt: 'h', lt: 'b' }, 'abcdefghij'],
    [{ reverse: true }, ''],
    [{ limit: 3 }, 'defghij'],
    [{ limit: 3, reverse: true }, 'abcdefg'],
    [{ gte: 'c', limit: 2 }, 'abefghij'],
    [{ lte: 'c', limit: 2, reverse: true }, 'adefghij'],
    [{ limit: 0 }, 'abcdefghij'],
  ])('with %j leaves %s', async (range, left) => {
    await using level = await openLevel();
    const { db } = level;
    await putAll(db, LETTERS);

    await db.clear(range);

    expect((await db.keys().all()).join('')).toBe(left);
  });

  test('with a snapshot deletes what the snapshot holds, and nothing newer', async () => {
    await using level = await openLevel();
    const { db } = level;
    await putAll(db, ['a', 'b', 'c']);
    await using snapshot = db.snapshot();
    await putAll(db, ['aa', 'd']);

    await db.clear({ snapshot, gt: 'a' });

    expect(await db.keys().all()).toEqual(['a', 'aa', 'd']);
    expect(await db.keys({ snapshot }).all()).toEqual(['a', 'b', 'c']);
  });

  test('of a sublevel leaves its neighbours alone', async () => {
    await using level = await openLevel();
    const { db } = level;
    await db.put('!a', 'kept');
    await db.sublevel('a').put('1', 'gone');
    await db.sublevel('aa').put('1', 'kept');

    await db.sublevel('a').clear();

    expect(await db.keys().all()).toEqual(['!a', '!aa!1']);
  });

  test('with a limit deletes more rows than one batch holds', async () => {
    await using level = await openLevel();
    const { db } = level;
    const keys = Array.from({ length: 2501 }, (_, i) => String(i).padStart(4, '0'));
    await putAll(db, keys);

    await db.clear({ limit: 2500 });

    expect(await db.keys().all()).toEqual(['2500']);
  });
});
