/** Says whether a backup is what was written, for callers who want yes or an error. Format: docs/format/backup.md. */

import type { CheckpointInfo } from '../types.ts';
import { gatherBackupFailures } from './inspect-backup.ts';
import { checkPath, type OfflineBackupOptions } from './read-backup.ts';

/**
 * Checks that every file of the backup in `directory` is there with its length and checksum, and that there is no other. It reads all
 * of it, also behind a file that is not what was written; `inspectBackup` names each of them.
 *
 * @returns What the backup holds.
 * @throws CorruptionError for the first file, by name, that is not what was written.
 * @throws EngineError KAYA_STORE_MISSING when `directory` holds no backup; KAYA_UNSUPPORTED; KAYA_ABORTED.
 * @throws FileSystemError
 * @throws TypeError unless `directory` is a path.
 */
export async function verifyBackup(directory: string, options: OfflineBackupOptions = {}): Promise<CheckpointInfo> {
  checkPath('verifyBackup', directory);
  const { info, failures } = await gatherBackupFailures(directory, options);
  const [first] = failures;
  if (first !== undefined) throw first.error;
  return info;
}
