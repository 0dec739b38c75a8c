/** Options of `openEngine`: names, defaults and validation. Units go last in the names. */

import { emitWarning } from 'node:process';

import type { Clock } from '@kayadb/codec';
import type { FileSystem, ProcessTable } from '@kayadb/vfs';

import { MAX_BATCH_BYTES } from './limits.ts';
import type { Durability, EngineEvent } from './types.ts';

export interface EngineOptions {
  /** Creates the store when the directory is new. Default true. */
  readonly createIfMissing?: boolean;
  /** What an acknowledged write survives; with `log: 'external'` always `relaxed`. Default `strict`. */
  readonly durability?: Durability;
  /** Mode `interval`: a sync starts at most this long after the first write that needs it. Default 100. */
  readonly intervalMs?: number;
  /**
   * Whose log makes writes durable. `own`: the engine's. `external`: the caller's, who gives each write its place there as
   * `appliedIndex` and, after a crash, repeats everything behind `durableIndex`. A store keeps the kind it was created with. Default `own`.
   */
  readonly log?: 'own' | 'external';
  /** Bound: memory for memtables, cached blocks, filters and indexes together. Default 256 MiB. */
  readonly memoryBytes?: number;
  /** A memtable is flushed at this size. Default an eighth of `memoryBytes`, at most 32 MiB. */
  readonly memtableBytes?: number;
  /** Bound: cached blocks, filters and indexes. Default what `memoryBytes` leaves beside three memtables. */
  readonly blockCacheBytes?: number;
  /** Raw size at which a data block is cut. Default 4 KiB. */
  readonly blockBytes?: number;
  /** Size at which compaction starts a new table. Default 8 MiB. */
  readonly tableBytes?: number;
  /** Level-0 tables that start a compaction. Default 4. */
  readonly level0Tables?: number;
  /**
   * Least size that level 1 is given before there is a level 2; that of `level0Tables` memtables if that is more. Each deeper level may be up to
   * three times larger. Default 64 MiB.
   */
  readonly level1Bytes?: number;
  /** Compression of the tables that merges write. Default `zstd`, or `none` with a warning where zstd-napi is absent. */
  readonly compression?: 'zstd' | 'none';
  /**
   * zstd level of tables by their depth: the first for level 1, and so on, the last for all deeper ones; 0 (none) to 19.
   * Level 0 is never compressed. Default [0, 1]: hot upper tables as they are, the bulk of the data compressed. A store below a few
   * hundred MiB has no deeper level than 1 by itself, so with the default it is compressed only by `compact()`.
   */
  readonly zstdLevels?: readonly number[];
  /**
   * Where flushes and merges run. `worker`: in threads of their own, so that reads and writes keep the main one. `inline`: in this thread,
   * a few milliseconds at a time. Default `worker`; always `inline` on a file system other than the real one.
   */
  readonly backgroundWork?: 'worker' | 'inline';
  /** Bound: bytes per second that merges write; flushes are not held back. Default 0: as fast as they can. */
  readonly compactionBytesPerSecond?: number;
  /** Table files kept open. Default 500. */
  readonly maxOpenTables?: number;
  /**
   * Soft limit: with less than this available on the disk, puts are refused with KAYA_DISK_FULL, while deletes, reads and background work go on.
   * With `log: 'external'` nothing is refused: see `EngineStats.diskState`. Default 0: none.
   */
  readonly diskLowBytes?: number;
  /**
   * Size of a file, RESERVE, whose room is given back to flushes, compactions and opening when they find none. Made in the background, and
   * made again when there is room for it beyond the soft limit. Default 0: none is made, and one that is there is left.
   */
  readonly diskReserveBytes?: number;
  /** Every table and the manifest are read back and checked so often, in the background. Default 0: never. */
  readonly scrubIntervalMs?: number;
  /** Bound: bytes per second that this reads. Default 16 MiB; 0: as fast as it can. */
  readonly scrubBytesPerSecond?: number;
  /**
   * Told of flushes, compactions, slowed and stalled writers, scrubs, the disk's room, warnings and failures. Must not throw: what it throws becomes a warning
   * of the process.
   */
  readonly onEvent?: (event: EngineEvent) => void;

  /** The outside world; by default the real one (resources.ts). */
  readonly fileSystem?: FileSystem;
  readonly processes?: ProcessTable;
  readonly clock?: Clock;
  readonly randomBytes?: (count: number) => Uint8Array;
  /** Lets other work of the process have a turn. */
  readonly yieldTurn?: () => Promise<void>;
}

/** The active memtable and those waiting to be flushed. */
const MEMTABLES_IN_BUDGET = 3;
const MAX_DEFAULT_MEMTABLE_BYTES = 32 * 1024 * 1024;
const DEFAULT_ZSTD_LEVELS: readonly number[] = [0, 1];
const MAX_ZSTD_LEVEL = 19;

const numberRanges = {
  intervalMs: { initial: 100, min: 1, max: 3_600_000 },
  memoryBytes: { initial: 256 * 1024 * 1024, min: 1024 * 1024, max: 2 ** 40 },
  memtableBytes: { initial: 0, min: 1024, max: 1024 * 1024 * 1024 },
  blockCacheBytes: { initial: 0, min: 0, max: 2 ** 40 },
  blockBytes: { initial: 4096, min: 64, max: MAX_BATCH_BYTES },
  tableBytes: { initial: 8 * 1024 * 1024, min: 1024, max: 1024 * 1024 * 1024 },
  level0Tables: { initial: 4, min: 1, max: 64 },
  level1Bytes: { initial: 64 * 1024 * 1024, min: 1024, max: 2 ** 40 },
  maxOpenTables: { initial: 500, min: 1, max: 100_000 },
  compactionBytesPerSecond: { initial: 0, min: 0, max: 2 ** 40 },
  diskLowBytes: { initial: 0, min: 0, max: 2 ** 50 },
  diskReserveBytes: { initial: 0, min: 0, max: 2 ** 40 },
  scrubIntervalMs: { initial: 0, min: 0, max: 366 * 24 * 3_600_000 },
  scrubBytesPerSecond: { initial: 16 * 1024 * 1024, min: 0, max: 2 ** 40 },
} as const;

type NumberOption = keyof typeof numberRanges;

const choices = {
  durability: ['strict', 'interval', 'relaxed'],
  compression: ['zstd', 'none'],
  log: ['own', 'external'],
  backgroundWork: ['worker', 'inline'],
} as const;

/** Every option with a value. */
export type ResolvedOptions = Readonly<Record<NumberOption, number>> & {
  readonly createIfMissing: boolean;
  readonly durability: Durability;
  readonly compression: 'zstd' | 'none';
  readonly zstdLevels: readonly number[];
  readonly log: 'own' | 'external';
  readonly backgroundWork: 'worker' | 'inline';
  readonly onEvent: (event: EngineEvent) => void;
};

/**
 * Checks `options` and fills in the defaults.
 *
 * @throws TypeError for a value of the wrong type or an unknown word, RangeError for a number out of its range.
 */
export function resolveOptions(options: EngineOptions): ResolvedOptions {
  checkType('options', options, 'object');
  checkType('createIfMissing', options.createIfMissing ?? true, 'boolean');
  checkType('onEvent', options.onEvent ?? ignoreEvent, 'function');
  const numbers = Object.fromEntries(
    (Object.keys(numberRanges) as NumberOption[]).map((name) => [name, resolveNumber(name, options[name])]),
  ) as Record<NumberOption, number>;
  const { memoryBytes } = numbers;
  const memtableBytes = options.memtableBytes === undefined ? defaultMemtableBytes(memoryBytes) : numbers.memtableBytes;
  const blockCacheBytes =
    options.blockCacheBytes === undefined
      ? Math.max(0, memoryBytes - MEMTABLES_IN_BUDGET * memtableBytes)
      : numbers.blockCacheBytes;
  const log = checkChoice('log', options.log ?? 'own');
  return {
    ...numbers,
    memtableBytes,
    blockCacheBytes,
    log,
    createIfMissing: options.createIfMissing ?? true,
    durability: resolveDurability(log, options.durability),
    compression: checkChoice('compression', options.compression ?? 'zstd'),
    zstdLevels: checkZstdLevels(options.zstdLevels ?? DEFAULT_ZSTD_LEVELS),
    backgroundWork:
      options.fileSystem === undefined ? checkChoice('backgroundWork', options.backgroundWork ?? 'worker') : 'inline',
    onEvent: options.onEvent === undefined ? ignoreEvent : withoutErrors(options.onEvent),
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

function checkType(name: string, value: unknown, type: 'object' | 'boolean' | 'function'): void {
  if (value === null || typeof value !== type) {
    throw new TypeError(
      `${name} must be ${type === 'object' ? 'an' : 'a'} ${type}, not ${value === null ? 'null' : typeof value}`,
    );
  }
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

function defaultMemtableBytes(memoryBytes: number): number {
  return Math.min(MAX_DEFAULT_MEMTABLE_BYTES, Math.floor(memoryBytes / 8));
}

/** The engine cannot sync a log that is not its own. */
function resolveDurability(log: 'own' | 'external', durability: Durability | undefined): Durability {
  if (log === 'own') return checkChoice('durability', durability ?? 'strict');
  if (durability !== undefined && durability !== 'relaxed') {
    throw new RangeError(`durability ${durability} needs a log of the engine's own; with log external it is relaxed`);
  }
  return 'relaxed';
}

function checkZstdLevels(levels: readonly number[]): readonly number[] {
  if (!Array.isArray(levels) || levels.length === 0) throw new TypeError('zstdLevels must be an array of numbers');
  for (const level of levels as readonly unknown[]) {
    if (!Number.isInteger(level) || (level as number) < 0 || (level as number) > MAX_ZSTD_LEVEL) {
      throw new RangeError(`zstdLevels must be whole numbers from 0 to ${MAX_ZSTD_LEVEL}, not ${String(level)}`);
    }
  }
  return [...(levels as readonly number[])];
}

/** A listener's error must not end the step that told it: between a write's place in the log and its place in the memtable, say. */
function withoutErrors(listener: (event: EngineEvent) => void): (event: EngineEvent) => void {
  return (event) => {
    try {
      listener(event);
    } catch (error) {
      emitWarning(`onEvent must not throw, and did when it was told of ${event.kind}: ${String(error)}`);
    }
  };
}

function ignoreEvent(): void {
  // Nobody asked to be told.
}
