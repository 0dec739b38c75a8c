/** The stores on which faults are tried. Names go into findings and figures. */

import type { EngineOptions } from '@kayadb/engine';

import { tinyOptions } from '../workload/proof-world.ts';

/** A few writes fill a memtable, a flush makes a compaction due. */
export const faultOptions: EngineOptions = { ...tinyOptions, memtableBytes: 1024, tableBytes: 1024 };

export const OPTION_SETS: Readonly<Record<string, EngineOptions>> = {
  strict: faultOptions,
  interval: { ...faultOptions, durability: 'interval' },
  relaxed: { ...faultOptions, durability: 'relaxed' },
  'external log': { ...faultOptions, log: 'external' },
  'a reserve': { ...faultOptions, diskReserveBytes: 64 * 1024, diskLowBytes: 4096 },
  'one open table': { ...faultOptions, maxOpenTables: 1 },
  'no cache': { ...faultOptions, blockCacheBytes: 0 },
  zstd: { ...faultOptions, compression: 'zstd', zstdLevels: [3] },
  'large memtables': { ...tinyOptions, memtableBytes: 64 * 1024 },
  'deep levels': { ...faultOptions, level0Tables: 1, level1Bytes: 1024 },
  'wide blocks': { ...faultOptions, blockBytes: 4096, tableBytes: 16 * 1024 },
  'external log, deep levels': { ...faultOptions, log: 'external', level0Tables: 1, level1Bytes: 1024 },
};
