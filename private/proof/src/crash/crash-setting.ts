/** The stores that are crashed: each a set of engine options, and how durable its writes ask to be. */

import type { Durability, EngineOptions } from '@kayadb/engine';
import type { SeededRandom } from '@kayadb/testkit';

import { tinyOptions } from '../workload/proof-world.ts';

export interface CrashSetting {
  readonly name: string;
  readonly engine: EngineOptions;
  /** For each write by itself; undefined, the engine's. */
  readonly durabilityOf?: (random: SeededRandom) => Durability;
  /** Bytes that are free on the disk while the store is written to; more than enough by default. Writes may fail for it. */
  readonly roomBytes?: number;
}

export const crashSettings = {
  strict: { name: 'strict', engine: { ...tinyOptions, durability: 'strict' } },
  relaxed: { name: 'relaxed', engine: { ...tinyOptions, durability: 'relaxed' } },
  interval: { name: 'interval', engine: { ...tinyOptions, durability: 'interval', intervalMs: 100 } },
  mixed: {
    name: 'mixed',
    engine: { ...tinyOptions, durability: 'relaxed' },
    durabilityOf: (random) => random.pick(['strict', 'interval', 'relaxed', 'relaxed', 'relaxed']),
  },
  external: { name: 'external', engine: { ...tinyOptions, log: 'external' } },
  /** Memtables that take long to fill: more of the store is in the log, over several segments; all tables but those of level 0 compressed. */
  compressed: {
    name: 'compressed',
    engine: {
      ...tinyOptions,
      durability: 'strict',
      memtableBytes: 6000,
      blockBytes: 1024,
      tableBytes: 8192,
      compression: 'zstd',
      zstdLevels: [1, 1],
    },
  },
  /** Room for records and tables, and not for zeros ahead of the log: they are cut away again. */
  tight: { name: 'tight', engine: { ...tinyOptions, durability: 'strict' }, roomBytes: 30_000 },
  /** Blocks of an entry or two, tables of a few, so that a version is many files. */
  small: {
    name: 'small',
    engine: {
      ...tinyOptions,
      durability: 'relaxed',
      memtableBytes: 1024,
      blockBytes: 64,
      tableBytes: 1024,
      level1Bytes: 2048,
    },
  },
} as const satisfies Record<string, CrashSetting>;
