/** The bounds of a scan as each version of the protocol can say them: a range, or the prefix that all keys within it share. */

import type { ScanRange } from '@kayadb/client';
import { compareBytes, EMPTY_BYTES, prefixEnd, startsWith } from '@kayadb/codec';

import type { RowsOptions } from './store.ts';

interface Bound {
  readonly key: Uint8Array;
  readonly isExclusive: boolean;
}

export class KeyRange {
  /** All keys within the bounds begin so, and others may. */
  readonly scanPrefix: Uint8Array;
  readonly #prefix: Uint8Array;
  readonly #lower: Bound | undefined;
  readonly #upper: Bound | undefined;

  constructor({ prefix = EMPTY_BYTES, gt, gte, lt, lte }: RowsOptions) {
    this.#prefix = prefix;
    this.#lower = boundOf(gt, gte);
    this.#upper = boundOf(lt, lte);
    const shared = sharedPrefix(this.#lower?.key, this.#upper?.key);
    this.scanPrefix = startsWith(shared, prefix) ? shared : prefix;
  }

  /** A prefix where there is nothing else, since that is what every version knows. */
  get bounds(): ScanRange {
    if (this.#lower === undefined && this.#upper === undefined) return { prefix: this.#prefix };
    const lower = later({ key: this.#prefix, isExclusive: false }, this.#lower);
    const end = prefixEnd(this.#prefix);
    const upper = earlier(end === undefined ? undefined : { key: end, isExclusive: true }, this.#upper);
    return {
      ...(lower.isExclusive ? { gt: lower.key } : { gte: lower.key }),
      ...(upper === undefined ? {} : upper.isExclusive ? { lt: upper.key } : { lte: upper.key }),
    };
  }

  includes(key: Uint8Array): boolean {
    const fromLower = this.#lower === undefined ? 1 : compareBytes(key, this.#lower.key);
    const isFromLower = fromLower > 0 || (fromLower === 0 && this.#lower?.isExclusive === false);
    return isFromLower && !this.isPast(key);
  }

  /** Whether no later key is within the bounds. */
  isPast(key: Uint8Array): boolean {
    if (this.#upper === undefined) return false;
    const fromUpper = compareBytes(key, this.#upper.key);
    return fromUpper > 0 || (fromUpper === 0 && this.#upper.isExclusive);
  }
}

function boundOf(exclusive: Uint8Array | undefined, inclusive: Uint8Array | undefined): Bound | undefined {
  if (exclusive !== undefined) return { key: exclusive, isExclusive: true };
  return inclusive === undefined ? undefined : { key: inclusive, isExclusive: false };
}

/** Of two lower bounds the narrower. */
function later(a: Bound, b: Bound | undefined): Bound {
  return b !== undefined && compareBytes(b.key, a.key) >= 0 ? b : a;
}

/** Of two upper bounds the narrower: of two at the same key the exclusive one, which a prefix always is. */
function earlier(a: Bound | undefined, b: Bound | undefined): Bound | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareBytes(a.key, b.key) <= 0 ? a : b;
}

/** Whatever sorts between two keys begins as both of them do. */
function sharedPrefix(lower: Uint8Array | undefined, upper: Uint8Array | undefined): Uint8Array {
  if (lower === undefined || upper === undefined || compareBytes(lower, upper) > 0) return EMPTY_BYTES;
  let length = 0;
  while (length < lower.length && length < upper.length && lower[length] === upper[length]) length++;
  return lower.subarray(0, length);
}
