/** Opening, closing, locking, damage, and calls at the wrong time. */

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { KayaLevel } from '../src/index.ts';
import { openFolder, openLevel, putAll, testEngine } from './support/test-folder.ts';

describe('a KayaLevel', () => {
  test('finds again what it held, opened a second time and by another instance', async () => {
    await using folder = await openFolder();
    const location = join(folder.path, 'db');
    const db = new KayaLevel(location, { engine: testEngine });
    await putAll(db, ['a', 'b']);

    await db.close();
    await db.open();
    const reopened = await db.getMany(['a', 'b']);
    await db.del('a');
    await db.close();
    await using other = new KayaLevel(location, { engine: testEngine });

    expect(reopened).toEqual(['value of a', 'value of b']);
    expect(await other.iterator().all()).toEqual([['b', 'value of b']]);
    expect(other.location).toBe(location);
  });

  test('says in its manifest what it can do', async () => {
    await using level = await openLevel();

    expect(level.db.supports).toMatchObject({
      encodings: { buffer: true, utf8: true, view: true, json: true },
      permanence: true,
      implicitSnapshots: true,
      explicitSnapshots: true,
      has: true,
      getSync: true,
      seek: true,
      deferredOpen: true,
      createIfMissing: true,
      errorIfExists: true,
      signals: { iterators: true },
      additionalMethods: { approximateSize: true, compactRange: true },
    });
  });

  test.each([[undefined], [''], [7]])('takes no %j for a location', (location) => {
    expect(() => new KayaLevel(location as string)).toThrow(TypeError);
  });

  test('is refused with LEVEL_LOCKED while another instance has the store open', async () => {
    await using level = await openLevel();
    const second = new KayaLevel(level.db.location, { engine: testEngine });

    await expect(second.open()).rejects.toMatchObject({
      code: 'LEVEL_DATABASE_NOT_OPEN',
      cause: { code: 'LEVEL_LOCKED', cause: { code: 'KAYA_LOCKED' } },
    });
    await level.db.close();
    await second.open();
    expect(second.status).toBe('open');
    await second.close();
  });

  test('refused by errorIfExists, leaves the store unlocked and as it was', async () => {
    await using folder = await openFolder();
    const location = join(folder.path, 'db');
    const db = new KayaLevel(location, { engine: testEngine });
    await db.put('a', '1');
    await db.close();

    const refused = new KayaLevel(location, { engine: testEngine, errorIfExists: true }).open();

    await expect(refused).rejects.toMatchObject({ code: 'LEVEL_DATABASE_NOT_OPEN' });
    await db.open();
    expect(await db.get('a')).toBe('1');
    await db.close();
  });

  test('whose files are damaged fails to open with LEVEL_CORRUPTION, file and offset', async () => {
    await using folder = await openFolder();
    const location = join(folder.path, 'db');
    const db = new KayaLevel(location, { engine: testEngine });
    await putAll(db, ['a', 'b']);
    await db.close();
    const manifest = (await readdir(location)).find((name) => /manifest/i.test(name)) ?? '';
    const bytes = await readFile(join(location, manifest));
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(join(location, manifest), bytes);

    await expect(db.open()).rejects.toMatchObject({
      code: 'LEVEL_DATABASE_NOT_OPEN',
      cause: { code: 'LEVEL_CORRUPTION', cause: { file: manifest, offset: expect.any(Number) } },
    });
  });

  test('in a folder whose own folder is missing fails to open with LEVEL_IO_ERROR', async () => {
    await using folder = await openFolder();
    const db = new KayaLevel(join(folder.path, 'missing', 'db'), { engine: testEngine });

    await expect(db.open()).rejects.toMatchObject({
      code: 'LEVEL_DATABASE_NOT_OPEN',
      cause: { code: 'LEVEL_IO_ERROR' },
    });
  });

  test('once closed answers every call with LEVEL_DATABASE_NOT_OPEN', async () => {
    await using level = await openLevel();
    const { db } = level;
    const iterator = db.iterator();
    const batch = db.batch();
    await db.close();

    const code = { code: 'LEVEL_DATABASE_NOT_OPEN' };
    await expect(db.get('a')).rejects.toMatchObject(code);
    await expect(db.put('a', '1')).rejects.toMatchObject(code);
    await expect(db.clear()).rejects.toMatchObject(code);
    await expect(db.approximateSize('a', 'b')).rejects.toMatchObject(code);
    await expect(db.compactRange('a', 'b')).rejects.toMatchObject(code);
    await expect(iterator.next()).rejects.toMatchObject({ code: 'LEVEL_ITERATOR_NOT_OPEN' });
    expect(() => db.getSync('a')).toThrow(expect.objectContaining(code));
    expect(() => db.snapshot()).toThrow(expect.objectContaining(code));
    expect(() => db.engine).toThrow(expect.objectContaining(code));
    expect(() => batch.put('a', '1')).toThrow(expect.objectContaining({ code: 'LEVEL_BATCH_NOT_OPEN' }));
  });

  test('finishes the writes that were under way when it is closed', async () => {
    await using level = await openLevel();
    const { db } = level;

    const writes = ['a', 'b', 'c'].map((key) => db.put(key, key));
    await Promise.all([...writes, db.close()]);
    await db.open();

    expect(await db.keys().all()).toEqual(['a', 'b', 'c']);
  });

  test('makes its tables in threads of their own by default, and ends them when it is closed', async () => {
    await using folder = await openFolder();
    const location = join(folder.path, 'db');
    const db = new KayaLevel(location);
    await putAll(db, ['a', 'b']);

    await db.compactRange('a', 'c');
    await db.close();

    await db.open();
    expect(await db.iterator().all()).toEqual([
      ['a', 'value of a'],
      ['b', 'value of b'],
    ]);
    await db.close();
  });

  test('lends its engine for what Level has no calls for', async () => {
    await using level = await openLevel();
    await putAll(level.db, ['a', 'b']);

    const report = await level.db.engine.verify();

    expect(report.damage).toEqual([]);
    expect(level.db.engine.stats().putCount).toBe(2);
  });
});

describe('approximateSize() and compactRange()', () => {
  test.each(['approximateSize', 'compactRange'] as const)('%s() needs both ends', async (method) => {
    await using level = await openLevel();
    const { db } = level;

    await expect(db[method](undefined as never, 'b')).rejects.toThrow("The arguments 'start' and 'end' are required");
    await expect(db[method]('a', undefined as never)).rejects.toThrow(TypeError);
  });

  test.each(['approximateSize', 'compactRange'] as const)('%s() waits for the opening', async (method) => {
    await using folder = await openFolder();
    await using db = new KayaLevel(join(folder.path, 'db'), { engine: testEngine });

    const order: string[] = [];
    const opening = db.open().then(() => order.push('opened'));
    const asked = db[method]('a', 'b').then(() => order.push('answered'));
    await Promise.all([opening, asked]);

    expect(order).toEqual(['opened', 'answered']);
  });

  test.each(['approximateSize', 'compactRange'] as const)('%s() encodes its keys', async (method) => {
    await using level = await openLevel();
    const encoded: string[] = [];
    const keyEncoding = {
      name: 'seen',
      format: 'utf8' as const,
      encode: (key: string) => (encoded.push(key), key),
      decode: (key: string) => key,
    };

    await level.db[method]('a', 'b', { keyEncoding });

    expect(encoded).toEqual(['a', 'b']);
  });

  test('measure what is on disk, and make room when it is deleted', async () => {
    await using level = await openLevel<string, Buffer>({ valueEncoding: 'buffer' });
    const { db } = level;
    const operations = Array.from({ length: 100 }, (_, i) => ({
      type: 'put' as const,
      key: `k${String(i).padStart(2, '0')}`,
      value: Buffer.alloc(10_000, `${i} and more `),
    }));
    await db.batch(operations);
    await db.engine.flush();

    const whole = await db.approximateSize('k', 'l');
    const half = await db.approximateSize('k', 'k50');
    const none = await db.approximateSize('x', 'z');
    await db.clear({ lt: 'k50' });
    await db.compactRange('k', 'l');
    const cleared = await db.approximateSize('k', 'k50');

    expect(whole).toBeGreaterThan(10_000);
    expect(half / whole).toBeGreaterThan(0.4);
    expect(half / whole).toBeLessThan(0.6);
    expect([none, cleared]).toEqual([0, 0]);
  });
});
