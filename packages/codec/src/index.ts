export { assert, assertNever, AssertionError } from './assert.ts';
export { ByteReader } from './byte-reader.ts';
export { ByteWriter } from './byte-writer.ts';
export {
  compareBytes,
  concatBytes,
  decodeUtf8,
  EMPTY_BYTES,
  encodeUtf8,
  equalBytes,
  prefixEnd,
  startsWith,
  toBytes,
} from './bytes.ts';
export { crc32c } from './crc32c.ts';
export { DecodeError, KayaError, type DecodeErrorCode } from './errors.ts';
export { readU16, readU32, readU64, writeU16, writeU32, writeU64 } from './fixed-int.ts';
