/** Reads a file once from start to end, piece by piece, for its length and checksum, and copies it on the way if wanted. */

import { crc32c } from '@kayadb/codec';
import type { FileHandle, FileSystem } from '@kayadb/vfs';

/** Large enough to cost little, small enough not to meet writeback throttling. */
const PIECE_BYTES = 256 * 1024;

export interface FileContent {
  readonly bytes: number;
  /** CRC-32C of the whole file. */
  readonly crc: number;
}

/** Told of each piece, in bytes; what it throws ends the reading. */
export type OnPiece = (bytes: number) => void;

/** Reads the file at `path`. @throws FileSystemError */
export async function checksumFile(fs: FileSystem, path: string, onPiece: OnPiece): Promise<FileContent> {
  const handle = await fs.open(path, 'read');
  try {
    return await readThrough(handle, undefined, onPiece);
  } finally {
    await handle.close();
  }
}

/**
 * Copies the file at `from` to `to`, which must not exist.
 *
 * Durability: the content survives power loss once it resolves, the name once its directory is synced. On failure a part may be left.
 *
 * @returns What was read.
 * @throws FileSystemError
 */
export async function copyFile(fs: FileSystem, from: string, to: string, onPiece: OnPiece): Promise<FileContent> {
  const source = await fs.open(from, 'read');
  try {
    const target = await fs.open(to, 'create');
    try {
      const content = await readThrough(source, target, onPiece);
      await target.sync();
      return content;
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

async function readThrough(source: FileHandle, target: FileHandle | undefined, onPiece: OnPiece): Promise<FileContent> {
  const buffer = new Uint8Array(Math.max(1, Math.min(PIECE_BYTES, await source.size())));
  let bytes = 0;
  let crc = 0;
  for (;;) {
    const count = await source.read(buffer, bytes);
    if (count === 0) return { bytes, crc };
    crc = crc32c(buffer, crc, 0, count);
    await target?.write(buffer.subarray(0, count), bytes);
    bytes += count;
    onPiece(count);
  }
}
