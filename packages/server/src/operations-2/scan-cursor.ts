/**
 * A scan that is handed out in pages. Bound: one page is held at most, and only when whoever asked for it did not wait for it: rows that were pulled are
 * never lost, or a scan would have a gap where a MORE was taken back.
 */

import { DEFAULT_PAGE_BYTES, DEFAULT_PAGE_ROWS, type Page, type PageRow, type ScanRequest2 } from '@kayadb/codec';

import type { RowScan } from '../replica/replica.ts';

type PageBounds = Pick<ScanRequest2, 'limit' | 'pageBytes' | 'pageRows' | 'isWithoutValues'>;

export class ScanCursor {
  readonly #rows: RowScan;
  readonly #bounds: PageBounds;
  /** Resolves when the calls before have ended. Never rejects. */
  #turn: Promise<unknown> = Promise.resolve();
  #kept: Page | undefined;
  #pulledRows = 0;
  #isClosed = false;

  /** Takes over `rows`. */
  constructor(rows: RowScan, bounds: PageBounds) {
    this.#rows = rows;
    this.#bounds = bounds;
  }

  /** Of the page that nobody has taken. */
  get keptBytes(): number {
    return this.#kept === undefined ? 0 : weigh(this.#kept.rows);
  }

  /**
   * Hands the next page to `take`; the one that it does not take is the next one again. Calls take their turns.
   *
   * @param pull - Runs what reads the rows.
   * @param take - Says whether it has taken the page. Not called when the scan was closed.
   */
  next(pull: (read: () => Promise<Page>) => Promise<Page>, take: (page: Page) => boolean): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#isClosed) return;
      this.#kept ??= await pull(() => this.#read());
      if (!this.#isClosed && take(this.#kept)) this.#kept = undefined;
    });
  }

  /** Lets go of the state that it shows. Idempotent; resolves when nothing of it is left. */
  close(): Promise<void> {
    const isFirst = !this.#isClosed;
    this.#isClosed = true;
    return this.#inTurn(async () => {
      this.#kept = undefined;
      if (isFirst) await this.#rows.close();
    });
  }

  async #inTurn(task: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(task);
    this.#turn = done.catch(ignore);
    await done;
  }

  async #read(): Promise<Page> {
    const { limit, pageBytes, pageRows, isWithoutValues } = this.#bounds;
    const leftRows = limit === 0 ? Number.POSITIVE_INFINITY : limit - this.#pulledRows;
    const maxRows = Math.min(leftRows, pageRows || DEFAULT_PAGE_ROWS);
    const { rows, isLast } = await this.#rows.next(pageBytes || DEFAULT_PAGE_BYTES, maxRows);
    this.#pulledRows += rows.length;
    const isAtEnd = isLast || rows.length === 0 || rows.length === leftRows;
    return { revision: this.#rows.revision, isLast: isAtEnd, isWithoutValues, rows };
  }
}

function weigh(rows: readonly PageRow[]): number {
  return rows.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
}

function ignore(): void {
  // Told to whoever asked for that page.
}
