/**
 * Writes one table, front to back. Invariant: entries come in their order, and what `finish` returns describes exactly
 * the bytes that were synced. Format: docs/format/sstable.md.
 */

import { assert, copyBytes, EMPTY_BYTES } from '@kayadb/codec';
import { type FileHandle, type FileSystem, FileSystemError } from '@kayadb/vfs';

import { encodeFileHeader, fileSeed, TABLE_MAGIC } from '../files/file-header.ts';
import type { MaybePromise } from '../iterate/cursor.ts';
import { encodedEntryBytes, encodedKey, encodedKeyBytes, encodedKind, encodeEntry } from '../key/encoded-entry.ts';
import { type Entry, type FileNumber, PUT_KIND, type SequenceNumber } from '../key/internal-key.ts';
import { MAX_STORED_KEY_BYTES, MAX_STORED_VALUE_BYTES } from '../limits.ts';
import type { TableMeta } from '../version/table-meta.ts';
import { ENTRY_HEADER_BYTES } from '../wal/wal-format.ts';
import { BlockBuilder } from './block-builder.ts';
import { type Compression, sharedZstd, type Zstd } from './compression.ts';
import { EntryCounts } from './entry-counts.ts';
import { EntryTally } from './entry-tally.ts';
import { FilterBuilder } from './filter-builder.ts';
import {
  BLOCK_HANDLE_BYTES,
  BLOCK_TRAILER_BYTES,
  type BlockHandle,
  encodeBlockHandle,
  encodeFooter,
  FOOTER_BYTES,
  MAX_BLOCK_BYTES,
} from './sstable-format.ts';
import { maybeCompress, sealBlock } from './stored-block.ts';
import { TableFileWriter } from './table-file-writer.ts';
import { encodeProperties } from './table-properties.ts';

const DEFAULT_BLOCK_BYTES = 4096;
const DEFAULT_BITS_PER_KEY = 10;
const DEFAULT_ZSTD_LEVEL = 1;

/** Bound: kept for the next tables of this thread, with the memory they have grown to. */
const MAX_SPARE_BLOCK_BUILDERS = 4;
const spareBlockBuilders: BlockBuilder[] = [];

export interface TableBuilderOptions {
  /** 16 bytes. */
  readonly storeId: Uint8Array;
  readonly fileNumber: FileNumber;
  /** `zstd` falls back to `none` where zstd cannot be loaded. */
  readonly compression: Compression;
  /** Default 1. */
  readonly zstdLevel?: number;
  /** Raw size at which a data block is cut; only a single entry makes a larger one. Default 4096. */
  readonly blockBytes?: number;
  /** Size of the filter. Default 10. */
  readonly bitsPerKey?: number;
  /** Where zstd comes from. Default: the process's. */
  readonly zstd?: () => Zstd | undefined;
  /** Writes in the caller's turn: cheaper, for a thread that keeps nobody waiting. Default false. */
  readonly writeSync?: boolean;
}

export class TableBuilder {
  readonly #fs: FileSystem;
  readonly #handle: FileHandle;
  readonly #file: TableFileWriter;
  readonly #fileNumber: FileNumber;
  readonly #seed: number;
  readonly #zstd: Zstd | undefined;
  readonly #zstdLevel: number;
  readonly #blockBytes: number;
  readonly #block = spareBlockBuilders.pop() ?? new BlockBuilder();
  readonly #index = spareBlockBuilders.pop() ?? new BlockBuilder();
  readonly #filter: FilterBuilder;
  readonly #counts = new EntryCounts();
  /** Watches what comes as objects; encoded entries were watched by their merge. */
  readonly #order = new EntryTally();
  #scratch: Uint8Array = EMPTY_BYTES;
  #smallestKey: Uint8Array | undefined;
  readonly #handleBytes = new Uint8Array(BLOCK_HANDLE_BYTES);
  /** Of the file so far and of what follows the data blocks, as it stood when the last block was cut. */
  #bytesBeforeBlock = 0;
  #isOpen = true;

  private constructor(fs: FileSystem, handle: FileHandle, options: TableBuilderOptions) {
    this.#fs = fs;
    this.#handle = handle;
    this.#file = new TableFileWriter(handle, options.writeSync ?? false);
    this.#fileNumber = options.fileNumber;
    this.#zstd = options.compression === 'zstd' ? (options.zstd ?? sharedZstd)() : undefined;
    this.#zstdLevel = options.zstdLevel ?? DEFAULT_ZSTD_LEVEL;
    this.#blockBytes = options.blockBytes ?? DEFAULT_BLOCK_BYTES;
    this.#filter = new FilterBuilder(options.bitsPerKey ?? DEFAULT_BITS_PER_KEY);
    const { storeId, fileNumber } = options;
    const header = encodeFileHeader({ magic: TABLE_MAGIC, storeId, fileNumber, startLsn: 0 });
    this.#seed = fileSeed(header);
    this.#file.reserve(header.length).set(header);
  }

  /** Creates the file at `path`, which must not exist. End with `finish` or `abandon`. */
  static async create(fs: FileSystem, path: string, options: TableBuilderOptions): Promise<TableBuilder> {
    return new TableBuilder(fs, await fs.open(path, 'create'), options);
  }

  /** Entries added so far. */
  get entryCount(): number {
    return this.#counts.entryCount;
  }

  /** About how large the file would be if it were finished now, in bytes; the current block counts uncompressed. Hot. */
  get estimatedBytes(): number {
    return this.#bytesBeforeBlock + this.#block.rawBytes;
  }

  /**
   * Copies one entry into the table.
   *
   * Requires: it comes after the one before in the order of entries, and the promise of the call before has resolved.
   * After a failed write only `abandon` may be called.
   *
   * @returns A promise when a piece of the file is being written, otherwise undefined.
   */
  add(entry: Entry): MaybePromise {
    const { key, sequence, kind, value } = entry;
    assert(this.#isOpen, 'a table that was finished or abandoned takes no entries');
    assert(
      key.length > 0 && key.length <= MAX_STORED_KEY_BYTES && value.length <= MAX_STORED_VALUE_BYTES,
      'entry is out of bounds',
    );
    assert(kind === PUT_KIND || value.length === 0, 'a delete has no value');
    const order = this.#order.order(key, sequence);
    assert(order >= 0, 'entries of a table must come in order');
    this.#order.add(entry, order === 1 ? 1 : 0);
    this.#scratch = encodeEntry(entry, this.#scratch);
    return this.addEncoded(this.#scratch, 0, sequence, order === 1);
  }

  /**
   * As `add`, of an entry that is laid out in `bytes` from `at` on and was checked by whoever read it. Hot.
   *
   * @param isNewKey - Whether its user key is another than that of the entry added before.
   */
  addEncoded(bytes: Uint8Array, at: number, sequence: SequenceNumber, isNewKey: boolean): MaybePromise {
    const keyBytes = encodedKeyBytes(bytes, at);
    const entryBytes = encodedEntryBytes(bytes, at);
    if (this.#block.count > 0 && !this.#block.fits(entryBytes, sequence, this.#blockBytes)) this.#cut();
    if (isNewKey) this.#filter.add(bytes, at + ENTRY_HEADER_BYTES, keyBytes);
    this.#smallestKey ??= copyBytes(encodedKey(bytes, at));
    this.#counts.add(encodedKind(bytes, at), sequence, keyBytes, entryBytes - ENTRY_HEADER_BYTES - keyBytes);
    this.#block.addEncoded(bytes, at, entryBytes, sequence);
    return this.#file.maybeFlush();
  }

  /**
   * Writes the rest and closes the file. Requires: at least one entry.
   *
   * Durability: the file's bytes, once it resolves; not its name: sync the directory. After a failure only `abandon`
   * may be called.
   */
  async finish(): Promise<TableMeta> {
    assert(this.#isOpen && this.entryCount > 0, 'a table needs an entry to be finished');
    const largestKey = copyBytes(this.#block.lastKey);
    this.#cut();
    const properties = this.#counts.properties(this.#index.count, this.#smallestKey!, largestKey);
    const footer = {
      filter: this.#store(this.#filter.finish(), undefined),
      properties: this.#store(encodeProperties(properties), undefined),
      index: this.#store(this.#index.finish(), this.#zstd),
    };
    this.#file.reserve(FOOTER_BYTES).set(encodeFooter(footer, this.#seed));
    await this.#file.flush();
    await this.#handle.sync();
    await this.#handle.close();
    this.#isOpen = false;
    for (const builder of [this.#index, this.#block]) {
      if (spareBlockBuilders.length < MAX_SPARE_BLOCK_BUILDERS) spareBlockBuilders.push(builder);
    }
    return {
      fileNumber: this.#fileNumber,
      fileBytes: this.#file.offset,
      entryCount: properties.entryCount,
      deleteCount: properties.deleteCount,
      smallestSequence: properties.smallestSequence,
      largestSequence: properties.largestSequence,
      smallestKey: properties.smallestKey,
      largestKey: properties.largestKey,
    };
  }

  /**
   * Closes and removes the file, after a failure or because it is not wanted. Idempotent; does nothing after `finish`.
   * What the file system refuses is left for the next open of the store to clean up.
   */
  async abandon(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const path = this.#handle.path;
    await this.#file.settle();
    await this.#handle.close().catch(ignoreRefusal);
    await this.#fs.unlink(path).catch(ignoreRefusal);
  }

  /** Ends the current data block and enters it in the index. */
  #cut(): void {
    const lastKey = this.#block.lastKey;
    const handle = this.#store(this.#block.finish(), this.#zstd);
    encodeBlockHandle(handle, this.#handleBytes, 0);
    this.#index.add(lastKey, 0, PUT_KIND, this.#handleBytes);
    this.#bytesBeforeBlock = this.#file.offset + this.#index.rawBytes + this.#filter.bytes + FOOTER_BYTES;
  }

  /** Appends one block with its trailer, compressed if `zstd` is given and it pays. */
  #store(raw: Uint8Array, zstd: Zstd | undefined): BlockHandle {
    const frame = zstd === undefined ? undefined : maybeCompress(raw, zstd, this.#zstdLevel);
    const stored = frame ?? raw;
    assert(raw.length <= MAX_BLOCK_BYTES, 'a table must be split before its index outgrows a block');
    const handle = { offset: this.#file.offset, storedBytes: stored.length, rawBytes: raw.length };
    const space = this.#file.reserve(stored.length + BLOCK_TRAILER_BYTES);
    space.set(stored);
    sealBlock(space, 0, handle, frame !== undefined, this.#seed);
    return handle;
  }
}

function ignoreRefusal(error: unknown): void {
  if (!(error instanceof FileSystemError)) throw error;
}
