/**
 * One open table: point lookups, cursors, verification. Header, filter, index and properties are in memory and were
 * checked by `openTable`; a data block is checked whenever it is read from the file.
 */

import { assert } from '@kayadb/codec';
import type { FileHandle } from '@kayadb/vfs';

import type { Cursor, Direction } from '../iterate/cursor.ts';
import type { Entry, FileNumber, SequenceNumber } from '../key/internal-key.ts';
import { type Filter, hashKey } from './filter.ts';
import type { TableBlocks } from './table-blocks.ts';
import { TableCursor, type TableCursorOptions } from './table-cursor.ts';
import { type ExpectedTable, readTableFrame, type TableFrame } from './table-frame.ts';
import type { TableProperties } from './table-properties.ts';
import { type OnBlock, verifyTable } from './verify-table.ts';

export class TableReader {
  readonly #handle: FileHandle;
  readonly #expected: ExpectedTable;
  readonly #frame: TableFrame;
  readonly #filter: Filter;
  readonly #blocks: TableBlocks;
  #users = 0;
  #closing: Promise<void> | undefined;
  #becomeIdle: (() => void) | undefined;

  /** Not for users: see `openTable`. */
  constructor(handle: FileHandle, expected: ExpectedTable, frame: TableFrame, blocks: TableBlocks) {
    this.#handle = handle;
    this.#expected = expected;
    this.#frame = frame;
    this.#filter = frame.filter;
    this.#blocks = blocks;
  }

  get fileNumber(): FileNumber {
    return this.#expected.fileNumber;
  }

  /** Name of the file inside the data directory. */
  get fileName(): string {
    return this.#frame.identity.file;
  }

  get properties(): TableProperties {
    return this.#frame.properties;
  }

  /**
   * The newest version of `key` that is not newer than `maxSequence`; deletes are found too.
   *
   * Answers in the caller's turn when the filter says no or the block is cached. `key` must not change until then.
   * The entry's views lie in a cached block: copy what is to outlive the caller's turn.
   *
   * @param hash - `hashKey(key)`, for callers that ask several tables.
   * @throws CorruptionError (or the promise fails with it) when the block is damaged.
   */
  get(
    key: Uint8Array,
    maxSequence: SequenceNumber,
    hash: number = hashKey(key),
  ): Entry | undefined | Promise<Entry | undefined> {
    if (!this.#filter.mayContain(hash)) return undefined;
    return this.#find(this.#blocks.search.firstAtOrAfter(key), key, maxSequence);
  }

  /**
   * Opens a cursor before its first entry; it keeps the file open until it is closed.
   * Its moves throw, or their promises fail with, CorruptionError when they meet a damaged block.
   */
  cursor(direction: Direction, options: TableCursorOptions = {}): Cursor {
    this.retain();
    return new TableCursor(this.#blocks, direction, options, () => this.release());
  }

  /**
   * Reads the whole file again, past all caches, and checks all that can be checked.
   *
   * @throws CorruptionError for the first thing found wrong.
   */
  async verify(onBlock?: OnBlock): Promise<void> {
    this.retain();
    try {
      const { file, zstd } = this.#frame.identity;
      const frame = await readTableFrame(this.#handle, file, this.#expected, zstd);
      await verifyTable(frame, this.#blocks, onBlock);
    } finally {
      this.release();
    }
  }

  /** Whether anything keeps the file open: a read under way, a cursor, a holder of `retain`. */
  get isInUse(): boolean {
    return this.#users > 0;
  }

  /** Keeps the file open until the matching `release`. Requires: not closed, or still retained by whoever calls. */
  retain(): void {
    assert(this.#closing === undefined || this.isInUse, 'a closed table cannot be used');
    this.#users++;
  }

  release(): void {
    assert(this.#users > 0, 'a table was released more often than retained');
    this.#users--;
    if (this.#users === 0) this.#becomeIdle?.();
  }

  /** Resolves when the last user has gone and the file is closed. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#closeWhenIdle();
    return this.#closing;
  }

  async #closeWhenIdle(): Promise<void> {
    if (this.isInUse) {
      await new Promise<void>((resolve) => {
        this.#becomeIdle = resolve;
      });
    }
    await this.#handle.close();
  }

  #find(first: number, key: Uint8Array, maxSequence: SequenceNumber): Entry | undefined | Promise<Entry | undefined> {
    for (let ordinal = first; ordinal < this.#blocks.count; ordinal++) {
      const block = this.#blocks.cached(ordinal);
      if (block === undefined) return this.#readAndFind(ordinal, key, maxSequence);
      const position = block.find(key, maxSequence);
      if (position < block.count) return position < 0 ? undefined : block.entry(position);
    }
    return undefined;
  }

  async #readAndFind(ordinal: number, key: Uint8Array, maxSequence: SequenceNumber): Promise<Entry | undefined> {
    this.retain();
    try {
      const block = await this.#blocks.read(ordinal);
      const position = block.find(key, maxSequence);
      if (position < block.count) return position < 0 ? undefined : block.entry(position);
      return await this.#find(ordinal + 1, key, maxSequence);
    } finally {
      this.release();
    }
  }
}
