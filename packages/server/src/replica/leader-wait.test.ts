import { settle, VirtualClock } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { LEADER_WAIT_MS, LeaderWait } from './leader-wait.ts';

/** Somebody waits; `ends` has when that was over. */
function openWorld(isKnown: boolean) {
  const state = { isKnown };
  const clock = new VirtualClock();
  const leaders = new LeaderWait(() => state.isKnown, clock);
  const ends: number[] = [];
  const wait = (): void => void leaders.settled().then(() => ends.push(clock.now()));
  return { state, clock, wait, ends };
}

describe('LeaderWait', () => {
  test('does not keep anybody while there is a leader', async () => {
    const { wait, ends } = openWorld(true);

    wait();
    await settle();

    expect(ends).toEqual([0]);
  });

  test('wakes all who wait as soon as somebody leads', async () => {
    const { state, clock, wait, ends } = openWorld(false);

    wait();
    await clock.advanceAsync(15);
    wait();
    await clock.advanceAsync(100);
    const before = [...ends];
    state.isKnown = true;
    await clock.advanceAsync(10);

    expect(before).toEqual([]);
    expect(ends).toEqual([120, 120]);
  });

  test('wakes each when its time is over, though nobody leads', async () => {
    const { clock, wait, ends } = openWorld(false);

    wait();
    await clock.advanceAsync(500);
    wait();
    await clock.advanceAsync(2 * LEADER_WAIT_MS);

    expect(ends).toEqual([LEADER_WAIT_MS, LEADER_WAIT_MS + 500]);
  });
});
