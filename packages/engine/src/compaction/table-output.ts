/**
 * Writes sorted entries to new tables, one after another, and checks each before anybody may name it. While one table is filled, the
 * one before is synced.
 *
 * Durability: when `finish()` resolves, every table's content and name survive power loss, and each has been opened
 * again and found whole. Until an edit names them they are orphans that the next open removes.
 */

import type { FileSystem } from '@kayadb/vfs';

import { tableFileName } from '../files/file-names.ts';
import type { MaybePromise } from '../iterate/cursor.ts';
import type { FileNumber, SequenceNumber } from '../key/internal-key.ts';
import { TableBuilder, type TableBuilderOptions } from '../sstable/table-builder.ts';
import type { TableMeta } from '../version/table-meta.ts';

export interface TableOutputOptions {
  readonly fileSystem: FileSystem;
  readonly directory: string;
  /** What every new table has in common. */
  readonly table: Omit<TableBuilderOptions, 'fileNumber'>;
  /** Size at which a table is left for the next one; all versions of one key go to one table. */
  readonly targetBytes: number;
  /** Draws the number of a table that is about to be written; it counts as live until it is released. */
  readonly reserveTable: () => FileNumber | Promise<FileNumber>;
  /** Gives up the number of a table that no edit will name. */
  readonly releaseTable: (fileNumber: FileNumber) => void;
  /** Opens a finished table and verifies its structure. */
  readonly checkTable: (table: TableMeta) => Promise<void>;
}

export class TableOutput {
  readonly #options: TableOutputOptions;
  readonly #reserved: FileNumber[] = [];
  readonly #tables: TableMeta[] = [];
  #builder: TableBuilder | undefined;
  /** The table before, on its way to the disk. */
  #finishing: { readonly builder: TableBuilder; readonly done: Promise<void> } | undefined;
  #fullTableBytes = 0;

  constructor(options: TableOutputOptions) {
    this.#options = options;
  }

  /** Bytes of tables so far, about. */
  get bytes(): number {
    return this.#fullTableBytes + (this.#builder?.estimatedBytes ?? 0);
  }

  /**
   * Copies the entry that is laid out in `bytes` from `at` on. Requires: entries come in order, one call at a time, and `bytes`
   * does not change before a promise that is returned resolves.
   *
   * @param isNewKey - Whether its user key is another than that of the entry added before.
   */
  add(bytes: Uint8Array, at: number, sequence: SequenceNumber, isNewKey: boolean): MaybePromise {
    const builder = this.#builder;
    const isFull = builder === undefined || (isNewKey && builder.estimatedBytes >= this.#options.targetBytes);
    if (!isFull) return builder.addEncoded(bytes, at, sequence, isNewKey);
    return this.#addToNewTable(bytes, at, sequence);
  }

  /** The finished tables, in key order; none if nothing was added. */
  async finish(): Promise<readonly TableMeta[]> {
    await this.#finishTable();
    await this.#finishing?.done;
    this.#finishing = undefined;
    if (this.#tables.length > 0) {
      await this.#options.fileSystem.syncDirectory(this.#options.directory);
      for (const table of this.#tables) await this.#options.checkTable(table);
    }
    return this.#tables;
  }

  /**
   * Gives up everything written so far. The files are removed where that is possible; what is left is an orphan.
   *
   * @returns What the table that was on its way to the disk failed with, which nobody may have met: a failing disk is to be told of,
   * also by one whose tables are not wanted any more.
   */
  async abandon(): Promise<{ readonly error: unknown } | undefined> {
    const outcome = await this.#finishing?.done.then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    await this.#finishing?.builder.abandon();
    await this.#builder?.abandon();
    this.#builder = undefined;
    for (const fileNumber of this.#reserved) this.#options.releaseTable(fileNumber);
    return outcome;
  }

  async #addToNewTable(bytes: Uint8Array, at: number, sequence: SequenceNumber): Promise<void> {
    await this.#finishTable();
    const fileNumber = await this.#options.reserveTable();
    this.#reserved.push(fileNumber);
    const path = `${this.#options.directory}/${tableFileName(fileNumber)}`;
    this.#builder = await TableBuilder.create(this.#options.fileSystem, path, { ...this.#options.table, fileNumber });
    await this.#builder.addEncoded(bytes, at, sequence, true);
  }

  /** Sends the table on its way; waits for the one before, so that no more than two are open. */
  async #finishTable(): Promise<void> {
    await this.#finishing?.done;
    const builder = this.#builder;
    if (builder === undefined) return;
    this.#builder = undefined;
    this.#fullTableBytes += builder.estimatedBytes;
    const done = builder.finish().then((table) => void this.#tables.push(table));
    // Whoever waits for it meets its failure; until then nobody listens.
    done.catch(() => undefined);
    this.#finishing = { builder, done };
  }
}
