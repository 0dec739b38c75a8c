/** CRC-32C (Castagnoli). Check value: crc32c of "123456789" is 0xe3069283. */

import fastCrc32c from 'fast-crc32c';

/**
 * CRC-32C of `bytes[start, end)`, continued from `initial` (the result of an earlier call, 0 at the start).
 *
 * @returns An unsigned 32-bit integer.
 */
export function crc32c(bytes: Uint8Array, initial = 0, start = 0, end = bytes.length): number {
  return fastCrc32c.calculate(bytes.subarray(start, end), initial) >>> 0;
}
