/**
 * Sizes, magic numbers and the small fixed structures of a sorted table.
 * Format: docs/format/sstable.md. Blocks are walked through 32-bit views, so the host must be little-endian.
 */

import { ByteReader, crc32c, DecodeError, readU32, writeU32, writeU64 } from '@kayadb/codec';

export const BLOCK_TRAILER_BYTES = 8;
export const BLOCK_HANDLE_BYTES = 16;
export const COMPRESSION_NONE = 0;
export const COMPRESSION_ZSTD = 1;
export const DATA_BLOCK_HEADER_BYTES = 16;
export const FILTER_KIND_BLOCKED_BLOOM = 1;
export const FILTER_PROBES = 6;
export const FILTER_LINE_BYTES = 64;
export const FILTER_HEADER_BYTES = 16;
export const FOOTER_BYTES = 64;
export const FOOTER_MAGIC = 'KAYA-END';
/** Bound: no block is larger than this once decompressed. */
export const MAX_BLOCK_BYTES = 1024 * 1024 * 1024;
/** Bound: up to here `hash * lines` is exact in a double. */
export const MAX_FILTER_LINES = 2 ** 21;

/** Names a block of the file. */
export interface BlockHandle {
  /** Of the stored bytes, from the start of the file. */
  readonly offset: number;
  /** Without the trailer. */
  readonly storedBytes: number;
  /** After decompression. */
  readonly rawBytes: number;
}

/** Where the next structure of the file starts. */
export function blockEnd(handle: BlockHandle): number {
  return handle.offset + handle.storedBytes + BLOCK_TRAILER_BYTES;
}

/** Writes the 16 bytes of `handle` at `at`. */
export function encodeBlockHandle(handle: BlockHandle, into: Uint8Array, at: number): void {
  writeU64(into, at, handle.offset);
  writeU32(into, at + 8, handle.storedBytes);
  writeU32(into, at + 12, handle.rawBytes);
}

/** @throws DecodeError for a handle that no builder writes. */
export function decodeBlockHandle(bytes: Uint8Array, at: number): BlockHandle {
  const reader = new ByteReader(bytes, at);
  const offset = reader.u64('offset of a block');
  const storedBytes = reader.u32('stored bytes of a block');
  const rawBytes = reader.u32('raw bytes of a block');
  if (storedBytes > rawBytes) throw new DecodeError('a block grew when it was stored', at);
  if (rawBytes > MAX_BLOCK_BYTES) throw new DecodeError('a block is larger than any that is written', at);
  return { offset, storedBytes, rawBytes };
}

/** The three blocks that the footer names. */
export interface Footer {
  readonly filter: BlockHandle;
  readonly properties: BlockHandle;
  readonly index: BlockHandle;
}

const FOOTER_RESERVED_AT = 48;
export const FOOTER_CRC_AT = 52;
const FOOTER_MAGIC_AT = 56;
const footerMagic = Uint8Array.from(FOOTER_MAGIC, (letter) => letter.charCodeAt(0));

/** @returns The last 64 bytes of a table whose header has the CRC `seed`. */
export function encodeFooter(footer: Footer, seed: number): Uint8Array {
  const bytes = new Uint8Array(FOOTER_BYTES);
  encodeBlockHandle(footer.filter, bytes, 0);
  encodeBlockHandle(footer.properties, bytes, BLOCK_HANDLE_BYTES);
  encodeBlockHandle(footer.index, bytes, 2 * BLOCK_HANDLE_BYTES);
  writeU32(bytes, FOOTER_CRC_AT, crc32c(bytes, seed, 0, FOOTER_CRC_AT));
  bytes.set(footerMagic, FOOTER_MAGIC_AT);
  return bytes;
}

/** @throws DecodeError unless `bytes` are the footer of a table whose header has the CRC `seed`. */
export function decodeFooter(bytes: Uint8Array, seed: number): Footer {
  if (bytes.length !== FOOTER_BYTES) throw new DecodeError('the footer is cut short', 0);
  for (let i = 0; i < footerMagic.length; i++) {
    if (bytes[FOOTER_MAGIC_AT + i] !== footerMagic[i]) throw new DecodeError('the footer lacks its magic', i);
  }
  if (readU32(bytes, FOOTER_CRC_AT) !== crc32c(bytes, seed, 0, FOOTER_CRC_AT)) {
    throw new DecodeError('the checksum of the footer does not match', FOOTER_CRC_AT);
  }
  if (readU32(bytes, FOOTER_RESERVED_AT) !== 0)
    throw new DecodeError('reserved bytes are not zero', FOOTER_RESERVED_AT);
  return {
    filter: decodeBlockHandle(bytes, 0),
    properties: decodeBlockHandle(bytes, BLOCK_HANDLE_BYTES),
    index: decodeBlockHandle(bytes, 2 * BLOCK_HANDLE_BYTES),
  };
}

const offsetBytes = new Uint8Array(8);

/** The CRC of a block's trailer, over `bytes[start, end)`: the stored bytes and trailer bytes 0 to 3. */
export function blockCrc(seed: number, fileOffset: number, bytes: Uint8Array, start: number, end: number): number {
  writeU64(offsetBytes, 0, fileOffset);
  return crc32c(bytes, crc32c(offsetBytes, seed), start, end);
}
