/** Reads a backup whole and says whether it is what was written. Format: docs/format/backup.md. */

import { CorruptionError } from '../errors.ts';
import { resolveResources } from '../resources.ts';
import type { CheckpointInfo } from '../types.ts';
import { BACKUP_FILE } from './backup-format.ts';
import { checksumFile } from './copy-file.ts';
import { CopyProgress } from './copy-progress.ts';
import { checkListedFile, checkPath, type OfflineBackupOptions, readBackupList } from './read-backup.ts';

/**
 * Checks that every file of the backup in `directory` is there with its length and checksum, and that there is no other.
 *
 * @returns What the backup holds.
 * @throws CorruptionError for the first file that is not what was written.
 * @throws EngineError KAYA_STORE_MISSING when `directory` holds no backup; KAYA_UNSUPPORTED; KAYA_ABORTED.
 * @throws FileSystemError
 * @throws TypeError unless `directory` is a path.
 */
export async function verifyBackup(directory: string, options: OfflineBackupOptions = {}): Promise<CheckpointInfo> {
  checkPath('verifyBackup', directory);
  const { fileSystem } = resolveResources(options.fileSystem === undefined ? {} : { fileSystem: options.fileSystem });
  const list = await readBackupList(fileSystem, directory);
  const known = new Set([BACKUP_FILE, ...list.files.map(({ name }) => name)]);
  const stranger = (await fileSystem.readDirectory(directory)).find(({ name }) => !known.has(name));
  if (stranger !== undefined) throw new CorruptionError(stranger.name, 0, 'the backup does not list it');
  const totalBytes = list.files.reduce((sum, { bytes }) => sum + bytes, 0);
  const progress = new CopyProgress('the verification', totalBytes, options);
  progress.check();
  for (const file of list.files) {
    await checkListedFile(fileSystem, directory, list, file, (path) =>
      checksumFile(fileSystem, path, (bytes) => progress.add(bytes)),
    );
  }
  return list.info;
}
