/**
 * What new tables may say of range deletes, and which of them are worth keeping. Pure.
 * Why it is right: docs/decisions/20261122-resident-range-deletes.md.
 */

import { compareBytes } from '@kayadb/codec';

import type { SequenceNumber } from '../key/internal-key.ts';
import type { KeySpan, RangeDelete } from '../range-delete/range-delete.ts';
import type { TableMeta } from '../version/table-meta.ts';

/** Bound: newer range deletes that one is compared with, so that many cost no square of their number. */
const MAX_COMPARED = 64;

/**
 * The tables, saying that every range delete up to `knownUpTo` was applied to them; with a snapshot open, only those that it sees:
 * entries that newer ones hide stay for its sake. Where no range delete was known there was nothing to apply, and nothing is said.
 *
 * @param known - The range deletes that the job applied.
 * @param knownUpTo - Every range delete up to this sequence number is among `known` or spent.
 * @param snapshots - Open when the job began, ascending.
 */
export function withRangeDeletesApplied(
  tables: readonly TableMeta[],
  known: readonly RangeDelete[],
  knownUpTo: SequenceNumber,
  snapshots: readonly SequenceNumber[],
): readonly TableMeta[] {
  if (known.length === 0) return tables;
  const rangeDeletesApplied = Math.min(knownUpTo, snapshots[0] ?? Infinity);
  return tables.map((table) => ({ ...table, rangeDeletesApplied }));
}

/** `deletes` without those that a newer one covers wholly, where no snapshot sees the one and not the other. */
export function withoutCovered(
  deletes: readonly RangeDelete[],
  snapshots: readonly SequenceNumber[],
): readonly RangeDelete[] {
  const kept: RangeDelete[] = [];
  for (const one of deletes.toSorted((a, b) => b.sequence - a.sequence)) {
    const newer = kept.slice(-MAX_COMPARED);
    const isCovered = newer.some((other) => covers(other, one) && !isBetween(snapshots, one.sequence, other.sequence));
    if (!isCovered) kept.push(one);
  }
  return kept.toReversed();
}

function covers(outer: KeySpan, inner: KeySpan): boolean {
  if (compareBytes(outer.start, inner.start) > 0) return false;
  if (outer.end === undefined || inner.end === undefined) return outer.end === undefined;
  return compareBytes(inner.end, outer.end) <= 0;
}

/** Whether a snapshot sees `from` and not `to`. */
function isBetween(snapshots: readonly SequenceNumber[], from: SequenceNumber, to: SequenceNumber): boolean {
  return snapshots.some((sequence) => sequence >= from && sequence < to);
}
