/**
 * Keys as LevelDB's db_bench writes them: a number in 16 decimal digits. Stored keys are the even numbers, so that the odd
 * ones are missing in the midst of them, where only a filter or a search can tell.
 *
 * Invariant: every key is a Buffer of its own, made just before its use. A million Buffers kept alive slow engines behind
 * N-API several times over, and no program keeps them.
 */

export const KEY_BYTES = 16;
const HALF_DIGITS = 8;
const HALF = 10 ** HALF_DIGITS;
const ZERO = 48;

/** @returns The key of entry `index`. */
export function storedKey(index: number): Buffer {
  return encodeKey(index * 2);
}

/** @returns A key that sorts just behind that of entry `index` and is in no store. */
export function missingKey(index: number): Buffer {
  return encodeKey(index * 2 + 1);
}

function encodeKey(number: number): Buffer {
  const key = Buffer.allocUnsafe(KEY_BYTES);
  const high = Math.floor(number / HALF);
  writeDigits(key, HALF_DIGITS, number - high * HALF);
  writeDigits(key, 0, high);
  return key;
}

function writeDigits(key: Buffer, offset: number, number: number): void {
  let rest = number;
  for (let at = offset + HALF_DIGITS - 1; at >= offset; at--) {
    const tenth = Math.floor(rest / 10);
    key[at] = ZERO + rest - tenth * 10;
    rest = tenth;
  }
}
