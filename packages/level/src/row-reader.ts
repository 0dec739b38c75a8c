/**
 * What the three kinds of iterator share: rows of one state of the store, taken in batches and handed out singly or as they come.
 * A scan of the engine is over at its end, a Level iterator can be sent back from there: that opens another scan of the same state.
 *
 * Invariant: rows waiting here were read but not handed out; a seek drops them.
 */

import type { Scan } from '@kayadb/engine';

import type { KeyBounds } from './key-bounds.ts';
import { LevelError, toLevelError } from './level-error.ts';
import { copyKey, type LevelKey } from './level-key.ts';

/** Often only one row is wanted, at first or after a seek; who goes on reading gets larger batches. */
const FIRST_BATCH_ROWS = 1;
const BATCH_GROWTH = 16;
const MAX_BATCH_ROWS = 1000;

export interface RowReaderParts<Item> {
  /** A scan from the beginning, always of the same state. Called when something is read, never before. */
  readonly open: () => Scan<unknown>;
  /** `undefined` where rows are right as the scan returns them. */
  readonly format: ((row: unknown) => Item) | undefined;
  /** Those of the scan. */
  readonly bounds: KeyBounds;
  readonly signal: AbortSignal | undefined;
  /** Lets go of the state. */
  readonly release: () => void;
}

export class RowReader<Item> {
  readonly #parts: RowReaderParts<Item>;
  /** `undefined` before the first read, and from the end until the next seek. */
  #scan: Scan<unknown> | undefined;
  /** Where the next read goes on, when that is not where the last one stopped. */
  #target: LevelKey | undefined;
  /** Nothing is left, or the last seek led out of the bounds. */
  #isAtEnd = false;
  #waiting: readonly Item[] = [];
  #taken = 0;
  #batchRows = FIRST_BATCH_ROWS;

  constructor(parts: RowReaderParts<Item>) {
    this.#parts = parts;
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
    this.#dropRows();
    this.#isAtEnd = !this.#parts.bounds.includes(target);
    this.#target = copyKey(target);
  }

  async close(): Promise<void> {
    this.#dropRows();
    await this.#scan?.return();
    this.#parts.release();
  }

  async #refill(remaining: number): Promise<Item | undefined> {
    this.#waiting = await this.#read(Math.min(this.#batchRows, remaining));
    this.#taken = 1;
    this.#batchRows = Math.min(this.#batchRows * BATCH_GROWTH, MAX_BATCH_ROWS);
    return this.#waiting[0];
  }

  async #read(size: number): Promise<Item[]> {
    if (this.#isAtEnd) return [];
    const { format, signal } = this.#parts;
    try {
      const rows = await this.#openScan().nextBatch(size);
      if (signal?.aborted === true) throw abortError(signal);
      if (rows.length === 0) this.#end();
      return format === undefined ? (rows as Item[]) : rows.map((row) => format(row));
    } catch (error) {
      throw toLevelError(error);
    }
  }

  #openScan(): Scan<unknown> {
    const scan = (this.#scan ??= this.#parts.open());
    if (this.#target !== undefined) scan.seek(this.#target);
    this.#target = undefined;
    return scan;
  }

  #end(): void {
    this.#isAtEnd = true;
    this.#scan = undefined;
  }

  #dropRows(): void {
    this.#waiting = [];
    this.#taken = 0;
    this.#batchRows = FIRST_BATCH_ROWS;
  }
}

function abortError(signal: AbortSignal): LevelError {
  return new LevelError('LEVEL_ABORTED', 'the iterator was aborted by its signal', { cause: signal.reason });
}
