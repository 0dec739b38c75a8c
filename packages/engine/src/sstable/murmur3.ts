/**
 * murmur3_x86_32 with seed 0: the hash under the filter. Hot: one pass, no allocation.
 * Format: docs/format/sstable.md, "Filter".
 */

/** @returns An unsigned 32-bit integer. */
export function murmur3(bytes: Uint8Array): number {
  return murmur3Within(bytes, 0, bytes.length);
}

/** As `murmur3`, of the `length` bytes from `start` on. */
export function murmur3Within(bytes: Uint8Array, start: number, length: number): number {
  const end = start + length;
  const whole = start + (length & ~3);
  let hash = 0;
  for (let i = start; i < whole; i += 4) {
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    hash ^= scramble(word);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  if (whole < end) {
    let tail = 0;
    for (let i = end - 1; i >= whole; i--) tail = (tail << 8) | bytes[i]!;
    hash ^= scramble(tail);
  }
  return mix32(hash ^ length);
}

/** murmur3's finalizer, fmix32. @returns An unsigned 32-bit integer. */
export function mix32(value: number): number {
  let mixed = value ^ (value >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

function scramble(word: number): number {
  const spread = Math.imul(word, 0xcc9e2d51);
  return Math.imul((spread << 15) | (spread >>> 17), 0x1b873593);
}
