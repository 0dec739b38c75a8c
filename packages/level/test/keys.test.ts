/** Keys: every string of bytes that Level allows, in order, in each encoding; and how long they may be. */

import { describe, expect, test } from 'vitest';

import { openLevel } from './support/test-folder.ts';

const KEYS = ['', '\0', '\0\0', '\0\0a', '\0a', '\u0001', 'a', 'a\0', 'b'] as const;

describe('keys of a KayaLevel', () => {
  test.each(['utf8', 'buffer', 'view'])('may be empty or all zeros, and keep their order: %s', async (keyEncoding) => {
    await using level = await openLevel({ keyEncoding: 'utf8' });
    const { db } = level;
    await db.batch(KEYS.map((key) => ({ type: 'put', key, value: JSON.stringify(key) })));

    const text = (key: unknown): string => (typeof key === 'string' ? key : Buffer.from(key as Uint8Array).toString());
    const forwards = await db.keys({ keyEncoding }).all();
    const backwards = await db.keys({ keyEncoding, reverse: true }).all();
    const entries = await db.iterator({ keyEncoding }).all();

    expect(forwards.map(text)).toEqual(KEYS);
    expect(backwards.map(text)).toEqual(KEYS.toReversed());
    expect(entries.map(([key, value]) => [text(key), value])).toEqual(KEYS.map((key) => [key, JSON.stringify(key)]));
  });

  test.each([
    [{ gt: '' }, KEYS.slice(1)],
    [{ gte: '' }, KEYS],
    [{ lte: '' }, ['']],
    [{ lt: '' }, []],
    [{ gt: '\0', lt: '\0a' }, ['\0\0', '\0\0a']],
    [{ gte: '\0\0', lte: 'a' }, ['\0\0', '\0\0a', '\0a', '\u0001', 'a']],
  ])('are bounded as they are written: %j', async (range, expected) => {
    await using level = await openLevel();
    const { db } = level;
    await db.batch(KEYS.map((key) => ({ type: 'put', key, value: '' })));

    expect(await db.keys(range).all()).toEqual(expected);
    expect(await db.keys({ ...range, reverse: true }).all()).toEqual(expected.toReversed());
  });

  test('are found one by one, deleted, and sought', async () => {
    await using level = await openLevel();
    const { db } = level;
    await db.batch(KEYS.map((key) => ({ type: 'put', key, value: `${key}!` })));

    const found = await db.getMany([...KEYS, '\0\0\0']);
    await db.del('');
    const iterator = db.keys();
    iterator.seek('\0');

    expect(found).toEqual([...KEYS.map((key) => `${key}!`), undefined]);
    expect([db.getSync(''), db.getSync('\0')]).toEqual([undefined, '\0!']);
    expect(await db.hasMany(['', '\0', '\0\0'])).toEqual([false, true, true]);
    expect(await iterator.next()).toBe('\0');
    await iterator.close();
  });

  test('have 4,096 bytes at most, values 16 MiB: more is refused, and nothing is written', async () => {
    await using level = await openLevel();
    const { db } = level;
    const longest = 'k'.repeat(4096);

    await db.put(longest, 'long');
    const refused = [
      db.put(`${longest}k`, ''),
      db.put('\0'.repeat(4096), ''),
      db.put('big', 'v'.repeat(16 * 1024 * 1024 + 1)),
      db.batch([
        { type: 'put', key: 'a', value: '' },
        { type: 'put', key: `${longest}k`, value: '' },
      ]),
    ];

    for (const result of await Promise.allSettled(refused)) {
      expect(result).toMatchObject({ status: 'rejected', reason: expect.any(RangeError) });
    }
    await db.put('\0'.repeat(4095), 'zeros');
    expect(await db.keys().all()).toEqual(['\0'.repeat(4095), longest]);
  });
});
