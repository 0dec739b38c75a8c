/** Point reads of one table, as a test writes them. */

import type { Entry, SequenceNumber } from '../../src/key/internal-key.ts';
import { hashKey } from '../../src/sstable/filter.ts';
import { LOOKUP, PointLookup } from '../../src/sstable/point-lookup.ts';
import type { TableReader } from '../../src/sstable/table-reader.ts';

/** Reads what is not cached without waiting in the caller's turn. */
export function readLater(table: TableReader, key: Uint8Array, sequence: SequenceNumber): Promise<Entry | undefined> {
  return table.get(key, hashKey(key), sequence);
}

/** Reads in the caller's turn, from the file if need be. */
export function readNow(table: TableReader, key: Uint8Array, sequence: SequenceNumber): Entry | undefined {
  const lookup = new PointLookup();
  return table.lookUp(key, hashKey(key), sequence, lookup, true) === LOOKUP.found ? lookup.copyEntry(key) : undefined;
}

/** Reads in the caller's turn without touching the file. @returns `cold` when that is not possible. */
export function readCached(table: TableReader, key: Uint8Array, sequence: SequenceNumber): Entry | undefined | 'cold' {
  const lookup = new PointLookup();
  const outcome = table.lookUp(key, hashKey(key), sequence, lookup, false);
  if (outcome === LOOKUP.cold) return 'cold';
  return outcome === LOOKUP.found ? lookup.copyEntry(key) : undefined;
}
