import { describe, expect, test } from 'vitest';

import { advanceUntil, advanceWhile, FlowingTime } from './passing-time.ts';
import { VirtualClock } from './virtual-clock.ts';

function after<T>(clock: VirtualClock, ms: number, value: T): Promise<T> {
  return new Promise((resolve) => void clock.setTimer(ms, () => resolve(value)));
}

describe('time', () => {
  test('goes on until something is so, and no further', async () => {
    const clock = new VirtualClock();

    await advanceUntil(clock, 'half a second is over', () => clock.now() >= 500);

    expect(clock.now()).toBe(500);
  });

  test('says what did not come within its limit', async () => {
    const clock = new VirtualClock();

    const waiting = advanceUntil(clock, 'it comes', () => false, 1000);

    await expect(waiting).rejects.toThrow('not within 1000 ms: it comes');
    expect(clock.now()).toBe(1000);
  });

  test('goes on while work is under way, and hands over what comes of it', async () => {
    const clock = new VirtualClock();

    const value = await advanceWhile(clock, after(clock, 300, 'done'));
    const failure = advanceWhile(clock, Promise.reject(new Error('it fails')));

    expect(value).toBe('done');
    await expect(failure).rejects.toThrow('it fails');
  });

  test('flows by itself, until it is disposed of', async () => {
    const clock = new VirtualClock();
    const time = new FlowingTime(clock);

    await after(clock, 20, undefined);
    await time.until('some of it has passed', () => clock.now() > 40);
    const late = time.until('never', () => false, 30);

    await expect(late).rejects.toThrow('not within 30 ms: never');
    time[Symbol.dispose]();
    await new Promise(setImmediate);
    const end = clock.now();
    await new Promise(setImmediate);
    expect(clock.now()).toBe(end);
  });
});
