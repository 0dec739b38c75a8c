/**
 * How far a process grows while ten times its memory budget is loaded: the peak of what is resident, less what was before the
 * store was opened. Workers, the heap and what the benchmark itself needs for a batch are in it; for engines that map their
 * files so are the mapped pages.
 */

import { writeFileSync } from 'node:fs';

import { KEY_BYTES } from '../data/keys.ts';
import { Permutation } from '../data/permutation.ts';
import { collectGarbage } from '../measure/collect-garbage.ts';
import { readMemoryCounters } from '../measure/process-counters.ts';
import { settle } from '../measure/settle.ts';
import { fill, LARGE_BATCH_SIZE, LARGE_VALUE_BYTES } from './fill.ts';
import { openStore, type StageContext } from './stage.ts';

const DATA_OVER_BUDGET = 10;
/** Of the budget, for one write buffer. */
const WRITE_BUFFER_SHARE = 1 / 8;
/** The command by which Linux lets the peak start over. */
const RESET_PEAK = '5';

export async function memory(context: StageContext): Promise<void> {
  const { scale, seed } = context;
  const budget = scale.tightMemoryBytes;
  const count = Math.ceil((budget * DATA_OVER_BUDGET) / (KEY_BYTES + LARGE_VALUE_BYTES));
  const order = new Permutation(count, seed);
  collectGarbage();
  writeFileSync('/proc/self/clear_refs', RESET_PEAK);
  const before = readMemoryCounters();
  const store = await openStore(context, {
    memoryBytes: budget,
    writeBufferBytes: Math.round(budget * WRITE_BUFFER_SHARE),
  });
  await fill(store, {
    count,
    batchSize: LARGE_BATCH_SIZE,
    valueBytes: LARGE_VALUE_BYTES,
    seed,
    entryAt: (position) => order.at(position),
  });
  await settle(scale.quietMs);
  const after = readMemoryCounters();
  await store.close();
  context.report('memory', (after.peakBytes - before.residentBytes) / budget, {
    budgetBytes: budget,
    residentBytesBefore: before.residentBytes,
    peakBytes: after.peakBytes,
    ownBytesAfter: after.ownBytes,
  });
}
