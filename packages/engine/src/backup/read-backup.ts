/** What verifying and restoring a backup have in common: its list, and the comparison of a file with what the list says. */

import { type FileSystem, isNotFound } from '@kayadb/vfs';

import { CorruptionError, EngineError } from '../errors.ts';
import { parseFileName } from '../files/file-names.ts';
import { openTable } from '../sstable/open-table.ts';
import type { BackupOptions } from '../types.ts';
import { BACKUP_FILE, type BackedUpFile, type BackupList, MAX_BACKUP_BYTES, parseBackupList } from './backup-format.ts';
import type { FileContent } from './copy-file.ts';

export interface OfflineBackupOptions extends BackupOptions {
  /** By default the real one. */
  readonly fileSystem?: FileSystem;
}

/** @throws TypeError with a sentence for the user unless `path` may be one. */
export function checkPath(name: string, path: unknown): void {
  if (typeof path !== 'string' || path === '') throw new TypeError(`${name}: a directory must be a path`);
}

/**
 * Reads the list of the backup in `directory`.
 *
 * @throws EngineError KAYA_STORE_MISSING when there is none; KAYA_UNSUPPORTED when a newer version wrote it.
 * @throws CorruptionError when it is damaged.
 */
export async function readBackupList(fs: FileSystem, directory: string): Promise<BackupList> {
  const stat = await fs.stat(`${directory}/${BACKUP_FILE}`);
  if (stat === undefined) {
    throw new EngineError(
      'KAYA_STORE_MISSING',
      `there is no backup in ${directory}: it has no ${BACKUP_FILE}; check the path`,
    );
  }
  if (stat.bytes > MAX_BACKUP_BYTES) {
    throw new CorruptionError(
      BACKUP_FILE,
      MAX_BACKUP_BYTES,
      `it has ${stat.bytes} bytes, too many for a list of files`,
    );
  }
  return parseBackupList(await fs.readFile(`${directory}/${BACKUP_FILE}`));
}

/**
 * Reads one file of the backup with `read`, and compares.
 *
 * @throws CorruptionError when it is missing or not what was written, with the place if the file itself tells it.
 */
export async function checkListedFile(
  fs: FileSystem,
  directory: string,
  list: BackupList,
  file: BackedUpFile,
  read: (path: string) => Promise<FileContent>,
): Promise<void> {
  const { name } = file;
  const path = `${directory}/${name}`;
  const stat = await fs.stat(path);
  if (stat === undefined)
    throw new CorruptionError(name, 0, `it is missing from the backup; ${describe(file)} was there`);
  if (stat.kind !== 'file') throw new CorruptionError(name, 0, `it is not a file; ${describe(file)} was there`);
  const content = await read(path).catch((error: unknown) => {
    throw isNotFound(error) ? new CorruptionError(name, 0, 'it was removed while the backup was read') : error;
  });
  if (content.bytes !== file.bytes) {
    const at = Math.min(content.bytes, file.bytes);
    throw new CorruptionError(name, at, `it has ${content.bytes} bytes, and ${file.bytes} were written`);
  }
  if (content.crc === file.crc) return;
  await locateDamage(fs, path, list, file);
  throw new CorruptionError(
    name,
    0,
    `the CRC of its ${file.bytes} bytes is ${hex(content.crc)}, and ${hex(file.crc)} was written`,
  );
}

/** A damaged table can say where it is damaged. @throws CorruptionError */
async function locateDamage(fs: FileSystem, path: string, { storeId }: BackupList, file: BackedUpFile): Promise<void> {
  const parsed = parseFileName(file.name);
  if (parsed.kind !== 'table') return;
  const { fileNumber } = parsed;
  const reader = await openTable(fs, path, file.name, { storeId, fileNumber, fileBytes: file.bytes });
  try {
    await reader.verify();
  } finally {
    await reader.close();
  }
}

function describe({ bytes, crc }: BackedUpFile): string {
  return `one of ${bytes} bytes with CRC ${hex(crc)}`;
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0');
}
