/** How a simulation ends that has found something. */

import type { Finder, Violation } from './checks/finder.ts';

/** Something happened that must not. The message has the seed, what it was, and what led to it. */
export class SimulationError extends Error {
  readonly seed: number;
  readonly finder: Finder;
  readonly what: string;

  constructor(seed: number, { finder, what }: Violation, tail: readonly string[]) {
    super(`seed ${seed}, ${finder}: ${what}\nthe last events:\n${tail.join('\n')}`);
    this.name = 'SimulationError';
    this.seed = seed;
    this.finder = finder;
    this.what = what;
  }
}
