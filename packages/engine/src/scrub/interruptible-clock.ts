/** A clock whose timers can all be brought forward at once, so that whoever sleeps notices that the store closes. */

import type { Clock, Timer } from '@kayadb/codec';

export class InterruptibleClock implements Clock {
  readonly #clock: Clock;
  readonly #pending = new Map<() => void, Timer>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const fire = (): void => {
      this.#pending.delete(fire);
      callback();
    };
    const timer = this.#clock.setTimer(delayMs, fire);
    this.#pending.set(fire, timer);
    return {
      cancel: () => {
        this.#pending.delete(fire);
        timer.cancel();
      },
    };
  }

  /** Runs every callback that waits, now. */
  interrupt(): void {
    const waiting = [...this.#pending];
    for (const [fire, timer] of waiting) {
      timer.cancel();
      fire();
    }
  }
}
