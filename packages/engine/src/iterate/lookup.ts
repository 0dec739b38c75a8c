/** The read path of one key: memtables, then level 0 newest first, then one table per deeper level. */

import { compareBytes, copyBytes } from '@kayadb/codec';

import { type Entry, PUT_KIND, type SequenceNumber } from '../key/internal-key.ts';
import type { TableMeta } from '../version/table-meta.ts';
import { findTable, type Version } from '../version/version.ts';

/** The newest version of `key` at or below `maxSequence` in one table. */
export type TableGet = (
  table: TableMeta,
  key: Uint8Array,
  maxSequence: SequenceNumber,
) => Entry | undefined | Promise<Entry | undefined>;

/**
 * Looks `key` up in the tables of `version`. The first table that knows the key decides: whatever is searched later is older.
 *
 * Requires: `version` is retained by the caller until the promise settles.
 */
export async function lookUpInTables(
  version: Version,
  key: Uint8Array,
  maxSequence: SequenceNumber,
  tableGet: TableGet,
): Promise<Entry | undefined> {
  const [level0, ...deeper] = version.levels;
  for (const table of level0!) {
    if (compareBytes(key, table.smallestKey) < 0 || compareBytes(key, table.largestKey) > 0) continue;
    const found = await tableGet(table, key, maxSequence);
    if (found !== undefined) return found;
  }
  for (const tables of deeper) {
    const table = findTable(tables, key);
    if (table === undefined) continue;
    const found = await tableGet(table, key, maxSequence);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The value in an array of the caller's own; `undefined` for a delete and for nothing. */
export function copyValue(entry: Entry | undefined): Uint8Array | undefined {
  return entry !== undefined && entry.kind === PUT_KIND ? copyBytes(entry.value) : undefined;
}
