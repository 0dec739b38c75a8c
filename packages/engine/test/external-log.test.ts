/** A store whose log is kept by somebody else: what it says to have, it has. */

import { decodeUtf8 } from '@kayadb/codec';
import { seededRandom, testSeed } from '@kayadb/testkit';
import { crashClones, FaultyFileSystem, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { type BatchOperation, type Engine, type EngineOptions, openEngine } from '../src/index.ts';
import { openTestEngine, testWorld, tinyOptions } from './support/open-test-engine.ts';

const external: EngineOptions = { ...tinyOptions, log: 'external' };

/** An entry of the caller's log: a batch and its index, counted from 1. */
function entryAt(index: number): readonly BatchOperation[] {
  const random = seededRandom(index);
  return Array.from({ length: 1 + random.int(4) }, (_, i) => {
    const key = `k${random.int(60)}`;
    if (random.chance(0.03)) return { kind: 'delete-range', range: { gte: key, lt: `${key}~` } };
    return random.chance(0.2) ? { kind: 'delete', key } : { kind: 'put', key, value: `${index}.${i}`.padEnd(90, '.') };
  });
}

async function apply(engine: Engine, from: number, to: number): Promise<void> {
  for (let index = from; index <= to; index++) await engine.batch(entryAt(index), { appliedIndex: index });
}

async function contentOf(engine: Engine): Promise<string[]> {
  const rows: string[] = [];
  for await (const { key, value } of engine.scan()) rows.push(`${decodeUtf8(key)}=${decodeUtf8(value)}`);
  return rows;
}

/** What a store that never crashed holds after the entries up to `index`. */
async function expectedAt(index: number): Promise<string[]> {
  await using engine = await openTestEngine(testWorld(), external);
  await apply(engine, 1, index);
  return await contentOf(engine);
}

describe('a store with an external log', () => {
  test('begins at durable index 0, and after a flush is durable up to the last index', async () => {
    await using engine = await openTestEngine(testWorld(), external);
    expect(engine.durableIndex).toBe(0);

    await apply(engine, 1, 7);
    await engine.flush();

    expect(engine.durableIndex).toBe(7);
    expect(engine.stats().durableIndex).toBe(7);
  });

  test('says the same after a clean close, with all of the data', async () => {
    const world = testWorld();
    const first = await openTestEngine(world, external);
    await apply(first, 1, 120);
    await first.close();

    await using second = await openTestEngine(world, external);

    expect(second.durableIndex).toBe(120);
    expect(await contentOf(second)).toEqual(await expectedAt(120));
  });

  test('counts indexes whose batch changes nothing', async () => {
    const world = testWorld();
    const first = await openTestEngine(world, external);
    await apply(first, 1, 3);
    await first.flush();
    await first.batch([], { appliedIndex: 9 });
    await first.flush();
    expect(first.durableIndex).toBe(9);
    await first.batch([], { appliedIndex: 12 });
    await first.close();

    await using second = await openTestEngine(world, external);

    expect(second.durableIndex).toBe(12);
  });

  test('holds after any crash exactly what its durable index says, and the rest of the log makes it whole', async () => {
    const disk = new MemoryFileSystem();
    const last = 100;
    const engine = await openTestEngine(testWorld(disk), external);
    await apply(engine, 1, last);
    const random = seededRandom(testSeed());
    const indexes = new Set<number>();
    const whole = await expectedAt(last);

    for (const { disk: survivor } of crashClones(disk, () => random.next())) {
      await using crashed = await openTestEngine(testWorld(survivor), external);
      const index = crashed.durableIndex!;
      indexes.add(index);
      expect(await contentOf(crashed)).toEqual(await expectedAt(index));
      await apply(crashed, index + 1, last);
      expect(await contentOf(crashed)).toEqual(whole);
    }

    expect(Math.max(...indexes)).toBeGreaterThan(0);
    await engine.close();
  });

  test('makes checkpoints of the state within the call, whatever is written and flushed meanwhile', async () => {
    const disk = new MemoryFileSystem();
    await using engine = await openTestEngine(testWorld(disk), external);

    let applied = 0;
    for (const count of [0, 1, 30, 0, 90]) {
      await apply(engine, applied + 1, applied + count);
      applied += count;
      const made = engine.checkpoint(`/copy-${applied}`);
      await apply(engine, applied + 1, applied + 40);

      const { durableIndex } = await made;

      expect(durableIndex).toBe(applied);
      const { clock, nextProcess } = testWorld(disk);
      const options = { ...external, fileSystem: disk, clock, processes: nextProcess() };
      await using copy = await openEngine(`/copy-${applied}`, options);
      expect(await contentOf(copy)).toEqual(await expectedAt(applied));
      applied += 40;
    }
  });

  test('writes no log', async () => {
    const disk = new MemoryFileSystem();
    const engine = await openTestEngine(testWorld(disk), external);
    await apply(engine, 1, 50);
    await engine.close();

    const names = (await disk.readDirectory('/db')).map(({ name }) => name);

    expect(names.filter((name) => name.endsWith('.wal'))).toEqual([]);
  });

  test('takes no write behind one that failed until that one comes again', async () => {
    const memory = new MemoryFileSystem();
    const disk = new FaultyFileSystem(memory);
    const world = testWorld(disk);
    const engine = await openTestEngine(world, external);
    // Conditional writes are groups of their own, so that one of them can fail and the next be taken.
    const write = (index: number): Promise<unknown> =>
      engine.compareAndBatch([], [{ kind: 'put', key: `k${index}`, value: 'v'.repeat(700) }], { appliedIndex: index });
    const isTable = (path: string): boolean => path.endsWith('.sst');
    disk.inject({ at: 1, forever: true, matchesPath: isTable, effect: { kind: 'fail', errno: 'ENOSPC' } });
    const outcomes = await Promise.allSettled(Array.from({ length: 40 }, (_, i) => write(i + 1)));
    disk.heal();

    const failed = outcomes.findIndex(({ status }) => status === 'rejected') + 1;
    expect(failed).toBeGreaterThan(1);
    expect(outcomes.slice(failed).map(({ status }) => status)).not.toContain('fulfilled');
    await expect(write(41)).rejects.toMatchObject({ code: 'KAYA_INDEX_MISSING' });
    for (let index = failed; index <= 41; index++) await write(index);
    await engine.close();

    await using again = await openTestEngine(world, external);
    expect(again.durableIndex).toBe(41);
    expect(await contentOf(again)).toHaveLength(41);
  });

  test('refuses an index that goes back, one that is missing, and a durability that needs a log', async () => {
    await using engine = await openTestEngine(testWorld(), external);
    await engine.put('a', '1', { appliedIndex: 5 });

    await expect(engine.put('a', '2', { appliedIndex: 4 })).rejects.toBeInstanceOf(RangeError);
    await expect(engine.put('a', '2')).rejects.toBeInstanceOf(RangeError);
    await expect(engine.put('a', '2', { appliedIndex: 6, durability: 'strict' })).rejects.toBeInstanceOf(RangeError);
    await expect(openTestEngine(testWorld(), { ...external, durability: 'interval' })).rejects.toBeInstanceOf(
      RangeError,
    );
    expect(decodeUtf8((await engine.get('a'))!)).toBe('1');
    await expect(engine.put('b', '1', { appliedIndex: 5 })).resolves.toMatchObject({ sequence: 2 });
  });

  test('keeps the kind of log that it was created with', async () => {
    const own = testWorld();
    await (await openTestEngine(own, tinyOptions)).close();
    const foreign = testWorld();
    await (await openTestEngine(foreign, external)).close();

    await expect(openTestEngine(own, external)).rejects.toMatchObject({ code: 'KAYA_STORE_LOG' });
    await expect(openTestEngine(foreign, tinyOptions)).rejects.toMatchObject({ code: 'KAYA_STORE_LOG' });
  });
});
