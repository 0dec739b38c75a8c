/** Keys as numbers, so that a search compares doubles instead of bytes. Hot: `numberOf` runs once for each sorted run of a lookup. */

/** Bytes that fit a double exactly. */
const NUMBER_BYTES = 6;

/**
 * The 6 bytes of `key` from `at` on as a number, the first most significant, zeros past the end.
 * Numbers of keys that agree before `at` are ordered as the keys are, but for ties.
 */
export function numberOf(key: Uint8Array, at: number): number {
  if (at + NUMBER_BYTES <= key.length) {
    const high = (key[at]! << 8) | key[at + 1]!;
    const low = (key[at + 2]! << 24) | (key[at + 3]! << 16) | (key[at + 4]! << 8) | key[at + 5]!;
    return high * 0x1_0000_0000 + (low >>> 0);
  }
  let number = 0;
  for (let i = at; i < at + NUMBER_BYTES; i++) number = number * 256 + (i < key.length ? key[i]! : 0);
  return number;
}

/**
 * Where `key` stands towards all keys that start with `prefix`.
 *
 * @returns 0 among them; negative before, positive behind them. A beginning of `prefix` comes before them.
 */
export function comparePrefix(key: Uint8Array, prefix: Uint8Array): number {
  const shared = key.length < prefix.length ? key.length : prefix.length;
  for (let i = 0; i < shared; i++) {
    const difference = key[i]! - prefix[i]!;
    if (difference !== 0) return difference;
  }
  return key.length < prefix.length ? -1 : 0;
}

/** How many leading bytes two keys share. */
export function sharedPrefixBytes(a: Uint8Array, b: Uint8Array): number {
  const most = Math.min(a.length, b.length);
  let shared = 0;
  while (shared < most && a[shared] === b[shared]) shared++;
  return shared;
}
