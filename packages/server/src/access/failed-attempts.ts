/**
 * Slows down whoever guesses tokens: each failed attempt of an address is answered later than the one before.
 * Valid requests are never held up, so one misconfigured client cannot lock out its neighbours behind one address.
 *
 * Bound: `maxAddresses` remembered addresses; the one that failed longest ago is forgotten first.
 */

const FIRST_DELAY_MS = 100;
const LAST_DELAY_MS = 2_000;
/** An address that has not failed for this long starts anew. */
const FORGIVEN_AFTER_MS = 300_000;

interface Attempts {
  readonly failures: number;
  readonly lastMs: number;
}

export interface FailedAttempt {
  /** How many in a row, this one included. */
  readonly failures: number;
  /** How long its answer has to wait. */
  readonly delayMs: number;
}

export class FailedAttempts {
  /** In the order of the last failure. */
  readonly #attempts = new Map<string, Attempts>();
  readonly #maxAddresses: number;
  #total = 0;

  constructor(maxAddresses: number) {
    this.#maxAddresses = maxAddresses;
  }

  /** Failed attempts of all addresses since the start. */
  get total(): number {
    return this.#total;
  }

  record(address: string, nowMs: number): FailedAttempt {
    this.#total++;
    const before = this.#attempts.get(address);
    const failures = before === undefined || nowMs - before.lastMs >= FORGIVEN_AFTER_MS ? 1 : before.failures + 1;
    this.#attempts.delete(address);
    this.#attempts.set(address, { failures, lastMs: nowMs });
    this.#forgetOldest();
    return { failures, delayMs: Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures - 1, 10)) };
  }

  #forgetOldest(): void {
    for (const address of this.#attempts.keys()) {
      if (this.#attempts.size <= this.#maxAddresses) return;
      this.#attempts.delete(address);
    }
  }
}
