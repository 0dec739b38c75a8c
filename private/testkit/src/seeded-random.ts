/**
 * Randomness that can be replayed: xoshiro128** (Blackman and Vigna), its state filled by splitmix32 from one number.
 *
 * Invariant: the same seed and the same calls give the same values on every machine. Not for secrets.
 */

export interface SeededRandom {
  /** What this generator was made from; printing it is enough to replay. */
  readonly seed: number;
  /** A number in [0, 1), with 32 bits of randomness. */
  next(): number;
  /** An integer in [0, n). Requires: 1 <= n <= 2^32. @throws RangeError otherwise. */
  int(n: number): number;
  /** A new array of `length` random bytes. */
  bytes(length: number): Uint8Array;
  /** One of `items`. @throws RangeError when there is none. */
  pick<Item>(items: readonly Item[]): Item;
  /** A new array with the same items in random order. */
  shuffle<Item>(items: readonly Item[]): Item[];
  /** True with the given probability, 0 to 1. */
  chance(probability: number): boolean;
  /** An independent generator: depends on this one's seed and the label, not on what was drawn so far. */
  fork(label: string): SeededRandom;
}

/** A generator that starts from `seed`, of which the low 32 bits count. */
export function seededRandom(seed: number): SeededRandom {
  return new Xoshiro128(seed >>> 0);
}

class Xoshiro128 implements SeededRandom {
  readonly seed: number;
  readonly #state: [number, number, number, number];

  constructor(seed: number) {
    this.seed = seed;
    const fill = splitmix32(seed);
    this.#state = [fill(), fill(), fill(), fill()];
  }

  next(): number {
    return this.#u32() / 0x1_0000_0000;
  }

  int(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 0x1_0000_0000) {
      throw new RangeError(`int(n) needs an integer from 1 to 2^32, got ${n}`);
    }
    return Math.floor(this.next() * n);
  }

  bytes(length: number): Uint8Array {
    const result = new Uint8Array(length);
    for (let i = 0; i < length; i++) result[i] = this.#u32() >>> 24;
    return result;
  }

  pick<Item>(items: readonly Item[]): Item {
    if (items.length === 0) throw new RangeError('pick needs at least one item');
    return items[this.int(items.length)] as Item;
  }

  shuffle<Item>(items: readonly Item[]): Item[] {
    const result = [...items];
    for (let i = result.length - 1; i > 0; i--) {
      const j = this.int(i + 1);
      [result[i], result[j]] = [result[j] as Item, result[i] as Item];
    }
    return result;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  fork(label: string): SeededRandom {
    return new Xoshiro128(hashLabel(this.seed, label));
  }

  #u32(): number {
    const state = this.#state;
    const result = Math.imul(rotateLeft(Math.imul(state[1], 5), 7), 9) >>> 0;
    const shifted = state[1] << 9;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotateLeft(state[3], 11);
    return result;
  }
}

function rotateLeft(value: number, count: number): number {
  return (value << count) | (value >>> (32 - count));
}

function splitmix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
}

/** FNV-1a over the label's UTF-16 units, started from the seed. */
function hashLabel(seed: number, label: string): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (let i = 0; i < label.length; i++) {
    hash = Math.imul(hash ^ label.charCodeAt(i), 0x01000193) >>> 0;
  }
  return splitmix32(hash)();
}
