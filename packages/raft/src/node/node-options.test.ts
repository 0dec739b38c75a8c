import { describe, expect, test } from 'vitest';

import { normalizeLimits } from './node-options.ts';

describe('normalizeLimits', () => {
  test('has a value for everything', () => {
    const limits = normalizeLimits({ electionTicks: 20 });

    expect(limits).toMatchObject({ electionTicks: 20, heartbeatTicks: 1, tickMs: 100 });
    expect(Object.values(limits).every((value) => Number.isSafeInteger(value))).toBe(true);
  });

  test.each([
    { tickMs: 0 },
    { tickMs: 0.5 },
    { maxReads: Number.POSITIVE_INFINITY },
    { maxEntryBytes: -1 },
    { keepBytes: 10, keepForSlowBytes: 5 },
  ])('refuses %o', (limits) => {
    expect(() => normalizeLimits(limits)).toThrow(RangeError);
  });
});
