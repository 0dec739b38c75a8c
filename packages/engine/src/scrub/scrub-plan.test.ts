import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { nextPassAtMs, sleepMs } from './scrub-plan.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

describe('nextPassAtMs', () => {
  test.each([
    ['ten minutes after opening, however long the interval', 7 * DAY, undefined, 1000 + 10 * MINUTE],
    ['after the interval, where that is shorter', 5 * MINUTE, undefined, 1000 + 5 * MINUTE],
    ['an interval after the last one began', 7 * DAY, 5000, 5000 + 7 * DAY],
  ])('is %s', (_, intervalMs, lastStartMs, expected) => {
    expect(nextPassAtMs(intervalMs, 1000, lastStartMs)).toBe(expected);
  });
});

describe('sleepMs', () => {
  test('sleeps in parts of a day at most, never past the time, and not at all behind it', () => {
    const random = seededRandom(testSeed());
    for (let i = 0; i < 1000; i++) {
      const dueMs = random.int(30 * DAY);
      let nowMs = random.int(30 * DAY);
      const startMs = nowMs;
      for (let part = sleepMs(dueMs, nowMs); part > 0; part = sleepMs(dueMs, nowMs)) {
        expect(part).toBeLessThanOrEqual(DAY);
        nowMs += part;
      }

      expect(nowMs).toBe(Math.max(startMs, dueMs));
    }
  });
});
