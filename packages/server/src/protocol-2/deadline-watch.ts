/**
 * Calls for what has become due, out of many things that mostly end before. One timer, armed for the earliest of them and left standing when that one
 * ends, so that a request with a deadline costs no timer.
 */

import type { Clock, Timer } from '@kayadb/codec';

/** Timers of the platform are 32 bits wide, deadlines of the protocol unsigned. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export class DeadlineWatch<Item> {
  readonly #clock: Clock;
  readonly #onDue: (item: Item) => void;
  readonly #dueMs = new Map<Item, number>();
  #timer: Timer | undefined;
  #timerDueMs = Number.POSITIVE_INFINITY;

  /** @param onDue - The item is no longer watched then; it may be watched anew. */
  constructor(clock: Clock, onDue: (item: Item) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** Watches `item`, or watches it for another time. */
  set(item: Item, delayMs: number): void {
    const dueMs = this.#clock.now() + delayMs;
    this.#dueMs.set(item, dueMs);
    if (dueMs < this.#timerDueMs) this.#arm(dueMs);
  }

  delete(item: Item): void {
    this.#dueMs.delete(item);
  }

  /** Nothing becomes due any more. */
  stop(): void {
    this.#dueMs.clear();
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerDueMs = Number.POSITIVE_INFINITY;
  }

  #arm(dueMs: number): void {
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    const delayMs = Math.min(Math.max(0, dueMs - this.#clock.now()), MAX_TIMER_MS);
    this.#timer = this.#clock.setTimer(delayMs, () => this.#handleTimer());
  }

  #handleTimer(): void {
    this.#timer = undefined;
    this.#timerDueMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#clock.now();
    const due = Array.from(this.#dueMs).filter(([, dueMs]) => dueMs <= nowMs);
    for (const [item] of due) this.#dueMs.delete(item);
    const nextMs = Math.min(...this.#dueMs.values());
    if (nextMs < Number.POSITIVE_INFINITY) this.#arm(nextMs);
    for (const [item] of due) this.#onDue(item);
  }
}
