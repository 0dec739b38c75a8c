/** fillseq: ascending keys into an empty store. */

import { perSecond } from '../measure/time-chunks.ts';
import { BATCH_SIZE, fill, VALUE_BYTES } from './fill.ts';
import { openStore, type StageContext } from './stage.ts';

export async function fillSequential(context: StageContext): Promise<void> {
  const { scale, seed } = context;
  const store = await openStore(context);
  const timing = await fill(store, {
    count: scale.entries,
    batchSize: BATCH_SIZE,
    valueBytes: VALUE_BYTES,
    seed,
    entryAt: (position) => position,
  });
  context.report('fillseq', perSecond(timing));
  await store.close();
}
