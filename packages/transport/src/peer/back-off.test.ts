import { describe, expect, test } from 'vitest';

import { BackOff } from './back-off.ts';

const LIMITS = { minRetryMs: 50, maxRetryMs: 1000, slowRetryMs: 5000 };

describe('BackOff', () => {
  test('doubles from the shortest wait to the longest, and begins again', () => {
    const backOff = new BackOff(LIMITS, () => 1);

    const waits = Array.from({ length: 7 }, () => backOff.next());
    backOff.reset();

    expect(waits).toEqual([50, 100, 200, 400, 800, 1000, 1000]);
    expect(backOff.next()).toBe(50);
  });

  test('takes a random share of each wait, from one half on', () => {
    const shares = [0, 0.5, 0.25];
    const backOff = new BackOff(LIMITS, () => shares.shift() ?? 1);

    expect([backOff.next(), backOff.next(), backOff.nextSlow()]).toEqual([25, 75, 3125]);
  });

  test('never waits longer than the longest wait, however often it fails', () => {
    const backOff = new BackOff(LIMITS, () => 1);

    for (let i = 0; i < 5000; i++) backOff.next();

    expect(backOff.next()).toBe(1000);
  });
});
