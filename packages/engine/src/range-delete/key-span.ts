/** Ranges as users give them, made into half-open spans of keys. */

import { compareBytes, concatBytes, prefixEnd } from '@kayadb/codec';

import { type Bound, normaliseBounds } from '../iterate/range.ts';
import { MAX_STORED_KEY_BYTES } from '../limits.ts';
import type { KeyRange } from '../types.ts';
import type { KeySpan } from './range-delete.ts';

const FIRST_KEY = Uint8Array.of(0);

/**
 * The keys that `range` means.
 *
 * @returns `undefined` when no key can be in it.
 * @throws TypeError for bounds that are no bytes, or two on the same side.
 */
export function resolveKeySpan(range: KeyRange): KeySpan | undefined {
  if (typeof range !== 'object' || range === null) {
    throw new TypeError('a range must be an object with bounds: gt, gte, lt, lte or prefix');
  }
  const { lower, upper } = normaliseBounds(range);
  const start = lower === undefined ? FIRST_KEY : startOf(lower);
  if (start === undefined) return undefined;
  const end = upper === undefined ? undefined : endOf(upper);
  if (end !== undefined && compareBytes(start, end) >= 0) return undefined;
  return { start, end };
}

function startOf({ key, inclusive }: Bound): Uint8Array | undefined {
  if (key.length === 0) return FIRST_KEY;
  if (key.length > MAX_STORED_KEY_BYTES) return keyAfter(key);
  return inclusive ? key : keyAfter(key);
}

function endOf({ key, inclusive }: Bound): Uint8Array | undefined {
  // No key is empty, and none is longer than the bound: between a longer bound and its cut there is nothing.
  if (key.length === 0) return FIRST_KEY;
  if (key.length > MAX_STORED_KEY_BYTES) return keyAfter(key);
  return inclusive ? keyAfter(key) : key;
}

/** The smallest possible key greater than `key`; `undefined` when there is none. */
function keyAfter(key: Uint8Array): Uint8Array | undefined {
  return key.length < MAX_STORED_KEY_BYTES
    ? concatBytes([key, FIRST_KEY])
    : prefixEnd(key.subarray(0, MAX_STORED_KEY_BYTES));
}
