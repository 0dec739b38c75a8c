/**
 * The one way a folder with folders in it comes into being here: what a salvage and a new cluster are made in.
 *
 * Invariant: the name does not exist, or what has it is complete and durable; after a crash at any moment too. What is unfinished is called `<name>.partial`.
 */

import { type FileSystem, FileSystemError } from '@kayadb/vfs';

const PARTIAL_SUFFIX = '.partial';

/**
 * Makes `target`, which must not exist, with what `build` puts into it.
 *
 * Durability: when it resolves, if `build` has synced its files; names are seen to here. If it rejects, nothing is left, or the error says what is.
 *
 * @param build - Gets the path of the unfinished folder.
 * @throws FileSystemError KAYA_FS_EXISTS when the name is taken, or that of the unfinished folder is; what `build` throws.
 */
export async function publishFolder<Result>(
  fs: FileSystem,
  target: string,
  build: (partial: string) => Promise<Result>,
): Promise<Result> {
  const partial = `${target}${PARTIAL_SUFFIX}`;
  await refuseTakenFolder(fs, target);
  try {
    await fs.makeDirectory(partial);
    const result = await build(partial);
    await syncFolders(fs, partial);
    // A rename would replace an empty folder that has appeared meanwhile.
    if ((await fs.stat(target)) !== undefined) throw taken(target);
    await fs.rename(partial, target);
    await syncName(fs, partial, target);
    return result;
  } catch (error) {
    // The first failure is the one to report; what can not be removed is in the way of the next attempt, which says so.
    if ((await fs.stat(target)) === undefined) await removeTree(fs, partial).catch(() => undefined);
    throw error;
  }
}

/** Whether `target` can be made, to be asked before anything long is begun. @throws FileSystemError KAYA_FS_EXISTS when the name is taken, or that of the unfinished folder is. */
export async function refuseTakenFolder(fs: FileSystem, target: string): Promise<void> {
  const partial = `${target}${PARTIAL_SUFFIX}`;
  if ((await fs.stat(target)) !== undefined) throw taken(target);
  if ((await fs.stat(partial)) === undefined) return;
  throw taken(partial, 'an attempt before this one has left it; remove it');
}

/** A name that may not survive power loss is taken back. */
async function syncName(fs: FileSystem, partial: string, target: string): Promise<void> {
  try {
    await fs.syncDirectory(parentOf(target));
  } catch (error) {
    await fs.rename(target, partial).catch(() => undefined);
    throw error;
  }
}

/** Durability: of all names in it. */
async function syncFolders(fs: FileSystem, path: string): Promise<void> {
  for (const { name, kind } of await fs.readDirectory(path))
    if (kind === 'directory') await syncFolders(fs, `${path}/${name}`);
  await fs.syncDirectory(path);
}

export async function removeTree(fs: FileSystem, path: string): Promise<void> {
  for (const { name, kind } of await fs.readDirectory(path)) {
    if (kind === 'directory') await removeTree(fs, `${path}/${name}`);
    else await fs.unlink(`${path}/${name}`);
  }
  await fs.removeDirectory(path);
}

function parentOf(path: string): string {
  const cut = path.lastIndexOf('/');
  if (cut < 0) return '.';
  return cut === 0 ? '/' : path.slice(0, cut);
}

function taken(path: string, detail?: string): FileSystemError {
  return new FileSystemError('EEXIST', 'makeDirectory', path, detail === undefined ? {} : { detail });
}
