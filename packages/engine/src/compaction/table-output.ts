/**
 * Writes sorted entries to new tables, one after another, and checks each before anybody may name it.
 *
 * Durability: when `finish()` resolves, every table's content and name survive power loss, and each has been opened
 * again and found whole. Until an edit names them they are orphans that the next open removes.
 */

import { copyBytes } from '@kayadb/codec';
import type { FileSystem } from '@kayadb/vfs';

import { tableFileName } from '../files/file-names.ts';
import type { MaybePromise } from '../iterate/cursor.ts';
import type { Entry, FileNumber } from '../key/internal-key.ts';
import { TableBuilder, type TableBuilderOptions } from '../sstable/table-builder.ts';
import type { TableMeta } from '../version/table-meta.ts';
import { OutputSplitter } from './output-splitter.ts';

export interface TableOutputOptions {
  readonly fileSystem: FileSystem;
  readonly directory: string;
  /** What every new table has in common. */
  readonly table: Omit<TableBuilderOptions, 'fileNumber'>;
  /** Size at which a table is left for the next one. */
  readonly targetBytes: number;
  /** Draws the number of a table that is about to be written; it counts as live until it is released. */
  readonly reserveTable: () => FileNumber;
  /** Gives up the number of a table that no edit will name. */
  readonly releaseTable: (fileNumber: FileNumber) => void;
  /** Opens a finished table and verifies its structure. */
  readonly checkTable: (table: TableMeta) => Promise<void>;
}

export class TableOutput {
  readonly #options: TableOutputOptions;
  readonly #splitter: OutputSplitter;
  readonly #reserved: FileNumber[] = [];
  readonly #tables: TableMeta[] = [];
  #builder: TableBuilder | undefined;

  constructor(options: TableOutputOptions) {
    this.#options = options;
    this.#splitter = new OutputSplitter(options.targetBytes);
  }

  /** Copies the entry. Requires: entries come in order, one call at a time. */
  add(entry: Entry): MaybePromise {
    const builder = this.#builder;
    const split = this.#splitter.shouldSplitBefore(entry.key, builder?.estimatedBytes ?? 0);
    if (builder !== undefined && !split) return builder.add(entry);
    return this.#addToNewTable(entry);
  }

  /** The finished tables, in key order; none if nothing was added. */
  async finish(): Promise<readonly TableMeta[]> {
    await this.#finishTable();
    if (this.#tables.length > 0) {
      await this.#options.fileSystem.syncDirectory(this.#options.directory);
      for (const table of this.#tables) await this.#options.checkTable(table);
    }
    return this.#tables;
  }

  /** Gives up everything written so far. The files are removed where that is possible; what is left is an orphan. */
  async abandon(): Promise<void> {
    await this.#builder?.abandon();
    this.#builder = undefined;
    for (const fileNumber of this.#reserved) this.#options.releaseTable(fileNumber);
  }

  async #addToNewTable(entry: Entry): Promise<void> {
    // The entry's views may go stale while files are opened and closed.
    const copy: Entry = { ...entry, key: copyBytes(entry.key), value: copyBytes(entry.value) };
    await this.#finishTable();
    const fileNumber = this.#options.reserveTable();
    this.#reserved.push(fileNumber);
    const path = `${this.#options.directory}/${tableFileName(fileNumber)}`;
    this.#builder = await TableBuilder.create(this.#options.fileSystem, path, { ...this.#options.table, fileNumber });
    await this.#builder.add(copy);
  }

  async #finishTable(): Promise<void> {
    if (this.#builder === undefined) return;
    this.#tables.push(await this.#builder.finish());
    this.#builder = undefined;
  }
}
