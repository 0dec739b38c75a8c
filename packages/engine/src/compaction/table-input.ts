/**
 * One table read from front to back for a merge: in large pieces, the next one under way while the present one is used, past all
 * caches. Every block's checksum is checked. Format: docs/format/sstable.md.
 */

import { EMPTY_BYTES } from '@kayadb/codec';
import type { FileHandle, FileSystem } from '@kayadb/vfs';

import { CorruptionError } from '../errors.ts';
import { tableFileName } from '../files/file-names.ts';
import type { MaybePromise } from '../iterate/cursor.ts';
import { sharedZstd } from '../sstable/compression.ts';
import { PieceMemory } from '../sstable/piece-memory.ts';
import { BlockMemory } from '../sstable/run-blocks.ts';
import { blockEnd } from '../sstable/sstable-format.ts';
import { checkStored, unpackStored } from '../sstable/stored-block.ts';
import { TableBlocks } from '../sstable/table-blocks.ts';
import { readTableFrame } from '../sstable/table-frame.ts';
import type { TableMeta } from '../version/table-meta.ts';

/** Where the tables of a store are read from. */
export interface TableSource {
  readonly fileSystem: FileSystem;
  readonly directory: string;
  /** 16 bytes. */
  readonly storeId: Uint8Array;
  /** Reads in the caller's turn, and leaves reading ahead to the operating system: for a thread that keeps nobody waiting. */
  readonly readSync: boolean;
}

/** Bound: stored bytes read at a time, though never less than one block. */
const PIECE_BYTES = 256 * 1024;
/** Pieces of inputs that were read to their end, for the next ones. */
const pieceMemory = new PieceMemory(PIECE_BYTES, 12);

/** Some blocks in a row, as they are stored. */
interface Piece {
  readonly bytes: Uint8Array;
  readonly firstOrdinal: number;
  readonly endOrdinal: number;
  readonly offset: number;
  /** Of `bytes` as much as the blocks take. */
  readonly length: number;
}

interface ReadPiece {
  readonly piece: Piece;
  /** Resolves when its `bytes` are there. */
  readonly read: Promise<void>;
}

export class TableInput {
  readonly #handle: FileHandle;
  readonly #blocks: TableBlocks;
  readonly #readsSync: boolean;
  #piece: Piece | undefined;
  #nextPiece: ReadPiece | undefined;
  /** Memory of the piece before, for the one after the next. */
  #spare: Uint8Array = EMPTY_BYTES;
  readonly #unpacked = new BlockMemory();
  #ordinal = -1;
  #closing: Promise<void> | undefined;

  /** The raw block under the walk is `bytes` from `blockAt` on. Valid until `nextBlock` is called. */
  bytes: Uint8Array = EMPTY_BYTES;
  blockAt = 0;
  blockBytes = 0;

  private constructor(handle: FileHandle, blocks: TableBlocks, readsSync: boolean) {
    this.#handle = handle;
    this.#blocks = blocks;
    this.#readsSync = readsSync;
    if (!readsSync) this.#readAhead(0);
  }

  /**
   * Opens the table before its first block and begins to read it.
   *
   * @throws CorruptionError, EngineError as `openTable` does.
   */
  static async open(source: TableSource, { fileNumber, fileBytes }: TableMeta): Promise<TableInput> {
    const name = tableFileName(fileNumber);
    const handle = await source.fileSystem.open(`${source.directory}/${name}`, 'read');
    try {
      const frame = await readTableFrame(handle, name, { storeId: source.storeId, fileNumber, fileBytes }, sharedZstd);
      const blocks = new TableBlocks(frame, handle, () => undefined);
      return new TableInput(handle, blocks, source.readSync);
    } catch (error) {
      await handle.close().catch(() => undefined);
      throw error;
    }
  }

  get file(): string {
    return this.#blocks.identity.file;
  }

  /** Where the present block is in the file. */
  get blockOffset(): number {
    return this.#blocks.handleAt(this.#ordinal).offset;
  }

  /** Whether there is a block behind the present one. */
  get hasNext(): boolean {
    return this.#ordinal + 1 < this.#blocks.count;
  }

  /** Whether the present piece is the last. */
  get isReadToEnd(): boolean {
    return this.#piece?.endOrdinal === this.#blocks.count;
  }

  /** Goes to the next block. Requires: `hasNext`. @returns A promise only when it is not read yet. */
  nextBlock(): MaybePromise {
    this.#ordinal++;
    if (this.#piece !== undefined && this.#ordinal < this.#piece.endOrdinal) {
      this.#enterBlock(this.#piece);
      return undefined;
    }
    if (!this.#readsSync) return this.#enterPiece();
    this.#spare = this.#piece?.bytes ?? EMPTY_BYTES;
    this.#piece = this.#planPiece(this.#ordinal);
    const { bytes, offset, length } = this.#piece;
    this.#checkRead(offset, length, this.#handle.readSync(bytes.subarray(0, length), offset));
    this.#enterBlock(this.#piece);
    return undefined;
  }

  /** Waits for a read under way. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#nextPiece?.read.catch(() => undefined);
    for (const piece of [this.#piece, this.#nextPiece?.piece]) if (piece !== undefined) pieceMemory.give(piece.bytes);
    pieceMemory.give(this.#spare);
    this.#piece = undefined;
    this.#nextPiece = undefined;
    this.#spare = EMPTY_BYTES;
    this.bytes = EMPTY_BYTES;
    await this.#handle.close();
  }

  async #enterPiece(): Promise<void> {
    const { piece, read } = this.#nextPiece!;
    await read;
    this.#spare = this.#piece?.bytes ?? EMPTY_BYTES;
    this.#piece = piece;
    this.#nextPiece = undefined;
    if (piece.endOrdinal < this.#blocks.count) this.#readAhead(piece.endOrdinal);
    this.#enterBlock(piece);
  }

  #enterBlock({ bytes, firstOrdinal }: Piece): void {
    const blocks = this.#blocks;
    const handle = blocks.handleAt(this.#ordinal);
    const at = handle.offset - blocks.handleAt(firstOrdinal).offset;
    this.blockBytes = handle.rawBytes;
    if (!checkStored(bytes, at, handle, blocks.identity)) {
      this.bytes = bytes;
      this.blockAt = at;
    } else {
      this.bytes = this.#unpacked.take(handle.rawBytes);
      this.blockAt = 0;
      unpackStored(bytes, at, handle, blocks.identity, this.bytes);
    }
  }

  #readAhead(firstOrdinal: number): void {
    const piece = this.#planPiece(firstOrdinal);
    const { bytes, offset, length } = piece;
    const read = this.#handle
      .read(bytes.subarray(0, length), offset)
      .then((readBytes) => this.#checkRead(offset, length, readBytes));
    // Whoever needs the piece meets its failure; until then nobody listens.
    read.catch(() => undefined);
    this.#nextPiece = { piece, read };
  }

  /** The blocks from `firstOrdinal` on that are read together, and memory for them. */
  #planPiece(firstOrdinal: number): Piece {
    const blocks = this.#blocks;
    const { offset } = blocks.handleAt(firstOrdinal);
    let endOrdinal = firstOrdinal + 1;
    let end = blockEnd(blocks.handleAt(firstOrdinal));
    while (endOrdinal < blocks.count) {
      const grown = blockEnd(blocks.handleAt(endOrdinal));
      if (grown - offset > PIECE_BYTES) break;
      end = grown;
      endOrdinal++;
    }
    const length = end - offset;
    const bytes = this.#takeMemory(length);
    return { bytes, firstOrdinal, endOrdinal, offset, length };
  }

  #takeMemory(length: number): Uint8Array {
    const spare = this.#spare;
    this.#spare = EMPTY_BYTES;
    if (spare.length >= length) return spare;
    pieceMemory.give(spare);
    return length > PIECE_BYTES ? new Uint8Array(length) : pieceMemory.take();
  }

  #checkRead(offset: number, length: number, readBytes: number): void {
    if (readBytes === length) return;
    throw new CorruptionError(this.file, offset + readBytes, 'the file was cut short while it was open');
  }
}
