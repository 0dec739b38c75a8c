/** Ours. Batches and puts are acknowledged as `relaxed` (`none`) or `strict`; reads are synchronous where the peers' are. */

import { type BatchOperation, type Durability, type Engine, openEngine } from '@kayadb/engine';

import {
  type Contestant,
  type OpenStore,
  SCAN_BATCH_ROWS,
  type ScanTally,
  type StoreSettings,
  cacheBytesOf,
} from './contestant.ts';
import { packageVersion } from './package-version.ts';

export const contestant: Contestant = {
  version: packageVersion('@kayadb/engine'),
  describe: (settings) => ({
    ...sizes(settings),
    durability: settings.durability === 'strict' ? 'strict' : 'relaxed',
    compression: 'zstd level 1 below level 1 (default)',
    api: 'batch, put, getSync, get, getMany, scan().nextBatch(1000)',
    strict: 'durability: strict',
  }),
  open,
};

async function open(directory: string, settings: StoreSettings): Promise<OpenStore> {
  const durability: Durability = settings.durability === 'strict' ? 'strict' : 'relaxed';
  const engine = await openEngine(directory, {
    ...sizes(settings),
    durability,
  });
  return {
    writeBatch: (keys, values) => engine.batch(puts(keys, values), { durability: 'relaxed' }),
    put: (key, value) => engine.put(key, value),
    getSync: (key) => engine.getSync(key),
    get: (key) => engine.get(key),
    getMany: (keys) => engine.getMany(keys),
    scanBuffers: () => scanBatches(engine.scan()),
    scanStrings: () => scanBatches(engine.scan({ keyEncoding: 'utf8', valueEncoding: 'utf8' })),
    scanForAwait: () => scanRows(engine),
    compact: () => engine.compact(),
    close: () => engine.close(),
  };
}

/** The active memtable, one that is being flushed and one ready to take over. */
const MEMTABLES = 3;

function sizes(settings: StoreSettings): { memoryBytes: number; memtableBytes: number; blockCacheBytes: number } {
  const { memoryBytes, writeBufferBytes: memtableBytes } = settings;
  return { memoryBytes, memtableBytes, blockCacheBytes: cacheBytesOf(settings, MEMTABLES) };
}

function puts(keys: readonly Buffer[], values: readonly Buffer[]): readonly BatchOperation[] {
  return keys.map((key, index) => ({ kind: 'put', key, value: values[index] as Buffer }));
}

interface Sized {
  readonly length: number;
}

interface BatchedRows {
  nextBatch(maxRows: number): Promise<{ readonly key: Sized; readonly value: Sized }[]>;
}

async function scanBatches(scan: BatchedRows): Promise<ScanTally> {
  let rows = 0;
  let bytes = 0;
  for (;;) {
    const batch = await scan.nextBatch(SCAN_BATCH_ROWS);
    if (batch.length === 0) return { rows, bytes };
    rows += batch.length;
    for (const { key, value } of batch) bytes += key.length + value.length;
  }
}

async function scanRows(engine: Engine): Promise<ScanTally> {
  let rows = 0;
  let bytes = 0;
  for await (const { key, value } of engine.scan()) {
    rows++;
    bytes += key.length + value.length;
  }
  return { rows, bytes };
}
