/** A load much larger than memory, in random order, until background work has settled: total time and how even it was. */

import { Permutation } from '../data/permutation.ts';
import { quantile } from '../measure/quantile.ts';
import { settle } from '../measure/settle.ts';
import { perSecond, type Timing } from '../measure/time-chunks.ts';
import { BATCH_SIZE, fill, VALUE_BYTES } from './fill.ts';
import { openStore, type StageContext } from './stage.ts';

const TENTHS = 10;

export async function loadLong(context: StageContext): Promise<void> {
  const { scale, seed } = context;
  const order = new Permutation(scale.longEntries, seed);
  const store = await openStore(context);
  const timing = await fill(store, {
    count: scale.longEntries,
    batchSize: BATCH_SIZE,
    valueBytes: VALUE_BYTES,
    seed,
    entryAt: (position) => order.at(position),
  });
  const settleMs = await settle(scale.quietMs);
  const totalMs = timing.totalMs + settleMs;
  const tenths = tenthsOf(timing);
  const sorted = timing.chunkMs.toSorted();
  context.report('load-long', perSecond({ count: timing.count, totalMs }), {
    writeMs: timing.totalMs,
    settleMs,
    entriesPerSecondOfTenths: tenths,
  });
  context.report('load-tenths', Math.max(...tenths) / Math.min(...tenths));
  context.report('load-p999', quantile(sorted, 0.999));
  context.report('load-pause', quantile(sorted, 1));
  await store.close();
}

/** @returns Entries per second of each tenth of the batches. */
function tenthsOf({ count, chunkMs }: Timing): readonly number[] {
  return Array.from({ length: TENTHS }, (_, tenth) => {
    const from = Math.floor((chunkMs.length * tenth) / TENTHS);
    const to = Math.floor((chunkMs.length * (tenth + 1)) / TENTHS);
    const totalMs = chunkMs.subarray(from, to).reduce((sum, ms) => sum + ms, 0);
    return perSecond({ count: (count * (to - from)) / chunkMs.length, totalMs });
  });
}
