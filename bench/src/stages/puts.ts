/** Single puts without fsync: awaited one by one, 256 in flight, and in the caller's turn where an engine has that. */

import { Permutation } from '../data/permutation.ts';
import type { OpenStore } from '../engines/contestant.ts';
import { perSecond, timeChunks, type Timing } from '../measure/time-chunks.ts';
import { type Pairs, pairMaker, VALUE_BYTES } from './fill.ts';
import { openStore, type StageContext } from './stage.ts';
import { runConcurrently } from './writers.ts';

const IN_FLIGHT = 256;
const CHUNK_SIZE = 1000;
/** Larger, so that the end of a chunk, where fewer are in flight, weighs little. */
const IN_FLIGHT_CHUNK_SIZE = 16 * IN_FLIGHT;

export async function puts(context: StageContext): Promise<void> {
  const { scale } = context;
  const store = await openStore(context);
  const { put, putSync } = store;
  if (put === undefined) {
    context.skip('put-awaited', 'has no asynchronous put');
    context.skip('put-in-flight', 'has no asynchronous put');
  } else {
    context.report('put-awaited', perSecond(await putOneByOne(context, put, scale.putCount)));
    context.report('put-in-flight', perSecond(await putInFlight(context, put)));
  }
  if (putSync === undefined) context.skip('put-sync', 'has no synchronous put');
  else context.report('put-sync', perSecond(await putInTurn(context, putSync, scale.putCount)));
  await store.close();
}

export function putOneByOne(context: StageContext, put: NonNullable<OpenStore['put']>, count: number): Promise<Timing> {
  return timeChunks({
    count,
    chunkSize: CHUNK_SIZE,
    prepare: randomPairs(context, count),
    run: async ({ keys, values }) => {
      for (let index = 0; index < keys.length; index++) await put(keys[index] as Buffer, values[index] as Buffer);
    },
  });
}

export function putInTurn(
  context: StageContext,
  putSync: NonNullable<OpenStore['putSync']>,
  count: number,
): Promise<Timing> {
  return timeChunks({
    count,
    chunkSize: CHUNK_SIZE,
    prepare: randomPairs(context, count),
    run: ({ keys, values }) => {
      for (let index = 0; index < keys.length; index++) putSync(keys[index] as Buffer, values[index] as Buffer);
    },
  });
}

function putInFlight(context: StageContext, put: NonNullable<OpenStore['put']>): Promise<Timing> {
  return putConcurrently(context, put, context.scale.inFlightPutCount, IN_FLIGHT, IN_FLIGHT_CHUNK_SIZE);
}

export function putConcurrently(
  context: StageContext,
  put: NonNullable<OpenStore['put']>,
  count: number,
  writers: number,
  chunkSize: number,
): Promise<Timing> {
  return timeChunks({
    count,
    chunkSize,
    prepare: randomPairs(context, count),
    run: ({ keys, values }) =>
      runConcurrently(keys.length, writers, (index) => put(keys[index] as Buffer, values[index] as Buffer)),
  });
}

function randomPairs({ seed }: StageContext, count: number): (start: number, size: number) => Pairs {
  const order = new Permutation(count, seed);
  return pairMaker({ entryAt: (position) => order.at(position), valueBytes: VALUE_BYTES, seed });
}
