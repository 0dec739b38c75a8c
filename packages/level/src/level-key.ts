/**
 * Keys of a Level database as keys of the engine. Level has an empty key, the engine has none, and both order keys as bytes.
 *
 * Invariant: a key of zero bytes only, the empty one included, is stored with one more zero; every other key as it is. Keys of
 * zeros come before all others, the shorter first, so the order stays and no two keys meet.
 * Why so: docs/decisions/20261122-level-empty-key.md
 */

/** A key in the database's own format: what abstract-level hands to its implementations, already encoded. */
export type LevelKey = string | Uint8Array;

/** Keeps no copy: the engine copies what it stores. */
export function toEngineKey(key: LevelKey): LevelKey {
  if (typeof key === 'string') {
    if (key.charCodeAt(0) > 0) return key;
    return isZeroText(key) ? `${key}\0` : key;
  }
  if ((key[0] ?? 0) > 0) return key;
  return key.every(isZero) ? new Uint8Array(key.length + 1) : key;
}

/** The inverse of `toEngineKey`, for keys read as text. */
export function fromEngineText(key: string): string {
  if (key.charCodeAt(0) > 0) return key;
  return isZeroText(key) ? key.slice(1) : key;
}

/** The inverse of `toEngineKey`, for keys read as bytes. A view of `key`. */
export function fromEngineBytes(key: Uint8Array): Uint8Array {
  if ((key[0] ?? 0) > 0) return key;
  return key.every(isZero) ? key.subarray(1) : key;
}

/** Its own from now on, whatever the caller does to its array. */
export function copyKey(key: LevelKey): LevelKey {
  return typeof key === 'string' ? key : Uint8Array.prototype.slice.call(key);
}

function isZeroText(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) !== 0) return false;
  }
  return true;
}

function isZero(byte: number): boolean {
  return byte === 0;
}
