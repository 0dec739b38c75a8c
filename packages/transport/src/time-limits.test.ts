import { VirtualClock } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { type ConnectionLimits, DEFAULT_DIAL_LIMITS } from './limits.ts';
import { TimeLimits } from './time-limits.ts';

interface Run {
  readonly clock: VirtualClock;
  readonly limits: TimeLimits;
  /** Code and time of each expiry. */
  readonly expired: string[];
}

function start(limits: Partial<ConnectionLimits>): Run {
  const clock = new VirtualClock();
  const expired: string[] = [];
  const all = { ...DEFAULT_DIAL_LIMITS, writeStallMs: 0, closeMs: 0, ...limits };
  return {
    clock,
    expired,
    limits: new TimeLimits(clock, all, (error) => expired.push(`${error.code}@${clock.now()}`)),
  };
}

describe('TimeLimits', () => {
  test('sets no timer when everything is off', () => {
    const { clock } = start({});

    expect(clock.pendingTimers).toBe(0);
  });

  test('keeps one timer however busy the connection is', () => {
    const { clock, expired, limits } = start({ idleMs: 100, writeStallMs: 50 });

    for (let i = 0; i < 1000; i++) {
      limits.noteReceived();
      limits.noteWaiting();
      limits.noteWritten(false);
      clock.advance(1);
    }

    expect(clock.pendingTimers).toBe(1);
    expect(expired).toEqual([]);
  });

  test('counts a stall from the last progress', () => {
    const { clock, expired, limits } = start({ idleMs: 1000, writeStallMs: 50 });

    limits.noteWaiting();
    clock.advance(40);
    limits.noteWritten(true);
    clock.advance(200);

    expect(expired).toEqual(['KAYA_WRITE_STALLED@90']);
  });

  test('forgets the first-byte limit after the first byte', () => {
    const { clock, expired, limits } = start({ firstByteMs: 10, idleMs: 100 });

    clock.advance(5);
    limits.noteReceived();
    clock.advance(500);

    expect(expired).toEqual(['KAYA_CONNECTION_IDLE@105']);
  });

  test('brings the timer forward when a nearer limit begins', () => {
    const { clock, expired, limits } = start({ idleMs: 1000, closeMs: 20 });

    clock.advance(100);
    limits.noteClosing();
    clock.advance(20);

    expect(expired).toEqual(['KAYA_WRITE_STALLED@120']);
  });

  test('says nothing after stop()', () => {
    const { clock, expired, limits } = start({ idleMs: 10 });

    limits.stop();
    clock.advance(100);

    expect(expired).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });
});
