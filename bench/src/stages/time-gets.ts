/** Gets of uniformly random entries: in the caller's turn where the engine can, otherwise awaited one by one. */

import { missingKey, storedKey } from '../data/keys.ts';
import { Random } from '../data/random.ts';
import type { OpenStore } from '../engines/contestant.ts';
import { timeChunks, type Timing } from '../measure/time-chunks.ts';
import type { StageContext } from './stage.ts';

export const GET_CHUNK_SIZE = 1000;

/** @throws Error when a key that is there is not found, or the other way round. */
export function timeGets(store: OpenStore, context: StageContext, kind: 'stored' | 'missing'): Promise<Timing> {
  const { entries, getCount } = context.scale;
  const random = new Random(context.seed);
  const makeKey = kind === 'stored' ? storedKey : missingKey;
  const { get, getSync } = store;
  const readAll =
    getSync === undefined
      ? (keys: readonly Buffer[]) => readAwaiting(get as NonNullable<OpenStore['get']>, keys)
      : (keys: readonly Buffer[]) => readInTurn(getSync, keys);
  return timeChunks({
    count: getCount,
    chunkSize: GET_CHUNK_SIZE,
    prepare: (_, size) => Array.from({ length: size }, () => makeKey(random.below(entries))),
    run: (keys) => {
      const expected = kind === 'stored' ? keys.length : 0;
      const found = readAll(keys);
      if (typeof found === 'number') return checkFound(found, expected);
      return found.then((count) => checkFound(count, expected));
    },
  });
}

/** Reads every entry once, in order, so that what fits into the cache is there. */
export async function warmUp(store: OpenStore, { scale }: StageContext): Promise<void> {
  for (let start = 0; start < scale.entries; start += GET_CHUNK_SIZE) {
    const size = Math.min(GET_CHUNK_SIZE, scale.entries - start);
    await store.getMany(Array.from({ length: size }, (_, offset) => storedKey(start + offset)));
  }
}

/** @returns How many were found. */
export function readInTurn(getSync: NonNullable<OpenStore['getSync']>, keys: readonly Buffer[]): number {
  let found = 0;
  for (const key of keys) {
    if (getSync(key) !== undefined) found++;
  }
  return found;
}

async function readAwaiting(get: NonNullable<OpenStore['get']>, keys: readonly Buffer[]): Promise<number> {
  let found = 0;
  for (const key of keys) {
    if ((await get(key)) !== undefined) found++;
  }
  return found;
}

export function checkFound(found: number, expected: number): void {
  if (found !== expected) throw new Error(`${found} of the keys were found where ${expected} are there`);
}
