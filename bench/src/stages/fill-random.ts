/**
 * fillrandom, then overwrite of the same entries in another order, each with settled background work before it; what they
 * wrote, and what is left on disk once everything is merged and the store closed.
 */

import { KEY_BYTES } from '../data/keys.ts';
import { Permutation } from '../data/permutation.ts';
import type { OpenStore } from '../engines/contestant.ts';
import { diskBytes } from '../measure/disk-bytes.ts';
import { readDiskCounters } from '../measure/process-counters.ts';
import { settle } from '../measure/settle.ts';
import { perSecond, type Timing } from '../measure/time-chunks.ts';
import { BATCH_SIZE, fill, VALUE_BYTES } from './fill.ts';
import { openStore, type StageContext } from './stage.ts';

export async function fillRandom(context: StageContext): Promise<void> {
  const { scale } = context;
  const store = await openStore(context);

  const before = readDiskCounters();
  const filled = await fillInRandomOrder(store, context, 0);
  context.report('fillrandom', perSecond(filled));
  await settle(scale.quietMs);
  const after = readDiskCounters();
  const putBytes = scale.entries * (KEY_BYTES + VALUE_BYTES);
  context.report('write-amplification', (after.dirtiedBytes - before.dirtiedBytes) / putBytes, {
    calledBytes: after.calledBytes - before.calledBytes,
    dirtiedBytes: after.dirtiedBytes - before.dirtiedBytes,
  });

  context.report('overwrite', perSecond(await fillInRandomOrder(store, context, 1)));

  await settle(scale.quietMs);
  await store.compact?.();
  await settle(scale.quietMs);
  await store.close();
  context.report('disk-bytes', diskBytes(context.directory));
}

/** @param generation - Another order and other values for each. */
export function fillInRandomOrder(
  store: OpenStore,
  { scale, seed }: StageContext,
  generation: number,
): Promise<Timing> {
  const order = new Permutation(scale.entries, seed * 16 + generation);
  return fill(store, {
    count: scale.entries,
    batchSize: BATCH_SIZE,
    valueBytes: VALUE_BYTES,
    seed: seed * 16 + generation,
    entryAt: (position) => order.at(position),
  });
}
