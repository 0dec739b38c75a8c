import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { PUT_KIND } from '../key/internal-key.ts';
import { BlockBuilder } from './block-builder.ts';
import { BlockCache } from './block-cache.ts';
import { BlockReader } from './block-reader.ts';

const builder = new BlockBuilder();
const key = Uint8Array.of(0x6b);

function blockOf(valueBytes: number): BlockReader {
  builder.add(key, 1, PUT_KIND, new Uint8Array(valueBytes));
  return new BlockReader(builder.finish().slice(), '000001.sst', 64);
}

describe('BlockCache', () => {
  test('gives back what was inserted and counts hits and misses', () => {
    const cache = new BlockCache(10_000);
    const table = cache.table(1, 3);
    const block = blockOf(100);

    table.insert(2, block);

    expect(table.get(2)).toBe(block);
    expect(table.get(0)).toBeUndefined();
    expect(cache.table(2, 3).get(2)).toBeUndefined();
    expect(cache.table(1, 3).get(2)).toBe(block);
    expect(cache.stats).toMatchObject({ hits: 2, misses: 2, blocks: 1 });
  });

  test('keeps within its budget whatever is inserted', () => {
    const random = seededRandom(testSeed());
    const cache = new BlockCache(50_000);
    let largest = 0;
    for (let i = 0; i < 3000; i++) {
      const table = cache.table(1 + random.int(5), 100);
      if (random.chance(0.5)) table.insert(random.int(100), blockOf(random.int(5000)));
      else table.get(random.int(100));
      if (random.chance(0.01)) cache.evictTable(1 + random.int(5));

      largest = Math.max(largest, cache.stats.bytes);
    }
    expect(largest).toBeLessThanOrEqual(50_000);
    expect(cache.stats.blocks).toBeGreaterThan(5);
    for (let fileNumber = 1; fileNumber <= 5; fileNumber++) cache.evictTable(fileNumber);
    expect(cache.stats).toMatchObject({ bytes: 0, blocks: 0 });
  });

  test('spares what is used again when much is read once', () => {
    const cache = new BlockCache(100_000);
    const table = cache.table(1, 10_000);
    for (let hot = 0; hot < 10; hot++) table.insert(hot, blockOf(1000));

    let lost = 0;
    for (let cold = 10; cold < 2000; cold++) {
      table.insert(cold, blockOf(1000));
      if (table.get(cold % 10) === undefined) lost++;
    }

    expect(lost).toBe(0);
  });

  test('holds on to the newest blocks of a scan', () => {
    const cache = new BlockCache(100_000);
    const table = cache.table(1, 1000);

    for (let i = 0; i < 1000; i++) table.insert(i, blockOf(1000));

    const kept = Array.from({ length: 1000 }, (_, i) => i).filter((i) => table.get(i) !== undefined);
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => 1000 - kept.length + i));
    expect(kept.length).toBeGreaterThan(50);
  });

  test('does not take in what is larger than its budget', () => {
    const nothing = new BlockCache(0).table(1, 1);
    nothing.insert(0, blockOf(1));
    const small = new BlockCache(2000);
    const table = small.table(1, 2);
    table.insert(0, blockOf(500));
    table.insert(1, blockOf(5000));

    expect(nothing.get(0)).toBeUndefined();
    expect(table.get(1)).toBeUndefined();
    expect(table.get(0)).toBeDefined();
  });

  test('lets go of an evicted table for good', () => {
    const cache = new BlockCache(10_000);
    const table = cache.table(1, 2);
    table.insert(0, blockOf(100));
    cache.table(2, 1).insert(0, blockOf(100));

    cache.evictTable(1);
    table.insert(1, blockOf(100));

    expect(table.get(0)).toBeUndefined();
    expect(table.get(1)).toBeUndefined();
    expect(cache.stats.blocks).toBe(1);
  });
});
