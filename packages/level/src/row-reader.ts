/**
 * What the three kinds of iterator share: rows of one scan, taken in batches and handed out singly or as they come.
 *
 * Invariant: rows waiting here were read but not handed out; a seek drops them.
 */

import type { Scan } from '@kayadb/engine';

import type { KeyBounds } from './key-bounds.ts';
import { LevelError, toLevelError } from './level-error.ts';
import type { LevelKey } from './level-key.ts';

/** Often only one row is wanted, at first or after a seek; who goes on reading gets larger batches. */
const FIRST_BATCH_ROWS = 1;
const BATCH_GROWTH = 16;
const MAX_BATCH_ROWS = 1000;

export interface RowReaderParts<Item> {
  readonly scan: Scan<unknown>;
  /** `undefined` where rows are right as the scan returns them. */
  readonly format: ((row: unknown) => Item) | undefined;
  /** Those of the scan. */
  readonly bounds: KeyBounds;
  readonly signal: AbortSignal | undefined;
}

export class RowReader<Item> {
  readonly #scan: Scan<unknown>;
  readonly #format: ((row: unknown) => Item) | undefined;
  readonly #bounds: KeyBounds;
  readonly #signal: AbortSignal | undefined;
  /** A seek led out of the bounds. */
  #outside = false;
  #waiting: readonly Item[] = [];
  #taken = 0;
  #batchRows = FIRST_BATCH_ROWS;

  constructor({ scan, format, bounds, signal }: RowReaderParts<Item>) {
    this.#scan = scan;
    this.#format = format;
    this.#bounds = bounds;
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

  /** Goes on at `target` or the next key behind it; ends where `target` is out of the bounds, until the next seek. */
  seek(target: LevelKey): void {
    this.#waiting = [];
    this.#taken = 0;
    this.#batchRows = FIRST_BATCH_ROWS;
    this.#outside = !this.#bounds.includes(target);
    if (!this.#outside) this.#scan.seek(target);
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
    if (this.#outside) return [];
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
