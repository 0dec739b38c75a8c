/** Options of `openEngine`: names, defaults and validation. Units go last in the names. */

import type { Clock } from '@kayadb/codec';
import type { FileSystem, ProcessTable } from '@kayadb/vfs';

import type { Durability, EngineEvent } from './types.ts';

export interface EngineOptions {
  /** Creates the store when the directory is new. Default true. */
  readonly createIfMissing?: boolean;
  /** Default `strict`. */
  readonly durability?: Durability;
  /** Mode `interval`: a sync starts at most this long after the first write that needs it. Default 100. */
  readonly intervalMs?: number;
  /** A memtable is flushed at this size. Default 16 MiB. */
  readonly memtableBytes?: number;
  /** Default 64 MiB. */
  readonly blockCacheBytes?: number;
  /** Raw size at which a data block is cut. Default 4 KiB. */
  readonly blockBytes?: number;
  /** Size at which compaction starts a new table. Default 8 MiB. */
  readonly tableBytes?: number;
  /** Level-0 tables that start a compaction. Default 4. */
  readonly level0Tables?: number;
  /** Size of level 1; each deeper level may be ten times larger. Default 64 MiB. */
  readonly level1Bytes?: number;
  /** Compression of tables below level 0. Default `zstd`, or `none` with a warning where zstd-napi is absent. */
  readonly compression?: 'zstd' | 'none';
  /** 1 (fast) to 19. Default 1. */
  readonly zstdLevel?: number;
  /** Table files kept open. Default 500. */
  readonly maxOpenTables?: number;
  /** Told of flushes, compactions, stalls and failures. Must not throw. */
  readonly onEvent?: (event: EngineEvent) => void;

  /** The outside world; by default the real one (resources.ts). */
  readonly fileSystem?: FileSystem;
  readonly processes?: ProcessTable;
  readonly clock?: Clock;
  readonly randomBytes?: (count: number) => Uint8Array;
}
