/**
 * Patience with a group that is between two leaders: who asks a member for what only a leader can do is told who that is as soon as it is known, not that nobody knows. A client then finds
 * the new leader with one more request, where it would guess and wait otherwise.
 *
 * Bound: `LEADER_WAIT_MS` for each who waits. One timer for all of them, and none while nobody waits.
 */

import type { Clock } from '@kayadb/codec';

/** Time for two elections with the default timing: then there is nobody to elect one. */
export const LEADER_WAIT_MS = 1_000;
/** Between two looks. A fraction of what an election takes on one machine. */
const LOOK_MS = 10;

export class LeaderWait {
  readonly #isKnown: () => boolean;
  readonly #clock: Clock;
  readonly #waiting = new Set<{ readonly untilMs: number; readonly wake: () => void }>();
  #isLooking = false;

  /** @param isKnown - Whether somebody leads and is not about to hand over, as far as this node knows. */
  constructor(isKnown: () => boolean, clock: Clock) {
    this.#isKnown = isKnown;
    this.#clock = clock;
  }

  /** Resolves when a leader is known, or has not become known in time. */
  async settled(): Promise<void> {
    if (this.#isKnown()) return;
    await new Promise<void>((wake) => {
      this.#waiting.add({ untilMs: this.#clock.now() + LEADER_WAIT_MS, wake });
      this.#lookLater();
    });
  }

  #lookLater(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#clock.setTimer(LOOK_MS, () => this.#look());
  }

  #look(): void {
    this.#isLooking = false;
    const isKnown = this.#isKnown();
    const now = this.#clock.now();
    for (const waiting of this.#waiting) {
      if (!isKnown && now < waiting.untilMs) continue;
      this.#waiting.delete(waiting);
      waiting.wake();
    }
    if (this.#waiting.size > 0) this.#lookLater();
  }
}
