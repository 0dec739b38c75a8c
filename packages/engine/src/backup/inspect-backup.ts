/** Compares every file of a backup with its list, and goes on behind each that differs. Format: docs/format/backup.md. */

import { FileSystemError } from '@kayadb/vfs';

import { CorruptionError } from '../errors.ts';
import { plainReason } from '../recover/examine-table.ts';
import { resolveResources } from '../resources.ts';
import type { CheckpointInfo } from '../types.ts';
import { BACKUP_FILE } from './backup-format.ts';
import { checksumFile } from './copy-file.ts';
import { CopyProgress } from './copy-progress.ts';
import { checkListedFile, checkPath, type OfflineBackupOptions, readBackupList } from './read-backup.ts';

/** A place in a backup that is not what was written. */
export interface BackupDamage {
  /** Name inside the backup. */
  readonly file: string;
  /** Bytes from the start of the file, as near as can be told; 0 for a file that is missing, not listed or unreadable. */
  readonly offset: number;
  readonly reason: string;
  /** The operating system refused to open or read it, so it may be in order. */
  readonly isUnreadable: boolean;
}

export interface BackupReport {
  /** What the backup holds, by its list. */
  readonly info: CheckpointInfo;
  /** How many files the list names. */
  readonly fileCount: number;
  /** In the order of names, one for each file that is not what was written or is not listed. Empty: the backup is whole. */
  readonly damage: readonly BackupDamage[];
}

/**
 * Checks that every file of the backup in `directory` is there with its length and checksum, and that there is no other. Reads only.
 *
 * @throws CorruptionError when the list itself is damaged.
 * @throws EngineError KAYA_STORE_MISSING when `directory` holds no backup; KAYA_UNSUPPORTED; KAYA_ABORTED.
 * @throws FileSystemError when the directory or the list cannot be read.
 * @throws TypeError unless `directory` is a path.
 */
export async function inspectBackup(directory: string, options: OfflineBackupOptions = {}): Promise<BackupReport> {
  checkPath('inspectBackup', directory);
  const { info, fileCount, failures } = await gatherBackupFailures(directory, options);
  const damage = failures.map(({ file, error }) => describeFailure(file, error));
  return { info, fileCount, damage };
}

/** What became of one file that is not what was written. */
export interface BackupFailure {
  readonly file: string;
  readonly error: CorruptionError | FileSystemError;
}

/** As `inspectBackup`, with the errors themselves. */
export async function gatherBackupFailures(
  directory: string,
  options: OfflineBackupOptions,
): Promise<{ readonly info: CheckpointInfo; readonly fileCount: number; readonly failures: readonly BackupFailure[] }> {
  const { fileSystem } = resolveResources(options.fileSystem === undefined ? {} : { fileSystem: options.fileSystem });
  const list = await readBackupList(fileSystem, directory);
  const known = new Set([BACKUP_FILE, ...list.files.map(({ name }) => name)]);
  const strangers = (await fileSystem.readDirectory(directory)).filter(({ name }) => !known.has(name));
  const failures: BackupFailure[] = strangers.map(({ name }) => ({
    file: name,
    error: new CorruptionError(name, 0, 'the backup does not list it'),
  }));
  const totalBytes = list.files.reduce((sum, { bytes }) => sum + bytes, 0);
  const progress = new CopyProgress('the verification', totalBytes, options);
  progress.check();
  for (const file of list.files) {
    let readBytes = 0;
    try {
      await checkListedFile(fileSystem, directory, list, file, (path) =>
        checksumFile(fileSystem, path, (bytes) => {
          readBytes += bytes;
          progress.add(bytes);
        }),
      );
    } catch (error) {
      if (!(error instanceof CorruptionError) && !(error instanceof FileSystemError)) throw error;
      failures.push({ file: file.name, error });
      // What was not read of it will not be.
      progress.add(Math.max(0, file.bytes - readBytes));
    }
  }
  return { info: list.info, fileCount: list.files.length, failures: failures.toSorted(byFile) };
}

function byFile(a: BackupFailure, b: BackupFailure): number {
  return a.file < b.file ? -1 : 1;
}

function describeFailure(file: string, error: CorruptionError | FileSystemError): BackupDamage {
  if (error instanceof FileSystemError) return { file, offset: 0, reason: error.message, isUnreadable: true };
  return { file, offset: error.offset, reason: plainReason(error), isUnreadable: false };
}
