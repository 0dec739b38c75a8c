/** Opens a table for reading. */

import type { FileHandle, FileSystem } from '@kayadb/vfs';

import type { BlockCache } from './block-cache.ts';
import { sharedZstd, type Zstd } from './compression.ts';
import { zstdMissing } from './stored-block.ts';
import { TableBlocks } from './table-blocks.ts';
import { type ExpectedTable, readTableFrame, readTableFrameSync, type TableFrame } from './table-frame.ts';
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
  const handle = await fs.open(path, 'read');
  try {
    const frame = await readTableFrame(handle, fileName, expected, options.zstd ?? sharedZstd);
    return readerOf(handle, frame, expected, options);
  } catch (error) {
    await handle.close().catch(() => undefined);
    throw error;
  }
}

/** As `openTable`, in the caller's turn. */
export function openTableSync(
  fs: FileSystem,
  path: string,
  fileName: string,
  expected: ExpectedTable,
  options: OpenTableOptions = {},
): TableReader {
  const handle = fs.openSync(path, 'read');
  try {
    const frame = readTableFrameSync(handle, fileName, expected, options.zstd ?? sharedZstd);
    return readerOf(handle, frame, expected, options);
  } catch (error) {
    // The first failure is the one to report.
    handle.close().catch(() => undefined);
    throw error;
  }
}

function readerOf(
  handle: FileHandle,
  frame: TableFrame,
  expected: ExpectedTable,
  { cache, zstd = sharedZstd }: OpenTableOptions,
): TableReader {
  const blocks = new TableBlocks(frame, handle, (blockCount) => cache?.table(expected.fileNumber, blockCount));
  if (blocks.hasCompressed && zstd() === undefined) throw zstdMissing(frame.identity.file);
  return new TableReader(handle, expected, frame, blocks);
}
