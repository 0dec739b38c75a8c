/**
 * The 64 bytes that open every log segment, table and manifest. Their CRC is the seed of every other CRC in the file.
 * Format: docs/format/files.md, "File header".
 */

import {
  copyBytes,
  crc32c,
  decodeUtf8,
  encodeUtf8,
  readU16,
  readU32,
  readU64,
  writeU16,
  writeU32,
  writeU64,
} from '@kayadb/codec';

import type { FileNumber } from '../key/internal-key.ts';

export const FILE_HEADER_BYTES = 64;
export const WAL_MAGIC = 'KAYA-WAL';
export const TABLE_MAGIC = 'KAYA-SST';
export const MANIFEST_MAGIC = 'KAYA-MAN';
export const FORMAT_VERSION = 1;
export const STORE_ID_BYTES = 16;

export type FileMagic = typeof WAL_MAGIC | typeof TABLE_MAGIC | typeof MANIFEST_MAGIC;

const MAGIC_BYTES = 8;
const VERSION_AT = 8;
const CIPHER_AT = 10;
const KEY_AT = 12;
const STORE_ID_AT = 16;
const FILE_NUMBER_AT = 32;
const START_LSN_AT = 40;
const RESERVED_AT = 48;
const CRC_AT = 60;

export interface FileHeader {
  readonly magic: FileMagic;
  /** `STORE_ID_BYTES` random bytes, the same in every file of one store. */
  readonly storeId: Uint8Array;
  readonly fileNumber: FileNumber;
  /** 0 except in a write-ahead log segment. */
  readonly startLsn: number;
}

/**
 * - `valid`: `seed` starts every further CRC of the file.
 * - `damaged`: not what was written, or not a file of this kind.
 * - `unsupported`: written as it stands, by a version that knows more than this one.
 *
 * `offset` is the first byte of the field that was refused.
 */
export type FileHeaderResult =
  | { readonly kind: 'valid'; readonly header: FileHeader; readonly seed: number }
  | { readonly kind: 'damaged' | 'unsupported'; readonly offset: number; readonly reason: string };

/** A new array of `FILE_HEADER_BYTES`. */
export function encodeFileHeader(header: FileHeader): Uint8Array {
  const bytes = new Uint8Array(FILE_HEADER_BYTES);
  bytes.set(encodeUtf8(header.magic));
  writeU16(bytes, VERSION_AT, FORMAT_VERSION);
  bytes.set(header.storeId, STORE_ID_AT);
  writeU64(bytes, FILE_NUMBER_AT, header.fileNumber);
  writeU64(bytes, START_LSN_AT, header.startLsn);
  writeU32(bytes, CRC_AT, crc32c(bytes, 0, 0, CRC_AT));
  return bytes;
}

/** The seed of a file that opens with `encodedHeader`. Requires: a header that `decodeFileHeader` found valid or that was just encoded. */
export function fileSeed(encodedHeader: Uint8Array): number {
  return readU32(encodedHeader, CRC_AT);
}

/**
 * Reads the header of a file that should be of kind `magic`. Never throws.
 *
 * The CRC is tested before the version and the fields behind it: a flipped bit must not pass for a newer version.
 *
 * @param bytes - The start of the file; fewer than `FILE_HEADER_BYTES` if the file is shorter. Copied.
 */
export function decodeFileHeader(bytes: Uint8Array, magic: FileMagic): FileHeaderResult {
  if (bytes.length < FILE_HEADER_BYTES) {
    return damaged(0, `the file header needs ${FILE_HEADER_BYTES} bytes, ${bytes.length} are there`);
  }
  if (decodeUtf8(bytes.subarray(0, MAGIC_BYTES)) !== magic) return damaged(0, `the file does not open with ${magic}`);
  if (crc32c(bytes, 0, 0, CRC_AT) !== readU32(bytes, CRC_AT)) return damaged(0, 'the header CRC does not match');
  const version = readU16(bytes, VERSION_AT);
  if (version !== FORMAT_VERSION) return unsupported(VERSION_AT, `format version ${version}`);
  if (readU16(bytes, CIPHER_AT) !== 0) return unsupported(CIPHER_AT, `cipher ${readU16(bytes, CIPHER_AT)}`);
  if (readU32(bytes, KEY_AT) !== 0) return unsupported(KEY_AT, `encryption key ${readU32(bytes, KEY_AT)}`);
  for (let at = RESERVED_AT; at < CRC_AT; at++) {
    if (bytes[at] !== 0) return unsupported(at, 'a reserved header byte that is not zero');
  }
  const fileNumber = readU64(bytes, FILE_NUMBER_AT);
  if (!Number.isSafeInteger(fileNumber)) return damaged(FILE_NUMBER_AT, 'the file number is not below 2^53');
  const startLsn = readU64(bytes, START_LSN_AT);
  if (!Number.isSafeInteger(startLsn)) return damaged(START_LSN_AT, 'the start LSN is not below 2^53');
  const storeId = copyBytes(bytes.subarray(STORE_ID_AT, STORE_ID_AT + STORE_ID_BYTES));
  return { kind: 'valid', header: { magic, storeId, fileNumber, startLsn }, seed: readU32(bytes, CRC_AT) };
}

/**
 * The identity of a new store.
 *
 * @param randomBytes - A source of cryptographic randomness, so that no two stores share an id.
 */
export function createStoreId(randomBytes: (length: number) => Uint8Array): Uint8Array {
  return randomBytes(STORE_ID_BYTES);
}

function damaged(offset: number, reason: string): FileHeaderResult {
  return { kind: 'damaged', offset, reason };
}

function unsupported(offset: number, what: string): FileHeaderResult {
  return {
    kind: 'unsupported',
    offset,
    reason: `${what} is not known here; a newer version may have written the file`,
  };
}
