/** The tables' part of a point read: level 0 newest first, then one table per deeper level. */

import type { Entry, SequenceNumber } from '../key/internal-key.ts';
import { LOOKUP, type LookupOutcome, type PointLookup } from '../sstable/point-lookup.ts';
import type { Tables } from '../sstable/tables.ts';
import type { Version } from '../version/version.ts';

/**
 * Looks `key` up in the tables of `version`, in the caller's turn. The first table that knows the key decides: whatever is
 * searched later is older. Hot.
 *
 * @param mayRead - Whether to read what is not in memory; if not, the outcome may be `cold`.
 * @param into - Gets what is found, valid until the end of the turn.
 * @throws CorruptionError when a block is damaged.
 */
export function lookUpInTables(
  version: Version,
  tables: Tables,
  key: Uint8Array,
  hash: number,
  maxSequence: SequenceNumber,
  into: PointLookup,
  mayRead: boolean,
): LookupOutcome {
  const { runs } = version;
  for (let i = 0; i < runs.length; i++) {
    const table = runs[i]!.find(key);
    if (table === undefined) continue;
    const outcome = tables.lookUp(table, key, hash, maxSequence, into, mayRead);
    if (outcome !== LOOKUP.absent) return outcome;
  }
  return LOOKUP.absent;
}

/**
 * As `lookUpInTables`, reading without holding up the event loop.
 *
 * Requires: `version` is retained by the caller until the promise settles, and `key` does not change.
 */
export async function readFromTables(
  version: Version,
  tables: Tables,
  key: Uint8Array,
  hash: number,
  maxSequence: SequenceNumber,
): Promise<Entry | undefined> {
  for (const run of version.runs) {
    const table = run.find(key);
    if (table === undefined) continue;
    const found = await tables.get(table, key, hash, maxSequence);
    if (found !== undefined) return found;
  }
  return undefined;
}
