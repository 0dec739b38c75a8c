/** Keeps a walk over entries at hand from keeping the event loop to itself: promises alone let no timer and no socket have a turn. */

import type { Clock } from '@kayadb/codec';

/** Time that a walk may take in one go. */
const TURN_MS = 2;
/** Steps between two looks at the clock. */
const STEPS_PER_LOOK = 64;

export class Turn {
  readonly #clock: Clock;
  readonly #yieldTurn: () => Promise<void>;
  #startMs: number;
  #untilLook: number = STEPS_PER_LOOK;

  constructor({ clock, yieldTurn }: { readonly clock: Clock; readonly yieldTurn: () => Promise<void> }) {
    this.#clock = clock;
    this.#yieldTurn = yieldTurn;
    this.#startMs = clock.now();
  }

  /** Counts one step. @returns Something to wait for when the time is used up, otherwise undefined. */
  step(): Promise<void> | undefined {
    if (--this.#untilLook > 0) return undefined;
    this.#untilLook = STEPS_PER_LOOK;
    return this.#clock.now() - this.#startMs < TURN_MS ? undefined : this.#pause();
  }

  async #pause(): Promise<void> {
    await this.#yieldTurn();
    this.#startMs = this.#clock.now();
  }
}
