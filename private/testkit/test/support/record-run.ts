/** Histories of a workload at a store in memory; all from a seed. */

import { HistoryRecorder } from '../../src/history/history-recorder.ts';
import type { History } from '../../src/history/operation.ts';
import { seededRandom } from '../../src/seeded-random.ts';
import { readEverything, runWorkload, type WorkloadOptions } from '../../src/workload/run-workload.ts';
import { MemoryStore, type MemoryStoreOptions } from './memory-store.ts';

export interface RunOptions extends Omit<MemoryStoreOptions, 'random'> {
  readonly seed: number;
  readonly clients?: number;
  readonly operations: number;
  readonly registers?: readonly string[];
  readonly mix?: WorkloadOptions['mix'];
  readonly lists?: readonly string[];
  /** Whether every key is read at the end. Default true. */
  readonly hasFinalReads?: boolean;
  readonly Store?: new (options: MemoryStoreOptions) => MemoryStore;
}

export async function recordRun(options: RunOptions): Promise<History> {
  const { seed, clients = 10, operations, Store = MemoryStore, hasFinalReads = true } = options;
  const random = seededRandom(seed);
  const recorder = new HistoryRecorder({ now: () => 0 });
  const store = new Store({ ...options, random });
  const workload: WorkloadOptions = {
    clients: Array.from({ length: clients }, (_, at) => store.client(at + 1)),
    recorder,
    random,
    operations,
    pause: async () => {},
    ...(options.registers === undefined ? {} : { registers: options.registers }),
    ...(options.lists === undefined ? {} : { lists: options.lists }),
    mix: options.mix,
  };
  await runWorkload(workload);
  if (hasFinalReads) {
    await store.settled();
    await readEverything(workload);
  }
  return recorder.history();
}
