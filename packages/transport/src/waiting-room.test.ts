import { VirtualClock } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { WaitingRoom } from './waiting-room.ts';

describe('WaitingRoom', () => {
  test('expels the one that came first when it is full, and each at its time limit', () => {
    const clock = new VirtualClock();
    const room = new WaitingRoom({ clock, maxCount: 2, timeoutMs: 100 });
    const expelled: string[] = [];

    for (const name of ['a', 'b', 'c']) {
      room.enter((reason) => expelled.push(`${name} ${reason}@${clock.now()}`));
      clock.advance(10);
    }
    clock.advance(1000);

    expect(expelled).toEqual(['a crowded@20', 'b late@110', 'c late@120']);
    expect(room.count).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  test('forgets who has left', () => {
    const clock = new VirtualClock();
    const room = new WaitingRoom({ clock, maxCount: 1, timeoutMs: 100 });
    const expelled: string[] = [];

    const leave = room.enter(() => expelled.push('a'));
    leave();
    leave();
    room.enter(() => expelled.push('b'));

    expect(expelled).toEqual([]);
    expect(room.count).toBe(1);
  });

  test('sets no timer without a time limit', () => {
    const clock = new VirtualClock();
    const room = new WaitingRoom({ clock, maxCount: 1, timeoutMs: 0 });

    room.enter(() => {});

    expect(clock.pendingTimers).toBe(0);
  });
});
