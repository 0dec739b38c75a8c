/** Tables for tests, from a list of entries. */

import type { FileSystem } from '@kayadb/vfs';

import type { Entry, FileNumber } from '../key/internal-key.ts';
import { TableBuilder, type TableBuilderOptions } from '../sstable/table-builder.ts';
import type { TableMeta } from '../version/table-meta.ts';

/** The store that test tables belong to. */
export const TEST_STORE_ID: Uint8Array = Uint8Array.from({ length: 16 }, (_, i) => i + 1);

/** Everything but the store and the number has a default. */
export type WriteTableOptions = Partial<TableBuilderOptions> & { readonly fileNumber: FileNumber };

/**
 * Writes `entries`, which must be in order, to a table at `path`. Not compressed unless asked for.
 *
 * @returns What the manifest would keep of it. The directory is not synced.
 */
export async function writeTable(
  fs: FileSystem,
  path: string,
  entries: Iterable<Entry>,
  options: WriteTableOptions,
): Promise<TableMeta> {
  const builder = await TableBuilder.create(fs, path, { storeId: TEST_STORE_ID, compression: 'none', ...options });
  for (const entry of entries) {
    const wait = builder.add(entry);
    if (wait !== undefined) await wait;
  }
  return builder.finish();
}
