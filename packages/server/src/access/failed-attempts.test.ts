import { describe, expect, test } from 'vitest';

import { FailedAttempts } from './failed-attempts.ts';

describe('FailedAttempts', () => {
  test('doubles the delay of an address up to two seconds', () => {
    const attempts = new FailedAttempts(10);

    const delays = Array.from({ length: 7 }, () => attempts.record('10.0.0.1', 0).delayMs);

    expect(delays).toEqual([100, 200, 400, 800, 1600, 2000, 2000]);
  });

  test('keeps addresses apart', () => {
    const attempts = new FailedAttempts(10);
    attempts.record('10.0.0.1', 0);

    const other = attempts.record('10.0.0.2', 0);

    expect(other).toEqual({ failures: 1, delayMs: 100 });
    expect(attempts.total).toBe(2);
  });

  test('forgives an address that has not failed for five minutes', () => {
    const attempts = new FailedAttempts(10);
    attempts.record('10.0.0.1', 0);
    attempts.record('10.0.0.1', 1_000);

    const soon = attempts.record('10.0.0.1', 300_999);
    const late = attempts.record('10.0.0.1', 600_999);

    expect(soon.failures).toBe(3);
    expect(late.failures).toBe(1);
  });

  test('forgets the address that failed longest ago when there are too many', () => {
    const attempts = new FailedAttempts(2);
    for (const address of ['a', 'b', 'a', 'c']) attempts.record(address, 0);

    const kept = attempts.record('a', 0);
    const forgotten = attempts.record('b', 0);

    expect(kept.failures).toBe(3);
    expect(forgotten.failures).toBe(1);
  });
});
