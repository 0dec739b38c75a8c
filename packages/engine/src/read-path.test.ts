import { compareBytes, encodeUtf8 } from '@kayadb/codec';
import { type SeededRandom, seededRandom, testSeed } from '@kayadb/testkit';
import { FaultyFileSystem, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { randomKey } from '../test/support/random-entries.ts';
import { CorruptionError } from './errors.ts';
import { tableFileName } from './files/file-names.ts';
import { compareEntries, type Entry, PUT_KIND } from './key/internal-key.ts';
import { WriteBatch } from './key/write-batch.ts';
import { MemtableList } from './memtable/memtable-list.ts';
import { RangeDeleteSet } from './range-delete/range-delete-set.ts';
import type { RangeDelete } from './range-delete/range-delete.ts';
import { ReadPath, type ReadPathParts } from './read-path.ts';
import { BlockCache } from './sstable/block-cache.ts';
import { TableCache } from './sstable/table-cache.ts';
import { Tables } from './sstable/tables.ts';
import { TEST_STORE_ID, writeTable } from './testing/write-table.ts';
import type { TableMeta } from './version/table-meta.ts';
import { Version } from './version/version.ts';

interface World {
  readonly fs: FaultyFileSystem;
  readonly reads: ReadPath;
  readonly tables: Tables;
  readonly blockCache: BlockCache;
  readonly version: Version;
  /** Every entry and range delete there is. */
  readonly entries: readonly Entry[];
  readonly deletes: readonly RangeDelete[];
  readonly keys: readonly Uint8Array[];
}

interface WorldOptions {
  readonly cacheBytes: number;
  readonly maxOpenTables: number;
  readonly deleteCount?: number;
  readonly valueBytes?: number;
}

/**
 * Versions of the same keys in a memtable, four level-0 tables and two deeper levels of several tables each, the newest on top.
 */
async function openWorld(random: SeededRandom, options: WorldOptions): Promise<World> {
  const keys = Array.from({ length: 60 }, () => randomKey(random));
  const disk = new MemoryFileSystem();
  let sequence = 0;
  let fileNumber = 0;
  const all: Entry[] = [];
  const someEntries = (count: number): Entry[] => {
    const entries = Array.from({ length: count }, (): Entry => {
      const isDelete = random.chance(0.2);
      const value = random.bytes(isDelete ? 0 : random.int(options.valueBytes ?? 300));
      return { key: random.pick(keys), sequence: ++sequence, kind: isDelete ? 2 : PUT_KIND, value };
    });
    all.push(...entries);
    return entries.toSorted(compareEntries);
  };
  const write = (entries: readonly Entry[]): Promise<TableMeta> => {
    const path = `/${tableFileName(++fileNumber)}`;
    return writeTable(disk, path, entries, { fileNumber, blockBytes: 512, compression: random.pick(['none', 'zstd']) });
  };
  const levels: TableMeta[][] = Array.from({ length: 7 }, () => []);
  for (const level of [2, 1]) {
    let rest = someEntries(60);
    while (rest.length > 0) {
      // All versions of one key stay in one table.
      let end = Math.min(rest.length, 15);
      while (end < rest.length && decodeKey(rest[end - 1]!) === decodeKey(rest[end]!)) end++;
      levels[level]!.push(await write(rest.slice(0, end)));
      rest = rest.slice(end);
    }
  }
  for (let i = 0; i < 4; i++) levels[0]!.unshift(await write(someEntries(20)));
  const memtables = new MemtableList(1);
  for (let i = 0; i < 20; i++) {
    const key = random.pick(keys);
    const value = random.bytes(random.int(50));
    memtables.active.insert(new WriteBatch().put(key, value).bytes, ++sequence);
    all.push({ key, sequence, kind: PUT_KIND, value });
  }
  const deletes = Array.from({ length: options.deleteCount ?? 0 }, (): RangeDelete => {
    const [start, end] = [random.pick(keys), random.pick(keys)].toSorted(compareBytes);
    return { start: start!, end: random.chance(0.2) ? undefined : end!, sequence: 1 + random.int(sequence) };
  }).filter(({ start, end }) => end === undefined || compareBytes(start, end) < 0);
  const fs = new FaultyFileSystem(disk);
  const blockCache = new BlockCache(options.cacheBytes, 512);
  const { maxOpenTables } = options;
  const tables = new Tables(new TableCache({ fs, directory: '', storeId: TEST_STORE_ID, blockCache, maxOpenTables }));
  const version = new Version(levels, () => undefined);
  const parts = {
    memtables,
    tables,
    versions: { current: version.retain() },
    rangeDeletes: { current: new RangeDeleteSet(deletes) },
  };
  const reads = new ReadPath(parts as unknown as ReadPathParts);
  return { fs, reads, tables, blockCache, version, entries: all, deletes, keys };
}

function decodeKey({ key }: Entry): string {
  return key.join(',');
}

/** What a reader at `sequence` must see. */
function expectedValue({ entries, deletes }: World, key: Uint8Array, sequence: number): Uint8Array | undefined {
  const name = key.join(',');
  const versions = entries.filter((entry) => entry.sequence <= sequence && decodeKey(entry) === name);
  const newest = versions.toSorted((a, b) => b.sequence - a.sequence)[0];
  if (newest === undefined || newest.kind !== PUT_KIND) return undefined;
  const isHidden = deletes.some(
    ({ start, end, sequence: at }) =>
      at <= sequence &&
      at > newest.sequence &&
      compareBytes(start, key) <= 0 &&
      (end === undefined || compareBytes(key, end) < 0),
  );
  return isHidden ? undefined : newest.value;
}

function hex(value: Uint8Array | undefined): string | undefined {
  return value && Buffer.from(value).toString('hex');
}

describe('ReadPath', () => {
  test.each([
    ['everything cached', { cacheBytes: 10_000_000, maxOpenTables: 100 }],
    ['a cache of a few blocks', { cacheBytes: 6000, maxOpenTables: 3 }],
    ['no cache', { cacheBytes: 0, maxOpenTables: 1 }],
    ['range deletes', { cacheBytes: 20_000, maxOpenTables: 100, deleteCount: 5 }],
  ])('answers every call as a list of all writes does, with %s', async (_name, options) => {
    const random = seededRandom(testSeed());
    const world = await openWorld(random, options);
    const { reads, keys, entries } = world;

    const wrong: string[] = [];
    for (let round = 0; round < 40; round++) {
      const sequence = random.chance(0.5) ? entries.length : random.int(entries.length + 1);
      const asked = Array.from({ length: 10 }, () => (random.chance(0.8) ? random.pick(keys) : randomKey(random)));
      const expected = asked.map((key) => hex(expectedValue(world, key, sequence)));
      const many = reads.getMany(asked, sequence);
      const answers = await Promise.all(
        asked.map(async (key) => {
          const buffer = key.slice();
          const [later, has] = [reads.get(buffer, sequence), reads.has(buffer, sequence)];
          const now = reads.getSync(buffer, sequence);
          buffer.fill(0x7a);
          return [hex(await later), hex(now), await has];
        }),
      );
      const values = (await many).map(hex);
      for (const [i, each] of expected.entries()) {
        const [later, now, has] = answers[i]!;
        const isRight = later === each && now === each && has === (each !== undefined) && values[i] === each;
        if (!isRight) wrong.push(`${asked[i]!.join(' ')} at ${sequence}`);
      }
    }

    expect(wrong).toEqual([]);
    expect(() => world.version.release()).not.toThrow();
    await world.tables.close();
  });

  test('gives values that stay as they are whatever is read, written over or cached later', async () => {
    const random = seededRandom(testSeed());
    const world = await openWorld(random, { cacheBytes: 5000, maxOpenTables: 2, valueBytes: 900 });
    const { reads, keys, entries } = world;

    const given: { readonly value: Uint8Array; readonly copy: string }[] = [];
    for (let i = 0; i < 400; i++) {
      const key = random.pick(keys);
      const value = random.chance(0.5) ? reads.getSync(key, entries.length) : await reads.get(key, entries.length);
      if (value === undefined) continue;
      // What the caller does to one of its arrays is nobody else's affair.
      if (random.chance(0.2)) value.fill(i);
      given.push({ value, copy: hex(value)! });
    }

    expect(given.length).toBeGreaterThan(100);
    expect(given.filter(({ value, copy }) => hex(value) !== copy)).toEqual([]);
    await world.tables.close();
  });

  test('answers in the caller turn what is in memory, and only that', async () => {
    const random = seededRandom(testSeed());
    const { reads, keys, entries, tables, fs } = await openWorld(random, {
      cacheBytes: 10_000_000,
      maxOpenTables: 100,
    });
    const isCold = keys.map((key) => reads.get(key, entries.length) instanceof Promise);
    await reads.getMany(keys, entries.length);

    const operations = fs.countOf();
    const answers = keys.flatMap((key) => [reads.get(key, entries.length), reads.has(key, entries.length)]);

    expect(isCold).toContain(true);
    expect(answers.filter((answer) => answer instanceof Promise)).toEqual([]);
    expect(fs.countOf()).toBe(operations);
    await tables.close();
  });

  test('passes on what the disk refuses, on every way, and answers again afterwards', async () => {
    const world = await openWorld(seededRandom(testSeed()), { cacheBytes: 0, maxOpenTables: 1 });
    const { reads, fs, tables, keys, entries, version } = world;
    const key = keys.find((each) => reads.get(each, entries.length) instanceof Promise)!;
    await reads.get(key, entries.length);

    for (const kind of ['open', 'read'] as const) {
      fs.inject({ at: 1, kinds: [kind], forever: true, effect: { kind: 'fail', errno: 'EIO' } });
      tables.evict(version.levels[0]![0]!.fileNumber);
      await expect(reads.getMany(keys, entries.length)).rejects.toMatchObject({ code: 'KAYA_IO' });
      expect(() => keys.map((each) => reads.getSync(each, entries.length))).toThrow(/EIO/);
      fs.heal();
    }

    expect(hex(await reads.get(key, entries.length))).toBe(hex(expectedValue(world, key, entries.length)));
    expect(version.retain().release()).toBeUndefined();
    await tables.close();
  });

  test('tells damage with its file and place, whichever way it is read', async () => {
    const disk = new MemoryFileSystem();
    const entry = { key: encodeUtf8('k'), sequence: 1, kind: PUT_KIND, value: encodeUtf8('value') } as const;
    const meta = await writeTable(disk, '/000001.sst', [entry], { fileNumber: 1 });
    const handle = await disk.open('/000001.sst', 'write');
    await handle.write(Uint8Array.of(0xff), 70);
    await handle.close();
    const blockCache = new BlockCache(100_000);
    const tables = new Tables(
      new TableCache({ fs: disk, directory: '', storeId: TEST_STORE_ID, blockCache, maxOpenTables: 9 }),
    );
    const version = new Version([[], [meta], [], [], [], [], []], () => undefined);
    const reads = new ReadPath({
      memtables: new MemtableList(1),
      tables,
      versions: { current: version.retain() },
      rangeDeletes: { current: new RangeDeleteSet([]) },
    } as unknown as ReadPathParts);

    const outcomes = await Promise.allSettled([
      reads.get(entry.key, 9),
      reads.getMany([entry.key], 9),
      reads.has(entry.key, 9),
      (async () => reads.getSync(entry.key, 9))(),
    ]);

    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { file: '000001.sst', offset: 64 } });
      expect((outcome as PromiseRejectedResult).reason).toBeInstanceOf(CorruptionError);
    }
    await tables.close();
  });

  test('keeps the version it reads from until the reading is done', async () => {
    const world = await openWorld(seededRandom(testSeed()), { cacheBytes: 0, maxOpenTables: 100 });
    const { reads, keys, entries, version } = world;
    const many = reads.getMany(keys, entries.length);

    version.release();
    const values = await many;

    expect(values.map(hex)).toEqual(keys.map((key) => hex(expectedValue(world, key, entries.length))));
    expect(() => version.release()).toThrow(/more often/);
    await world.tables.close();
  });

  test('adds up what may hold keys of a span', async () => {
    const world = await openWorld(seededRandom(testSeed()), { cacheBytes: 10_000, maxOpenTables: 3 });
    const { reads, version, tables } = world;
    const fileBytes = version.levels.flat().reduce((sum, table) => sum + table.fileBytes, 0);

    const everything = await reads.approximateBytes({ start: Uint8Array.of(0), end: undefined });
    const nothing = await reads.approximateBytes({
      start: Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff),
      end: undefined,
    });
    const halves = await Promise.all([
      reads.approximateBytes({ start: Uint8Array.of(0), end: encodeUtf8('b') }),
      reads.approximateBytes({ start: encodeUtf8('b'), end: undefined }),
    ]);

    expect(everything).toBe(fileBytes);
    expect(nothing).toBeLessThan(fileBytes / 10);
    expect(Math.min(...halves)).toBeGreaterThan(0);
    expect(halves[0] + halves[1]).toBeLessThan(fileBytes * 1.2);
    await tables.close();
  });
});
