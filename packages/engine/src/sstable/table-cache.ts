/**
 * Keeps tables open, up to a bound, so that a read seldom waits for one to be opened. A table is opened once however
 * many ask for it at the same time, and is not closed while it is in use.
 */

import { assert } from '@kayadb/codec';
import type { FileSystem } from '@kayadb/vfs';

import { tableFileName } from '../files/file-names.ts';
import { joinFailures } from '../join-failures.ts';
import type { FileNumber } from '../key/internal-key.ts';
import type { TableMeta } from '../version/table-meta.ts';
import type { BlockCache } from './block-cache.ts';
import type { Zstd } from './compression.ts';
import { openTable, openTableSync, type OpenTableOptions } from './open-table.ts';
import type { TableReader } from './table-reader.ts';

export interface TableCacheOptions {
  readonly fs: FileSystem;
  /** The data directory. */
  readonly directory: string;
  /** 16 bytes. */
  readonly storeId: Uint8Array;
  readonly blockCache: BlockCache;
  /** Bound: tables open, unless more than that are in use at once. */
  readonly maxOpenTables: number;
  /** Where zstd comes from. Default: the process's. */
  readonly zstd?: () => Zstd | undefined;
}

type TableName = Pick<TableMeta, 'fileNumber' | 'fileBytes'>;

interface OpeningTable {
  readonly opened: Promise<TableReader>;
  /** Each gets the table retained in the moment it is open, before anything else can close it. */
  waiters: number;
  isEvicted: boolean;
}

export class TableCache {
  readonly #options: TableCacheOptions;
  readonly #open = new Map<FileNumber, TableReader>();
  readonly #opening = new Map<FileNumber, OpeningTable>();
  readonly #closing = new Set<Promise<void>>();
  #uses = 0;
  #isClosed = false;

  constructor(options: TableCacheOptions) {
    this.#options = options;
  }

  get openTables(): number {
    return this.#open.size;
  }

  /**
   * The table that `meta` names, retained for the caller, who must `release` it. In the caller's turn if it is open.
   *
   * @throws CorruptionError, EngineError (or the promise fails with it), as `openTable` does.
   */
  acquire(meta: TableName): TableReader | Promise<TableReader> {
    assert(!this.#isClosed, 'the table cache is closed');
    const table = this.peek(meta.fileNumber);
    if (table === undefined) return this.#acquireClosed(meta);
    table.retain();
    return table;
  }

  /** The table if it is open, not retained: it may be closed in any later turn, or when another one is opened. Hot. */
  peek(fileNumber: FileNumber): TableReader | undefined {
    const table = this.#open.get(fileNumber);
    if (table !== undefined) table.lastUse = ++this.#uses;
    return table;
  }

  /**
   * The table that `meta` names, opened in the caller's turn if it is not open. Not retained, as with `peek`.
   *
   * @throws CorruptionError, EngineError, as `openTable` does.
   */
  openSync(meta: TableName): TableReader {
    const open = this.peek(meta.fileNumber);
    if (open !== undefined) return open;
    assert(!this.#isClosed, 'the table cache is closed');
    const { fs, directory, storeId } = this.#options;
    const { fileNumber, fileBytes } = meta;
    const name = tableFileName(fileNumber);
    const expected = { storeId, fileNumber, fileBytes };
    const reader = openTableSync(fs, `${directory}/${name}`, name, expected, this.#openOptions());
    // The caller is about to use it, so it is not the one to close when there are too many.
    reader.retain();
    this.#keep(reader);
    reader.release();
    return reader;
  }

  /** Forgets a table that is not part of the database any more, and its blocks. Closed once its last user has gone. */
  evict(fileNumber: FileNumber): void {
    const opening = this.#opening.get(fileNumber);
    if (opening !== undefined) opening.isEvicted = true;
    const table = this.#open.get(fileNumber);
    if (table !== undefined) this.#close(table);
    this.#options.blockCache.evictTable(fileNumber);
  }

  /**
   * Resolves when all tables are closed, which waits for their users. Idempotent.
   *
   * @throws FileSystemError for what the file system refused; of several, what `joinFailures` makes of them.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(Array.from(this.#opening.values(), ({ opened }) => opened));
    for (const reader of this.#open.values()) this.#close(reader);
    const outcomes = await Promise.allSettled(this.#closing);
    const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
    if (failures.length > 0) throw joinFailures(failures, 'closing the tables');
  }

  #acquireClosed(meta: TableName): Promise<TableReader> {
    let opening = this.#opening.get(meta.fileNumber);
    if (opening === undefined) {
      opening = { opened: this.#openTable(meta), waiters: 0, isEvicted: false };
      this.#opening.set(meta.fileNumber, opening);
    }
    opening.waiters++;
    return opening.opened;
  }

  async #openTable({ fileNumber, fileBytes }: TableName): Promise<TableReader> {
    const { fs, directory, storeId, blockCache } = this.#options;
    const name = tableFileName(fileNumber);
    const expected = { storeId, fileNumber, fileBytes };
    try {
      const opened = await openTable(fs, `${directory}/${name}`, name, expected, this.#openOptions());
      const { waiters, isEvicted } = this.#opening.get(fileNumber)!;
      // A read that would not wait may have opened the table meanwhile.
      const present = this.#open.get(fileNumber);
      const reader = present ?? opened;
      for (let i = 0; i < waiters; i++) reader.retain();
      if (isEvicted) blockCache.evictTable(fileNumber);
      if (isEvicted || present !== undefined) this.#closeReader(opened);
      else this.#keep(opened);
      return reader;
    } finally {
      this.#opening.delete(fileNumber);
    }
  }

  /** Closes idle tables, the least recently used first, until no more than the bound are open. */
  #closeSurplus(): void {
    const surplus = this.#open.size - this.#options.maxOpenTables;
    if (surplus <= 0) return;
    const idle = [...this.#open.values()].filter(({ isInUse }) => !isInUse);
    idle.sort((a, b) => a.lastUse - b.lastUse);
    for (const reader of idle.slice(0, surplus)) this.#close(reader);
  }

  #openOptions(): OpenTableOptions {
    const { blockCache, zstd } = this.#options;
    return zstd === undefined ? { cache: blockCache } : { cache: blockCache, zstd };
  }

  #keep(reader: TableReader): void {
    reader.lastUse = ++this.#uses;
    this.#open.set(reader.fileNumber, reader);
    this.#options.blockCache.reserve(reader.memoryBytes);
    this.#closeSurplus();
  }

  /** Requires: `reader` is the open one. */
  #close(reader: TableReader): void {
    this.#open.delete(reader.fileNumber);
    this.#options.blockCache.release(reader.memoryBytes);
    this.#closeReader(reader);
  }

  #closeReader(reader: TableReader): void {
    const closing = reader.close();
    this.#closing.add(closing);
    // A failure stays in the set, for `close` to report.
    closing.then(
      () => this.#closing.delete(closing),
      () => undefined,
    );
  }
}
