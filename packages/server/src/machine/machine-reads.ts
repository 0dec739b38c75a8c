/** Reads of users' rows: what the store has, with the revision that wrote it. Invariant: rows of the machine are never seen. */

import type { Row2 } from '@kayadb/codec';
import type { Engine, KeyRange } from '@kayadb/engine';

import type { ManyRows, RowScan, RowScanOptions } from '../replica/replica.ts';
import { MachineRowScan } from './machine-row-scan.ts';
import { decodeMachineRow, MACHINE_KEY, revisionOf, USER_END, userKey, valueOf } from './rows.ts';

/** Bound: values that are read before somebody looks how large they are. */
const KEYS_AT_ONCE = 8;

/** @param key - Of a user. */
export async function readRow(engine: Engine, key: Uint8Array): Promise<Row2 | undefined> {
  return toRow(await engine.get(userKey(key)));
}

/**
 * In the order of `keys`, all of one state.
 *
 * Bound: `maxBytes` and a few values more are held at once.
 *
 * @returns `too-large` when the values have more than `maxBytes`.
 */
export async function readRows(engine: Engine, keys: readonly Uint8Array[], maxBytes: number): Promise<ManyRows> {
  await using state = engine.snapshot();
  const rows: (Row2 | undefined)[] = [];
  let bytes = 0;
  for (let start = 0; start < keys.length; start += KEYS_AT_ONCE) {
    const chunk = keys.slice(start, start + KEYS_AT_ONCE).map((key) => userKey(key));
    for (const stored of await engine.getMany(chunk, { snapshot: state })) {
      const row = toRow(stored);
      bytes += row?.value.length ?? 0;
      rows.push(row);
    }
    if (bytes > maxBytes) return 'too-large';
  }
  return rows;
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
