/**
 * The folders of a group's data: stores and snapshots, each named after the index that it came with. Format: docs/format/node.md.
 *
 * Invariant: a folder that has its name is complete and durable; what is being made, or being removed, has another. Names that are none of these are left alone.
 */

import { type FileSystem, TEMPORARY_SUFFIX } from '@kayadb/vfs';

export const SNAPSHOTS_FOLDER = 'snapshots';

const STORE = /^store-(0|[1-9]\d*)$/;
const INDEX = /^(0|[1-9]\d*)$/;
/** What `checkpoint` of the engine is making. */
const PARTIAL_SUFFIX = '.partial';

export function storePath(directory: string, index: number): string {
  return `${directory}/store-${index}`;
}

export function snapshotsPath(directory: string): string {
  return `${directory}/${SNAPSHOTS_FOLDER}`;
}

export function snapshotPath(directory: string, index: number): string {
  return `${snapshotsPath(directory)}/${index}`;
}

/** Indexes of the stores in the folder of a group, ascending. */
export async function listStores(fs: FileSystem, directory: string): Promise<readonly number[]> {
  return await listIndexes(fs, directory, STORE);
}

/** Indexes of the snapshots, ascending. */
export async function listSnapshots(fs: FileSystem, directory: string): Promise<readonly number[]> {
  return await listIndexes(fs, snapshotsPath(directory), INDEX);
}

/** Removes what a crash has left of folders that were being made or removed. */
export async function removeLeftovers(fs: FileSystem, directory: string): Promise<void> {
  for (const [parent, pattern] of [
    [directory, STORE],
    [snapshotsPath(directory), INDEX],
  ] as const) {
    for (const { name, kind } of await fs.readDirectory(parent)) {
      const base = [TEMPORARY_SUFFIX, PARTIAL_SUFFIX].find((suffix) => name.endsWith(suffix));
      if (kind !== 'directory' || base === undefined || !pattern.test(name.slice(0, -base.length))) continue;
      await removeFiles(fs, `${parent}/${name}`);
    }
  }
}

/**
 * Makes `target` a folder of second names of `names` in `source`, and nothing else. Does nothing when it is there.
 *
 * Durability: when it resolves, if the files are.
 */
export async function publishLinks(
  fs: FileSystem,
  source: string,
  names: readonly string[],
  target: string,
): Promise<void> {
  if ((await fs.stat(target)) !== undefined) return;
  const temporary = target + TEMPORARY_SUFFIX;
  if ((await fs.stat(temporary)) !== undefined) await removeFiles(fs, temporary);
  await fs.makeDirectory(temporary);
  for (const name of names) await fs.link(`${source}/${name}`, `${temporary}/${name}`);
  await fs.syncDirectory(temporary);
  await fs.rename(temporary, target);
  await fs.syncDirectory(parentOf(target));
}

/** Removes a folder with all that is in it, and what was to become it. A crash leaves all of it, or something that `removeLeftovers` removes. */
export async function removeFolder(fs: FileSystem, path: string): Promise<void> {
  const temporary = path + TEMPORARY_SUFFIX;
  if ((await fs.stat(temporary)) !== undefined) await removeFiles(fs, temporary);
  if ((await fs.stat(path)) === undefined) return;
  await fs.rename(path, temporary);
  // What had the finished name must not have it again after a crash, with a part of its files.
  await fs.syncDirectory(parentOf(path));
  await removeFiles(fs, temporary);
}

/** Durability: of its name, when it resolves. */
export async function ensureFolder(fs: FileSystem, path: string): Promise<void> {
  await fs.makeDirectory(path);
  await fs.syncDirectory(parentOf(path));
}

async function removeFiles(fs: FileSystem, folder: string): Promise<void> {
  for (const { name } of await fs.readDirectory(folder)) await fs.unlink(`${folder}/${name}`);
  await fs.removeDirectory(folder);
}

async function listIndexes(fs: FileSystem, directory: string, pattern: RegExp): Promise<readonly number[]> {
  const indexes: number[] = [];
  for (const { name, kind } of await fs.readDirectory(directory)) {
    const index = Number(pattern.exec(name)?.[1] ?? Number.NaN);
    if (kind === 'directory' && Number.isSafeInteger(index)) indexes.push(index);
  }
  return indexes.toSorted((a, b) => a - b);
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
