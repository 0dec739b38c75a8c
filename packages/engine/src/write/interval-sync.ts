/** Durability mode `interval`: a sync starts at most so long after the first write that needs it. */

import type { Clock, Timer } from '@kayadb/codec';

export class IntervalSync {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #sync: () => Promise<void>;
  #timer: Timer | undefined;

  /** @param sync - Makes everything appended so far durable; must handle its own failure and never reject. */
  constructor(clock: Clock, intervalMs: number, sync: () => Promise<void>) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#sync = sync;
  }

  /** Asks for a sync within the interval; does nothing when one is due already. */
  schedule(): void {
    this.#timer ??= this.#clock.setTimer(this.#intervalMs, () => {
      this.#timer = undefined;
      void this.#sync();
    });
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
