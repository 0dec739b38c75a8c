/**
 * Finds the data blocks of a table whose index or footer is lost, one behind the other from the first to the first that does not
 * verify. Every length is taken from the block itself and believed only if the checksum, which is bound to the offset, agrees.
 * Format: docs/format/sstable.md, "Data block"; RFC 8878 for the length of a zstd frame.
 */

import { copyBytes, readU16, readU32, readU64 } from '@kayadb/codec';

import { CorruptionError } from '../../errors.ts';
import { FILE_HEADER_BYTES } from '../../files/file-header.ts';
import { type ReadableFile, ReadWindow } from '../../log/read-window.ts';
import { BlockReader } from '../../sstable/block-reader.ts';
import {
  BLOCK_TRAILER_BYTES,
  blockEnd,
  type BlockHandle,
  DATA_BLOCK_HEADER_BYTES,
  MAX_BLOCK_BYTES,
} from '../../sstable/sstable-format.ts';
import { type TableIdentity, unpackBlock } from '../../sstable/stored-block.ts';
import { ENTRY_HEADER_BYTES } from '../../wal/wal-format.ts';

export interface WalkedBlock {
  readonly handle: BlockHandle;
  readonly lastKey: Uint8Array;
}

interface WalkedTable {
  readonly window: ReadWindow;
  readonly fileBytes: number;
  readonly identity: TableIdentity;
}

const ZSTD_MAGIC = 0xfd2fb528;
/** Of the header of a zstd frame, at most. */
const FRAME_HEADER_BYTES = 18;
const FRAME_CHECKSUM_BYTES = 4;

/**
 * @returns The blocks in order.
 * @throws FileSystemError; EngineError KAYA_UNSUPPORTED when a block is compressed and zstd cannot be loaded.
 */
export async function walkBlocks(handle: ReadableFile, identity: TableIdentity): Promise<readonly WalkedBlock[]> {
  const table: WalkedTable = { window: new ReadWindow(handle), fileBytes: await handle.size(), identity };
  const blocks: WalkedBlock[] = [];
  for (let offset = FILE_HEADER_BYTES; ;) {
    const block = (await readPlain(table, offset)) ?? (await readCompressed(table, offset));
    if (block === undefined) return blocks;
    blocks.push(block);
    offset = blockEnd(block.handle);
  }
}

async function readPlain(table: WalkedTable, offset: number): Promise<WalkedBlock | undefined> {
  const { window } = table;
  const header = await window.view(offset, DATA_BLOCK_HEADER_BYTES);
  if (header.length < DATA_BLOCK_HEADER_BYTES) return undefined;
  const front = DATA_BLOCK_HEADER_BYTES + 12 * readU32(header, 0);
  if (front > MAX_BLOCK_BYTES) return undefined;
  const lastOffset = await window.view(offset + front - 4, 4);
  if (lastOffset.length < 4) return undefined;
  const lastAt = readU32(lastOffset, 0);
  const entry = await window.view(offset + lastAt, ENTRY_HEADER_BYTES);
  if (lastAt < front || entry.length < ENTRY_HEADER_BYTES) return undefined;
  const bytes = lastAt + ENTRY_HEADER_BYTES + readU32(entry, 0) + readU16(entry, 4);
  return read(table, { offset, storedBytes: bytes, rawBytes: bytes });
}

async function readCompressed(table: WalkedTable, offset: number): Promise<WalkedBlock | undefined> {
  const { window } = table;
  const frame = parseFrameHeader(await window.view(offset, FRAME_HEADER_BYTES));
  if (frame === undefined) return undefined;
  let at = offset + frame.headerBytes;
  for (let isLast = false; !isLast;) {
    const header = await window.view(at, 3);
    if (header.length < 3) return undefined;
    const word = header[0]! | (header[1]! << 8) | (header[2]! << 16);
    isLast = (word & 1) === 1;
    const kind = (word >>> 1) & 3;
    at += 3 + (kind === RUN_LENGTH_BLOCK ? 1 : word >>> 3);
  }
  const storedBytes = at + (frame.hasChecksum ? FRAME_CHECKSUM_BYTES : 0) - offset;
  return read(table, { offset, storedBytes, rawBytes: frame.rawBytes });
}

const RUN_LENGTH_BLOCK = 1;

interface FrameHeader {
  readonly headerBytes: number;
  readonly rawBytes: number;
  readonly hasChecksum: boolean;
}

/** RFC 8878, 3.1.1.1. @returns `undefined` for what is no frame that says how long its content is. */
function parseFrameHeader(bytes: Uint8Array): FrameHeader | undefined {
  if (bytes.length < FRAME_HEADER_BYTES || readU32(bytes, 0) !== ZSTD_MAGIC) return undefined;
  const descriptor = bytes[4]!;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >>> 6]!;
  const sizeAt = 5 + (isSingleSegment ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!;
  const sizes: Readonly<Record<number, () => number>> = {
    1: () => bytes[sizeAt]!,
    2: () => readU16(bytes, sizeAt) + 256,
    4: () => readU32(bytes, sizeAt),
    8: () => readU64(bytes, sizeAt),
  };
  const rawBytes = sizes[sizeBytes]?.();
  if (rawBytes === undefined || rawBytes > MAX_BLOCK_BYTES) return undefined;
  return { headerBytes: sizeAt + sizeBytes, rawBytes, hasChecksum: (descriptor & 4) !== 0 };
}

async function read(
  { window, fileBytes, identity }: WalkedTable,
  handle: BlockHandle,
): Promise<WalkedBlock | undefined> {
  if (blockEnd(handle) > fileBytes) return undefined;
  if (handle.storedBytes > handle.rawBytes || handle.rawBytes > MAX_BLOCK_BYTES) return undefined;
  const wanted = handle.storedBytes + BLOCK_TRAILER_BYTES;
  const stored = await window.view(handle.offset, wanted);
  try {
    const block = new BlockReader(unpackBlock(stored, 0, handle, identity), identity.file, handle.offset);
    return { handle, lastKey: copyBytes(block.entry(block.count - 1).key) };
  } catch (error) {
    if (error instanceof CorruptionError) return undefined;
    throw error;
  }
}
