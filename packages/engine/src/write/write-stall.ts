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

/** @returns Why writers must wait, in words, or `undefined` when they need not. */
export function decideStall(pressure: WritePressure, limits: StallLimits): string | undefined {
  if (pressure.frozenMemtables >= limits.maxFrozenMemtables) {
    return `${pressure.frozenMemtables} full memtables are waiting to be flushed`;
  }
  if (pressure.level0Tables >= limits.maxLevel0Tables) {
    return `${pressure.level0Tables} level-0 tables are waiting to be compacted`;
  }
  return undefined;
}
