/** The data blocks of one open table: where they are, which are cached, and how they are read. */

import { DecodeError } from '@kayadb/codec';
import type { FileHandle } from '@kayadb/vfs';

import { CorruptionError } from '../errors.ts';
import { FILE_HEADER_BYTES } from '../files/file-header.ts';
import { PUT_KIND } from '../key/internal-key.ts';
import { attachLoaded, loadBlock, storedScratch } from './block-loader.ts';
import { BlockReader } from './block-reader.ts';
import type { CachedTable } from './cached-table.ts';
import { IndexSearch } from './index-search.ts';
import type { PointLookup } from './point-lookup.ts';
import { ReadAround } from './read-around.ts';
import {
  BLOCK_HANDLE_BYTES,
  BLOCK_TRAILER_BYTES,
  blockEnd,
  type BlockHandle,
  decodeBlockHandle,
} from './sstable-format.ts';
import { type TableIdentity, unpackBlock } from './stored-block.ts';
import type { TableFrame } from './table-frame.ts';

/** Consecutive blocks as they are stored, read in one go. */
export interface BlockRun {
  readonly bytes: Uint8Array;
  readonly firstOrdinal: number;
  /** Of the last block, plus one. */
  readonly endOrdinal: number;
}

export class TableBlocks {
  readonly identity: TableIdentity;
  /** One entry per data block: its last user key and its handle. */
  readonly index: BlockReader;
  readonly search: IndexSearch;
  readonly #handle: FileHandle;
  readonly #cache: CachedTable | undefined;
  readonly #around: ReadAround | undefined;
  readonly #offsets: Float64Array;
  readonly #sizes: Uint32Array;
  readonly #reading = new Map<number, Promise<BlockReader>>();

  /** Whether any of them has to be decompressed. */
  readonly hasCompressed: boolean;

  /**
   * @param openCache - Called once all is well, with the number of blocks.
   * @throws CorruptionError unless the handles in the index follow each other from the header to the filter.
   */
  constructor(frame: TableFrame, handle: FileHandle, openCache: (blockCount: number) => CachedTable | undefined) {
    const { identity, index, footer } = frame;
    this.identity = identity;
    this.index = index;
    this.search = new IndexSearch(index);
    this.#handle = handle;
    this.#offsets = new Float64Array(index.count);
    this.#sizes = new Uint32Array(2 * index.count);
    let expected = FILE_HEADER_BYTES;
    let hasCompressed = false;
    for (let ordinal = 0; ordinal < index.count; ordinal++) {
      const block = decodeIndexEntry(index, ordinal);
      if (block?.offset !== expected) {
        throw new CorruptionError(
          identity.file,
          footer.index.offset,
          `index entry ${ordinal} does not name the next block`,
        );
      }
      this.#offsets[ordinal] = block.offset;
      this.#sizes[2 * ordinal] = block.storedBytes;
      this.#sizes[2 * ordinal + 1] = block.rawBytes;
      hasCompressed ||= block.storedBytes < block.rawBytes;
      expected = blockEnd(block);
    }
    if (expected !== footer.filter.offset || index.count !== frame.properties.blockCount) {
      throw new CorruptionError(identity.file, footer.index.offset, 'the index leaves out data blocks');
    }
    this.hasCompressed = hasCompressed;
    this.#cache = openCache(index.count);
    this.#around = this.#cache === undefined ? undefined : new ReadAround(this, this.#cache);
  }

  get count(): number {
    return this.index.count;
  }

  handleAt(ordinal: number): BlockHandle {
    return {
      offset: this.#offsets[ordinal]!,
      storedBytes: this.#sizes[2 * ordinal]!,
      rawBytes: this.#sizes[2 * ordinal + 1]!,
    };
  }

  /** Memory that the table's index takes while it is open, in bytes. */
  get indexBytes(): number {
    return this.index.bytes.length + this.#offsets.byteLength + this.#sizes.byteLength + this.search.memoryBytes;
  }

  /** A copy of the block at `ordinal` if the cache has it. */
  takeCopy(ordinal: number): BlockReader | undefined {
    const bytes = this.#cache?.copy(ordinal, this.#sizes[2 * ordinal + 1]!);
    if (bytes === undefined) return undefined;
    return new BlockReader(bytes, this.identity.file, this.#offsets[ordinal]!, true);
  }

  /** Points `lookup` at the block at `ordinal`. @returns Whether the cache has it. Hot. */
  attach(ordinal: number, lookup: PointLookup): boolean {
    return this.#cache !== undefined && this.#cache.attach(ordinal, lookup);
  }

  /**
   * Reads the block at `ordinal` in the caller's turn, into the cache, and points `lookup` at it.
   *
   * @throws CorruptionError when the block is damaged.
   */
  readSync(ordinal: number, lookup: PointLookup): void {
    const handle = this.handleAt(ordinal);
    const stored = storedScratch(handle.storedBytes + BLOCK_TRAILER_BYTES);
    const readBytes = this.#handle.readSync(stored, handle.offset);
    const bytes = readBytes === stored.length ? stored : stored.subarray(0, readBytes);
    const block = loadBlock(bytes, 0, handle, this.identity);
    this.#cache?.insert(ordinal, block);
    attachLoaded(lookup);
  }

  /** Reads one block into the cache; several readers of one block share the read. */
  read(ordinal: number): Promise<BlockReader> {
    let reading = this.#reading.get(ordinal);
    if (reading === undefined) {
      reading = this.#readAndCache(ordinal).finally(() => this.#reading.delete(ordinal));
      this.#reading.set(ordinal, reading);
    }
    return reading;
  }

  /**
   * Brings the block at `ordinal` and its neighbours into the cache without holding up the event loop, in a read that readers of any of
   * them share. `attachAgain` says whether the block is there; ask in the turn in which it is searched, for others may take its place.
   *
   * @returns `undefined` where the cache has no room to spare; otherwise what never rejects.
   */
  loadAround(ordinal: number): Promise<boolean> | undefined {
    return this.#around?.read(ordinal);
  }

  /** As `attach`, for one who has counted already. */
  attachAgain(ordinal: number, lookup: PointLookup): boolean {
    return this.#cache !== undefined && this.#cache.attachAgain(ordinal, lookup);
  }

  /** Puts all blocks of a run into the cache, but for damaged ones and those that are there. */
  insertRun(run: BlockRun): void {
    const start = this.#offsets[run.firstOrdinal]!;
    for (let ordinal = run.firstOrdinal; ordinal < run.endOrdinal; ordinal++) {
      if (this.#cache === undefined || this.#cache.has(ordinal)) continue;
      const handle = this.handleAt(ordinal);
      try {
        this.#cache.insert(ordinal, loadBlock(run.bytes, handle.offset - start, handle, this.identity));
      } catch (error) {
        if (!(error instanceof CorruptionError)) throw error;
      }
    }
  }

  /**
   * Reads the blocks from `firstOrdinal` up to, not including, `endOrdinal`, past the cache.
   *
   * @param memory - Where they go, if not into memory of their own.
   */
  async readRun(firstOrdinal: number, endOrdinal: number, memory?: Uint8Array): Promise<BlockRun> {
    const start = this.#offsets[firstOrdinal]!;
    const runBytes = this.bytesBetween(firstOrdinal, endOrdinal);
    const bytes = memory?.subarray(0, runBytes) ?? new Uint8Array(runBytes);
    const readBytes = await this.#handle.read(bytes, start);
    return { bytes: bytes.subarray(0, readBytes), firstOrdinal, endOrdinal };
  }

  /** @throws CorruptionError when the block is damaged. */
  openFromRun(run: BlockRun, ordinal: number): BlockReader {
    const handle = this.handleAt(ordinal);
    const raw = unpackBlock(run.bytes, handle.offset - this.#offsets[run.firstOrdinal]!, handle, this.identity);
    return new BlockReader(raw, this.identity.file, handle.offset);
  }

  /** Ordinal of the first block that starts at or after `offset` in the file; the number of blocks if there is none. */
  firstFrom(offset: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#offsets[middle]! < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** How many blocks from `ordinal` on, in steps of `step` (1 or -1), fit `bytes`; at least 1. */
  countWithin(ordinal: number, step: 1 | -1, bytes: number): number {
    let total = 0;
    let count = 0;
    for (let at = ordinal; at >= 0 && at < this.count; at += step) {
      total += this.#sizes[2 * at]! + BLOCK_TRAILER_BYTES;
      if (total > bytes) break;
      count++;
    }
    return Math.max(1, count);
  }

  /** Bytes of the file from the block at `firstOrdinal` up to, not including, the one at `endOrdinal`. */
  bytesBetween(firstOrdinal: number, endOrdinal: number): number {
    return firstOrdinal >= endOrdinal ? 0 : this.#endOf(endOrdinal - 1) - this.#offsets[firstOrdinal]!;
  }

  async #readAndCache(ordinal: number): Promise<BlockReader> {
    const block = this.openFromRun(await this.readRun(ordinal, ordinal + 1), ordinal);
    this.#cache?.insert(ordinal, block.bytes);
    return block;
  }

  #endOf(ordinal: number): number {
    return this.#offsets[ordinal]! + this.#sizes[2 * ordinal]! + BLOCK_TRAILER_BYTES;
  }
}

/** @returns The handle in an index entry, or `undefined` if the entry is not one. */
function decodeIndexEntry(index: BlockReader, ordinal: number): BlockHandle | undefined {
  const { kind, sequence, value } = index.entry(ordinal);
  if (kind !== PUT_KIND || sequence !== 0 || value.length !== BLOCK_HANDLE_BYTES) return undefined;
  try {
    return decodeBlockHandle(value, 0);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
