/**
 * The one way a file that others rely on comes into being: whole, and durable, under its final name.
 *
 * Invariant: at every moment, and after a crash at any moment, the name gives the old content or the new, or
 * nothing if there was no old one; never a part. See docs/internals/durability.md.
 */

import { FileSystemError, isNotFound } from './file-system-error.ts';
import type { FileSystem } from './file-system.ts';

/** What a crash in the middle of `publishFile` may leave behind; the next publication replaces it. */
export const TEMPORARY_SUFFIX = '.tmp';

/**
 * Writes `bytes` as the file `name` in `directory`, replacing what had that name.
 *
 * Durability: the file and its name survive power loss once it resolves. If it rejects before the rename, the old
 * file is untouched and the temporary one is removed, or the error says that it is still there. If it rejects in
 * the last step, the new file is in place but may not survive power loss; the error says so.
 * Requires: nobody else publishes the same name meanwhile. Keeps no reference to `bytes`.
 *
 * @throws FileSystemError
 */
export async function publishFile(fs: FileSystem, directory: string, name: string, bytes: Uint8Array): Promise<void> {
  const path = `${directory}/${name}`;
  const temporary = `${path}${TEMPORARY_SUFFIX}`;
  await removeLeftover(fs, temporary);
  try {
    await writeDurably(fs, temporary, bytes);
    await fs.rename(temporary, path);
  } catch (error) {
    throw await afterCleaning(fs, temporary, error);
  }
  try {
    await fs.syncDirectory(directory);
  } catch (error) {
    throw withDetail(error, `${path} has its new content, but may not survive power loss`);
  }
}

/**
 * Removes rather than overwrites: after a crash the leftover may be a second name of the published file, and
 * writing through it would tear that.
 */
async function removeLeftover(fs: FileSystem, temporary: string): Promise<void> {
  try {
    await fs.unlink(temporary);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

async function writeDurably(fs: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const handle = await fs.open(path, 'create');
  try {
    await handle.write(bytes, 0);
    await handle.sync();
  } catch (error) {
    // The first failure is the one to report; the descriptor is given back as well as it can be.
    await handle.close().catch(() => {});
    throw error;
  }
  await handle.close();
}

/** Removes the temporary file after `failure`. @returns The error to throw. */
async function afterCleaning(fs: FileSystem, temporary: string, failure: unknown): Promise<unknown> {
  try {
    await removeLeftover(fs, temporary);
    return failure;
  } catch (error) {
    return withDetail(failure, `${temporary} could not be removed (${String(error)}); it is harmless`);
  }
}

function withDetail(error: unknown, detail: string): unknown {
  if (!(error instanceof FileSystemError)) return error;
  return new FileSystemError(error.errno, error.operation, error.path, { cause: error, detail });
}
