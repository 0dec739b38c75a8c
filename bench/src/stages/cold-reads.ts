/**
 * Gets of a store of which nothing is in memory. Requires: a process that has not had the store open, or its mappings would
 * keep pages in memory.
 */

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

import { storedKey } from '../data/keys.ts';
import { Random } from '../data/random.ts';
import type { OpenStore } from '../engines/contestant.ts';
import { perSecond, timeChunks, type Timing } from '../measure/time-chunks.ts';
import { openStore, type StageContext } from './stage.ts';
import { checkFound, readInTurn } from './time-gets.ts';
import { runConcurrently } from './writers.ts';

const IN_FLIGHT = 64;
const CHUNK_SIZE = 16 * IN_FLIGHT;

export async function coldReads(context: StageContext): Promise<void> {
  const refusal = context.scale.touchesPageCache ? dropPageCache() : undefined;
  if (refusal !== undefined) {
    context.skip('get-cold', refusal);
    return;
  }
  const store = await openStore(context);
  context.report('get-cold', perSecond(await timeColdGets(store, context)));
  await store.close();
}

function timeColdGets(store: OpenStore, { scale, seed }: StageContext): Promise<Timing> {
  const random = new Random(seed + 1);
  return timeChunks({
    count: scale.coldGetCount,
    chunkSize: CHUNK_SIZE,
    prepare: (_, size) => Array.from({ length: size }, () => storedKey(random.below(scale.entries))),
    run: (keys) => readInFlight(store, keys),
  });
}

/** Engines without an asynchronous get read one by one, which for LMDB is also faster than its prefetching `getMany`. */
async function readInFlight({ get, getSync }: OpenStore, keys: readonly Buffer[]): Promise<void> {
  let found = 0;
  if (get !== undefined) {
    await runConcurrently(keys.length, IN_FLIGHT, async (index) => {
      if ((await get(keys[index] as Buffer)) !== undefined) found++;
    });
  } else if (getSync !== undefined) {
    found = readInTurn(getSync, keys);
  }
  checkFound(found, keys.length);
}

/** @returns Why it was refused, or `undefined`. */
function dropPageCache(): string | undefined {
  try {
    execFileSync('sync');
    writeFileSync('/proc/sys/vm/drop_caches', '1');
    return undefined;
  } catch (error) {
    return `the page cache could not be dropped: ${(error as Error).message}`;
  }
}
