/**
 * A copy of an open store, with a list of every file's length and checksum. Format: docs/format/backup.md.
 *
 * Invariant: what is copied has been read back and verified; damage is refused, not stored.
 */

import { publishFile } from '@kayadb/vfs';

import { tableFileName } from '../files/file-names.ts';
import { checkTableFile } from '../snapshot/check-table-file.ts';
import { publishDirectory } from '../snapshot/publish-directory.ts';
import type { SourceStore } from '../snapshot/source-store.ts';
import { captureImage, type StoreImage, writeImage } from '../snapshot/store-image.ts';
import { Turn } from '../turn.ts';
import type { BackupOptions, CheckpointInfo } from '../types.ts';
import { BACKUP_FILE, type BackedUpFile, encodeBackupList } from './backup-format.ts';
import { checksumFile, copyFile } from './copy-file.ts';
import { CopyProgress } from './copy-progress.ts';

/**
 * Copies `image`, which is released in any case, into `directory`. Writes and compactions may go on meanwhile.
 *
 * Durability: complete and durable once this resolves; until then, and if it rejects, the name does not exist.
 *
 * @param directory - Must not exist. May be on another disk.
 * @param image - Default what the tables of `source` hold now.
 * @throws CorruptionError when a table is damaged; it names the file and the place.
 * @throws EngineError KAYA_ABORTED, FileSystemError
 */
export async function backup(
  source: SourceStore,
  directory: string,
  options: BackupOptions = {},
  image: StoreImage = captureImage(source),
): Promise<CheckpointInfo> {
  const { fileSystem } = source.resources;
  const progress = new CopyProgress('the backup', image.info.bytes, options);
  try {
    progress.check();
    return await publishDirectory(fileSystem, directory, async (partial) => {
      const files = await copyTables(source, image, partial, progress);
      await writeImage(source, partial, image);
      files.push(...(await checksumOthers(source, partial, progress)));
      files.sort((a, b) => (a.name < b.name ? -1 : 1));
      const list = encodeBackupList({ storeId: source.storeId, info: image.info, files });
      await publishFile(fileSystem, partial, BACKUP_FILE, list);
      return image.info;
    });
  } finally {
    image.release();
  }
}

async function copyTables(
  { directory, storeId, resources }: SourceStore,
  { tables }: StoreImage,
  partial: string,
  progress: CopyProgress,
): Promise<BackedUpFile[]> {
  const { fileSystem } = resources;
  const turn = new Turn(resources);
  const files: BackedUpFile[] = [];
  for (const table of tables) {
    const name = tableFileName(table.fileNumber);
    const content = await copyFile(fileSystem, `${directory}/${name}`, `${partial}/${name}`, (bytes) =>
      progress.add(bytes),
    );
    // The copy is verified, so both what was read and what was written are.
    await checkTableFile(fileSystem, partial, storeId, table, () => {
      progress.check();
      return turn.step();
    });
    files.push({ name, ...content });
  }
  return files;
}

/** Of the files that make a store of the tables. They were written just now. */
async function checksumOthers(
  { resources: { fileSystem } }: SourceStore,
  partial: string,
  progress: CopyProgress,
): Promise<readonly BackedUpFile[]> {
  const files: BackedUpFile[] = [];
  for (const { name } of await fileSystem.readDirectory(partial)) {
    if (name.endsWith('.sst')) continue;
    files.push({ name, ...(await checksumFile(fileSystem, `${partial}/${name}`, () => progress.check())) });
  }
  return files;
}
