/** Reads of users' rows: what the store has, with the revision that wrote it. Invariant: rows of the machine are never seen. */

import type { Row2 } from '@kayadb/codec';
import type { Engine, KeyRange } from '@kayadb/engine';

import type { RowScan, RowScanOptions } from '../replica/replica.ts';
import { MachineRowScan } from './machine-row-scan.ts';
import { decodeMachineRow, MACHINE_KEY, revisionOf, USER_END, userKey, valueOf } from './rows.ts';

/** @param key - Of a user. */
export async function readRow(engine: Engine, key: Uint8Array): Promise<Row2 | undefined> {
  return toRow(await engine.get(userKey(key)));
}

/** In the order of `keys`, all of one state. */
export async function readRows(engine: Engine, keys: readonly Uint8Array[]): Promise<readonly (Row2 | undefined)[]> {
  const rows = await engine.getMany(keys.map((key) => userKey(key)));
  return rows.map((row) => toRow(row));
}

/**
 * @param explain - Makes of the scan's error what the caller is to see.
 * @returns A scan of the state within the call.
 */
export function scanRows(engine: Engine, options: RowScanOptions, explain: (error: unknown) => unknown): RowScan {
  // Within one turn, so both are of one state.
  const stored = engine.getSync(MACHINE_KEY);
  const revision = (stored && decodeMachineRow(stored)?.index) ?? 0;
  const scan = engine.scan({
    ...rangeOf(options),
    reverse: options.isDescending,
    ...(options.limit > 0 && { limit: options.limit }),
  });
  return new MachineRowScan(scan, revision, options.isWithoutValues, explain);
}

function toRow(row: Uint8Array | undefined): Row2 | undefined {
  return row === undefined ? undefined : { value: valueOf(row), revision: revisionOf(row) };
}

function rangeOf({ range: { from, isFromExclusive, to, isToInclusive } }: RowScanOptions): KeyRange {
  const lower = isFromExclusive && from.length > 0 ? { gt: userKey(from) } : { gte: userKey(from) };
  if (to.length === 0) return { ...lower, lt: USER_END };
  return isToInclusive ? { ...lower, lte: userKey(to) } : { ...lower, lt: userKey(to) };
}
