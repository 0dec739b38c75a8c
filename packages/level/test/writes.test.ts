/** Durability of writes, batches, and the ecosystem's ways of writing: encodings, sublevels, hooks. */

import { VirtualClock } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import type { KayaLevel, SyncOption } from '../src/index.ts';
import { openLevel } from './support/test-folder.ts';

const fsyncsOf = (db: KayaLevel): number => db.engine.stats().walFsyncCount;

/** The fsyncs of the log that `write` waited for. */
async function fsyncsDuring(db: KayaLevel, write: () => Promise<void>): Promise<number> {
  const before = fsyncsOf(db);
  await write();
  return fsyncsOf(db) - before;
}

const WRITES: readonly (readonly [string, (db: KayaLevel, options: SyncOption) => Promise<void>])[] = [
  ['put()', (db, options) => db.put('a', '1', options)],
  ['del()', (db, options) => db.del('a', options)],
  ['batch()', (db, options) => db.batch([{ type: 'put', key: 'a', value: '1' }], options)],
  ['a chained batch', (db, options) => db.batch().put('a', '1').write(options)],
  ['clear()', (db, options) => db.clear(options)],
  ['clear() with a limit', async (db, options) => db.clear({ ...options, limit: 5 })],
];

describe('writes of a KayaLevel', () => {
  test.each(WRITES)('%s is on disk when it returns if it says sync, and otherwise does not wait', async (_, write) => {
    await using level = await openLevel({ engine: { durability: 'relaxed' } });
    const { db } = level;
    await db.put('b', '2');

    expect(await fsyncsDuring(db, () => write(db, {}))).toBe(0);
    await db.put('b', '2');
    expect(await fsyncsDuring(db, () => write(db, { sync: false }))).toBe(0);
    await db.put('b', '2');
    expect(await fsyncsDuring(db, () => write(db, { sync: true }))).toBe(1);
  });

  test.each([
    ['are due on disk a tenth of a second later', {}, 100],
    ['are due on disk when the engine is told', { intervalMs: 250 }, 250],
    ['are left to the operating system if relaxed', { durability: 'relaxed' }, undefined],
  ] as const)('%s', async (_, options, dueMs) => {
    const clock = new VirtualClock();
    await using level = await openLevel({ engine: { ...options, clock } });

    const waitedFor = await fsyncsDuring(level.db, () => level.db.put('a', '1'));

    expect(waitedFor).toBe(0);
    expect(clock.nextDueMs).toBe(dueMs);
  });

  test('all wait for the disk in a strict database, whatever they say', async () => {
    await using level = await openLevel({ engine: { durability: 'strict' } });
    const { db } = level;

    expect(await fsyncsDuring(db, () => db.put('a', '1'))).toBe(1);
    expect(await fsyncsDuring(db, () => db.put('a', '2', { sync: false }))).toBe(1);
  });

  test('of a batch happen in order, the later one winning', async () => {
    await using level = await openLevel();
    const { db } = level;

    await db.batch([
      { type: 'put', key: 'a', value: 'first' },
      { type: 'del', key: 'a' },
      { type: 'put', key: 'b', value: 'first' },
      { type: 'put', key: 'b', value: 'second' },
    ]);

    expect(await db.iterator().all()).toEqual([['b', 'second']]);
  });

  test('of a chained batch keep what was given, though the arrays change before it is written', async () => {
    await using level = await openLevel<Uint8Array, Uint8Array>({ keyEncoding: 'view', valueEncoding: 'view' });
    const { db } = level;
    const [key, value] = [Uint8Array.of(1), Uint8Array.of(2)];

    const batch = db.batch().put(key, value);
    key.fill(9);
    value.fill(9);
    await batch.write();

    const entries = await db.iterator().all();
    expect(entries.map((entry) => entry.map((bytes) => [...bytes]))).toEqual([[[1], [2]]]);
  });

  test('of a cleared or closed chained batch never happen', async () => {
    await using level = await openLevel();
    const { db } = level;

    await db.batch().put('a', '1').clear().put('b', '2').write();
    await db.batch().put('c', '3').close();

    expect(await db.keys().all()).toEqual(['b']);
  });
});

describe('the Level ecosystem on a KayaLevel', () => {
  test('stores JSON and returns it', async () => {
    interface Person {
      readonly name: string;
      readonly languages: readonly string[];
    }
    await using level = await openLevel<string, Person>({ valueEncoding: 'json' });
    const { db } = level;
    const ada: Person = { name: 'Ada ✓', languages: ['notes', 'cards'] };

    await db.put('ada', ada);

    expect(await db.get('ada')).toEqual(ada);
    expect(db.getSync('ada')).toEqual(ada);
    expect(await db.values().all()).toEqual([ada]);
  });

  test.each(['\ufeffwith a byte order mark', 'ü€😀', '', '\0'])('returns the text %j as it was', async (text) => {
    await using level = await openLevel();
    const { db } = level;

    await db.put(text, text);

    expect([db.getSync(text), await db.get(text), ...(await db.getMany([text]))]).toEqual([text, text, text]);
    expect(await db.iterator().all()).toEqual([[text, text]]);
  });

  test('keeps sublevels apart, and writes to several of them at once', async () => {
    await using level = await openLevel();
    const { db } = level;
    const people = db.sublevel<string, { age: number }>('people', { valueEncoding: 'json' });
    const names = db.sublevel(['people', 'names']);

    await db.batch<string, unknown>(
      [
        { type: 'put', key: 'ada', value: { age: 36 }, sublevel: people },
        { type: 'put', key: '1', value: 'ada', sublevel: names },
      ],
      { sync: true },
    );

    expect(await people.get('ada')).toEqual({ age: 36 });
    expect(await names.iterator().all()).toEqual([['1', 'ada']]);
    expect(await db.keys().all()).toEqual(['!people!!names!1', '!people!ada']);
  });

  test('runs hooks in the same batch and tells of writes', async () => {
    await using level = await openLevel();
    const { db } = level;
    const index = db.sublevel('index');
    db.hooks.prewrite.add((op: { readonly key: string; readonly value: string }, batch) => {
      batch.add({ type: 'put', key: op.value, value: op.key, sublevel: index });
    });
    const written: unknown[] = [];
    db.on('write', (operations: readonly unknown[]) => written.push(...operations));

    await db.put('ada', '36');

    expect(await index.get('36')).toBe('ada');
    expect(written).toMatchObject([{ key: 'ada' }, { key: '!index!36' }]);
  });
});
