/** The randomness that a node takes, from a seed. */

import type { SeededRandom } from './seeded-random.ts';

/** Structurally the `NodeRandom` of `@kayadb/server`. */
export interface SeededNodeRandom {
  readonly fraction: () => number;
  readonly integer: (limit: number) => number;
  readonly bytes: (count: number) => Uint8Array;
}

export function nodeRandom(random: SeededRandom): SeededNodeRandom {
  return {
    fraction: () => random.next(),
    integer: (limit) => random.int(limit),
    bytes: (count) => random.bytes(count),
  };
}
