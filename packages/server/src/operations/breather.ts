/** Lets the event loop turn during long loops whose awaits all resolve at once, so that other connections are served. */

import type { Clock } from '@kayadb/codec';

const MAX_BUSY_MS = 2;
/** Reading the clock costs more than a step of most loops. */
const STEPS_PER_LOOK = 64;

export class Breather {
  readonly #clock: Clock;
  #since: number;
  #steps = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.now();
  }

  /** @returns `undefined`, which costs an await nothing but a microtask, or a promise for the next turn of the event loop. */
  maybeBreathe(): Promise<void> | undefined {
    if (++this.#steps % STEPS_PER_LOOK !== 0 || this.#clock.now() - this.#since < MAX_BUSY_MS) return undefined;
    return new Promise((resolve) => {
      this.#clock.setTimer(0, () => {
        this.#since = this.#clock.now();
        resolve();
      });
    });
  }
}
