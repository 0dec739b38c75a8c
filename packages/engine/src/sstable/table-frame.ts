/**
 * Everything of a table but its data blocks, read and checked: header, footer, filter, properties, index.
 * Format: docs/format/sstable.md.
 */

import { DecodeError, equalBytes } from '@kayadb/codec';
import type { FileHandle } from '@kayadb/vfs';

import { CorruptionError, EngineError } from '../errors.ts';
import { decodeFileHeader, FILE_HEADER_BYTES, TABLE_MAGIC } from '../files/file-header.ts';
import type { FileNumber } from '../key/internal-key.ts';
import { BlockReader } from './block-reader.ts';
import type { Zstd } from './compression.ts';
import { Filter } from './filter.ts';
import { PieceMemory } from './piece-memory.ts';
import { BLOCK_TRAILER_BYTES, blockEnd, decodeFooter, type Footer, FOOTER_BYTES } from './sstable-format.ts';
import { type TableIdentity, unpackBlock } from './stored-block.ts';
import { decodeProperties, type TableProperties } from './table-properties.ts';

/** What the manifest says about the file; a table that says otherwise is not the one that was meant. */
export interface ExpectedTable {
  /** 16 bytes. */
  readonly storeId: Uint8Array;
  readonly fileNumber: FileNumber;
  readonly fileBytes: number;
}

export interface TableFrame {
  readonly identity: TableIdentity;
  readonly footer: Footer;
  readonly filter: Filter;
  readonly properties: TableProperties;
  readonly index: BlockReader;
}

/** A part of the file that is needed to go on. */
interface FramePart {
  readonly offset: number;
  readonly bytes: number;
}

/** Nothing of a part is kept, so the next one is read into the same memory; larger ones than this are rare. */
const PART_BYTES = 256 * 1024;
const partMemory = new PieceMemory(PART_BYTES, 2);

const SMALLEST_TABLE_BYTES = FILE_HEADER_BYTES + 4 * BLOCK_TRAILER_BYTES + FOOTER_BYTES;

/**
 * @param file - Name of the file inside the data directory, for errors.
 * @throws CorruptionError when anything is damaged, or the file is another one than `expected`.
 * @throws EngineError KAYA_UNSUPPORTED when a newer version wrote it, or it is compressed and zstd cannot be loaded.
 */
export async function readTableFrame(
  handle: FileHandle,
  file: string,
  expected: ExpectedTable,
  zstd: () => Zstd | undefined,
): Promise<TableFrame> {
  const steps = frameSteps(await handle.size(), file, expected, zstd);
  let step = steps.next();
  while (step.done !== true) {
    const { offset, bytes } = step.value;
    const memory = bytes > PART_BYTES ? new Uint8Array(bytes) : partMemory.take();
    const buffer = memory.subarray(0, bytes);
    step = steps.next(buffer.subarray(0, await handle.read(buffer, offset)));
    partMemory.give(memory);
  }
  return step.value;
}

/** As `readTableFrame`, in the caller's turn. */
export function readTableFrameSync(
  handle: FileHandle,
  file: string,
  expected: ExpectedTable,
  zstd: () => Zstd | undefined,
): TableFrame {
  const steps = frameSteps(handle.sizeSync(), file, expected, zstd);
  let step = steps.next();
  while (step.done !== true) {
    const { offset, bytes } = step.value;
    const memory = bytes > PART_BYTES ? new Uint8Array(bytes) : partMemory.take();
    const buffer = memory.subarray(0, bytes);
    step = steps.next(buffer.subarray(0, handle.readSync(buffer, offset)));
    partMemory.give(memory);
  }
  return step.value;
}

/** Asks for parts of the file, front to back, and is given the bytes that were there. */
function* frameSteps(
  fileBytes: number,
  file: string,
  expected: ExpectedTable,
  zstd: () => Zstd | undefined,
): Generator<FramePart, TableFrame, Uint8Array> {
  if (fileBytes !== expected.fileBytes || fileBytes < SMALLEST_TABLE_BYTES) {
    const at = Math.min(fileBytes, expected.fileBytes);
    throw new CorruptionError(file, at, `the file has ${fileBytes} bytes, ${expected.fileBytes} were written`);
  }
  const seed = checkHeader(yield* wholePart(file, 0, FILE_HEADER_BYTES), file, expected);
  const footerAt = fileBytes - FOOTER_BYTES;
  const footerBytes = yield* wholePart(file, footerAt, FOOTER_BYTES);
  const footer = asCorruption(file, footerAt, () => decodeFooter(footerBytes, seed));
  const { filter, properties, index } = footer;
  const isJoined =
    filter.offset > FILE_HEADER_BYTES &&
    blockEnd(filter) === properties.offset &&
    blockEnd(properties) === index.offset &&
    blockEnd(index) === footerAt;
  if (!isJoined) throw new CorruptionError(file, footerAt, 'the blocks it names do not follow each other');

  if (filter.storedBytes !== filter.rawBytes || properties.storedBytes !== properties.rawBytes) {
    throw new CorruptionError(file, footerAt, 'filter and properties are never compressed');
  }
  const identity: TableIdentity = { file, seed, zstd };
  const tail = yield* wholePart(file, filter.offset, footerAt - filter.offset);
  const filterBlock = unpackBlock(tail, 0, filter, identity);
  const propertiesBlock = unpackBlock(tail, properties.offset - filter.offset, properties, identity);
  const indexBlock = unpackBlock(tail, index.offset - filter.offset, index, identity);
  return {
    identity,
    footer,
    filter: asCorruption(file, filter.offset, () => new Filter(filterBlock)),
    properties: asCorruption(file, properties.offset, () => decodeProperties(propertiesBlock)),
    index: new BlockReader(indexBlock, file, index.offset),
  };
}

/** @returns The seed of the file's checksums. */
function checkHeader(bytes: Uint8Array, file: string, expected: ExpectedTable): number {
  const result = decodeFileHeader(bytes, TABLE_MAGIC);
  if (result.kind !== 'valid') {
    throw result.kind === 'damaged'
      ? new CorruptionError(file, result.offset, result.reason)
      : new EngineError('KAYA_UNSUPPORTED', `${file} cannot be read: ${result.reason}`);
  }
  const { storeId, fileNumber } = result.header;
  if (!equalBytes(storeId, expected.storeId)) throw new CorruptionError(file, 0, 'it belongs to another store');
  if (fileNumber !== expected.fileNumber) {
    throw new CorruptionError(file, 0, `it is table ${fileNumber}, and table ${expected.fileNumber} was expected`);
  }
  return result.seed;
}

function* wholePart(file: string, offset: number, bytes: number): Generator<FramePart, Uint8Array, Uint8Array> {
  const part = yield { offset, bytes };
  if (part.length !== bytes) throw new CorruptionError(file, offset, 'the file was cut short while it was open');
  return part;
}

function asCorruption<Decoded>(file: string, offset: number, decode: () => Decoded): Decoded {
  try {
    return decode();
  } catch (error) {
    if (error instanceof DecodeError) throw new CorruptionError(file, offset, error.message, { cause: error });
    throw error;
  }
}
