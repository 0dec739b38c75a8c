/** A scan of users' rows, pulled in batches that the puller bounds. Bound: a few rows are read ahead of what is handed out. */

import { EMPTY_BYTES, type PageRow } from '@kayadb/codec';
import type { Row, Scan } from '@kayadb/engine';

import type { RowScan } from '../replica/replica.ts';
import { keyOfUser, revisionOf, valueOf } from './rows.ts';

interface Batch {
  readonly rows: readonly PageRow[];
  readonly isLast: boolean;
}

/** Before anything is known of how large rows are. */
const FIRST_ROWS = 4;
const MAX_ROWS_AT_ONCE = 512;

export class MachineRowScan implements RowScan {
  readonly revision: number;
  readonly #scan: Scan<Row>;
  readonly #isWithoutValues: boolean;
  readonly #explain: (error: unknown) => unknown;
  /** Read, and from `#at` on not handed out. */
  #ahead: readonly Row[] = [];
  #at = 0;
  #isAtEnd = false;
  /** What ended it, if that was no end. */
  #failure: { readonly error: unknown } | undefined;
  #seenRows = 0;
  #seenBytes = 0;

  constructor(scan: Scan<Row>, revision: number, isWithoutValues: boolean, explain: (error: unknown) => unknown) {
    this.#scan = scan;
    this.revision = revision;
    this.#isWithoutValues = isWithoutValues;
    this.#explain = explain;
  }

  async next(maxBytes: number, maxRows: number): Promise<Batch> {
    const rows: PageRow[] = [];
    let bytes = 0;
    while (rows.length < maxRows && (bytes < maxBytes || rows.length === 0)) {
      if (this.#at === this.#ahead.length) await this.#readAhead(maxBytes - bytes, maxRows - rows.length);
      const next = this.#ahead[this.#at];
      if (next === undefined) break;
      this.#at++;
      const row = this.#toPageRow(next);
      bytes += row.key.length + row.value.length;
      rows.push(row);
    }
    return { rows, isLast: this.#isAtEnd };
  }

  async close(): Promise<void> {
    this.#isAtEnd = true;
    this.#ahead = [];
    this.#at = 0;
    await this.#scan.return();
  }

  #toPageRow({ key, value }: Row): PageRow {
    const shown = this.#isWithoutValues ? EMPTY_BYTES : valueOf(value);
    return { key: keyOfUser(key), revision: revisionOf(value), value: shown };
  }

  async #readAhead(bytes: number, rows: number): Promise<void> {
    this.#ahead = [];
    this.#at = 0;
    if (this.#isAtEnd) return;
    if (this.#failure !== undefined) throw this.#failure.error;
    try {
      this.#ahead = await this.#scan.nextBatch(Math.min(rows, this.#rowsFor(bytes)));
    } catch (error) {
      this.#failure = { error: this.#explain(error) };
      throw this.#failure.error;
    }
    this.#isAtEnd = this.#ahead.length === 0;
    this.#seenRows += this.#ahead.length;
    for (const { key, value } of this.#ahead) this.#seenBytes += key.length + value.length;
  }

  /** As many as there probably are in so many bytes. */
  #rowsFor(bytes: number): number {
    if (this.#seenRows === 0) return FIRST_ROWS;
    const rows = Math.ceil((bytes * this.#seenRows) / this.#seenBytes);
    return Math.min(MAX_ROWS_AT_ONCE, Math.max(1, rows));
  }
}
