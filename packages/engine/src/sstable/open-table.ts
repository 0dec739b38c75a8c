/** Opens a table for reading. */

import type { FileSystem } from '@kayadb/vfs';

import type { BlockCache } from './block-cache.ts';
import { sharedZstd, type Zstd } from './compression.ts';
import { zstdMissing } from './stored-block.ts';
import { TableBlocks } from './table-blocks.ts';
import { type ExpectedTable, readTableFrame } from './table-frame.ts';
import { TableReader } from './table-reader.ts';

export interface OpenTableOptions {
  /** Where data blocks are kept. Default: nowhere. */
  readonly cache?: BlockCache;
  /** Where zstd comes from. Default: the process's. */
  readonly zstd?: () => Zstd | undefined;
}

/**
 * Opens the table at `path` and checks everything but its data blocks, which are checked when they are read.
 *
 * @param fileName - Its name inside the data directory, for errors.
 * @throws CorruptionError when it is damaged, or another table than `expected`.
 * @throws EngineError KAYA_UNSUPPORTED when a newer version wrote it, or it is compressed and zstd cannot be loaded.
 */
export async function openTable(
  fs: FileSystem,
  path: string,
  fileName: string,
  expected: ExpectedTable,
  options: OpenTableOptions = {},
): Promise<TableReader> {
  const { cache, zstd = sharedZstd } = options;
  const handle = await fs.open(path, 'read');
  try {
    const frame = await readTableFrame(handle, fileName, expected, zstd);
    const { fileNumber } = expected;
    const blocks = new TableBlocks(frame, handle, (blockCount) => cache?.table(fileNumber, blockCount));
    if (blocks.hasCompressed && zstd() === undefined) throw zstdMissing(fileName);
    return new TableReader(handle, expected, frame, blocks);
  } catch (error) {
    await handle.close();
    throw error;
  }
}
