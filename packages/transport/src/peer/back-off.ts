/**
 * How long to wait before the next attempt: doubling from the shortest to the longest wait, and of that a random share from one half on,
 * so that nodes which lost each other at the same moment do not come back at the same moment.
 */

export interface BackOffLimits {
  readonly minRetryMs: number;
  readonly maxRetryMs: number;
  readonly slowRetryMs: number;
}

export class BackOff {
  readonly #limits: BackOffLimits;
  readonly #random: () => number;
  #failures = 0;

  /** @param random - Uniform in [0, 1). */
  constructor(limits: BackOffLimits, random: () => number) {
    this.#limits = limits;
    this.#random = random;
  }

  /** The wait after one more failure. */
  next(): number {
    const { minRetryMs, maxRetryMs } = this.#limits;
    const waitMs = Math.min(maxRetryMs, minRetryMs * 2 ** Math.min(this.#failures, 30));
    this.#failures++;
    return this.#jittered(waitMs);
  }

  /** The wait after a refusal that will not pass soon. */
  nextSlow(): number {
    return this.#jittered(this.#limits.slowRetryMs);
  }

  reset(): void {
    this.#failures = 0;
  }

  #jittered(waitMs: number): number {
    return waitMs * (0.5 + this.#random() / 2);
  }
}
