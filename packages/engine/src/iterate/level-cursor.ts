/** Walks the tables of a sorted level as one: opens a table's cursor when the walk reaches it, and only then. */

import { compareBytes } from '@kayadb/codec';

import type { Entry } from '../key/internal-key.ts';
import type { TableMeta } from '../version/table-meta.ts';
import { findTableIndex } from '../version/version.ts';
import type { Cursor, Direction, MaybePromise } from './cursor.ts';

/** Opens the cursor of one table. */
export type OpenTableCursor = (table: TableMeta, direction: Direction) => Promise<Cursor>;

export class LevelCursor implements Cursor {
  readonly #tables: readonly TableMeta[];
  readonly #direction: Direction;
  readonly #openTable: OpenTableCursor;
  #index = 0;
  #current: Cursor | undefined;
  #closed = false;

  /** Requires: `tables` sorted by key, without overlap, and kept alive by a retained version. */
  constructor(tables: readonly TableMeta[], direction: Direction, openTable: OpenTableCursor) {
    this.#tables = tables;
    this.#direction = direction;
    this.#openTable = openTable;
  }

  get entry(): Entry | undefined {
    return this.#current?.entry;
  }

  seekToStart(): MaybePromise {
    return this.#enter(this.#direction === 'forward' ? 0 : this.#tables.length - 1, undefined);
  }

  seek(key: Uint8Array): MaybePromise {
    let index = findTableIndex(this.#tables, key);
    if (this.#direction === 'reverse') {
      const table = this.#tables[index];
      if (table === undefined || compareBytes(table.smallestKey, key) > 0) index--;
    }
    return this.#enter(index, key);
  }

  next(): MaybePromise {
    const waiting = this.#current!.next();
    if (waiting !== undefined) return waiting.then(() => this.#skipEnds());
    return this.#skipEnds();
  }

  close(): void {
    this.#closed = true;
    this.#leave();
  }

  #skipEnds(): MaybePromise {
    if (this.#current!.entry !== undefined) return undefined;
    return this.#enter(this.#direction === 'forward' ? this.#index + 1 : this.#index - 1, undefined);
  }

  #enter(index: number, key: Uint8Array | undefined): MaybePromise {
    this.#leave();
    this.#index = index;
    const table = this.#tables[index];
    return table === undefined ? undefined : this.#open(table, key);
  }

  async #open(table: TableMeta, key: Uint8Array | undefined): Promise<void> {
    const cursor = await this.#openTable(table, this.#direction);
    if (this.#closed) {
      cursor.close();
      return;
    }
    this.#current = cursor;
    await (key === undefined ? cursor.seekToStart() : cursor.seek(key));
    if (!this.#closed && cursor.entry === undefined) await this.#skipEnds();
  }

  #leave(): void {
    this.#current?.close();
    this.#current = undefined;
  }
}
