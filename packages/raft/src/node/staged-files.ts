/** Small work on files that are being staged: reading them back, copying and removing them. */

import { assert, crc32c } from '@kayadb/codec';
import { type FileHandle, type FileSystem, isNotFound } from '@kayadb/vfs';

/** Bound: memory for reading a file back. */
const READ_BYTES = 256 * 1024;

/** @returns The whole file, or `undefined` when it is not there. */
export async function readIfThere(fs: FileSystem, path: string): Promise<Uint8Array | undefined> {
  try {
    return await fs.readFile(path);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/**
 * CRC-32C of the first `bytes` bytes of a file.
 *
 * @param isWhole - Whether the file must have just these.
 * @returns `undefined` when it is not there, is too short, or, where that matters, too long.
 */
export async function checksumOfFile(
  fs: FileSystem,
  path: string,
  bytes: number,
  isWhole: boolean,
): Promise<number | undefined> {
  let handle: FileHandle;
  try {
    handle = await fs.open(path, 'read');
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
  try {
    const size = await handle.size();
    if (size < bytes || (isWhole && size !== bytes)) return undefined;
    return await checksumOf(handle, bytes);
  } finally {
    await handle.close();
  }
}

async function checksumOf(handle: FileHandle, bytes: number): Promise<number | undefined> {
  const buffer = new Uint8Array(Math.min(bytes, READ_BYTES));
  let crc = 0;
  for (let at = 0; at < bytes;) {
    const part = buffer.subarray(0, Math.min(buffer.length, bytes - at));
    const read = await handle.read(part, at);
    if (read === 0) return undefined;
    crc = crc32c(part.subarray(0, read), crc);
    at += read;
  }
  return crc;
}

/**
 * Makes a file of the first `bytes` bytes of another. Requires: that has as many, and nothing has the new name.
 *
 * Durability: of the bytes, when it resolves; not of the name.
 */
export async function copyStart(fs: FileSystem, from: string, to: string, bytes: number): Promise<void> {
  const source = await fs.open(from, 'read');
  try {
    const target = await fs.open(to, 'create');
    try {
      const buffer = new Uint8Array(Math.min(bytes, READ_BYTES));
      for (let at = 0; at < bytes;) {
        const read = await source.read(buffer.subarray(0, Math.min(buffer.length, bytes - at)), at);
        assert(read > 0, `${from} ends before it is copied`);
        await target.write(buffer.subarray(0, read), at);
        at += read;
      }
      await target.sync();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** Removes the files in `folder` but those in `kept`. Does nothing when there is no such folder. */
export async function removeFilesIn(fs: FileSystem, folder: string, kept: readonly string[]): Promise<void> {
  if ((await fs.stat(folder)) === undefined) return;
  const isKept = new Set(kept);
  for (const { name, kind } of await fs.readDirectory(folder)) {
    if (kind === 'file' && !isKept.has(name)) await fs.unlink(`${folder}/${name}`);
  }
}
