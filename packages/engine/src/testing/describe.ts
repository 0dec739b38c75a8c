/** Cursors and tables as text, for tests and golden files. */

import { tableFileName } from '../files/file-names.ts';
import type { Cursor } from '../iterate/cursor.ts';
import type { TableMeta } from '../version/table-meta.ts';
import { describeBytes, describeEntry } from './lsm-notation.ts';

/** The entries from the cursor's position to its end, in the notation of lsm-notation.ts. Leaves the cursor at its end. */
export async function describeRest(cursor: Cursor): Promise<string[]> {
  const lines: string[] = [];
  while (cursor.entry !== undefined) {
    lines.push(describeEntry(cursor.entry));
    const wait = cursor.next();
    if (wait !== undefined) await wait;
  }
  return lines;
}

/** All entries in the cursor's direction. */
export async function describeCursor(cursor: Cursor): Promise<string[]> {
  await cursor.seekToStart();
  return describeRest(cursor);
}

/** One line: `000015.sst a..q #3..#20, 12 entries, 2 deletes`. Sizes and checksums are left out, they depend on the format. */
export function describeTableMeta(table: TableMeta): string {
  const name = tableFileName(table.fileNumber);
  const keys = `${describeBytes(table.smallestKey)}..${describeBytes(table.largestKey)}`;
  const sequences = `#${table.smallestSequence}..#${table.largestSequence}`;
  return `${name} ${keys} ${sequences}, ${table.entryCount} entries, ${table.deleteCount} deletes`;
}
