/**
 * One suite for everything that stores keys and values: the engine in memory and on disk, and the client over a server.
 * Each test opens a store of its own, empty, and closes it.
 */

import { describe, expect, test } from 'vitest';

import { seededRandom } from '../seeded-random.ts';
import { checkOps } from '../shrink.ts';
import { testSeed } from '../test-seed.ts';
import { compareWithModel, describeEntries } from './compare-with-model.ts';
import { attempt, ConformanceWorld, takeSnapshot } from './conformance-world.ts';
import { printOp, randomOps, textToBytes, type KeyValueOp } from './key-value-ops.ts';
import { collect, type KeyValueCapabilities, type KeyValueScanOptions, type KeyValueStore } from './key-value-store.ts';

/** Opens an empty store. Called once per test, and once per run of a random operation list. */
export type OpenKeyValueStore = () => Promise<KeyValueStore>;

type OpenWorld = () => Promise<ConformanceWorld>;

/** Bound: random runs per suite, and operations in each; together well under a second in memory. */
const RANDOM_RUNS = 8;
const RANDOM_OPS = 250;

const EVERYTHING: KeyValueCapabilities = {
  ranges: true,
  atomicBatch: true,
  snapshots: true,
  rangeDeletes: true,
  stableScans: true,
};

/** Registers the suite under `describe(name)`. `capabilities` leaves out what a store does not promise. */
export function describeKeyValueConformance(
  name: string,
  open: OpenKeyValueStore,
  capabilities: KeyValueCapabilities = EVERYTHING,
): void {
  const openWorld: OpenWorld = async () => new ConformanceWorld(await open(), capabilities.ranges);
  describe(`${name}: key-value conformance`, () => {
    describeReadsAndWrites(openWorld);
    describeBatches(openWorld, capabilities);
    describeScans(openWorld);
    if (capabilities.ranges) describeRanges(openWorld);
    if (capabilities.snapshots) describeSnapshots(openWorld);
    if (capabilities.stableScans) describeStableScans(openWorld);
    if (capabilities.rangeDeletes) describeRangeDeletes(openWorld, capabilities);
    describeRandomRuns(openWorld, capabilities);
  });
}

function describeReadsAndWrites(openWorld: OpenWorld): void {
  test('finds nothing under a key that was never put', async () => {
    await using world = await openWorld();

    const value = await world.get('absent');

    expect(value).toBeUndefined();
  });

  test('gives back what was put, and the last value wins', async () => {
    await using world = await openWorld();
    await world.put('k', 'old');

    await world.put('k', 'new');

    expect(await world.get('k')).toEqual(textToBytes('new'));
  });

  test('keeps an empty value apart from no value', async () => {
    await using world = await openWorld();

    await world.put('k', '""');

    expect(await world.get('k')).toEqual(new Uint8Array(0));
  });

  test('keeps every byte of keys and values', async () => {
    await using world = await openWorld();
    const allBytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);

    await world.store.put(allBytes, allBytes);

    expect(Uint8Array.from((await world.store.get(allBytes)) ?? [])).toEqual(allBytes);
  });

  test('accepts a key of 4 KiB and a value of 1 MiB', async () => {
    await using world = await openWorld();
    const key = seededRandom(1).bytes(4096);
    const value = seededRandom(2).bytes(1024 * 1024);

    await world.store.put(key, value);

    const found = await world.store.get(key);
    expect(found === undefined ? -1 : Buffer.compare(found, value)).toBe(0);
  });

  test.each([0, 4097])('refuses a key of %i bytes and stores nothing', async (length) => {
    await using world = await openWorld();
    const key = new Uint8Array(length).fill(0x61);

    const refused = attempt(() => world.store.put(key, textToBytes('v')));

    await expect(refused).rejects.toThrow(Error);
    expect(await world.everything()).toBe('[]');
  });

  test('forgets a deleted key, and deleting an absent one is no error', async () => {
    await using world = await openWorld();
    await world.put('k', 'v');

    await world.store.delete(textToBytes('k'));
    await world.store.delete(textToBytes('never-there'));

    expect(await world.get('k')).toBeUndefined();
    expect(await world.everything()).toBe('[]');
  });

  test('finds a key that was deleted and put again', async () => {
    await using world = await openWorld();
    await world.put('k', 'first');
    await world.store.delete(textToBytes('k'));

    await world.put('k', 'second');

    expect(await world.get('k')).toEqual(textToBytes('second'));
  });

  test('is not changed by a caller who reuses the arrays of a finished put', async () => {
    await using world = await openWorld();
    const key = textToBytes('key');
    const value = textToBytes('value');
    await world.store.put(key, value);

    key.fill(0x7a);
    value.fill(0x7a);

    expect(await world.everything()).toBe('["key": "value"]');
  });

  test('is not changed by a caller who writes into a value it was given', async () => {
    await using world = await openWorld();
    await world.put('k', 'value');

    (await world.get('k'))?.fill(0x7a);

    expect(await world.get('k')).toEqual(textToBytes('value'));
  });

  test('keeps all of many writes made at once', async () => {
    await using world = await openWorld();
    const names = Array.from({ length: 200 }, (_, index) => `k${String(index).padStart(3, '0')}`);

    await Promise.all(names.map((key) => world.put(key, `v-${key}`)));

    expect(await world.everything()).toBe(`[${names.map((key) => `"${key}": "v-${key}"`).join(', ')}]`);
  });

  test('refuses work after close, and closing twice is harmless', async () => {
    await using world = await openWorld();
    await world.store.close();

    await world.store.close();

    await expect(attempt(() => world.store.get(textToBytes('k')))).rejects.toThrow(Error);
    await expect(attempt(() => world.store.put(textToBytes('k'), textToBytes('v')))).rejects.toThrow(Error);
  });
}

function describeBatches(openWorld: OpenWorld, capabilities: KeyValueCapabilities): void {
  test('applies the writes of a batch in order: the last one on a key wins', async () => {
    await using world = await openWorld();
    await world.put('gone', 'v');

    await world.store.batch([
      { kind: 'put', key: textToBytes('a'), value: textToBytes('1') },
      { kind: 'put', key: textToBytes('b'), value: textToBytes('1') },
      { kind: 'put', key: textToBytes('a'), value: textToBytes('2') },
      { kind: 'delete', key: textToBytes('b') },
      { kind: 'delete', key: textToBytes('gone') },
    ]);

    expect(await world.everything()).toBe('["a": "2"]');
  });

  test('accepts an empty batch', async () => {
    await using world = await openWorld();

    await world.store.batch([]);

    expect(await world.everything()).toBe('[]');
  });

  if (!capabilities.atomicBatch) return;
  test('applies nothing of a batch that it refuses', async () => {
    await using world = await openWorld();
    const refused = attempt(() =>
      world.store.batch([
        { kind: 'put', key: textToBytes('a'), value: textToBytes('1') },
        { kind: 'put', key: new Uint8Array(0), value: textToBytes('2') },
      ]),
    );

    await expect(refused).rejects.toThrow(Error);

    expect(await world.everything()).toBe('[]');
  });
}

function describeScans(openWorld: OpenWorld): void {
  test('scans in the order of unsigned bytes, a prefix before what it begins', async () => {
    await using world = await openWorld();
    for (const key of ['b', '\\xff', 'a\\x00', 'aa', '\\x80', 'a', '\\x7f']) await world.put(key, 'v');

    const keys = (await world.scanPrefix('""')).map(({ key }) => Buffer.from(key).toString('latin1'));

    expect(keys).toEqual(['a', 'a\0', 'aa', 'b', '\x7f', '\x80', '\xff']);
  });

  test('scans exactly the keys that begin with a prefix', async () => {
    await using world = await openWorld();
    for (const key of ['j', 'k', 'k1', 'k\\xff', 'k\\xff\\xff', 'l']) await world.put(key, key);

    const entries = await world.scanPrefix('k');

    expect(describeEntries(entries)).toBe(
      String.raw`["k": "k", "k1": "k1", "k\xff": "k\xff", "k\xff\xff": "k\xff\xff"]`,
    );
  });

  test('scans a prefix of the highest byte, which has no end', async () => {
    await using world = await openWorld();
    for (const key of ['\\xfe', '\\xff', '\\xff\\xff\\x01']) await world.put(key, 'v');

    const entries = await world.scanPrefix('\\xff');

    expect(describeEntries(entries)).toBe(String.raw`["\xff": "v", "\xff\xff\x01": "v"]`);
  });

  test('finds nothing in an empty store', async () => {
    await using world = await openWorld();

    const entries = await world.scanPrefix('""');

    expect(entries).toEqual([]);
  });

  test('gives every entry of a long scan once', async () => {
    await using world = await openWorld();
    const names = Array.from({ length: 1000 }, (_, index) => `k${String(index).padStart(4, '0')}`);
    await world.store.batch(
      names.map((key) => ({ kind: 'put', key: textToBytes(key), value: textToBytes(`${key}*20`) })),
    );

    const entries = await world.scanPrefix('k');

    expect(entries.map(({ key }) => Buffer.from(key).toString())).toEqual(names);
  });

  test('works on after a scan that was left early', async () => {
    await using world = await openWorld();
    for (const key of ['a', 'b', 'c']) await world.put(key, 'v');

    for await (const { key } of world.store.scan(world.prefix('""'))) {
      if (Buffer.from(key).toString() === 'b') break;
    }
    await world.put('d', 'v');

    expect(await world.everything()).toBe('["a": "v", "b": "v", "c": "v", "d": "v"]');
  });
}

function describeRanges(openWorld: OpenWorld): void {
  test.each<[string, KeyValueScanOptions, string]>([
    ['gt', { gt: textToBytes('b') }, 'c d'],
    ['gte', { gte: textToBytes('b') }, 'b c d'],
    ['lt', { lt: textToBytes('c') }, 'a b'],
    ['lte', { lte: textToBytes('c') }, 'a b c'],
    ['gte between two keys', { gte: textToBytes('bb') }, 'c d'],
    ['both ends', { gt: textToBytes('a'), lte: textToBytes('c') }, 'b c'],
    ['reverse', { reverse: true }, 'd c b a'],
    ['reverse with both ends', { reverse: true, gte: textToBytes('b'), lt: textToBytes('d') }, 'c b'],
    ['limit', { limit: 2 }, 'a b'],
    ['reverse with limit', { reverse: true, limit: 2 }, 'd c'],
    ['limit beyond the end', { gt: textToBytes('c'), limit: 10 }, 'd'],
    ['ends that meet', { gt: textToBytes('b'), lt: textToBytes('b') }, ''],
    ['ends that cross', { gt: textToBytes('c'), lt: textToBytes('b') }, ''],
    ['a range beyond the last key', { gt: textToBytes('d') }, ''],
  ])('scans a range: %s', async (_, options, expected) => {
    await using world = await openWorld();
    for (const key of ['d', 'b', 'a', 'c']) await world.put(key, 'v');

    const entries = await collect(world.store.scan(options));

    expect(entries.map(({ key }) => Buffer.from(key).toString()).join(' ')).toBe(expected);
  });
}

function describeSnapshots(openWorld: OpenWorld): void {
  test('does not show a snapshot what was written after it', async () => {
    await using world = await openWorld();
    await world.put('a', 'old');
    await world.put('b', 'old');
    const snapshot = await takeSnapshot(world.store);

    await world.put('a', 'new');
    await world.store.delete(textToBytes('b'));
    await world.put('c', 'new');
    await world.store.flush?.();

    const inside = describeEntries(await collect(snapshot.scan({})));
    const value = await snapshot.get(textToBytes('b'));
    await snapshot.close();
    expect(inside).toBe('["a": "old", "b": "old"]');
    expect(value).toEqual(textToBytes('old'));
    expect(await world.everything()).toBe('["a": "new", "c": "new"]');
  });
}

function describeStableScans(openWorld: OpenWorld): void {
  test('does not show a scan what was written after it began', async () => {
    await using world = await openWorld();
    for (const key of ['a', 'b', 'c']) await world.put(key, 'old');
    const seen: string[] = [];

    for await (const { key, value } of world.store.scan(world.prefix('""'))) {
      seen.push(`${Buffer.from(key).toString()}=${Buffer.from(value).toString()}`);
      if (seen.length > 1) continue;
      await world.put('b', 'new');
      await world.store.delete(textToBytes('c'));
      await world.put('d', 'new');
    }

    expect(seen).toEqual(['a=old', 'b=old', 'c=old']);
  });
}

function describeRangeDeletes(openWorld: OpenWorld, { stableScans }: KeyValueCapabilities): void {
  test.each([
    ['b', 'd', '["a": "v", "d": "v"]'],
    ['""', 'c', '["c": "v", "d": "v"]'],
    ['bb', 'c', '["a": "v", "b": "v", "c": "v", "d": "v"]'],
    ['c', 'c', '["a": "v", "b": "v", "c": "v", "d": "v"]'],
    ['d', 'a', '["a": "v", "b": "v", "c": "v", "d": "v"]'],
    ['b', '\\xff', '["a": "v"]'],
  ])('deletes the range from %s to %s and nothing beside it', async (from, to, expected) => {
    await using world = await openWorld();
    for (const key of ['a', 'b', 'c', 'd']) await world.put(key, 'v');

    await world.deleteRange(from, to);

    expect(await world.everything()).toBe(expected);
  });

  if (!stableScans) return;
  test('does not take from a scan what is deleted as a range after it began', async () => {
    await using world = await openWorld();
    for (const key of ['a', 'b', 'c']) await world.put(key, 'v');
    const seen: string[] = [];

    for await (const { key } of world.store.scan(world.prefix('""'))) {
      seen.push(Buffer.from(key).toString());
      if (seen.length === 1) await world.deleteRange('a', 'z');
    }

    expect(seen).toEqual(['a', 'b', 'c']);
    expect(await world.everything()).toBe('[]');
  });
}

function describeRandomRuns(openWorld: OpenWorld, capabilities: KeyValueCapabilities): void {
  test.each(Array.from({ length: RANDOM_RUNS }, (_, run) => run))(
    'answers like a sorted map: random run %i',
    async (run) => {
      const seed = testSeed();
      await using probe = await openWorld();
      const ops = randomOps(seededRandom(seed).fork(`run ${run}`), RANDOM_OPS, {
        ranges: capabilities.ranges,
        flush: probe.store.flush !== undefined,
        reopen: probe.store.reopen !== undefined,
        deleteRange: capabilities.rangeDeletes,
      });

      const check = checkOps<KeyValueOp>({
        ops,
        seed,
        print: printOp,
        run: async (part) => {
          await using world = await openWorld();
          await compareWithModel(world.store, part, capabilities.ranges);
        },
      });

      await expect(check).resolves.toBeUndefined();
    },
  );
}
