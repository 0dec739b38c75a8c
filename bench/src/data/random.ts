/** Random numbers that a seed repeats (xorshift32): every engine of a round gets the same ones. */

export class Random {
  #state: number;

  constructor(seed: number) {
    // The state must not be 0, which xorshift never leaves.
    this.#state = Math.imul(seed + 1, 0x9e3779b1) >>> 0 || 1;
  }

  /** @returns A whole number, 0 to `limit` - 1. */
  below(limit: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state >>> 0;
    return Math.floor((this.#state / 2 ** 32) * limit);
  }
}
