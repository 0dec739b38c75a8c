import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describeKeyValueConformance, type KeyValueStore, type KeyValueView } from '@kayadb/testkit';

import { type Engine, type EngineOptions, openEngine } from '../src/index.ts';
import { openTestEngine, testWorld, tinyOptions } from './support/open-test-engine.ts';

/** The engine as the suite wants it; `reopen` closes and opens the same data. */
function adapt(first: Engine, reopen: () => Promise<Engine>, onClose: () => Promise<void>): KeyValueStore {
  let engine = first;
  return {
    put: (key, value) => engine.put(key, value),
    delete: (key) => engine.delete(key),
    batch: (writes) => engine.batch(writes),
    deleteRange: (gte, lt) => engine.deleteRange({ gte, lt }),
    get: (key) => engine.get(key),
    scan: (options) => engine.scan(options),
    flush: () => engine.flush(),
    snapshot: () => Promise.resolve(snapshotView(engine)),
    reopen: async () => {
      await engine.close();
      engine = await reopen();
    },
    close: async () => {
      await engine.close();
      await onClose();
    },
  };
}

function snapshotView(engine: Engine): KeyValueView {
  const snapshot = engine.snapshot();
  return {
    get: (key) => engine.get(key, { snapshot }),
    scan: (options) => engine.scan({ ...options, snapshot }),
    close: () => Promise.resolve(snapshot.close()),
  };
}

const optionSets: Readonly<Record<string, EngineOptions>> = {
  defaults: {},
  'tiny memtables, blocks and levels': tinyOptions,
  'tiny and uncompressed, no block cache': { ...tinyOptions, compression: 'none', blockCacheBytes: 0 },
  'tiny, one table open at a time': { ...tinyOptions, maxOpenTables: 1 },
  'one entry per block, relaxed': { ...tinyOptions, blockBytes: 64, durability: 'relaxed' },
  interval: { durability: 'interval', memtableBytes: 4096 },
};

for (const [name, options] of Object.entries(optionSets)) {
  describeKeyValueConformance(`engine in memory, ${name}`, async () => {
    const world = testWorld();
    return adapt(
      await openTestEngine(world, options),
      () => openTestEngine(world, options),
      () => Promise.resolve(),
    );
  });
}

describeKeyValueConformance('engine on disk', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'kayadb-engine-'));
  const open = (): Promise<Engine> =>
    openEngine(directory, { ...tinyOptions, durability: 'relaxed', backgroundWork: 'inline' });
  return adapt(await open(), open, () => rm(directory, { recursive: true, force: true }));
});
