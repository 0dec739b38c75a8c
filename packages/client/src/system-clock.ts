/** The real clock and the real randomness: the defaults of `connect`, and the one place in this package that has them. */

import type { Clock } from '@kayadb/codec';

/** Longer delays make Node fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** Monotonic time and timers of the process. A pending timer keeps the process alive, as a pending request must. */
export function systemClock(): Clock {
  return {
    now: () => performance.now(),
    setTimer: (delayMs, callback) => {
      const timer = setTimeout(callback, Math.min(delayMs, MAX_DELAY_MS));
      return { cancel: () => clearTimeout(timer) };
    },
  };
}

/** Uniform in [0, 1). For jitter only. */
export function systemRandom(): number {
  return Math.random();
}
