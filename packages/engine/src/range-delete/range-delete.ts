/**
 * One range delete: hides every entry in `[start, end)` with a smaller sequence number.
 *
 * Range deletes are few and stay in memory, beside the tables and not in them: in memtables until these are flushed, then in the
 * manifest, until no table holds anything that they hide. Decision: docs/decisions/20261122-resident-range-deletes.md.
 */

import { compareBytes } from '@kayadb/codec';

import type { SequenceNumber } from '../key/internal-key.ts';

/** Keys from `start` on, up to and without `end`; without `end` to the end of all keys. Never changed after construction. */
export interface KeySpan {
  readonly start: Uint8Array;
  readonly end: Uint8Array | undefined;
}

export interface RangeDelete extends KeySpan {
  readonly sequence: SequenceNumber;
}

/** Whether `span` has `key` in it. */
export function spanHasKey({ start, end }: KeySpan, key: Uint8Array): boolean {
  return compareBytes(start, key) <= 0 && (end === undefined || compareBytes(key, end) < 0);
}

/** Whether `span` has some of the keys from `smallest` to `largest`, both included. */
export function spanOverlaps({ start, end }: KeySpan, smallest: Uint8Array, largest: Uint8Array): boolean {
  return compareBytes(start, largest) <= 0 && (end === undefined || compareBytes(smallest, end) < 0);
}

/** Whether `span` has all of the keys from `smallest` to `largest`, both included. */
export function spanContains({ start, end }: KeySpan, smallest: Uint8Array, largest: Uint8Array): boolean {
  return compareBytes(start, smallest) <= 0 && (end === undefined || compareBytes(largest, end) < 0);
}
