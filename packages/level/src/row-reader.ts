/**
 * What the three kinds of iterator share: rows of one scan, taken in batches and handed out singly or as they come.
 *
 * Invariant: rows waiting here were read but not handed out; a seek drops them.
 */

import type { Scan } from '@kayadb/engine';

import { LevelError, toLevelError } from './level-error.ts';
import type { LevelKey } from './level-key.ts';

/** Often only one row is wanted, at first or after a seek; who goes on reading gets larger batches. */
const FIRST_BATCH_ROWS = 1;
const BATCH_GROWTH = 16;
const MAX_BATCH_ROWS = 1000;

export class RowReader<Item> {
  readonly #scan: Scan<unknown>;
  /** `undefined` where rows are right as the scan returns them. */
  readonly #format: ((row: unknown) => Item) | undefined;
  readonly #signal: AbortSignal | undefined;
  #waiting: readonly Item[] = [];
  #taken = 0;
  #batchRows = FIRST_BATCH_ROWS;

  constructor(scan: Scan<unknown>, format: ((row: unknown) => Item) | undefined, signal: AbortSignal | undefined) {
    this.#scan = scan;
    this.#format = format;
    this.#signal = signal;
  }

  /**
   * The next item, at once if one is waiting.
   *
   * @param remaining - How many the iterator may still hand out; no more are read.
   */
  next(remaining: number): Item | undefined | Promise<Item | undefined> {
    if (this.#taken < this.#waiting.length) return this.#waiting[this.#taken++];
    return this.#refill(remaining);
  }

  /** At most `size` items; none at the end. */
  nextBatch(size: number): readonly Item[] | Promise<Item[]> {
    this.#batchRows = MAX_BATCH_ROWS;
    if (this.#taken === this.#waiting.length) return this.#read(size);
    const items = this.#waiting.slice(this.#taken, this.#taken + size);
    this.#taken += items.length;
    return items;
  }

  seek(target: LevelKey): void {
    this.#waiting = [];
    this.#taken = 0;
    this.#batchRows = FIRST_BATCH_ROWS;
    this.#scan.seek(target);
  }

  async close(): Promise<void> {
    this.#waiting = [];
    this.#taken = 0;
    await this.#scan.return();
  }

  async #refill(remaining: number): Promise<Item | undefined> {
    this.#waiting = await this.#read(Math.min(this.#batchRows, remaining));
    this.#taken = 1;
    this.#batchRows = Math.min(this.#batchRows * BATCH_GROWTH, MAX_BATCH_ROWS);
    return this.#waiting[0];
  }

  async #read(size: number): Promise<Item[]> {
    try {
      const rows = await this.#scan.nextBatch(size);
      if (this.#signal?.aborted === true) throw abortError(this.#signal);
      const format = this.#format;
      return format === undefined ? (rows as Item[]) : rows.map((row) => format(row));
    } catch (error) {
      throw toLevelError(error);
    }
  }
}

function abortError(signal: AbortSignal): LevelError {
  return new LevelError('LEVEL_ABORTED', 'the iterator was aborted by its signal', { cause: signal.reason });
}
