/**
 * The entries of tables that follow each other, in place: one level's part of a merge. Hot: an entry is decoded as far as its
 * lengths. The table after the present one is opened and its first piece read ahead. Format: docs/format/sstable.md, "Data block".
 */

import { EMPTY_BYTES, readU32, readU64 } from '@kayadb/codec';

import { CorruptionError } from '../errors.ts';
import type { MaybePromise } from '../iterate/cursor.ts';
import { DELETE_KIND, PUT_KIND, type SequenceNumber } from '../key/internal-key.ts';
import { MAX_STORED_KEY_BYTES } from '../limits.ts';
import { runAll } from '../run-all.ts';
import { DATA_BLOCK_HEADER_BYTES } from '../sstable/sstable-format.ts';
import type { TableMeta } from '../version/table-meta.ts';
import { ENTRY_HEADER_BYTES, ENTRY_KIND_AT } from '../wal/wal-format.ts';
import type { EntryRun } from './entry-run.ts';
import { TableInput, type TableSource } from './table-input.ts';

export class TableRun implements EntryRun {
  readonly #source: TableSource;
  readonly #tables: readonly TableMeta[];
  /** How many of `#tables` were opened or are being opened. */
  #opened = 0;
  #input: TableInput | undefined;
  #upcoming: Promise<TableInput> | undefined;
  #isClosed = false;

  bytes: Uint8Array = EMPTY_BYTES;
  at = 0;
  sequence: SequenceNumber = 0;
  isAtEnd = false;
  /** Entries of the block from the present one on. */
  #left = 0;
  #entryEnd = 0;
  #blockEnd = 0;
  #deltaAt = 0;
  #baseSequence = 0;

  /** @param tables - Sorted by key, without overlap. */
  constructor(source: TableSource, tables: readonly TableMeta[]) {
    this.#source = source;
    this.#tables = tables;
  }

  start(): MaybePromise {
    return this.#nextTable();
  }

  next(): MaybePromise {
    this.#left--;
    if (this.#left > 0) {
      this.at = this.#entryEnd;
      this.#deltaAt += 4;
      this.#readEntry();
      return undefined;
    }
    if (this.#entryEnd !== this.#blockEnd) throw this.#damaged('its entries do not end where it does');
    return this.#nextBlock();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const upcoming = await this.#upcoming?.catch(() => undefined);
    await runAll('closing the tables of a merge', [async () => upcoming?.close(), async () => this.#input?.close()]);
  }

  #nextBlock(): MaybePromise {
    const input = this.#input!;
    if (!input.hasNext) return this.#nextTable();
    const moving = input.nextBlock();
    if (moving !== undefined) return this.#enterRead(input, moving);
    this.#enterBlock(input);
    return undefined;
  }

  async #enterRead(input: TableInput, reading: Promise<void>): Promise<void> {
    await reading;
    this.#enterBlock(input);
  }

  async #nextTable(): Promise<void> {
    await this.#input?.close();
    this.#input = undefined;
    if (this.#opened === this.#tables.length && this.#upcoming === undefined) {
      this.isAtEnd = true;
      return;
    }
    this.#openAhead();
    const input = await this.#upcoming!;
    this.#input = input;
    this.#upcoming = undefined;
    await this.#nextBlock();
  }

  #openAhead(): void {
    const table = this.#tables[this.#opened];
    if (this.#upcoming !== undefined || table === undefined) return;
    this.#opened++;
    this.#upcoming = TableInput.open(this.#source, table);
    // Its failure is met when its turn comes.
    this.#upcoming.catch(() => undefined);
  }

  #enterBlock(input: TableInput): void {
    if (input.isReadToEnd) this.#openAhead();
    const { bytes, blockAt, blockBytes } = input;
    const count = blockBytes < DATA_BLOCK_HEADER_BYTES ? 0 : readU32(bytes, blockAt);
    const entriesAt = blockAt + DATA_BLOCK_HEADER_BYTES + 12 * count;
    this.#blockEnd = blockAt + blockBytes;
    if (count === 0 || entriesAt > this.#blockEnd) throw this.#damaged(`it cannot have ${count} entries`);
    this.bytes = bytes;
    this.at = entriesAt;
    this.#left = count;
    this.#baseSequence = readU64(bytes, blockAt + 8);
    this.#deltaAt = blockAt + DATA_BLOCK_HEADER_BYTES + 4 * count;
    this.#readEntry();
  }

  #readEntry(): void {
    const { bytes, at } = this;
    const keyBytes = bytes[at + 4]! | (bytes[at + 5]! << 8);
    const kind = bytes[at + ENTRY_KIND_AT];
    this.#entryEnd = at + ENTRY_HEADER_BYTES + keyBytes + readU32(bytes, at);
    this.sequence = this.#baseSequence + readU32(bytes, this.#deltaAt);
    if (this.#entryEnd > this.#blockEnd || keyBytes === 0 || keyBytes > MAX_STORED_KEY_BYTES) {
      throw this.#damaged('an entry does not fit in it');
    }
    if (kind !== PUT_KIND && kind !== DELETE_KIND) throw this.#damaged('an entry is of no known kind');
  }

  #damaged(what: string): CorruptionError {
    const { file, blockOffset } = this.#input!;
    return new CorruptionError(file, blockOffset, `the block is whole, but ${what}`);
  }
}
