/** Options of `openEngine`: names, defaults and validation. Units go last in the names. */

import type { Clock } from '@kayadb/codec';
import type { FileSystem, ProcessTable } from '@kayadb/vfs';

import { MAX_BATCH_BYTES } from './limits.ts';
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
  /** Compression of the tables that merges write. Default `zstd`, or `none` with a warning where zstd-napi is absent. */
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

const numberRanges = {
  intervalMs: { initial: 100, min: 1, max: 3_600_000 },
  memtableBytes: { initial: 16 * 1024 * 1024, min: 1024, max: 1024 * 1024 * 1024 },
  blockCacheBytes: { initial: 64 * 1024 * 1024, min: 0, max: 2 ** 40 },
  blockBytes: { initial: 4096, min: 64, max: MAX_BATCH_BYTES },
  tableBytes: { initial: 8 * 1024 * 1024, min: 1024, max: 1024 * 1024 * 1024 },
  level0Tables: { initial: 4, min: 1, max: 64 },
  level1Bytes: { initial: 64 * 1024 * 1024, min: 1024, max: 2 ** 40 },
  zstdLevel: { initial: 1, min: 1, max: 19 },
  maxOpenTables: { initial: 500, min: 1, max: 100_000 },
} as const;

type NumberOption = keyof typeof numberRanges;

const choices = {
  durability: ['strict', 'interval', 'relaxed'],
  compression: ['zstd', 'none'],
} as const;

/** Every option with a value. */
export type ResolvedOptions = Readonly<Record<NumberOption, number>> & {
  readonly createIfMissing: boolean;
  readonly durability: Durability;
  readonly compression: 'zstd' | 'none';
  readonly onEvent: (event: EngineEvent) => void;
};

/**
 * Checks `options` and fills in the defaults.
 *
 * @throws TypeError for a value of the wrong type or an unknown word, RangeError for a number out of its range.
 */
export function resolveOptions(options: EngineOptions): ResolvedOptions {
  const numbers = Object.fromEntries(
    (Object.keys(numberRanges) as NumberOption[]).map((name) => [name, resolveNumber(name, options[name])]),
  ) as Record<NumberOption, number>;
  return {
    ...numbers,
    createIfMissing: options.createIfMissing ?? true,
    durability: checkChoice('durability', options.durability ?? 'strict'),
    compression: checkChoice('compression', options.compression ?? 'zstd'),
    onEvent: options.onEvent ?? ignoreEvent,
  };
}

/** @throws TypeError unless `value` is one of the words that `name` may have. */
export function checkChoice<Name extends keyof typeof choices>(
  name: Name,
  value: (typeof choices)[Name][number],
): (typeof choices)[Name][number] {
  const allowed: readonly string[] = choices[name];
  if (!allowed.includes(value)) throw new TypeError(`${name} must be one of ${allowed.join(', ')}, not ${value}`);
  return value;
}

function resolveNumber(name: NumberOption, value: number | undefined): number {
  const { initial, min, max } = numberRanges[name];
  if (value === undefined) return initial;
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, not ${typeof value}`);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${name} must be a whole number from ${min} to ${max}, not ${value}`);
  }
  return value;
}

function ignoreEvent(): void {
  // Nobody asked to be told.
}
