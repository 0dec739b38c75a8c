/** Bounds of a scan: validated, as bytes, prefix folded in. */

import { compareBytes, copyBytes, prefixEnd, toBytes } from '@kayadb/codec';

import type { BytesLike, KeyRange } from '../types.ts';

export interface Bound {
  readonly key: Uint8Array;
  readonly inclusive: boolean;
}

/** Absent means unbounded on that side. */
export interface Bounds {
  readonly lower?: Bound;
  readonly upper?: Bound;
}

/**
 * Copies the bounds out of `options` and joins them with the prefix.
 *
 * @throws TypeError for bounds that are no bytes, or two on the same side.
 */
export function normaliseBounds(options: KeyRange): Bounds {
  if (options.gt !== undefined && options.gte !== undefined) throw new TypeError('a range has gt or gte, not both');
  if (options.lt !== undefined && options.lte !== undefined) throw new TypeError('a range has lt or lte, not both');
  let lower = pickBound('gt', options.gt, false) ?? pickBound('gte', options.gte, true);
  let upper = pickBound('lt', options.lt, false) ?? pickBound('lte', options.lte, true);
  const prefix = pickBound('prefix', options.prefix, true);
  if (prefix !== undefined) {
    if (lower === undefined || compareBytes(prefix.key, lower.key) > 0) lower = prefix;
    const end = prefixEnd(prefix.key);
    if (end !== undefined && (upper === undefined || compareBytes(end, upper.key) <= 0)) {
      upper = { key: end, inclusive: false };
    }
  }
  return { ...(lower && { lower }), ...(upper && { upper }) };
}

function pickBound(name: string, value: BytesLike | undefined, inclusive: boolean): Bound | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' && !(value instanceof Uint8Array)) {
    throw new TypeError(`a range's ${name} must be a Uint8Array or a string`);
  }
  return { key: copyBytes(toBytes(value)), inclusive };
}
