/**
 * A random-looking order of the numbers below a count, without a table of them: a Feistel network walked until it lands in
 * range (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002). Invariant: every number comes exactly once.
 */

const ROUNDS = 4;

export class Permutation {
  readonly #count: number;
  readonly #halfBits: number;
  readonly #mask: number;
  readonly #roundKeys: readonly number[];

  /**
   * @param count - How many numbers: 1 to 2^30.
   * @param seed - Another seed, another order.
   */
  constructor(count: number, seed: number) {
    if (!Number.isInteger(count) || count < 1 || count > 2 ** 30)
      throw new RangeError(`cannot permute ${count} numbers`);
    const bits = Math.max(2, 32 - Math.clz32(count - 1));
    this.#count = count;
    this.#halfBits = Math.ceil(bits / 2);
    this.#mask = 2 ** this.#halfBits - 1;
    this.#roundKeys = Array.from({ length: ROUNDS }, (_, round) => mix(seed, round + 1));
  }

  /** @returns Which number comes at `position`, 0 to count - 1. */
  at(position: number): number {
    let number = position;
    do number = this.#encrypt(number);
    while (number >= this.#count);
    return number;
  }

  #encrypt(number: number): number {
    let left = number >>> this.#halfBits;
    let right = number & this.#mask;
    for (const key of this.#roundKeys) {
      const next = left ^ (mix(right, key) & this.#mask);
      left = right;
      right = next;
    }
    return left * (this.#mask + 1) + right;
  }
}

/** The finaliser of MurmurHash3 over both numbers. */
function mix(number: number, key: number): number {
  let hash = Math.imul(number ^ key, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
