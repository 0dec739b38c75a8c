/** Writes entries in batches and times the batches. */

import { storedKey } from '../data/keys.ts';
import { ValuePool } from '../data/values.ts';
import type { OpenStore } from '../engines/contestant.ts';
import { timeChunks, type Timing } from '../measure/time-chunks.ts';

export interface FillPlan {
  readonly count: number;
  readonly batchSize: number;
  readonly valueBytes: number;
  readonly seed: number;
  /** Which entry comes at a position. */
  readonly entryAt: (position: number) => number;
}

export interface Pairs {
  readonly keys: readonly Buffer[];
  readonly values: readonly Buffer[];
}

export const VALUE_BYTES = 100;
export const LARGE_VALUE_BYTES = 1024;
export const BATCH_SIZE = 1000;
export const LARGE_BATCH_SIZE = 100;

export function fill(store: OpenStore, plan: FillPlan): Promise<Timing> {
  return timeChunks({
    count: plan.count,
    chunkSize: plan.batchSize,
    prepare: pairMaker(plan),
    run: ({ keys, values }) => store.writeBatch(keys, values),
  });
}

/** @returns Makes the pairs of `size` positions from `start` on, each a Buffer of its own. */
export function pairMaker({
  entryAt,
  valueBytes,
  seed,
}: Pick<FillPlan, 'entryAt' | 'valueBytes' | 'seed'>): (start: number, size: number) => Pairs {
  const pool = new ValuePool(seed);
  return (start, size) => {
    const keys = Array.from({ length: size }, (_, offset) => storedKey(entryAt(start + offset)));
    return { keys, values: keys.map(() => pool.next(valueBytes)) };
  };
}
