/**
 * Waits for work on a simulated disk, and notices when it will never end. Nothing there takes time of its own: work goes on in promises,
 * in turns of the event loop that it asks for, and in timers of the virtual clock. When there is none of these left, it hangs.
 */

import type { VirtualClock } from '@kayadb/testkit';

/** Most calls end within so many promise reactions; a turn of the event loop costs a hundred times as much. */
const QUICK_TICKS = 60;
/** Bound: turns without a disk call and without a timer. A merge that yields comes back in the next one. */
const IDLE_TURNS = 40;
/** Bound: timers that fire while one call is waited for. Those that come again for ever settle nothing. */
const MAX_TIMERS = 2000;

/** Work that is neither done nor going to be: a promise that nobody settles. */
export class HangError extends Error {}

/**
 * The outcome of `work`, with the clock moved on whenever nothing but a timer can go on.
 *
 * @param countCalls - Disk calls so far: as long as they grow, work gets on.
 * @throws HangError when `work` is not settled and nothing is under way that could settle it; else what `work` fails with.
 */
export async function settled<Result>(
  work: Promise<Result>,
  clock: VirtualClock,
  countCalls: () => number,
): Promise<Result> {
  const state = { isDone: false };
  const watch = (): void => {
    state.isDone = true;
  };
  work.then(watch, watch);
  for (let tick = 0; tick < QUICK_TICKS && !state.isDone; tick++) await Promise.resolve();
  let calls = countCalls();
  let timers = 0;
  for (let idleTurns = 0; !state.isDone; idleTurns++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (state.isDone) break;
    const { nextDueMs } = clock;
    if (calls !== countCalls()) idleTurns = 0;
    else if (nextDueMs !== undefined && timers++ < MAX_TIMERS) clock.advance(nextDueMs - clock.now());
    else if (idleTurns > IDLE_TURNS)
      throw new HangError('is never settled: no disk call, no timer and no turn is left');
    calls = countCalls();
  }
  return work;
}
