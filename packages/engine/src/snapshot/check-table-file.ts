/** One table of a directory, read whole and past all caches, and compared with what the manifest says of it. */

import { equalBytes } from '@kayadb/codec';
import { type FileSystem, FileSystemError, isNotFound } from '@kayadb/vfs';

import { CorruptionError } from '../errors.ts';
import { tableFileName } from '../files/file-names.ts';
import { openTable } from '../sstable/open-table.ts';
import type { TableProperties } from '../sstable/table-properties.ts';
import type { OnBlock } from '../sstable/verify-table.ts';
import type { TableMeta } from '../version/table-meta.ts';

/**
 * Checks every byte of the table that `meta` names.
 *
 * @throws CorruptionError for the first thing found wrong: a missing table and one that the disk does not give are too.
 * @throws EngineError KAYA_UNSUPPORTED as `openTable` does, and what `onBlock` throws.
 */
export async function checkTableFile(
  fs: FileSystem,
  directory: string,
  storeId: Uint8Array,
  meta: TableMeta,
  onBlock: OnBlock,
): Promise<void> {
  const { fileNumber, fileBytes } = meta;
  const name = tableFileName(fileNumber);
  try {
    const reader = await openTable(fs, `${directory}/${name}`, name, { storeId, fileNumber, fileBytes });
    try {
      await reader.verify(onBlock);
      if (!isDescribedBy(meta, reader.properties)) throw new CorruptionError(name, 0, NOT_DESCRIBED);
    } finally {
      await reader.close();
    }
  } catch (error) {
    if (isNotFound(error)) throw new CorruptionError(name, 0, 'the manifest names this table, and it is missing');
    // A bad sector is damage, whoever says so.
    if (!(error instanceof FileSystemError) || error.code !== 'KAYA_IO') throw error;
    throw new CorruptionError(name, 0, `the disk does not give it: ${error.message}`, { cause: error });
  }
}

export const NOT_DESCRIBED = 'it is a sound table, but not the one that the manifest describes';

/**
 * Whether the manifest speaks of this table. A CRC of the whole file is of no use here: with a CRC of the same kind behind
 * every block, it is the same for every sound table of the same layout and the same number.
 */
export function isDescribedBy(meta: TableMeta, properties: TableProperties): boolean {
  return (
    meta.entryCount === properties.entryCount &&
    meta.deleteCount === properties.deleteCount &&
    meta.smallestSequence === properties.smallestSequence &&
    meta.largestSequence === properties.largestSequence &&
    equalBytes(meta.smallestKey, properties.smallestKey) &&
    equalBytes(meta.largestKey, properties.largestKey)
  );
}
