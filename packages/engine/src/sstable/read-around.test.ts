import { FaultyFileSystem, MemoryFileSystem, TraceFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { readCached, readLater } from '../../test/support/table-reads.ts';
import type { Entry } from '../key/internal-key.ts';
import { TEST_STORE_ID, writeTable } from '../testing/write-table.ts';
import { BlockCache } from './block-cache.ts';
import { openTable } from './open-table.ts';
import type { TableReader } from './table-reader.ts';

const NAME = '000007.sst';
const PATH = `/${NAME}`;
const VALUE_BYTES = 1000;

interface World {
  readonly fs: FaultyFileSystem;
  readonly table: TableReader;
  readonly cache: BlockCache;
  /** How often the table was read since it was asked last. */
  takeReads(): number;
}

/** A table of `count` blocks of one entry each, with nothing cached. */
async function openWorld(count: number, cacheBytes: number, damagedByte?: number): Promise<World> {
  const memory = new MemoryFileSystem();
  const entries = Array.from({ length: count }, (_, i) => entryAt(i));
  const meta = await writeTable(memory, PATH, entries, { fileNumber: 7, blockBytes: 1, compression: 'none' });
  if (damagedByte !== undefined) {
    const file = await memory.open(PATH, 'write');
    await file.write(Uint8Array.of(0xee), damagedByte);
    await file.close();
  }
  const cache = new BlockCache(cacheBytes, 1024);
  const fs = new FaultyFileSystem(memory);
  const trace = new TraceFileSystem(fs, '/', ['read']);
  const table = await openTable(trace, PATH, NAME, { storeId: TEST_STORE_ID, ...meta }, { cache });
  trace.takeLines();
  return { fs, table, cache, takeReads: () => trace.takeLines().length };
}

function keyOf(index: number): Uint8Array {
  return new TextEncoder().encode(`key${String(index).padStart(5, '0')}`);
}

function entryAt(index: number): Entry {
  return { key: keyOf(index), sequence: 1, kind: 1, value: new Uint8Array(VALUE_BYTES).fill(index) };
}

async function firstByte({ table }: World, index: number): Promise<number | undefined> {
  return (await readLater(table, keyOf(index), 9))?.value[0];
}

describe('a cold read while the cache has room', () => {
  test('brings the blocks around it along', async () => {
    const world = await openWorld(100, 1_000_000);

    const found = await firstByte(world, 50);

    expect(found).toBe(50);
    expect(world.takeReads()).toBe(1);
    expect(world.cache.stats.blocks).toBe(100);
    const cached = [0, 49, 99].map((index) => readCached(world.table, keyOf(index), 9));
    expect(cached).toMatchObject([0, 49, 99].map(entryAt));
  });

  test('is shared by all that ask for a block of the same window', async () => {
    const world = await openWorld(1000, 2_000_000);

    const found = await Promise.all(Array.from({ length: 1000 }, (_, index) => firstByte(world, index)));

    expect(found).toEqual(Array.from({ length: 1000 }, (_, index) => index & 255));
    // Windows are 256 KiB, of which the table of 1.06 MB takes five.
    expect(world.takeReads()).toBe(5);
  });

  test('is not disturbed by a damaged neighbour, which is refused when it is asked for', async () => {
    const world = await openWorld(100, 1_000_000, 10_000);

    const outcomes = await Promise.allSettled(Array.from({ length: 100 }, (_, index) => firstByte(world, index)));

    const refused = outcomes.flatMap((outcome, index) => (outcome.status === 'rejected' ? [index] : []));
    expect(refused).toEqual([9]);
    expect(outcomes[9]).toMatchObject({ reason: { code: 'KAYA_CORRUPTION' } });
  });

  test('falls back to its own block when the neighbours cannot be read', async () => {
    const world = await openWorld(100, 1_000_000);
    world.fs.inject({ at: 1, kinds: ['read'], effect: { kind: 'fail', errno: 'EIO' } });

    const found = await firstByte(world, 50);

    expect(found).toBe(50);
    expect(world.takeReads()).toBe(2);
    expect(world.cache.stats.blocks).toBe(1);
  });
});

describe('a cold read while the cache has little room', () => {
  test('reads its own block only', async () => {
    const world = await openWorld(100, 60_000);

    const found = await firstByte(world, 50);

    expect(found).toBe(50);
    expect(world.cache.stats.blocks).toBe(1);
  });
});

describe('a block that a cold read has brought', () => {
  // The reader was pointed at the block in one turn and searched it in the next: by then other readers' blocks could lie there,
  // so that a key that exists was not found, or had another one's value.
  test('is searched before any other block can take its place', async () => {
    const fs = new MemoryFileSystem();
    const entries = [0, 1].map((i) => ({ ...entryAt(i), value: new Uint8Array(500).fill(i + 1) }));
    const meta = await writeTable(fs, PATH, entries, { fileNumber: 7, blockBytes: 1, compression: 'none' });
    const found: unknown[] = [];

    for (let delay = 0; delay < 30; delay++) {
      const cache = new BlockCache(4200, 1024);
      const table = await openTable(fs, PATH, NAME, { storeId: TEST_STORE_ID, ...meta }, { cache });
      const other = cache.table(8, 100);
      const reading = readLater(table, keyOf(1), 9);
      for (let turn = 0; turn < delay; turn++) await Promise.resolve();
      for (let ordinal = 0; ordinal < 12; ordinal++) other.insert(ordinal, new Uint8Array(600));
      found.push((await reading)?.value[0]);
      await table.close();
    }

    expect(found).toEqual(Array.from({ length: 30 }, () => 2));
  });
});
