/** When writers must wait for flushes or compactions. Pure. */

export interface WritePressure {
  /** Frozen memtables that are not in tables yet. */
  readonly frozenMemtables: number;
  readonly level0Tables: number;
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
export function decideStall(pressure: WritePressure, limits: StallLimits): Stall | undefined {
  if (pressure.frozenMemtables >= limits.maxFrozenMemtables) {
    return { job: 'flush', reason: `${pressure.frozenMemtables} full memtables are waiting to be flushed` };
  }
  if (pressure.level0Tables >= limits.maxLevel0Tables) {
    return { job: 'compaction', reason: `${pressure.level0Tables} level-0 tables are waiting to be compacted` };
  }
  return undefined;
}
