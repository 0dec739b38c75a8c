/** Reads of a settled store after a clean close: opening, gets with everything cached, scans, gets with a small cache. */

import { KEY_BYTES } from '../data/keys.ts';
import type { OpenStore, ScanTally } from '../engines/contestant.ts';
import { collectGarbage } from '../measure/collect-garbage.ts';
import { settle } from '../measure/settle.ts';
import { perSecond } from '../measure/time-chunks.ts';
import { VALUE_BYTES } from './fill.ts';
import { openStore, type StageContext } from './stage.ts';
import { timeGets, warmUp } from './time-gets.ts';

/** The data is so many times as large as the cache. */
const DATA_OVER_CACHE = 4;

export async function reads(context: StageContext): Promise<void> {
  collectGarbage();
  const startMs = performance.now();
  const store = await openStore(context);
  context.report('open', performance.now() - startMs);
  await settle(context.scale.quietMs);
  await warmUp(store, context);
  context.report('get-hit', perSecond(await timeGets(store, context, 'stored')));
  context.report('get-missing', perSecond(await timeGets(store, context, 'missing')));
  await scans(store, context);
  await store.close();
  await readsBeyondCache(context);
}

async function scans(store: OpenStore, context: StageContext): Promise<void> {
  context.report('scan-buffers', await timeScan(() => store.scanBuffers(), context));
  context.report('scan-strings', await timeScan(() => store.scanStrings(), context));
  const { scanForAwait } = store;
  if (scanForAwait === undefined) context.skip('scan-for-await', 'has no asynchronous iterator');
  else context.report('scan-for-await', await timeScan(scanForAwait, context));
}

async function timeScan(scan: () => Promise<ScanTally>, { scale }: StageContext): Promise<number> {
  collectGarbage();
  const startMs = performance.now();
  const { rows, bytes } = await scan();
  const totalMs = performance.now() - startMs;
  if (rows !== scale.entries || bytes !== rows * (KEY_BYTES + VALUE_BYTES)) {
    throw new Error(`a full scan gave ${rows} rows of ${bytes} bytes where ${scale.entries} are there`);
  }
  return perSecond({ count: rows, totalMs });
}

async function readsBeyondCache(context: StageContext): Promise<void> {
  const dataBytes = context.scale.entries * (KEY_BYTES + VALUE_BYTES);
  const store = await openStore(context, { cacheBytes: Math.round(dataBytes / DATA_OVER_CACHE) });
  await settle(context.scale.quietMs);
  await warmUp(store, context);
  context.report('get-larger', perSecond(await timeGets(store, context, 'stored')));
  await store.close();
}
