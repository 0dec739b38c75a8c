/**
 * One table as far as it can be read: its data blocks one by one, where a damaged one does not keep from the next.
 *
 * Invariant: a block is handed out only if its checksum, its layout and its last key are what the file says.
 * Format: docs/format/sstable.md.
 */

import { DecodeError, equalBytes } from '@kayadb/codec';
import { FileSystemError } from '@kayadb/vfs';

import { CorruptionError } from '../../errors.ts';
import { FILE_HEADER_BYTES } from '../../files/file-header.ts';
import type { FileNumber } from '../../key/internal-key.ts';
import { type ReadableFile, ReadWindow } from '../../log/read-window.ts';
import { BlockReader } from '../../sstable/block-reader.ts';
import { sharedZstd } from '../../sstable/compression.ts';
import {
  BLOCK_HANDLE_BYTES,
  BLOCK_TRAILER_BYTES,
  blockEnd,
  type BlockHandle,
  decodeBlockHandle,
  decodeFooter,
  type Footer,
  FOOTER_BYTES,
} from '../../sstable/sstable-format.ts';
import { type TableIdentity, unpackBlock } from '../../sstable/stored-block.ts';
import { decodeProperties, type TableProperties } from '../../sstable/table-properties.ts';
import { plainReason } from '../examine-table.ts';
import { describeStranger, ownSeeds, readHeaderEvidence } from '../file-header-evidence.ts';
import type { KeyBounds } from './damaged-place.ts';
import { walkBlocks } from './walk-blocks.ts';

export interface TableToFind {
  readonly handle: ReadableFile;
  /** Name for messages. */
  readonly file: string;
  readonly fileNumber: FileNumber;
  readonly storeId: Uint8Array | undefined;
}

/** Why nothing of a table can be read, and where that shows. */
export interface TableFault {
  readonly offset: number;
  readonly reason: string;
}

/** Which data blocks a table has. */
interface BlockList {
  readonly count: number;
  readonly handle: (i: number) => BlockHandle;
  readonly lastKey: (i: number) => Uint8Array;
  readonly cutShort: TableFault | undefined;
}

export class FoundTable {
  readonly file: string;
  /** `undefined` when they do not verify. */
  readonly properties: TableProperties | undefined;
  readonly #handle: ReadableFile;
  readonly #window: ReadWindow;
  readonly #identity: TableIdentity;
  readonly #list: BlockList;

  private constructor(
    handle: ReadableFile,
    window: ReadWindow,
    identity: TableIdentity,
    list: BlockList,
    properties: TableProperties | undefined,
  ) {
    this.file = identity.file;
    this.properties = properties;
    this.#handle = handle;
    this.#window = window;
    this.#identity = identity;
    this.#list = list;
  }

  /**
   * Does not own the handle.
   *
   * @returns Or why nothing of it can be read.
   * @throws EngineError KAYA_UNSUPPORTED when it is compressed and zstd cannot be loaded.
   */
  static async open({ handle, file, fileNumber, storeId }: TableToFind): Promise<FoundTable | TableFault> {
    try {
      const header = await readHeaderEvidence(handle, 'table');
      if (header.state === 'unsupported') return { offset: header.offset, reason: header.reason };
      const stranger = describeStranger(header, { storeId, fileNumber });
      if (stranger !== undefined) return { offset: 0, reason: stranger };
      return await openWith(handle, file, ownSeeds('table', header, { storeId, fileNumber }));
    } catch (error) {
      return faultOf(error);
    }
  }

  /** Goes by `list`. Requires: its blocks are those of the file behind `handle`. */
  static of(
    handle: ReadableFile,
    identity: TableIdentity,
    list: BlockList,
    properties: TableProperties | undefined,
  ): FoundTable {
    return new FoundTable(handle, new ReadWindow(handle), identity, list, properties);
  }

  /** Why blocks may be missing behind the last one that there is; `undefined` when the index vouches for all. */
  get cutShort(): TableFault | undefined {
    return this.#list.cutShort;
  }

  get blockCount(): number {
    return this.#list.count;
  }

  handleOf(i: number): BlockHandle {
    return this.#list.handle(i);
  }

  /** Between which keys block `i` lies. A view. */
  boundsOf(i: number, smallestKey: Uint8Array | undefined): KeyBounds {
    const to = this.#list.lastKey(i);
    if (i === 0) return { from: smallestKey, isFromExcluded: false, to };
    return { from: this.#list.lastKey(i - 1), isFromExcluded: true, to };
  }

  /**
   * @returns Block `i`, valid until the next call; or what is wrong with it.
   * @throws EngineError KAYA_UNSUPPORTED when it is compressed and zstd cannot be loaded.
   */
  async block(i: number): Promise<BlockReader | string> {
    const handle = this.handleOf(i);
    try {
      const stored = await this.#read(handle.offset, handle.storedBytes + BLOCK_TRAILER_BYTES);
      const block = new BlockReader(unpackBlock(stored, 0, handle, this.#identity), this.file, handle.offset);
      const isLast = equalBytes(this.#list.lastKey(i), block.entry(block.count - 1).key);
      return block.findDisagreement() ?? (isLast ? block : `index entry ${i} is not its last key`);
    } catch (error) {
      return faultOf(error).reason;
    }
  }

  /** What lies in the same stretch of the disk as a bad sector is read by itself. */
  async #read(offset: number, bytes: number): Promise<Uint8Array> {
    try {
      return await this.#window.view(offset, bytes);
    } catch (error) {
      if (!isDiskFault(error)) throw error;
      return readBytes(this.#handle, offset, bytes);
    }
  }
}

/** The words of what keeps from reading bytes that are on the disk. @throws What is no damage. */
function faultOf(error: unknown): TableFault {
  if (error instanceof CorruptionError) return { offset: error.offset, reason: plainReason(error) };
  if (error instanceof DecodeError) return { offset: 0, reason: error.message };
  if (isDiskFault(error)) return { offset: 0, reason: `the disk does not give it: ${error.message}` };
  throw error;
}

/** A bad sector is damage, whoever says so. */
function isDiskFault(error: unknown): error is FileSystemError {
  return error instanceof FileSystemError && error.code === 'KAYA_IO';
}

/** By the index; where that is lost, by walking from block to block. */
async function openWith(
  handle: ReadableFile,
  file: string,
  seeds: readonly number[],
): Promise<FoundTable | TableFault> {
  const found = await findFooter(handle, seeds);
  if ('reason' in found) return (await walk(handle, file, seeds, found, undefined)) ?? found;
  const { footer, seed } = found;
  const identity: TableIdentity = { file, seed, zstd: sharedZstd };
  const properties = await readProperties(handle, footer.properties, identity);
  try {
    const index = new BlockReader(await readWhole(handle, footer.index, identity), file, footer.index.offset);
    const fault = findIndexFault(index, footer);
    if (fault !== undefined) throw new CorruptionError(file, footer.index.offset, fault);
    return FoundTable.of(handle, identity, listOf(index), properties);
  } catch (error) {
    const fault = { offset: footer.index.offset, reason: `index: ${faultOf(error).reason}` };
    return (await walk(handle, file, [seed], fault, properties)) ?? fault;
  }
}

/** @returns `undefined` when there is not a single block. */
async function walk(
  handle: ReadableFile,
  file: string,
  seeds: readonly number[],
  fault: TableFault,
  properties: TableProperties | undefined,
): Promise<FoundTable | undefined> {
  for (const seed of seeds) {
    const identity: TableIdentity = { file, seed, zstd: sharedZstd };
    const blocks = await walkBlocks(handle, identity);
    if (blocks.length === 0) continue;
    const list: BlockList = {
      count: blocks.length,
      handle: (i) => blocks[i]!.handle,
      lastKey: (i) => blocks[i]!.lastKey,
      cutShort: fault,
    };
    return FoundTable.of(handle, identity, list, properties);
  }
  return undefined;
}

function listOf(index: BlockReader): BlockList {
  return {
    count: index.count,
    handle: (i) => decodeBlockHandle(index.entry(i).value, 0),
    lastKey: (i) => index.entry(i).key,
    cutShort: undefined,
  };
}

async function findFooter(
  handle: ReadableFile,
  seeds: readonly number[],
): Promise<{ readonly footer: Footer; readonly seed: number } | TableFault> {
  const footerAt = Math.max(0, (await handle.size()) - FOOTER_BYTES);
  const bytes = await readBytes(handle, footerAt, FOOTER_BYTES);
  let reason = 'the header is gone, and without it nothing can be checked';
  for (const seed of seeds) {
    try {
      const footer = decodeFooter(bytes, seed);
      if (blockEnd(footer.index) <= footerAt) return { footer, seed };
      reason = 'the footer names blocks behind the end of the file';
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      reason = error.message;
    }
  }
  return { offset: footerAt, reason };
}

function findIndexFault(index: BlockReader, footer: Footer): string | undefined {
  let expected = FILE_HEADER_BYTES;
  for (let i = 0; i < index.count; i++) {
    const { value } = index.entry(i);
    const handle = value.length === BLOCK_HANDLE_BYTES ? decodeBlockHandle(value, 0) : undefined;
    if (handle?.offset !== expected || blockEnd(handle) > footer.filter.offset) {
      return `index entry ${i} does not name the next block`;
    }
    expected = blockEnd(handle);
  }
  return expected === footer.filter.offset ? undefined : 'the index leaves out data blocks';
}

async function readProperties(
  file: ReadableFile,
  handle: BlockHandle,
  identity: TableIdentity,
): Promise<TableProperties | undefined> {
  try {
    return decodeProperties(await readWhole(file, handle, identity));
  } catch (error) {
    faultOf(error);
    return undefined;
  }
}

async function readWhole(file: ReadableFile, handle: BlockHandle, identity: TableIdentity): Promise<Uint8Array> {
  if (blockEnd(handle) > (await file.size())) {
    throw new CorruptionError(identity.file, handle.offset, 'the block is cut short');
  }
  const stored = await readBytes(file, handle.offset, handle.storedBytes + BLOCK_TRAILER_BYTES);
  return unpackBlock(stored, 0, handle, identity);
}

async function readBytes(file: ReadableFile, offset: number, bytes: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(bytes);
  return buffer.subarray(0, await file.read(buffer, offset));
}
