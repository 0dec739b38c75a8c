/**
 * The runs of tables that follow each other: a sorted level, or one table of level 0. Opens a table when the walk reaches
 * it, and only then; tables that nobody wants anything of are passed over by what the manifest knows of them.
 */

import { compareBytes } from '@kayadb/codec';

import type { SequenceNumber } from '../key/internal-key.ts';
import type { BlockRows } from '../sstable/block-rows.ts';
import type { TableMeta } from '../version/table-meta.ts';
import { findTableIndex } from '../version/version.ts';
import type { Direction, MaybePromise } from './cursor.ts';
import type { RunCursor, SkippingRunCursor } from './run-cursor.ts';

/** Opens the runs of one table. */
export type OpenTableRuns = (table: TableMeta, direction: Direction) => Promise<RunCursor>;

export class LevelRuns implements SkippingRunCursor {
  readonly #tables: readonly TableMeta[];
  readonly #direction: Direction;
  readonly #openTable: OpenTableRuns;
  /** Forward: no key from here on is wanted. Reverse: no key before. */
  readonly #limit: Uint8Array | undefined;
  #index = 0;
  #current: RunCursor | undefined;
  #isClosed = false;

  /** Requires: `tables` sorted by key, without overlap, and kept alive by a retained version. */
  constructor(
    tables: readonly TableMeta[],
    direction: Direction,
    limit: Uint8Array | undefined,
    openTable: OpenTableRuns,
  ) {
    this.#tables = tables;
    this.#direction = direction;
    this.#limit = limit;
    this.#openTable = openTable;
  }

  get rows(): BlockRows | undefined {
    return this.#current?.rows;
  }

  get position(): number {
    return this.#current?.position ?? -1;
  }

  seekToStart(): MaybePromise {
    return this.#enter(this.#direction === 'forward' ? 0 : this.#tables.length - 1, undefined);
  }

  seek(key: Uint8Array): MaybePromise {
    let index = findTableIndex(this.#tables, key);
    if (this.#direction === 'reverse' && !this.#startsBefore(index, key)) index--;
    return this.#enter(index, key);
  }

  nextRun(): MaybePromise {
    const waiting = this.#current!.nextRun();
    if (waiting !== undefined) return waiting.then(() => this.#skipEnd());
    return this.#skipEnd();
  }

  skip(target: Uint8Array | undefined, sequence: SequenceNumber): MaybePromise | false {
    const step = this.#step;
    let index = this.#index;
    for (; ; index += step) {
      const table = this.#tables[index];
      if (table === undefined || table.largestSequence > sequence) break;
      if (target !== undefined && !this.#endsBefore(table, target)) {
        if (index !== this.#index) return this.#enter(index, target);
        return this.#settle(this.#current!.seek(target));
      }
    }
    return index === this.#index ? false : this.#enter(index, undefined);
  }

  close(): void {
    this.#isClosed = true;
    this.#leave();
  }

  get #step(): 1 | -1 {
    return this.#direction === 'forward' ? 1 : -1;
  }

  /** Whether everything in `table` comes, in this direction, before a cursor that seeks `target`. */
  #endsBefore(table: TableMeta, target: Uint8Array): boolean {
    return this.#direction === 'forward'
      ? compareBytes(table.largestKey, target) < 0
      : compareBytes(table.smallestKey, target) >= 0;
  }

  #startsBefore(index: number, key: Uint8Array): boolean {
    const table = this.#tables[index];
    return table !== undefined && compareBytes(table.smallestKey, key) < 0;
  }

  /** Whether `table` and all behind it have nothing that is wanted. */
  #isPastLimit(table: TableMeta): boolean {
    if (this.#limit === undefined) return false;
    return this.#direction === 'forward'
      ? compareBytes(table.smallestKey, this.#limit) >= 0
      : compareBytes(table.largestKey, this.#limit) < 0;
  }

  #settle(waiting: MaybePromise): MaybePromise {
    if (waiting !== undefined) return waiting.then(() => this.#skipEnd());
    return this.#skipEnd();
  }

  #skipEnd(): MaybePromise {
    if (this.#isClosed || this.#current!.rows !== undefined) return undefined;
    return this.#enter(this.#index + this.#step, undefined);
  }

  /** Goes to the start of the table at `index`, or to `key` in it, or to wherever the next entry is. */
  #enter(index: number, key: Uint8Array | undefined): MaybePromise {
    this.#leave();
    this.#index = index;
    const table = this.#tables[index];
    return table === undefined || this.#isPastLimit(table) ? undefined : this.#open(table, key);
  }

  async #open(table: TableMeta, key: Uint8Array | undefined): Promise<void> {
    const runs = await this.#openTable(table, this.#direction);
    if (this.#isClosed) {
      runs.close();
      return;
    }
    this.#current = runs;
    await (key === undefined ? runs.seekToStart() : runs.seek(key));
    if (!this.#isClosed) await this.#skipEnd();
  }

  #leave(): void {
    this.#current?.close();
    this.#current = undefined;
  }
}
