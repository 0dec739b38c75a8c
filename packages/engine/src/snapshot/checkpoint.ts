/**
 * Another store of the same state, at next to no cost: its tables are second names of the same files, which nobody ever changes.
 * Format: docs/format/backup.md, "Checkpoints".
 */

import { FileSystemError } from '@kayadb/vfs';

import { EngineError } from '../errors.ts';
import { tableFileName } from '../files/file-names.ts';
import type { CheckpointInfo } from '../types.ts';
import { publishDirectory } from './publish-directory.ts';
import type { SourceStore } from './source-store.ts';
import { captureImage, type StoreImage, writeImage } from './store-image.ts';

/**
 * Makes `directory` a store of `image`, which is released in any case. Writes and compactions may go on meanwhile.
 *
 * Durability: complete and durable once this resolves; until then, and if it rejects, the name does not exist.
 *
 * @param directory - Must not exist. On the same file system.
 * @param image - Default what the tables of `source` hold now.
 * @throws FileSystemError KAYA_FS_EXISTS when the name is taken.
 * @throws EngineError KAYA_NO_HARD_LINKS when a table cannot have a second name there.
 */
export async function checkpoint(
  source: SourceStore,
  directory: string,
  image: StoreImage = captureImage(source),
): Promise<CheckpointInfo> {
  const { fileSystem } = source.resources;
  try {
    return await publishDirectory(fileSystem, directory, async (partial) => {
      for (const { fileNumber } of image.tables) {
        const name = tableFileName(fileNumber);
        try {
          await fileSystem.link(`${source.directory}/${name}`, `${partial}/${name}`);
        } catch (error) {
          throw explainRefusal(error, source.directory, directory);
        }
      }
      await writeImage(source, partial, image);
      return image.info;
    });
  } finally {
    image.release();
  }
}

/** Another file system; one without hard links; a file that has as many names as it may have. */
const NO_LINK_ERRNOS: readonly string[] = ['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/** @returns The error to throw. */
function explainRefusal(error: unknown, from: string, to: string): unknown {
  if (!(error instanceof FileSystemError) || !NO_LINK_ERRNOS.includes(error.errno)) return error;
  return new EngineError(
    'KAYA_NO_HARD_LINKS',
    `a checkpoint of ${from} cannot be made at ${to}: hard links between the two are impossible (${error.errno}); ` +
      'choose a place on the same file system, or make a backup, which copies',
    { cause: error },
  );
}
