/** Iterators: seeking, reading ahead, snapshots, aborts. What abstract-level's suite asks is not repeated. */

import { describe, expect, test } from 'vitest';

import { openLevel, putAll } from './support/test-folder.ts';

const LETTERS = 'abcdefghij'.split('');

describe('iterators of a KayaLevel', () => {
  test.each(['iterator', 'keys', 'values'] as const)(
    '%s() hands out rows read ahead before it reads more',
    async (kind) => {
      await using level = await openLevel();
      const { db } = level;
      await putAll(db, LETTERS);
      const iterator = db[kind]();

      const first = [await iterator.next(), await iterator.next()];
      const rest = [await iterator.nextv(3), await iterator.nextv(100), await iterator.nextv(100)];

      const expected = await db[kind]().all();
      expect(first).toEqual(expected.slice(0, 2));
      expect(rest.flat()).toEqual(expected.slice(2));
      await iterator.close();
    },
  );

  test('a seek drops rows read ahead, and they do not count against the limit', async () => {
    await using level = await openLevel();
    const { db } = level;
    await putAll(db, LETTERS);
    const iterator = db.keys({ limit: 5 });

    const before = [await iterator.next(), await iterator.next()];
    iterator.seek('h');
    const after = await iterator.nextv(100);

    expect(before).toEqual(['a', 'b']);
    expect(after).toEqual(['h', 'i', 'j']);
    expect(iterator.count).toBe(5);
    expect(await iterator.next()).toBeUndefined();
    await iterator.close();
  });

  test.each([
    [{}, 'c', ['c', 'd', 'e']],
    [{}, 'cc', ['d', 'e', 'f']],
    [{}, 'z', []],
    [{ reverse: true }, 'cc', ['c', 'b', 'a']],
    [{ reverse: true }, 'A', []],
    [{ gte: 'e' }, 'e', ['e', 'f', 'g']],
    [{ lte: 'e' }, 'e', ['e']],
    [{ gt: 'b', lt: 'e' }, 'c', ['c', 'd']],
    [{ gt: 'b', lte: 'e', reverse: true }, 'd', ['d', 'c']],
  ])('seek() in %j to %s goes on at the nearest key within the bounds', async (range, target, expected) => {
    await using level = await openLevel();
    const { db } = level;
    await putAll(db, LETTERS);
    const iterator = db.keys(range);

    iterator.seek(target);
    const found = await iterator.nextv(3);

    expect(found).toEqual(expected);
    await iterator.close();
  });

  test.each([
    [{ gte: 'e' }, 'd'],
    [{ gt: 'e' }, 'e'],
    [{ lt: 'e' }, 'e'],
    [{ lte: 'e' }, 'ea'],
    [{ lt: 'e', reverse: true }, 'x'],
    [{ gt: 'e', reverse: true }, 'b'],
  ])('seek() in %j to %s, out of the bounds, ends the iterator until the next seek', async (range, target) => {
    await using level = await openLevel();
    const { db } = level;
    await putAll(db, LETTERS);
    const iterator = db.keys(range);
    const within = 'gt' in range || 'gte' in range ? 'f' : 'd';

    iterator.seek(target);
    const outside = await iterator.nextv(3);
    iterator.seek(within);

    expect(outside).toEqual([]);
    expect(await iterator.next()).toBe(within);
    await iterator.close();
  });

  test('compare a seek with their bounds as bytes, not as JavaScript compares text', async () => {
    await using level = await openLevel();
    const { db } = level;
    // In UTF-16 the first comes last.
    const keys = ['\u{ffee}', '\u{1f600}'];
    await putAll(db, keys);
    const iterator = db.keys({ gte: '\u{ffee}' });

    iterator.seek('\u{1f600}');

    expect(await iterator.next()).toBe('\u{1f600}');
    await iterator.close();
  });

  test('go back after their end by a seek', async () => {
    await using level = await openLevel();
    const { db } = level;
    await putAll(db, LETTERS);
    const iterator = db.keys();

    const all = await iterator.nextv(100);
    const end = await iterator.nextv(100);
    iterator.seek('i');

    expect([all, end, await iterator.nextv(100)]).toEqual([LETTERS, [], ['i', 'j']]);
    await iterator.close();
  });

  test('read the state of their creation, over thousands of rows', async () => {
    await using level = await openLevel();
    const { db } = level;
    const keys = Array.from({ length: 5000 }, (_, i) => String(i).padStart(6, '0'));
    await putAll(db, keys);
    const iterator = db.keys();

    await db.clear();
    await db.put('new', '');
    const seen: string[] = [];
    for await (const key of iterator) seen.push(key);

    expect(seen).toEqual(keys);
    expect(await db.keys().all()).toEqual(['new']);
  });

  test('give back what they hold when they are closed, and when a loop over them ends or is left', async () => {
    await using level = await openLevel();
    const { db } = level;
    await putAll(db, LETTERS);
    const held = (): number => db.engine.stats().openSnapshots;

    const iterator = db.iterator();
    await iterator.next();
    const whileOpen = held();
    await iterator.close();
    const afterClose = held();
    for await (const _ of db.keys());
    const afterLoop = held();
    for await (const _ of db.values()) break;
    await db.iterator().all();

    expect([whileOpen, afterClose, afterLoop, held()]).toEqual([1, 0, 0, 0]);
  });

  test('read an explicit snapshot as often as asked, also from a sublevel', async () => {
    await using level = await openLevel();
    const { db } = level;
    const sub = db.sublevel('s');
    await sub.put('a', 'old');
    await using snapshot = db.snapshot();

    await sub.put('a', 'new');
    await sub.put('b', 'new');

    expect(await sub.iterator({ snapshot }).all()).toEqual([['a', 'old']]);
    expect(await sub.getMany(['a', 'b'], { snapshot })).toEqual(['old', undefined]);
    expect(await sub.iterator().all()).toEqual([
      ['a', 'new'],
      ['b', 'new'],
    ]);
  });

  test('refuse a snapshot that another kind of database made', async () => {
    await using level = await openLevel();
    const foreign = { ref() {}, unref() {} };

    await expect(level.db.get('a', { snapshot: foreign as never })).rejects.toThrow(TypeError);
  });

  test('end with LEVEL_ABORTED when their signal aborts while they read', async () => {
    await using level = await openLevel();
    const { db } = level;
    await putAll(db, LETTERS);
    const controller = new AbortController();
    const iterator = db.iterator({ signal: controller.signal });

    await iterator.next();
    const reading = iterator.nextv(100);
    controller.abort(new Error('enough'));

    await expect(reading).rejects.toMatchObject({
      code: 'LEVEL_ABORTED',
      name: 'AbortError',
      cause: { message: 'enough' },
    });
    await iterator.close();
  });

  test.each(['buffer', 'view', 'utf8'] as const)('return keys and values as %s', async (format) => {
    await using level = await openLevel();
    const { db } = level;
    await db.put('k', 'ü');
    const check = (data: unknown): boolean =>
      format === 'utf8'
        ? typeof data === 'string'
        : format === 'buffer'
          ? Buffer.isBuffer(data)
          : data instanceof Uint8Array;
    const encodings = { keyEncoding: format, valueEncoding: format };

    const [entry] = await db.iterator<unknown, unknown>(encodings).all();
    const [key] = await db.keys<unknown>(encodings).all();
    const [value] = await db.values<unknown, unknown>(encodings).all();
    const got = [
      await db.get<string, unknown>('k', { valueEncoding: format }),
      db.getSync<string, unknown>('k', { valueEncoding: format }),
      ...(await db.getMany<string, unknown>(['k'], { valueEncoding: format })),
    ];

    expect([...(entry ?? []), key, value, ...got].map(check)).toEqual(Array.from({ length: 7 }, () => true));
  });
});
