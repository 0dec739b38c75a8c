/** The same random program gives the same answers whatever the options: those of a sorted map. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { checkOps, seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { type Engine, type EngineOptions, openEngine } from '../src/index.ts';
import { printScriptOp, randomScript } from './support/engine-script.ts';
import { openTestEngine, testWorld, tinyOptions } from './support/open-test-engine.ts';
import { runScript } from './support/run-script.ts';

const OPERATIONS = 700;

const inMemory: Readonly<Record<string, EngineOptions>> = {
  defaults: {},
  'tiny memtables, blocks, tables and levels': tinyOptions,
  'tiny, no block cache': { ...tinyOptions, blockCacheBytes: 0 },
  'tiny, a cache of a few blocks': { ...tinyOptions, blockCacheBytes: 4096 },
  'tiny, uncompressed': { ...tinyOptions, compression: 'none' },
  'tiny, every level compressed': { ...tinyOptions, zstdLevels: [3] },
  'tiny, deeper levels compressed more': { ...tinyOptions, zstdLevels: [0, 1, 9] },
  'tiny, one entry to a block': { ...tinyOptions, blockBytes: 64 },
  'tiny, blocks larger than tables': { ...tinyOptions, blockBytes: 16 * 1024 },
  'tiny, one table open at a time': { ...tinyOptions, maxOpenTables: 1 },
  'tiny, compaction at every level-0 table': { ...tinyOptions, level0Tables: 1 },
  'tiny, compaction held back': { ...tinyOptions, level0Tables: 20, level1Bytes: 1024 * 1024 },
  'tiny, relaxed': { ...tinyOptions, durability: 'relaxed' },
  'tiny, interval': { ...tinyOptions, durability: 'interval' },
  'tiny, with a reserve and a soft limit': { ...tinyOptions, diskReserveBytes: 8192, diskLowBytes: 8192 },
  'the least memory': { memoryBytes: 1024 * 1024 },
};

const onDisk: Readonly<Record<string, EngineOptions>> = {
  'tiny, in workers': { ...tinyOptions, durability: 'relaxed', backgroundWork: 'worker' },
  'tiny, in workers, merges held back': {
    ...tinyOptions,
    durability: 'relaxed',
    backgroundWork: 'worker',
    compactionBytesPerSecond: 2_000_000,
  },
  'tiny, inline on the real disk': { ...tinyOptions, durability: 'relaxed', backgroundWork: 'inline' },
  'tiny, in workers, scrubbed all the time, with a reserve': {
    ...tinyOptions,
    durability: 'relaxed',
    backgroundWork: 'worker',
    scrubIntervalMs: 1,
    diskReserveBytes: 65_536,
    diskLowBytes: 65_536,
  },
};

/** @param mostReopens - Starting workers takes long, so those sets are opened again less often. */
async function check(reopen: () => Promise<Engine>, newWorld: () => Promise<void>, mostReopens: number): Promise<void> {
  const seed = testSeed();
  let reopens = 0;
  const ops = randomScript(seededRandom(seed), OPERATIONS).filter(
    ({ kind }) => kind !== 'reopen' || ++reopens <= mostReopens,
  );
  await checkOps({
    ops,
    run: async (list) => {
      await newWorld();
      await runScript(list, reopen);
    },
    print: printScriptOp,
    seed,
    maxRuns: 60,
  });
}

describe('the engine agrees with a sorted map', () => {
  test.each(Object.keys(inMemory))('with options: %s', { timeout: 60_000 }, async (name) => {
    let world = testWorld();

    const agreed = check(
      () => openTestEngine(world, inMemory[name]),
      () => {
        world = testWorld();
        return Promise.resolve();
      },
      OPERATIONS,
    );

    await expect(agreed).resolves.toBeUndefined();
  });

  test.each(Object.keys(onDisk))('with options: %s', { timeout: 60_000 }, async (name) => {
    const root = await mkdtemp(join(tmpdir(), 'kayadb-options-'));
    let runs = 0;

    const agreed = check(
      () => openEngine(join(root, String(runs)), onDisk[name]),
      () => {
        runs++;
        return Promise.resolve();
      },
      2,
    );

    await expect(agreed).resolves.toBeUndefined();
    await rm(root, { recursive: true, force: true });
  });
});
