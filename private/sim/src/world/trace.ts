/** What has happened, one line per event: its hash tells two runs apart, its end tells what led to a failure. */

import { createHash } from 'node:crypto';

/** Bound: lines that are kept. */
const KEPT_LINES = 400;

export class Trace {
  readonly #hash = createHash('sha256');
  readonly #print: ((line: string) => void) | undefined;
  readonly #nowMs: () => number;
  #lines: string[] = [];
  #count = 0;

  constructor(nowMs: () => number, print?: (line: string) => void) {
    this.#nowMs = nowMs;
    this.#print = print;
  }

  get count(): number {
    return this.#count;
  }

  add(what: string): void {
    const line = `${this.#nowMs().toFixed(3)} ${what}`;
    this.#hash.update(line).update('\n');
    this.#print?.(line);
    this.#lines.push(line);
    this.#count++;
    if (this.#lines.length >= 2 * KEPT_LINES) this.#lines = this.#lines.slice(-KEPT_LINES);
  }

  /** The last `count` lines. */
  tail(count: number): readonly string[] {
    return this.#lines.slice(-count);
  }

  /** Of all lines. Ends the trace. */
  digest(): string {
    return this.#hash.digest('hex');
  }
}
