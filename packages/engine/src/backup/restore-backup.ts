/** Makes a store of a backup. Format: docs/format/backup.md. */

import { CorruptionError } from '../errors.ts';
import { readStore } from '../recover/load-store.ts';
import { resolveResources } from '../resources.ts';
import { publishDirectory } from '../snapshot/publish-directory.ts';
import type { CheckpointInfo } from '../types.ts';
import { BACKUP_FILE } from './backup-format.ts';
import { copyFile } from './copy-file.ts';
import { CopyProgress } from './copy-progress.ts';
import { checkListedFile, checkPath, type OfflineBackupOptions, readBackupList } from './read-backup.ts';

/**
 * Copies the backup in `backupDirectory` to `directory`, verifying every byte on the way. The backup is only read.
 *
 * Durability: the store is complete and durable once this resolves; until then, and if it rejects, the name does not exist.
 *
 * @param directory - Must not exist.
 * @returns What the store holds.
 * @throws CorruptionError for the first file that is not what was written.
 * @throws EngineError KAYA_STORE_MISSING when there is no backup; KAYA_UNSUPPORTED; KAYA_ABORTED.
 * @throws FileSystemError KAYA_FS_EXISTS when the name is taken.
 * @throws TypeError unless both are paths.
 */
export async function restoreBackup(
  backupDirectory: string,
  directory: string,
  options: OfflineBackupOptions = {},
): Promise<CheckpointInfo> {
  checkPath('restoreBackup', backupDirectory);
  checkPath('restoreBackup', directory);
  const { fileSystem } = resolveResources(options.fileSystem === undefined ? {} : { fileSystem: options.fileSystem });
  const list = await readBackupList(fileSystem, backupDirectory);
  const totalBytes = list.files.reduce((sum, { bytes }) => sum + bytes, 0);
  const progress = new CopyProgress('the restore', totalBytes, options);
  progress.check();
  return publishDirectory(fileSystem, directory, async (partial) => {
    for (const file of list.files) {
      await checkListedFile(fileSystem, backupDirectory, list, file, (path) =>
        copyFile(fileSystem, path, `${partial}/${file.name}`, (bytes) => progress.add(bytes)),
      );
    }
    // As opening does: a list that leaves out a file would be found here and not by the first reader.
    const store = await readStore(fileSystem, partial, () => undefined);
    if (store?.wal.lastSequence !== list.info.sequence) {
      throw new CorruptionError(BACKUP_FILE, 0, 'what it lists is not the store that it describes');
    }
    return list.info;
  });
}
