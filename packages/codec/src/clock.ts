/** The seam under every deadline, back-off and time limit. Implementations live where parts are wired together. */

/** One pending callback. */
export interface Timer {
  /** The callback will not run any more. Does nothing when it has run or was cancelled before. */
  cancel(): void;
}

/**
 * Monotonic time in milliseconds, and timers on it.
 *
 * Invariant: `now()` never goes back. Its origin is arbitrary, so only differences mean something.
 */
export interface Clock {
  now(): number;
  /** Runs `callback` once, `delayMs` or more from now, never within this call. */
  setTimer(delayMs: number, callback: () => void): Timer;
}
