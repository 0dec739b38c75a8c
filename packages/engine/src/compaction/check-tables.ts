/** Opens new tables again before any edit may name them. */

import type { TableMeta } from '../version/table-meta.ts';
import type { TableNumbers } from './table-maker.ts';

/** Opens a finished table and verifies its structure. */
export type TableCheck = (table: TableMeta) => Promise<void>;

/** @throws What a check fails with, CorruptionError for one; then all of them are given up. */
export async function checkTables(
  tables: readonly TableMeta[],
  check: TableCheck,
  numbers: Pick<TableNumbers, 'releaseTable'>,
): Promise<void> {
  try {
    for (const table of tables) await check(table);
  } catch (error) {
    for (const { fileNumber } of tables) numbers.releaseTable(fileNumber);
    throw error;
  }
}
