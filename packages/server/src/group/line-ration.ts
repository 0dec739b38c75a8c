/**
 * How many lines of the log others may cause: anybody who reaches the nodes' port, or a node that has gone wrong, can do as often as they like what is worth a line, and is not to fill a disk with them.
 *
 * Bound: `MAX_LINES` in `WINDOW_MS`, each for something else. The rest is counted, and the next line tells how many there were.
 */

import type { Clock } from '@kayadb/codec';

const WINDOW_MS = 60_000;
const MAX_LINES = 50;

/** Fields to be told with a line: how many were left out since the last one. */
export interface Untold {
  readonly untold?: number;
}

export class LineRation {
  readonly #clock: Clock;
  /** What was told in this window. */
  readonly #told = new Set<string>();
  #windowEndMs = 0;
  #untold = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns `undefined` when there is to be no line. */
  admit(what: string): Untold | undefined {
    if (!this.#isDue(what)) {
      this.#untold++;
      return undefined;
    }
    const untold = this.#untold;
    this.#untold = 0;
    return untold === 0 ? {} : { untold };
  }

  #isDue(what: string): boolean {
    const now = this.#clock.now();
    if (now >= this.#windowEndMs) {
      this.#told.clear();
      this.#windowEndMs = now + WINDOW_MS;
    }
    if (this.#told.has(what) || this.#told.size >= MAX_LINES) return false;
    this.#told.add(what);
    return true;
  }
}
