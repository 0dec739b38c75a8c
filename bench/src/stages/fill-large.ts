/** fillrandom with values of 1 KiB in batches of 100. */

import { Permutation } from '../data/permutation.ts';
import { perSecond } from '../measure/time-chunks.ts';
import { fill, LARGE_BATCH_SIZE, LARGE_VALUE_BYTES } from './fill.ts';
import { openStore, type StageContext } from './stage.ts';

export async function fillLarge(context: StageContext): Promise<void> {
  const { scale, seed } = context;
  const order = new Permutation(scale.largeEntries, seed);
  const store = await openStore(context);
  const timing = await fill(store, {
    count: scale.largeEntries,
    batchSize: LARGE_BATCH_SIZE,
    valueBytes: LARGE_VALUE_BYTES,
    seed,
    entryAt: (position) => order.at(position),
  });
  context.report('fillrandom-1k', perSecond(timing));
  await store.close();
}
