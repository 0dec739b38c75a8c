import { describe, expect, test } from 'vitest';

import { DrainEstimate } from './drain-estimate.ts';

const MIB = 1024 * 1024;

describe('DrainEstimate', () => {
  test('knows nothing before slowing began', () => {
    const drain = new DrainEstimate();

    drain.correct(1, 100);

    expect(drain.bytesPerSecond).toBeUndefined();
  });

  test('starts as what writers bring, but not as next to nothing, and keeps what it has learnt', () => {
    const fast = new DrainEstimate();
    const slow = new DrainEstimate();

    fast.start(100 * MIB);
    fast.start(500 * MIB);
    slow.start(10);

    expect(fast.bytesPerSecond).toBe(100 * MIB);
    expect(slow.bytesPerSecond).toBe(16 * MIB);
  });

  test('falls while pressure rests high, rises while it rests low, and hardly moves near the middle', () => {
    const rates = [1, 0.75, 0.6, 0.5, 0].map((share) => {
      const drain = new DrainEstimate();
      drain.start(100 * MIB);
      for (let i = 0; i < 10; i++) drain.correct(share, 100);
      return Math.round(drain.bytesPerSecond! / MIB);
    });

    expect(rates).toEqual([82, 98, 100, 100, 122]);
  });

  test('stays within bounds, and takes a long pause for a second', () => {
    const drain = new DrainEstimate();
    drain.start(100 * MIB);

    drain.correct(1, 3_600_000);
    const afterPause = drain.bytesPerSecond!;
    for (let i = 0; i < 1000; i++) drain.correct(1, 1000);
    const least = drain.bytesPerSecond;
    for (let i = 0; i < 1000; i++) drain.correct(0, 1000);

    expect(afterPause).toBeGreaterThan(80 * MIB);
    expect(least).toBe(MIB);
    expect(drain.bytesPerSecond).toBe(4096 * MIB);
  });
});
