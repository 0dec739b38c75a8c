/**
 * When writers are slowed down, by how much, and when they must wait altogether. Pure.
 * Why these signals: docs/decisions/20261122-write-throttle.md.
 */

import { assert } from '@kayadb/codec';

import type { ResolvedOptions } from '../options.ts';

/** What background work has before it. */
export interface WritePressure {
  /** Full memtables that are not in tables yet. */
  readonly frozenMemtables: number;
  readonly level0Tables: number;
  /** What compaction has still to move, in bytes of tables, to bring every level to its size. */
  readonly debtBytes: number;
}

export interface StallLimits {
  readonly maxFrozenMemtables: number;
  readonly maxLevel0Tables: number;
}

export interface Stall {
  /** What has to get on first. */
  readonly job: 'flush' | 'compaction';
  /** In words. */
  readonly reason: string;
}

/** @returns Why writers must wait, or `undefined` when they need not. */
export function decideStall(
  pressure: Pick<WritePressure, 'frozenMemtables' | 'level0Tables'>,
  limits: StallLimits,
): Stall | undefined {
  if (pressure.frozenMemtables >= limits.maxFrozenMemtables) {
    return { job: 'flush', reason: `${pressure.frozenMemtables} full memtables are waiting to be flushed` };
  }
  if (pressure.level0Tables >= limits.maxLevel0Tables) {
    return { job: 'compaction', reason: `${pressure.level0Tables} level-0 tables are waiting to be compacted` };
  }
  return undefined;
}

/** Writers are slowed above `from`, the more the nearer to `to`. */
export interface Band {
  readonly from: number;
  readonly to: number;
}

export interface SlowdownLimits {
  /** Full memtables, and the active one by how far it is filled. */
  readonly memtables: Band;
  readonly level0Tables: Band;
  readonly debtBytes: Band;
}

export interface SlowdownPressure extends WritePressure {
  /** How far the active memtable is filled, 0 to 1. */
  readonly activeShare: number;
}

/** How far pressure has come: 0 where slowing begins, 1 at the worst. */
export interface Strain {
  readonly share: number;
  /** In words, of the signal that has come furthest. */
  readonly reason: string;
}

export interface Slowdown {
  readonly bytesPerSecond: number;
  readonly reason: string;
}

/** At the worst, writers keep this share of what background work drains: they go on, and a stall is left to `decideStall`. */
const LEAST_SHARE_OF_DRAIN = 0.25;

/** Where writers stall and between which limits they are slowed before, for a store with these options. */
export function writeLimits(
  options: Pick<ResolvedOptions, 'level0Tables' | 'level1Bytes'>,
): StallLimits & SlowdownLimits {
  const { level0Tables, level1Bytes } = options;
  return {
    maxFrozenMemtables: 2,
    maxLevel0Tables: 8 * level0Tables,
    memtables: { from: 2, to: 3 },
    level0Tables: { from: 2 * level0Tables, to: 8 * level0Tables },
    debtBytes: { from: 16 * level1Bytes, to: 128 * level1Bytes },
  };
}

/** @returns The signal that has come furthest into its band, or `undefined` when none has. */
export function findStrain(pressure: SlowdownPressure, limits: SlowdownLimits): Strain | undefined {
  const { frozenMemtables, activeShare, level0Tables, debtBytes } = pressure;
  const memtables = shareOf(limits.memtables, frozenMemtables + activeShare);
  const level0 = shareOf(limits.level0Tables, level0Tables);
  const debt = shareOf(limits.debtBytes, debtBytes);
  const share = Math.max(memtables, level0, debt);
  if (share <= 0) return undefined;
  if (share === memtables) return { share, reason: `${frozenMemtables} full memtables are waiting to be flushed` };
  if (share === level0) return { share, reason: `${level0Tables} level-0 tables are waiting to be compacted` };
  return { share, reason: `compaction has ${Math.round(debtBytes / 2 ** 20)} MiB still to move` };
}

/**
 * How fast writers may be: twice what background work drains where slowing begins, exactly that halfway, and next to nothing
 * at the end. So under a steady load pressure comes to rest inside its band, and nobody stalls.
 *
 * @param drainBytesPerSecond - What background work keeps up with, in bytes of writes.
 */
export function decideSlowdown(
  pressure: SlowdownPressure,
  limits: SlowdownLimits & { readonly drainBytesPerSecond: number },
): Slowdown | undefined {
  const strain = findStrain(pressure, limits);
  if (strain === undefined) return undefined;
  const share = Math.max(2 * (1 - strain.share), LEAST_SHARE_OF_DRAIN);
  return { bytesPerSecond: limits.drainBytesPerSecond * share, reason: strain.reason };
}

function shareOf({ from, to }: Band, value: number): number {
  assert(to > from, 'a band of pressure has a width');
  return Math.min(1, (value - from) / (to - from));
}
