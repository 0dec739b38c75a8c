/** Puts that are on disk when they are acknowledged: by one writer, by 64 at once, and in the caller's turn. */

import { perSecond } from '../measure/time-chunks.ts';
import { putConcurrently, putInTurn, putOneByOne } from './puts.ts';
import { openStore, type StageContext } from './stage.ts';

const WRITERS = 64;
const CHUNK_SIZE = 64 * WRITERS;

export async function strictPuts(context: StageContext): Promise<void> {
  const { strictPutCount, concurrentStrictPutCount } = context.scale;
  const store = await openStore(context, { durability: 'strict' });
  const { put, putSync } = store;
  if (put !== undefined) {
    context.report('strict-put-1', perSecond(await putOneByOne(context, put, strictPutCount)));
    const concurrent = await putConcurrently(context, put, concurrentStrictPutCount, WRITERS, CHUNK_SIZE);
    context.report('strict-put-64', perSecond(concurrent));
  } else {
    context.skip('strict-put-1', 'has no asynchronous put');
    context.skip('strict-put-64', 'has no asynchronous put');
  }
  if (putSync === undefined) context.skip('strict-put-sync', 'has no synchronous put');
  else context.report('strict-put-sync', perSecond(await putInTurn(context, putSync, strictPutCount)));
  await store.close();
}
