/** Reads of tables by what the manifest knows of them: the table cache, opened and released around each use. */

import type { Cursor, Direction } from '../iterate/cursor.ts';
import type { Entry, FileNumber, SequenceNumber } from '../key/internal-key.ts';
import type { TableMeta } from '../version/table-meta.ts';
import type { TableCache } from './table-cache.ts';
import type { TableCursorOptions } from './table-cursor.ts';
import type { TableReader } from './table-reader.ts';

export class Tables {
  readonly #cache: TableCache;

  constructor(cache: TableCache) {
    this.#cache = cache;
  }

  /** The newest version of `key` at or below `maxSequence`; in the caller's turn when table and block are at hand. */
  get(table: TableMeta, key: Uint8Array, maxSequence: SequenceNumber): Entry | undefined | Promise<Entry | undefined> {
    const reader = this.#cache.acquire(table);
    return reader instanceof Promise
      ? reader.then((opened) => getAndRelease(opened, key, maxSequence))
      : getAndRelease(reader, key, maxSequence);
  }

  /** A cursor over one table. The file stays open until it is closed. */
  async openCursor(table: TableMeta, direction: Direction, options?: TableCursorOptions): Promise<Cursor> {
    const reader = await this.#cache.acquire(table);
    try {
      return reader.cursor(direction, options);
    } finally {
      reader.release();
    }
  }

  /** Opens the table, which verifies its structure. @throws CorruptionError */
  async check(table: TableMeta): Promise<void> {
    const reader = await this.#cache.acquire(table);
    reader.release();
  }

  /** Forgets a table that nothing refers to any more. */
  evict(fileNumber: FileNumber): void {
    this.#cache.evict(fileNumber);
  }

  /** Waits for reads under way, then closes every file. */
  close(): Promise<void> {
    return this.#cache.close();
  }
}

function getAndRelease(
  reader: TableReader,
  key: Uint8Array,
  maxSequence: SequenceNumber,
): Entry | undefined | Promise<Entry | undefined> {
  try {
    return reader.get(key, maxSequence);
  } finally {
    // A read that goes on keeps the file open by itself.
    reader.release();
  }
}
