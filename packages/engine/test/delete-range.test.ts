/** Range deletes through the life of a store: hidden at once, skipped by scans, given back on disk, and never undone. */

import { decodeUtf8 } from '@kayadb/codec';
import { crashClone, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import type { Engine, EngineEvent, KeyRange } from '../src/index.ts';
import { openTestEngine, type TestWorld, testWorld, tinyOptions } from './support/open-test-engine.ts';

const ROWS = 300;

function nameOf(index: number): string {
  return `k${String(index).padStart(4, '0')}`;
}

/** Keys k0000 to k0299 in tables of several levels. */
async function filledEngine(world: TestWorld, events: EngineEvent[] = []): Promise<Engine> {
  const engine = await openTestEngine(world, { ...tinyOptions, onEvent: (event) => void events.push(event) });
  for (let i = 0; i < ROWS; i++) await engine.put(nameOf(i), 'v'.repeat(80));
  await engine.flush();
  return engine;
}

async function keysOf(engine: Engine, options: KeyRange & { reverse?: boolean } = {}): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of engine.keys(options)) keys.push(decodeUtf8(key));
  return keys;
}

function names(from: number, to: number): string[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => nameOf(from + i));
}

describe('deleteRange', () => {
  test('hides what was there, in tables and in memory, and not what comes later', async () => {
    await using engine = await filledEngine(testWorld());
    await engine.put('k0100x', 'in memory');

    await engine.deleteRange({ gte: nameOf(50), lt: nameOf(200) });
    await engine.put(nameOf(120), 'new');

    expect(await keysOf(engine)).toEqual([...names(0, 50), nameOf(120), ...names(200, ROWS)]);
    expect(await keysOf(engine, { reverse: true })).toEqual(
      [...names(0, 50), nameOf(120), ...names(200, ROWS)].toReversed(),
    );
    expect(await engine.has('k0100x')).toBe(false);
    expect(engine.getSync(nameOf(60))).toBeUndefined();
    expect((await engine.getMany([nameOf(49), nameOf(50), nameOf(120)])).map((value) => value?.length)).toEqual([
      80,
      undefined,
      3,
    ]);
  });

  test('is seen by a snapshot taken after it and not by one taken before', async () => {
    await using engine = await filledEngine(testWorld());
    const before = engine.snapshot();
    await engine.deleteRange({});
    const after = engine.snapshot();
    await engine.put('new', '1');
    await engine.compact();

    const rows = await engine.getMany([nameOf(1)], { snapshot: before });

    expect(rows[0]?.length).toBe(80);
    expect(await engine.has(nameOf(1), { snapshot: after })).toBe(false);
    expect(await keysOf(engine)).toEqual(['new']);
  });

  test('in a batch acts in its place among the others', async () => {
    await using engine = await openTestEngine(testWorld());

    await engine.batch([
      { kind: 'put', key: 'a', value: '1' },
      { kind: 'put', key: 'b', value: '1' },
      { kind: 'delete-range', range: { prefix: 'a' } },
      { kind: 'put', key: 'a2', value: '2' },
    ]);

    expect(await keysOf(engine)).toEqual(['a2', 'b']);
  });

  test('of an empty range writes nothing', async () => {
    await using engine = await openTestEngine(testWorld());

    const result = await engine.deleteRange({ gt: 'b', lt: 'a' });

    expect(result).toMatchObject({ sequence: 0, lsn: 0 });
  });

  test('survives a crash before it is flushed, and one after', async () => {
    const disk = new MemoryFileSystem();
    await using first = await filledEngine(testWorld(disk));
    await first.deleteRange({ lt: nameOf(100) });
    const afterCrash = crashClone(disk, { kind: 'nothing-unsynced' }, () => 0);

    await using second = await openTestEngine(testWorld(afterCrash), tinyOptions);
    const found = await keysOf(second);
    await second.deleteRange({ gte: nameOf(200) });
    await second.flush();
    const afterFlush = crashClone(afterCrash, { kind: 'nothing-unsynced' }, () => 0);
    await using third = await openTestEngine(testWorld(afterFlush), tinyOptions);

    expect(found).toEqual(names(100, ROWS));
    expect(await keysOf(third)).toEqual(names(100, 200));
  });

  test('gives tables that lie inside it back without reading them', async () => {
    const disk = new MemoryFileSystem();
    const events: EngineEvent[] = [];
    await using engine = await filledEngine(testWorld(disk), events);
    await engine.compact();
    const readBefore = engine.stats().compactionBytesRead;
    const tablesBefore = engine.stats().tableCount;

    await engine.deleteRange({});
    await engine.compact();

    const { tableCount, compactionBytesRead, rangeDeletes } = engine.stats();
    expect(tablesBefore).toBeGreaterThan(5);
    expect({ tableCount, rangeDeletes }).toEqual({ tableCount: 0, rangeDeletes: 0 });
    expect(compactionBytesRead).toBe(readBefore);
  });

  test('is forgotten once every table that it touches has been rewritten, and nothing comes back', async () => {
    const world = testWorld();
    const engine = await filledEngine(world);
    await engine.deleteRange({ gte: nameOf(33), lt: nameOf(277) });
    await engine.flush();
    await engine.compact();
    const stats = engine.stats();
    await engine.close();

    await using again = await openTestEngine(world, tinyOptions);

    expect(stats.rangeDeletes).toBe(0);
    expect(stats.levels.reduce((sum, { entryCount }) => sum + entryCount, 0)).toBe(33 + ROWS - 277);
    expect(await keysOf(again)).toEqual([...names(0, 33), ...names(277, ROWS)]);
  });

  test('stays as long as a snapshot sees what it hides, and goes when that is closed', async () => {
    await using engine = await filledEngine(testWorld());
    const snapshot = engine.snapshot();
    await engine.deleteRange({});
    await engine.compact();
    const held = engine.stats();

    snapshot.close();
    await engine.compact();

    expect(held.rangeDeletes).toBe(1);
    expect(held.levels.reduce((sum, { entryCount }) => sum + entryCount, 0)).toBe(ROWS);
    expect(engine.stats()).toMatchObject({ rangeDeletes: 0, tableCount: 0 });
  });

  // Nothing failed when a flush left out a range delete that a newer one covers although a snapshot saw the one and not the other.
  test('counts for a snapshot that was taken before a newer one that covers it', async () => {
    await using engine = await filledEngine(testWorld());
    await engine.deleteRange({ gte: nameOf(10), lt: nameOf(20) });
    const between = engine.snapshot();
    await engine.deleteRange({ gte: nameOf(0), lt: nameOf(30) });
    await engine.flush();

    const seen: string[] = [];
    for await (const key of engine.keys({ snapshot: between, lt: nameOf(40) })) seen.push(decodeUtf8(key));

    expect(seen).toEqual([...names(0, 10), ...names(20, 40)]);
    expect(engine.getSync(nameOf(15), { snapshot: between })).toBeUndefined();
    expect(await keysOf(engine, { lt: nameOf(40) })).toEqual(names(30, 40));
  });

  test('of many ranges that overlap each other leaves what none of them covers', async () => {
    await using engine = await filledEngine(testWorld());
    for (let i = 0; i < 40; i++) {
      await engine.deleteRange({ gte: nameOf(i * 7), lt: nameOf(i * 7 + 5) });
      if (i % 10 === 0) await engine.flush();
    }
    const kept = names(0, ROWS).filter((_, i) => i >= 280 || i % 7 >= 5);

    expect(await keysOf(engine)).toEqual(kept);
    await engine.compact();
    expect(await keysOf(engine)).toEqual(kept);
    expect(engine.stats().rangeDeletes).toBe(0);
  });
});
