/** Who can get at the data on the disk. The store itself creates its folder 0700 and its files 0600. */

import type { FileSystem } from '@kayadb/vfs';

import { UsageError } from './usage-error.ts';

type Folders = Pick<FileSystem, 'stat' | 'readDirectory'>;

const OTHERS_CAN_WRITE = 0o002;
const NOT_THE_OWNER = 0o077;

/**
 * @returns Warnings about access that others than the owner have.
 * @throws UsageError when everybody can write: then nothing read from it could be trusted.
 */
export async function checkDataDirectory(fileSystem: Folders, directory: string): Promise<readonly string[]> {
  const stat = await fileSystem.stat(directory);
  if (stat === undefined) return [];
  if (stat.kind !== 'directory')
    throw new UsageError(`--data ${directory} is not a folder`, 'name a folder, or a new name');
  if ((stat.mode & OTHERS_CAN_WRITE) !== 0) {
    throw new UsageError(
      `every user of this machine can write to the data folder ${directory} (mode ${octal(stat.mode)})`,
      `run chmod 700 ${directory}, and check that nobody has put files there`,
    );
  }
  const warnings: string[] = [];
  if ((stat.mode & NOT_THE_OWNER) !== 0) {
    warnings.push(
      `other users can get at the data folder ${directory} (mode ${octal(stat.mode)}); run chmod 700 on it`,
    );
  }
  const open = await countOpenFiles(fileSystem, directory);
  if (open > 0) warnings.push(`${open} files in ${directory} can be read by other users; run chmod 600 on them`);
  return warnings;
}

async function countOpenFiles(fileSystem: Folders, directory: string): Promise<number> {
  let count = 0;
  for (const { name, kind } of await fileSystem.readDirectory(directory)) {
    if (kind !== 'file') continue;
    const stat = await fileSystem.stat(`${directory}/${name}`);
    if (stat !== undefined && (stat.mode & NOT_THE_OWNER) !== 0) count++;
  }
  return count;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(3, '0');
}
