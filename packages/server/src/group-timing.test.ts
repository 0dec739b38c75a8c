import { describe, expect, test } from 'vitest';

import { resolveTiming } from './group-timing.ts';
import { electionTicksOf, tickMsOf } from './group/group-member.ts';

describe('resolveTiming', () => {
  test('has the times of the security model', () => {
    expect(resolveTiming()).toEqual({ heartbeatMs: 100, electionMs: 500 });
  });

  test('takes an election of five heartbeats, and no shorter one', () => {
    expect(resolveTiming({ heartbeatMs: 20, electionMs: 100 })).toEqual({ heartbeatMs: 20, electionMs: 100 });
    expect(() => resolveTiming({ heartbeatMs: 20, electionMs: 99 })).toThrow(
      new RangeError('timing electionMs must be at least 5 heartbeats of 20 ms, got 99'),
    );
    expect(() => resolveTiming({ heartbeatMs: 101 })).toThrow(RangeError);
  });

  test.each([
    { heartbeatMs: 0 },
    { heartbeatMs: 0.5 },
    { heartbeatMs: Number.NaN },
    { electionMs: Infinity },
    { electionMs: 1_000_001 },
  ])('refuses %j by its name', (changes) => {
    const [name] = Object.keys(changes);

    expect(() => resolveTiming(changes)).toThrow(new RegExp(`^timing ${name} must be an integer`, 'u'));
  });
});

describe('ticks', () => {
  test.each([1, 2, 11, 100, 101, 9_999])(
    'of a heartbeat of %i ms are two for each, but for rounding',
    (heartbeatMs) => {
      const timing = resolveTiming({ heartbeatMs, electionMs: 5 * heartbeatMs });
      const tickMs = tickMsOf(timing);

      expect(Math.ceil(heartbeatMs / tickMs) * tickMs - heartbeatMs).toBeLessThanOrEqual(1);
      expect(electionTicksOf(timing) * tickMs).toBeGreaterThanOrEqual(timing.electionMs);
    },
  );
});
