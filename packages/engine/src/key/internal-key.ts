/**
 * Order of entries: user key ascending, then sequence number descending, so that the newest version comes first.
 * Format: docs/format/wal.md, "Operation".
 */

import { compareBytes } from '@kayadb/codec';

/** Position of a write in the history of the store; starts at 1, 0 means "before everything". Below 2^53. */
export type SequenceNumber = number & { readonly __brand?: 'SequenceNumber' };

/** Number in a file's name; drawn from one counter, never used twice. */
export type FileNumber = number & { readonly __brand?: 'FileNumber' };

export const PUT_KIND = 1;
export const DELETE_KIND = 2;
/** In the write-ahead log and in memtables' lists only: never an entry. See range-delete/range-delete.ts. */
export const RANGE_DELETE_KIND = 3;
export type EntryKind = typeof PUT_KIND | typeof DELETE_KIND;
export type OperationKind = EntryKind | typeof RANGE_DELETE_KIND;

/** One version of one key. `key` and `value` are views; their owner says how long they stay valid. */
export interface Entry {
  readonly key: Uint8Array;
  readonly sequence: SequenceNumber;
  readonly kind: EntryKind;
  /** Empty for a delete. */
  readonly value: Uint8Array;
}

/** @returns Negative, zero or positive as `a` comes before, is, or comes after `b` in the order of entries. */
export function compareEntries(a: Pick<Entry, 'key' | 'sequence'>, b: Pick<Entry, 'key' | 'sequence'>): number {
  return compareBytes(a.key, b.key) || b.sequence - a.sequence;
}
