/** Sorted entries of one kind of place, walked forward: tables that follow each other, or a memtable. What the merge of a salvage reads. */

import type { Cursor } from '../../iterate/cursor.ts';
import type { Entry } from '../../key/internal-key.ts';
import type { BlockReader } from '../../sstable/block-reader.ts';
import type { FoundTable } from './found-table.ts';

/** The entry's views stay valid until `next` is called. */
export interface EntrySource {
  readonly entry: Entry | undefined;
  /** Where it stands, for people. */
  readonly file: string;
  /** As a DamagedPlace has it. */
  readonly rank: number;
  /** Whether it is part of the state that is proved. */
  readonly isProven: boolean;
  /** Goes to the first entry. */
  start(): Promise<void>;
  /** Requires: `entry` is defined. @returns A promise only when bytes must be read. */
  next(): Promise<void> | undefined;
  close(): Promise<void>;
}

export interface SourceTable {
  readonly file: string;
  /** @returns `undefined` when nothing of it can be read. */
  readonly open: () => Promise<FoundTable | undefined>;
  readonly onBytes: (bytes: number) => void;
}

type SourcePlace = Pick<EntrySource, 'rank' | 'isProven'>;

/** Leaves out what does not verify. */
export class TableSource implements EntrySource {
  readonly rank: number;
  readonly isProven: boolean;
  readonly #tables: readonly SourceTable[];
  #at = -1;
  #table: FoundTable | undefined;
  #ordinal = 0;
  #block: BlockReader | undefined;
  #position = 0;
  entry: Entry | undefined;

  /** @param tables - Sorted by key, without overlap. */
  constructor(tables: readonly SourceTable[], { rank, isProven }: SourcePlace) {
    this.#tables = tables;
    this.rank = rank;
    this.isProven = isProven;
  }

  get file(): string {
    return this.#tables[this.#at]!.file;
  }

  start(): Promise<void> {
    return this.#nextBlock();
  }

  next(): Promise<void> | undefined {
    this.#position++;
    const block = this.#block!;
    if (this.#position === block.count) return this.#nextBlock();
    this.entry = block.entry(this.#position);
    return undefined;
  }

  async close(): Promise<void> {
    this.entry = undefined;
    this.#block = undefined;
    this.#table = undefined;
  }

  async #nextBlock(): Promise<void> {
    for (;;) {
      while (this.#table === undefined || this.#ordinal === this.#table.blockCount) {
        this.#at++;
        if (this.#at >= this.#tables.length) {
          await this.close();
          return;
        }
        this.#table = await this.#tables[this.#at]!.open();
        this.#ordinal = 0;
      }
      const { storedBytes } = this.#table.handleOf(this.#ordinal);
      const block = await this.#table.block(this.#ordinal++);
      this.#tables[this.#at]!.onBytes(storedBytes);
      if (typeof block === 'string') continue;
      this.#block = block;
      this.#position = 0;
      this.entry = block.entry(0);
      return;
    }
  }
}

export class CursorSource implements EntrySource {
  readonly file: string;
  readonly rank: number;
  readonly isProven: boolean;
  readonly #cursor: Cursor;

  /** Owns the cursor, which goes forward. */
  constructor(cursor: Cursor, file: string, { rank, isProven }: SourcePlace) {
    this.#cursor = cursor;
    this.file = file;
    this.rank = rank;
    this.isProven = isProven;
  }

  get entry(): Entry | undefined {
    return this.#cursor.entry;
  }

  async start(): Promise<void> {
    await this.#cursor.seekToStart();
  }

  next(): Promise<void> | undefined {
    return this.#cursor.next();
  }

  async close(): Promise<void> {
    this.#cursor.close();
  }
}
