/** Reads of tables by what the manifest knows of them: the table cache, opened and released around each use. */

import type { Direction } from '../iterate/cursor.ts';
import type { Entry, FileNumber, SequenceNumber } from '../key/internal-key.ts';
import { type KeySpan, spanContains, spanOverlaps } from '../range-delete/range-delete.ts';
import type { TableMeta } from '../version/table-meta.ts';
import { LOOKUP, type LookupOutcome, type PointLookup } from './point-lookup.ts';
import type { TableCache } from './table-cache.ts';
import type { TableCursor, TableCursorOptions } from './table-cursor.ts';
import type { TableReader } from './table-reader.ts';
import type { OnBlock } from './verify-table.ts';

export class Tables {
  readonly #cache: TableCache;

  constructor(cache: TableCache) {
    this.#cache = cache;
  }

  /** As `TableReader.lookUp`; a table that is not open is as cold as a block that is not cached. */
  lookUp(
    table: TableMeta,
    key: Uint8Array,
    hash: number,
    maxSequence: SequenceNumber,
    into: PointLookup,
    mayRead: boolean,
  ): LookupOutcome {
    const open = this.#cache.peek(table.fileNumber);
    if (open !== undefined) return open.lookUp(key, hash, maxSequence, into, mayRead);
    if (!mayRead) return LOOKUP.cold;
    return this.#cache.openSync(table).lookUp(key, hash, maxSequence, into, true);
  }

  /** As `TableReader.get`. */
  get(table: TableMeta, key: Uint8Array, hash: number, maxSequence: SequenceNumber): Promise<Entry | undefined> {
    return this.#use(table, (reader) => reader.get(key, hash, maxSequence));
  }

  /** A cursor over one table. The file stays open until it is closed. */
  openCursor(table: TableMeta, direction: Direction, options?: TableCursorOptions): Promise<TableCursor> {
    return this.#use(table, (reader) => reader.cursor(direction, options));
  }

  /** Opens the table, which verifies its structure, and leaves it open for the reads to come. @throws CorruptionError */
  check(table: TableMeta): Promise<void> {
    return this.#use(table, () => undefined);
  }

  /** Reads the whole table again, past all caches, and checks all that can be checked. @throws CorruptionError */
  verify(table: TableMeta, onBlock?: OnBlock): Promise<void> {
    return this.#use(table, (reader) => reader.verify(onBlock));
  }

  /** Bytes on disk of what may hold keys of `span`: of blocks, or of the whole file when all its keys are in the span. */
  async approximateBytes(table: TableMeta, span: KeySpan): Promise<number> {
    const { smallestKey, largestKey, fileBytes } = table;
    if (!spanOverlaps(span, smallestKey, largestKey)) return 0;
    if (spanContains(span, smallestKey, largestKey)) return fileBytes;
    return this.#use(table, (reader) => reader.approximateBytes(span));
  }

  /** Forgets a table that nothing refers to any more. */
  evict(fileNumber: FileNumber): void {
    this.#cache.evict(fileNumber);
  }

  /** Waits for reads under way, then closes every file. */
  close(): Promise<void> {
    return this.#cache.close();
  }

  async #use<Result>(table: TableMeta, use: (reader: TableReader) => Result | Promise<Result>): Promise<Result> {
    const reader = await this.#cache.acquire(table);
    try {
      return await use(reader);
    } finally {
      reader.release();
    }
  }
}
