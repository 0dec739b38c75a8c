/** A text file that did not exist before. */

import { encodeUtf8 } from '@kayadb/codec';
import type { FileSystem } from '@kayadb/vfs';

/**
 * Writes `text` to `path`, which must not exist.
 *
 * Durability: the content survives power loss once it resolves. If it rejects, no part of it is left.
 *
 * @throws FileSystemError KAYA_FS_EXISTS when the name is taken.
 */
export async function writeNewFile(fileSystem: FileSystem, path: string, text: string): Promise<void> {
  const handle = await fileSystem.open(path, 'create');
  try {
    try {
      await handle.write(encodeUtf8(text), 0);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    // The first failure is the one to report.
    await fileSystem.unlink(path).catch(() => undefined);
    throw error;
  }
}
