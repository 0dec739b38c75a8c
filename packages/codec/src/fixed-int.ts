/**
 * Little-endian integers at an offset. No bounds are checked here: callers know their lengths (`ByteReader` checks).
 * 64-bit values are numbers; a value of 2^53 or more is not exact, so decoders must test `Number.isSafeInteger`.
 */

const TWO_32 = 0x1_0000_0000;

export function readU16(bytes: Uint8Array, offset: number): number {
  return bytes[offset]! | (bytes[offset + 1]! << 8);
}

export function readU32(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! | (bytes[offset + 1]! << 8) | (bytes[offset + 2]! << 16) | (bytes[offset + 3]! << 24)) >>> 0;
}

/** Exact below 2^53; check `Number.isSafeInteger` on untrusted bytes. */
export function readU64(bytes: Uint8Array, offset: number): number {
  return readU32(bytes, offset + 4) * TWO_32 + readU32(bytes, offset);
}

export function writeU16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value;
  bytes[offset + 1] = value >>> 8;
}

export function writeU32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value;
  bytes[offset + 1] = value >>> 8;
  bytes[offset + 2] = value >>> 16;
  bytes[offset + 3] = value >>> 24;
}

/** Requires: `value` is a safe integer, not negative. */
export function writeU64(bytes: Uint8Array, offset: number, value: number): void {
  writeU32(bytes, offset, value >>> 0);
  writeU32(bytes, offset + 4, Math.floor(value / TWO_32));
}
