/** What a store takes, and what it takes when its log is somebody else's. */

import { describe, expect, test } from 'vitest';

import { openTestEngine, testWorld } from '../test/support/open-test-engine.ts';
import type { BatchOperation, EngineOptions } from './index.ts';
import { EXTERNAL_LOG_LIMITS, limitsOf, OWN_LOG_LIMITS } from './limits.ts';

const modes = [
  { log: 'own', at: {}, keyBytes: 4096, valueBytes: 16_777_216, batchBytes: 33_554_432 },
  { log: 'external', at: { appliedIndex: 1 }, keyBytes: 4160, valueBytes: 16_777_280, batchBytes: 41_943_040 },
] as const;

const HEADER_BYTES = 8;

/** No two stretches of it are the same. */
function noise(bytes: number): Uint8Array {
  return new Uint8Array(
    Uint32Array.from({ length: Math.ceil(bytes / 4) }, (_, i) => i * 2_654_435_761).buffer,
    0,
    bytes,
  );
}

/** A batch of just so many bytes, encoded. */
function batchOf(bytes: number, valueBytes: number): readonly BatchOperation[] {
  const operations: BatchOperation[] = [];
  let left = bytes;
  while (left > 0) {
    const length = Math.min(valueBytes, left - HEADER_BYTES - 1);
    operations.push({ kind: 'put', key: String(operations.length), value: new Uint8Array(length) });
    left -= HEADER_BYTES + 1 + length;
  }
  return operations;
}

describe.each(modes)('with log $log', { timeout: 60_000 }, ({ log, at, keyBytes, valueBytes, batchBytes }) => {
  const options: EngineOptions = { log, durability: 'relaxed', memtableBytes: 65_536 };

  test('a store takes the longest key and value, and has them after a restart and a compaction', async () => {
    const world = testWorld();
    const key = noise(keyBytes);
    const value = noise(valueBytes);
    const first = await openTestEngine(world, options);
    await first.batch([{ kind: 'put', key, value }], at);
    const fromMemory = await first.get(key);
    await first.close();

    await using engine = await openTestEngine(world, options);
    await engine.compact();

    const fromTable = await engine.get(key);
    const rows = await engine.scan().nextBatch(9);
    expect(Buffer.compare(fromMemory!, value)).toBe(0);
    expect(Buffer.compare(fromTable!, value)).toBe(0);
    expect(rows).toHaveLength(1);
    expect((await engine.verify()).damage).toEqual([]);
  });

  test('a range may be deleted from the longest key on', async () => {
    const world = testWorld();
    const longest = new Uint8Array(keyBytes).fill(7);
    const first = await openTestEngine(world, options);
    const range = { gte: longest, lte: longest };
    const operations: readonly BatchOperation[] = [
      { kind: 'put', key: longest, value: 'v' },
      { kind: 'put', key: longest.subarray(1), value: 'w' },
      { kind: 'delete-range', range },
    ];
    await first.batch(operations, at);
    await first.close();

    await using engine = await openTestEngine(world, options);

    expect(await engine.get(longest)).toBeUndefined();
    expect(await engine.get(longest.subarray(1))).toBeDefined();
  });

  test('a byte more is refused with a sentence, and nothing is written', async () => {
    await using engine = await openTestEngine(testWorld(), options);
    const put = (key: Uint8Array, value: Uint8Array): Promise<unknown> => engine.put(key, value, at);

    await expect(put(new Uint8Array(keyBytes + 1), new Uint8Array(1))).rejects.toThrow(
      `a key has ${keyBytes} bytes at most, and this one has ${keyBytes + 1}`,
    );
    await expect(put(new Uint8Array(1), new Uint8Array(valueBytes + 1))).rejects.toThrow(
      `a value has ${valueBytes} bytes at most, and this one has ${valueBytes + 1}`,
    );
    await expect(engine.get(new Uint8Array(keyBytes + 1))).rejects.toThrow(RangeError);
    const condition = { key: new Uint8Array(keyBytes + 1), value: undefined };
    await expect(engine.compareAndBatch([condition], [], at)).rejects.toThrow(RangeError);
    expect(engine.stats().lastSequence).toBe(0);
  });

  test('a batch may have as many bytes as the limit says, and not one more', async () => {
    await using engine = await openTestEngine(testWorld(), options);

    const tooLarge = engine.batch(batchOf(batchBytes + 1, valueBytes), at);

    await expect(tooLarge).rejects.toThrow(`a batch takes ${batchBytes} bytes at most`);
    await engine.batch(batchOf(batchBytes, valueBytes), at);
    expect(await engine.get('0')).toHaveLength(valueBytes);
  });
});

test('limitsOf knows both kinds of log', () => {
  expect([limitsOf('own'), limitsOf('external')]).toEqual([OWN_LOG_LIMITS, EXTERNAL_LOG_LIMITS]);
});
