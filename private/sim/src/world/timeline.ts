/**
 * The one order of everything that happens: a virtual clock whose times are multiples of 1/1024 ms, so that sums and differences are exact and no
 * timer ever falls a hair short of its time.
 */

import { settle, VirtualClock, type VirtualTimer } from '@kayadb/testkit';

const STEPS_PER_MS = 1024;

export class Timeline {
  readonly #clock = new VirtualClock();

  get nowMs(): number {
    return this.#clock.now();
  }

  /** Time of the next event; undefined when nothing will ever happen again. */
  get nextMs(): number | undefined {
    return this.#clock.nextDueMs;
  }

  /** Runs `callback` in `delayMs`, at least one step from now: nothing happens within the event that caused it. */
  after(delayMs: number, callback: () => void): VirtualTimer {
    const steps = Math.max(1, Math.round(delayMs * STEPS_PER_MS));
    return this.#clock.setTimer(steps / STEPS_PER_MS, callback);
  }

  /** Goes on to the next event, and lets everything happen that it leads to without time passing. */
  async step(): Promise<void> {
    const { nextMs } = this;
    if (nextMs === undefined) throw new RangeError('nothing will ever happen again');
    this.#clock.advance(nextMs - this.#clock.now());
    await settle();
  }
}
