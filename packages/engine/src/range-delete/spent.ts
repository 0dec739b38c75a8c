/** Which range deletes hide nothing any more. Pure. */

import type { SequenceNumber } from '../key/internal-key.ts';
import type { TableMeta } from '../version/table-meta.ts';
import { type RangeDelete, spanOverlaps } from './range-delete.ts';

/** Whether `table` may hold an entry that `one` hides. */
export function mayHideEntryOf(one: RangeDelete, table: TableMeta): boolean {
  return (
    table.smallestSequence < one.sequence &&
    (table.rangeDeletesApplied ?? 0) < one.sequence &&
    spanOverlaps(one, table.smallestKey, table.largestKey)
  );
}

/**
 * Sequence numbers of those among `deletes` that may be forgotten: no table in `levels` holds anything that they hide.
 *
 * Requires: every entry older than a range delete of `deletes` is in a table of `levels`, none in a memtable.
 */
export function pickSpent(
  deletes: readonly RangeDelete[],
  levels: readonly (readonly TableMeta[])[],
): readonly SequenceNumber[] {
  return deletes
    .filter((one) => !levels.some((tables) => tables.some((table) => mayHideEntryOf(one, table))))
    .map(({ sequence }) => sequence);
}
