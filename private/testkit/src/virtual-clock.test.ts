import { describe, expect, test } from 'vitest';

import { settle, VirtualClock } from './virtual-clock.ts';

describe('VirtualClock', () => {
  test('stands still until it is advanced', () => {
    const clock = new VirtualClock(100);

    clock.advance(25);

    expect(clock.now()).toBe(125);
  });

  test('fires timers in the order of their due times, equal ones in the order they were set', () => {
    const clock = new VirtualClock();
    const fired: string[] = [];
    clock.setTimer(20, () => fired.push(`late@${clock.now()}`));
    clock.setTimer(10, () => fired.push(`first@${clock.now()}`));
    clock.setTimer(10, () => fired.push(`second@${clock.now()}`));

    clock.advance(20);

    expect(fired).toEqual(['first@10', 'second@10', 'late@20']);
  });

  test('does not fire a timer one millisecond early', () => {
    const clock = new VirtualClock();
    let fired = false;
    clock.setTimer(10, () => (fired = true));

    clock.advance(9);
    const early = fired;
    clock.advance(1);

    expect(early).toBe(false);
    expect(fired).toBe(true);
  });

  test('fires a timer once', () => {
    const clock = new VirtualClock();
    let count = 0;
    clock.setTimer(1, () => count++);

    clock.advance(5);
    clock.advance(5);

    expect(count).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });

  test('fires a timer that a callback sets, if it is due in time', () => {
    const clock = new VirtualClock();
    const fired: number[] = [];
    const again = (): void => {
      fired.push(clock.now());
      clock.setTimer(10, again);
    };
    clock.setTimer(10, again);

    clock.advance(35);

    expect(fired).toEqual([10, 20, 30]);
    expect(clock.nextDueMs).toBe(40);
  });

  test('does not fire a cancelled timer, and cancelling twice is harmless', () => {
    const clock = new VirtualClock();
    let fired = false;
    const timer = clock.setTimer(1, () => (fired = true));

    timer.cancel();
    timer.cancel();
    clock.advance(10);

    expect(fired).toBe(false);
  });

  test('takes a negative delay as due now, at the next advance', () => {
    const clock = new VirtualClock(50);
    let firedAt = -1;
    clock.setTimer(-5, () => (firedAt = clock.now()));

    clock.advance(0);

    expect(firedAt).toBe(50);
  });

  test('refuses to go back', () => {
    const clock = new VirtualClock();

    const back = (): void => clock.advance(-1);

    expect(back).toThrow(RangeError);
  });

  test('lets promise chains set their next timer while it advances asynchronously', async () => {
    const clock = new VirtualClock();
    const wait = (ms: number): Promise<void> => new Promise((resolve) => void clock.setTimer(ms, resolve));
    const seen: number[] = [];
    const loop = (async (): Promise<void> => {
      for (let i = 0; i < 3; i++) {
        await wait(10);
        seen.push(clock.now());
      }
    })();

    await clock.advanceAsync(30);
    await loop;

    expect(seen).toEqual([10, 20, 30]);
  });
});

describe('settle', () => {
  test('runs long promise chains to their end', async () => {
    let depth = 0;
    void (async (): Promise<void> => {
      for (; depth < 500; depth++) await Promise.resolve();
    })();

    await settle();

    expect(depth).toBe(500);
  });
});
