/** Clearing with a limit or as of a snapshot: what one range delete cannot say. */

import type { BatchOperation, Engine, ReadOptions, WriteOptions } from '@kayadb/engine';

import { type PrivateRangeOptions, toKeyRange } from './level-options.ts';

/** Bound: keys of one batch. */
const BATCH_KEYS = 1000;

/**
 * Deletes the keys that a scan with these options returns, in batches: each of them happens as a whole, all together do not.
 *
 * Durability: as `write` says, for each batch.
 */
export async function clearRows(
  engine: Engine,
  options: PrivateRangeOptions,
  read: ReadOptions | undefined,
  write: WriteOptions | undefined,
): Promise<void> {
  const { reverse, limit } = options;
  const keys = engine.keys({ ...toKeyRange(options), ...read, reverse, ...(limit >= 0 && { limit }) });
  try {
    for (;;) {
      const batch = await keys.nextBatch(BATCH_KEYS);
      if (batch.length === 0) return;
      await engine.batch(batch.map(toDelete), write);
    }
  } finally {
    await keys.return();
  }
}

function toDelete(key: Uint8Array): BatchOperation {
  return { kind: 'delete', key };
}
