/**
 * Blocks between memory and file: compression and the trailer that vouches for them.
 * Invariant: a block is compressed if and only if its stored bytes are fewer than its raw bytes.
 * Format: docs/format/sstable.md, "Blocks".
 */

import { copyBytes, readU32, writeU32 } from '@kayadb/codec';

import { CorruptionError, EngineError } from '../errors.ts';
import type { Zstd } from './compression.ts';
import {
  BLOCK_TRAILER_BYTES,
  blockCrc,
  type BlockHandle,
  COMPRESSION_NONE,
  COMPRESSION_ZSTD,
} from './sstable-format.ts';

/** What turns stored bytes of one table into blocks. */
export interface TableIdentity {
  /** Name of the file inside the data directory, for errors. */
  readonly file: string;
  /** CRC of the file's header; every checksum of the file continues from it. */
  readonly seed: number;
  /** `undefined` where zstd cannot be loaded. */
  readonly zstd: () => Zstd | undefined;
}

/** @returns The frame to store instead of `raw`, or `undefined` when it saves less than an eighth. */
export function maybeCompress(raw: Uint8Array, zstd: Zstd, level: number): Uint8Array | undefined {
  const frame = zstd.compress(raw, level);
  return frame.length * 8 <= raw.length * 7 ? frame : undefined;
}

/**
 * Finishes a block whose stored bytes lie in `bytes` from `at` on, followed by room for the trailer: fills in the trailer.
 *
 * @param isCompressed - Whether the stored bytes are a zstd frame.
 */
export function sealBlock(
  bytes: Uint8Array,
  at: number,
  handle: BlockHandle,
  isCompressed: boolean,
  seed: number,
): void {
  const trailerAt = at + handle.storedBytes;
  writeU32(bytes, trailerAt, isCompressed ? COMPRESSION_ZSTD : COMPRESSION_NONE);
  writeU32(bytes, trailerAt + 4, blockCrc(seed, handle.offset, bytes, at, trailerAt + 4));
}

/**
 * Checks and unpacks the block of `handle`, whose stored bytes and trailer lie in `bytes` from `at` on.
 *
 * @returns The raw block. A view of `bytes` if it fills them alone and is not compressed, otherwise a new array; either
 * way at a multiple of 8 in its buffer.
 * @throws CorruptionError when the bytes are not what was written.
 * @throws EngineError KAYA_UNSUPPORTED when the block is compressed and zstd cannot be loaded.
 */
export function unpackBlock(bytes: Uint8Array, at: number, handle: BlockHandle, table: TableIdentity): Uint8Array {
  const isCompressed = checkStored(bytes, at, handle, table);
  const trailerAt = at + handle.storedBytes;
  const stored = bytes.subarray(at, trailerAt);
  if (!isCompressed) {
    const isAlone = at === 0 && bytes.length === trailerAt + BLOCK_TRAILER_BYTES && (bytes.byteOffset & 7) === 0;
    return isAlone ? stored : copyBytes(stored);
  }
  const zstd = table.zstd();
  if (zstd === undefined) throw zstdMissing(table.file);
  const raw = zstd.decompress(stored, handle.rawBytes);
  if (raw === undefined) throw notUnpacked(handle, table);
  return raw;
}

/**
 * As `unpackBlock`, into memory of the caller's.
 *
 * Requires: `checkStored` has found it compressed.
 *
 * @param into - `handle.rawBytes` bytes.
 */
export function unpackStored(
  bytes: Uint8Array,
  at: number,
  handle: BlockHandle,
  table: TableIdentity,
  into: Uint8Array,
): void {
  const zstd = table.zstd();
  if (zstd === undefined) throw zstdMissing(table.file);
  if (!zstd.decompressInto(bytes.subarray(at, at + handle.storedBytes), into)) throw notUnpacked(handle, table);
}

/**
 * Checks the block of `handle` where it lies, from `at` on.
 *
 * @returns Whether it is compressed; if not, its raw bytes are the stored ones.
 * @throws CorruptionError when the bytes are not what was written.
 */
export function checkStored(bytes: Uint8Array, at: number, handle: BlockHandle, table: TableIdentity): boolean {
  const trailerAt = at + handle.storedBytes;
  if (trailerAt + BLOCK_TRAILER_BYTES > bytes.length) {
    throw new CorruptionError(table.file, handle.offset, 'the block is cut short');
  }
  if (readU32(bytes, trailerAt + 4) !== blockCrc(table.seed, handle.offset, bytes, at, trailerAt + 4)) {
    throw new CorruptionError(table.file, handle.offset, 'the checksum of the block does not match');
  }
  const compression = readU32(bytes, trailerAt);
  const expected = handle.storedBytes < handle.rawBytes ? COMPRESSION_ZSTD : COMPRESSION_NONE;
  if (compression !== expected) {
    throw new CorruptionError(
      table.file,
      handle.offset,
      `compression ${compression} does not go with the block's sizes`,
    );
  }
  return compression === COMPRESSION_ZSTD;
}

/** The refusal of a compressed table where zstd cannot be loaded. */
export function zstdMissing(file: string): EngineError {
  return new EngineError(
    'KAYA_UNSUPPORTED',
    `${file} is compressed with zstd, and the native module zstd-napi cannot be loaded here; install it for this platform`,
  );
}

function notUnpacked({ offset, rawBytes }: BlockHandle, { file }: TableIdentity): CorruptionError {
  return new CorruptionError(file, offset, `the block does not decompress to ${rawBytes} bytes`);
}
