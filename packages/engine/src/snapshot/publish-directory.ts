/**
 * The one way a whole directory comes into being: checkpoints, backups and restored stores.
 *
 * Invariant: the name does not exist, or it is complete and durable; after a crash at any moment too. What is unfinished has
 * another name, `<directory>.partial`, and the next attempt removes it.
 */

import { assertNever } from '@kayadb/codec';
import { type FileSystem, FileSystemError, isNotFound, TEMPORARY_SUFFIX } from '@kayadb/vfs';

import { BACKUP_FILE, PARTIAL_SUFFIX } from '../backup/backup-format.ts';
import { CURRENT_FILE, parseFileName } from '../files/file-names.ts';

/** What this process is making, on each file system. Two at once would take each other's files for leftovers. */
const underWayOn = new WeakMap<FileSystem, Set<string>>();

/**
 * Makes `directory`, which must not exist, with what `build` puts into it.
 *
 * Durability: the directory and its name survive power loss once it resolves, as far as `build` has synced its files.
 * If it rejects, the name does not exist, and nothing is left of the attempt, or the error says what is.
 * Requires: no other process makes the same directory meanwhile.
 *
 * @param build - Gets the path of the unfinished directory.
 * @throws FileSystemError KAYA_FS_EXISTS when the name is taken, or what has the unfinished one's name may be somebody's.
 */
export async function publishDirectory<Result>(
  fs: FileSystem,
  directory: string,
  build: (partial: string) => Promise<Result>,
): Promise<Result> {
  const target = directory.length > 1 ? directory.replace(/\/+$/, '') : directory;
  const partial = `${target}${PARTIAL_SUFFIX}`;
  const underWay = underWayOn.get(fs) ?? new Set<string>();
  underWayOn.set(fs, underWay);
  if (underWay.has(partial)) throw taken(partial, 'it is being made at this moment');
  underWay.add(partial);
  try {
    await refuseTaken(fs, target);
    await removeLeftover(fs, partial);
    return await buildAndRename(fs, partial, target, build);
  } finally {
    underWay.delete(partial);
  }
}

async function buildAndRename<Result>(
  fs: FileSystem,
  partial: string,
  target: string,
  build: (partial: string) => Promise<Result>,
): Promise<Result> {
  try {
    await fs.makeDirectory(partial);
    const result = await build(partial);
    await fs.syncDirectory(partial);
    // A rename would replace an empty folder that has appeared meanwhile.
    await refuseTaken(fs, target);
    await fs.rename(partial, target);
    await syncParent(fs, partial, target);
    return result;
  } catch (error) {
    throw await afterCleaning(fs, partial, error);
  }
}

/** A name that may not survive power loss is taken back. */
async function syncParent(fs: FileSystem, partial: string, target: string): Promise<void> {
  try {
    await fs.syncDirectory(parentOf(target));
  } catch (error) {
    try {
      await fs.rename(target, partial);
    } catch {
      throw withDetail(error, `${target} is complete, but may not survive power loss`);
    }
    throw error;
  }
}

async function refuseTaken(fs: FileSystem, path: string): Promise<void> {
  if ((await fs.stat(path)) !== undefined) throw taken(path);
}

/** Removes what an attempt before this one has left, and nothing else. */
async function removeLeftover(fs: FileSystem, partial: string): Promise<void> {
  const stat = await fs.stat(partial);
  if (stat === undefined) return;
  if (stat.kind !== 'directory') throw taken(partial, 'it is not a folder; move it away');
  for (const { name, kind } of await fs.readDirectory(partial)) {
    if (kind === 'file' && isBuilt(name)) continue;
    throw taken(partial, `it holds ${name}, so it is not what an attempt before this one left; move it away`);
  }
  await removeFolder(fs, partial);
}

/** Whether an unfinished directory may hold a file of that name. Not LOCK: then somebody has used it as a store. */
function isBuilt(name: string): boolean {
  const { kind } = parseFileName(name);
  switch (kind) {
    case 'current':
    case 'manifest':
    case 'table':
    case 'wal':
      return true;
    case 'temporary':
      return name === `${CURRENT_FILE}${TEMPORARY_SUFFIX}` || name === `${BACKUP_FILE}${TEMPORARY_SUFFIX}`;
    case 'unknown':
      return name === BACKUP_FILE;
    case 'lock':
    case 'reserve':
      return false;
    default:
      return assertNever(kind, 'file kind');
  }
}

/** Removes the unfinished directory after `failure`. @returns The error to throw. */
async function afterCleaning(fs: FileSystem, partial: string, failure: unknown): Promise<unknown> {
  try {
    await removeFolder(fs, partial);
    return failure;
  } catch (error) {
    if (isNotFound(error)) return failure;
    return withDetail(failure, `${partial} could not be removed (${String(error)}); the next attempt removes it`);
  }
}

/** Durability: first its name, or a crash might bring back the finished one that it had for a moment, without what is removed here. */
async function removeFolder(fs: FileSystem, path: string): Promise<void> {
  const entries = await fs.readDirectory(path);
  await fs.syncDirectory(parentOf(path));
  for (const { name } of entries) await fs.unlink(`${path}/${name}`);
  await fs.removeDirectory(path);
}

function taken(path: string, detail?: string): FileSystemError {
  return new FileSystemError('EEXIST', 'makeDirectory', path, detail === undefined ? {} : { detail });
}

function withDetail(error: unknown, detail: string): unknown {
  if (!(error instanceof FileSystemError)) return error;
  return new FileSystemError(error.errno, error.operation, error.path, { cause: error, detail });
}

function parentOf(path: string): string {
  const cut = path.lastIndexOf('/');
  if (cut === -1) return '.';
  return cut === 0 ? '/' : path.slice(0, cut);
}
