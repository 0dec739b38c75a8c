/** Fills the store that the reads of the family read: random order, background work settled, closed cleanly. */

import { settle } from '../measure/settle.ts';
import { fillInRandomOrder } from './fill-random.ts';
import { openStore, type StageContext } from './stage.ts';

export async function prepareReads(context: StageContext): Promise<void> {
  const store = await openStore(context);
  await fillInRandomOrder(store, context, 0);
  await settle(context.scale.quietMs);
  await store.close();
}
