import { equalBytes } from '@kayadb/codec';
import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { PUT_KIND } from '../key/internal-key.ts';
import { BlockBuilder } from './block-builder.ts';
import { BlockCache } from './block-cache.ts';
import type { CachedTable } from './cached-table.ts';
import { LOOKUP, PointLookup } from './point-lookup.ts';

const builder = new BlockBuilder();
const key = Uint8Array.of(0x6b);

/** A block of one entry that can be told from others by its sequence number. */
function blockOf(valueBytes: number, sequence = 1): Uint8Array {
  builder.add(key, sequence, PUT_KIND, new Uint8Array(valueBytes).fill(sequence));
  return builder.finish().slice();
}

/** The sequence number in the block at `ordinal`, read through a lookup; `undefined` when it is not cached. */
function look(table: CachedTable, ordinal: number): number | undefined {
  const lookup = new PointLookup();
  if (!table.attach(ordinal, lookup)) return undefined;
  expect(lookup.search(key, Number.MAX_SAFE_INTEGER)).toBe(LOOKUP.found);
  const { value } = lookup.copyEntry(key);
  expect(value.every((byte) => byte === (lookup.sequence & 0xff))).toBe(true);
  return lookup.sequence;
}

describe('BlockCache', () => {
  test('gives back what was inserted and counts hits and misses', () => {
    const cache = new BlockCache(20_000);
    const table = cache.table(1, 3);

    table.insert(2, blockOf(100, 7));

    expect(look(table, 2)).toBe(7);
    expect(look(table, 0)).toBeUndefined();
    expect(look(cache.table(2, 3), 2)).toBeUndefined();
    expect(look(cache.table(1, 3), 2)).toBe(7);
    expect(cache.stats).toMatchObject({ hits: 2, misses: 2, blocks: 1 });
  });

  test('keeps copies, and gives out copies to those who want to keep them', () => {
    const cache = new BlockCache(20_000);
    const table = cache.table(1, 3);
    const [small, large] = [blockOf(100, 7), blockOf(9000, 8)];
    for (const [ordinal, block] of [small, large].entries()) {
      const given = block.slice();
      table.insert(ordinal, given);
      given.fill(0);
    }

    const copies = [table.copy(0, small.length), table.copy(1, large.length)];
    table.copy(0, small.length)!.fill(0);
    cache.evictTable(1);
    cache.table(2, 1).insert(0, blockOf(100, 9));

    expect(equalBytes(copies[0]!, small)).toBe(true);
    expect(equalBytes(copies[1]!, large)).toBe(true);
    expect(table.copy(2, 10)).toBeUndefined();
  });

  test('agrees with a map of blocks, whatever is inserted, evicted, dropped and reserved, within its budget', () => {
    const random = seededRandom(testSeed());
    for (let round = 0; round < 30; round++) {
      const budget = random.pick([0, 1, 700, 5000, 50_000, 400_000, 3_000_000]);
      const cache = new BlockCache(budget, random.pick([1, 512, 700, 4096, 20_000]));
      const model = new Map<string, number>();
      const wrong: string[] = [];
      let reserved = 0;
      let cached = 0;
      for (let step = 0; step < 2000; step++) {
        const fileNumber = 1 + random.int(5);
        const table = cache.table(fileNumber, 50);
        const ordinal = random.int(50);
        const name = `${fileNumber}/${ordinal}`;
        const action = random.int(100);
        if (action < 50) {
          const found = look(table, ordinal);
          if (found !== undefined) cached++;
          if (found !== undefined && found !== model.get(name)) wrong.push(`${name} gave ${found}`);
        } else if (action < 90) {
          const isNew = look(table, ordinal) === undefined;
          table.insert(ordinal, blockOf(random.int(random.pick([300, 3000, 30_000])), step + 1));
          if (isNew) model.set(name, step + 1);
        } else if (action < 92) {
          cache.evictTable(fileNumber);
          if (look(table, ordinal) !== undefined) wrong.push(`${name} outlived its table`);
          for (let each = 0; each < 50; each++) model.delete(`${fileNumber}/${each}`);
        } else if (action < 96) {
          const bytes = random.int(Math.floor(budget / 2) + 1);
          cache.reserve(bytes);
          reserved += bytes;
        } else {
          const bytes = random.int(reserved + 1);
          cache.release(bytes);
          reserved -= bytes;
        }
        const { bytes, reservedBytes } = cache.stats;
        const limit = Math.max(budget - reserved, Math.floor(budget / 8));
        if (bytes > limit || reservedBytes !== reserved) wrong.push(`${bytes} of ${limit} bytes in use`);
      }
      expect(wrong).toEqual([]);
      const mayVary = budget >= 2 && budget < 50_000;
      expect(mayVary || cached > 0 === budget >= 50_000).toBe(true);
      for (let fileNumber = 1; fileNumber <= 5; fileNumber++) cache.evictTable(fileNumber);
      expect(cache.stats).toMatchObject({ bytes: 0, blocks: 0 });
    }
  });

  test('spares what is used again when much is read once', () => {
    const cache = new BlockCache(100_000, 1024);
    const table = cache.table(1, 10_000);
    for (let hot = 0; hot < 10; hot++) table.insert(hot, blockOf(900));

    let lost = 0;
    for (let cold = 10; cold < 2000; cold++) {
      table.insert(cold, blockOf(900));
      if (look(table, cold % 10) === undefined) lost++;
    }

    expect(lost).toBe(0);
  });

  test('holds on to the newest blocks of a scan', () => {
    const cache = new BlockCache(100_000, 1024);
    const table = cache.table(1, 1000);

    for (let i = 0; i < 1000; i++) table.insert(i, blockOf(900));

    const kept = Array.from({ length: 1000 }, (_, i) => i).filter((i) => look(table, i) !== undefined);
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => 1000 - kept.length + i));
    expect(kept.length).toBeGreaterThan(50);
  });

  test('does not take in what is larger than its budget', () => {
    const nothing = new BlockCache(0).table(1, 1);
    nothing.insert(0, blockOf(1));
    const table = new BlockCache(2000, 512).table(1, 2);
    table.insert(0, blockOf(400));
    table.insert(1, blockOf(5000));

    expect(look(nothing, 0)).toBeUndefined();
    expect(look(table, 1)).toBeUndefined();
    expect(look(table, 0)).toBe(1);
  });

  test('leaves large blocks the whole budget until smaller ones come, then half of it', () => {
    const cache = new BlockCache(1_000_000, 4096);
    const table = cache.table(1, 1000);
    for (let i = 0; i < 20; i++) table.insert(i, blockOf(90_000));
    expect(cache.stats.bytes).toBeGreaterThan(900_000);

    for (let i = 100; i < 900; i++) table.insert(i, blockOf(1000));
    const bytes = cache.stats.bytes;
    for (let i = 20; i < 40; i++) table.insert(i, blockOf(90_000));

    const large = Array.from({ length: 40 }, (_, i) => i).filter((i) => look(table, i) !== undefined);
    expect(large).toEqual([35, 36, 37, 38, 39]);
    expect(bytes).toBeGreaterThan(900_000);
    expect(cache.stats.bytes).toBeGreaterThan(900_000);
  });

  test('gives memory back for what is reserved, and takes it again', () => {
    const cache = new BlockCache(4_000_000, 4096);
    const table = cache.table(1, 2000);
    const fill = (): void => {
      for (let i = 0; i < 2000; i++) table.insert(i, blockOf(100));
    };
    fill();
    expect(cache.stats.allocatedBytes).toBeGreaterThan(3_900_000);

    cache.reserve(2_000_000);
    const held = cache.stats.allocatedBytes;
    cache.reserve(10_000_000);
    const floor = cache.stats;
    cache.release(12_000_000);
    fill();

    expect(held).toBeLessThan(3_200_000);
    expect(floor.bytes).toBeGreaterThan(400_000);
    expect(floor.bytes).toBeLessThanOrEqual(500_000);
    expect(cache.stats.bytes).toBeGreaterThan(3_900_000);
  });

  test('lets go of an evicted table for good', () => {
    const cache = new BlockCache(10_000);
    const table = cache.table(1, 2);
    table.insert(0, blockOf(100));
    cache.table(2, 1).insert(0, blockOf(100));

    cache.evictTable(1);
    table.insert(1, blockOf(100));

    expect(look(table, 0)).toBeUndefined();
    expect(look(table, 1)).toBeUndefined();
    expect(cache.stats.blocks).toBe(1);
  });
});
