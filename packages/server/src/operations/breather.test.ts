import { VirtualClock } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { Breather } from './breather.ts';

describe('Breather', () => {
  test('lets others have a turn after two busy milliseconds, and looks at the clock now and then only', () => {
    const clock = new VirtualClock();
    const breather = new Breather(clock);
    const steps = (count: number): boolean[] =>
      Array.from({ length: count }, () => breather.maybeBreathe() !== undefined);

    const atOnce = steps(64);
    clock.advance(2);
    const later = steps(64);
    clock.advance(0);
    const afterBreath = steps(64);

    expect(atOnce).not.toContain(true);
    expect(later.indexOf(true)).toBe(63);
    expect(afterBreath).not.toContain(true);
  });
});
