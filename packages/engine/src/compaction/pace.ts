/** Holds a merge back to so many bytes per second: a token bucket over an injected clock. */

import type { Clock } from '@kayadb/codec';

/** How a merge is ended from outside; an AbortSignal is one. */
export interface AbortFlag {
  readonly aborted: boolean;
}

/** Bound: what may be written at once after a rest, in seconds of the rate. */
const BURST_SECONDS = 0.1;
/** A pause is taken in parts no longer than this, so that an abort is noticed. */
const MAX_PAUSE_MS = 20;

export class Pace {
  readonly #clock: Clock;
  readonly #bytesPerMs: number;
  /** What may be written now; negative while too much was. */
  #allowance: number;
  #lastMs: number;

  /** @param bytesPerSecond - At least 1. */
  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock;
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.#allowance = BURST_SECONDS * bytesPerSecond;
    this.#lastMs = clock.now();
  }

  /** Counts bytes that were written. */
  spend(bytes: number): void {
    this.#refill();
    this.#allowance -= bytes;
  }

  /** Resolves when more may be written, or when `signal` fires. */
  async wait(signal?: AbortFlag): Promise<void> {
    for (;;) {
      this.#refill();
      if (this.#allowance >= 0 || signal?.aborted === true) return;
      const pauseMs = Math.min(MAX_PAUSE_MS, Math.ceil(-this.#allowance / this.#bytesPerMs));
      await new Promise<void>((resolve) => {
        this.#clock.setTimer(pauseMs, resolve);
      });
    }
  }

  #refill(): void {
    const nowMs = this.#clock.now();
    const most = BURST_SECONDS * 1000 * this.#bytesPerMs;
    this.#allowance = Math.min(most, this.#allowance + (nowMs - this.#lastMs) * this.#bytesPerMs);
    this.#lastMs = nowMs;
  }
}
