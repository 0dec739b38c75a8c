/**
 * One open table: point lookups, cursors, verification. Header, filter, index and properties are in memory and were
 * checked by `openTable`; a data block is checked whenever it is read from the file.
 */

import { assert } from '@kayadb/codec';
import type { FileHandle } from '@kayadb/vfs';

import type { Direction } from '../iterate/cursor.ts';
import type { Entry, FileNumber, SequenceNumber } from '../key/internal-key.ts';
import type { KeySpan } from '../range-delete/range-delete.ts';
import type { Filter } from './filter.ts';
import { LOOKUP, type LookupOutcome, PointLookup } from './point-lookup.ts';
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
  /** Told by the table cache, which closes the table that was used the longest ago. */
  lastUse = 0;
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

  /** Memory that the table takes while it is open, in bytes, beside its blocks in the cache. */
  get memoryBytes(): number {
    return this.#filter.memoryBytes + this.#blocks.indexBytes;
  }

  /**
   * Looks in the caller's turn for the newest version of `key` that is not newer than `maxSequence`; deletes are found too. Hot.
   *
   * @param hash - `hashKey(key)`.
   * @param into - Gets what is found, valid until the end of the turn.
   * @param mayRead - Whether to read a block that is not cached. If not, the outcome is `cold`.
   * @throws CorruptionError when the block is damaged.
   */
  lookUp(
    key: Uint8Array,
    hash: number,
    maxSequence: SequenceNumber,
    into: PointLookup,
    mayRead: boolean,
  ): LookupOutcome {
    if (!this.#filter.mayContain(hash)) return LOOKUP.absent;
    const blocks = this.#blocks;
    for (let ordinal = blocks.search.firstAtOrAfter(key); ordinal < blocks.count; ordinal++) {
      if (!blocks.attach(ordinal, into)) {
        if (!mayRead) return LOOKUP.cold;
        blocks.readSync(ordinal, into);
      }
      const outcome = into.search(key, maxSequence);
      if (outcome !== LOOKUP.nextBlock) return outcome;
    }
    return LOOKUP.absent;
  }

  /**
   * As `lookUp`, but reads what is not cached without holding up the event loop. Requires: `key` does not change meanwhile.
   *
   * @returns The entry, in memory of the caller's own but for `key` itself.
   */
  async get(key: Uint8Array, hash: number, maxSequence: SequenceNumber): Promise<Entry | undefined> {
    if (!this.#filter.mayContain(hash)) return undefined;
    const blocks = this.#blocks;
    const lookup = new PointLookup();
    this.retain();
    try {
      for (let ordinal = blocks.search.firstAtOrAfter(key); ordinal < blocks.count; ordinal++) {
        if (!blocks.attach(ordinal, lookup)) {
          await blocks.loadAround(ordinal);
          // In the turn of the search: the cache may have given the place of the block to another in any turn before.
          if (!blocks.attachAgain(ordinal, lookup)) (await blocks.read(ordinal)).attach(lookup);
        }
        const outcome = lookup.search(key, maxSequence);
        if (outcome === LOOKUP.found) return lookup.copyEntry(key);
        if (outcome === LOOKUP.absent) return undefined;
      }
      return undefined;
    } finally {
      this.release();
    }
  }

  /** Bytes in the file of the blocks that may hold keys of `span`. */
  approximateBytes({ start, end }: KeySpan): number {
    const { search, count } = this.#blocks;
    const last = end === undefined ? count - 1 : search.firstAtOrAfter(end);
    return this.#blocks.bytesBetween(search.firstAtOrAfter(start), Math.min(count, last + 1));
  }

  /**
   * Opens a cursor before its first entry; it keeps the file open until it is closed.
   * Its moves throw, or their promises fail with, CorruptionError when they meet a damaged block.
   */
  cursor(direction: Direction, options: TableCursorOptions = {}): TableCursor {
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
}
