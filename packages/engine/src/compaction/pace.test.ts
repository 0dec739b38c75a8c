import { VirtualClock } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { Pace } from './pace.ts';

/** Writes `pieces` pieces of `bytes` as fast as the pace lets it. @returns The time that took, in milliseconds. */
async function write(clock: VirtualClock, pace: Pace, pieces: number, bytes: number): Promise<number> {
  const startMs = clock.now();
  for (let i = 0; i < pieces; i++) {
    pace.spend(bytes);
    const waiting = pace.wait();
    for (let isWaiting = true; isWaiting;) {
      await Promise.resolve();
      await Promise.resolve();
      isWaiting = clock.pendingTimers > 0;
      if (isWaiting) clock.advance(clock.nextDueMs! - clock.now());
    }
    await waiting;
  }
  return clock.now() - startMs;
}

describe('Pace', () => {
  test('lets a tenth of a second pass at once and holds the rest to the rate', async () => {
    const clock = new VirtualClock();
    const pace = new Pace(clock, 1_000_000);

    const burstMs = await write(clock, pace, 10, 10_000);
    const restMs = await write(clock, pace, 100, 10_000);

    expect(burstMs).toBe(0);
    expect(restMs).toBeGreaterThanOrEqual(999);
    expect(restMs).toBeLessThan(1020);
  });

  test('saves nothing up but that tenth, however long the rest', async () => {
    const clock = new VirtualClock();
    const pace = new Pace(clock, 1_000_000);
    clock.advance(60_000);

    expect(await write(clock, pace, 20, 10_000)).toBeGreaterThanOrEqual(99);
  });

  test('stops waiting soon after an abort', async () => {
    const clock = new VirtualClock();
    const pace = new Pace(clock, 1000);
    const signal = { aborted: false };
    pace.spend(1_000_000);
    let isDone = false;
    void pace.wait(signal).then(() => (isDone = true));

    signal.aborted = true;
    await clock.advanceAsync(20);

    expect(isDone).toBe(true);
  });
});
