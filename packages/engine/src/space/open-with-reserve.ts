/**
 * Gives the reserve to an opening that finds no room: recovery rewrites what it replays, so without it nobody could open a crashed store on
 * a full disk, not even to delete something.
 */

import { acquireDirectoryLock, type DirectoryLock, inspectDirectoryLock, isDiskFull } from '@kayadb/vfs';

import type { Resources } from '../resources.ts';
import { releaseReserve } from './reserve-file.ts';

type World = Pick<Resources, 'fileSystem' | 'processes'>;

/** Takes the directory's lock, which itself takes a block of the disk. @throws What `acquireDirectoryLock` throws. */
export async function lockWithReserve({ fileSystem, processes }: World, directory: string): Promise<DirectoryLock> {
  try {
    return await acquireDirectoryLock(fileSystem, directory, processes);
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    const { kind } = await inspectDirectoryLock(fileSystem, directory, processes);
    // The reserve of a store that is open is its own.
    if (kind === 'held' || kind === 'unreadable' || !(await releaseReserve(fileSystem, directory))) throw error;
    return await acquireDirectoryLock(fileSystem, directory, processes);
  }
}

/**
 * Runs `start`, and once more when it finds no room and there is a reserve to give back for it. Requires: the lock is held, and a `start`
 * that found no room has put nothing in force.
 *
 * @param start - Told whether it is the second time.
 */
export async function startWithReserve<T>(
  { fileSystem }: Pick<World, 'fileSystem'>,
  directory: string,
  start: (isAgain: boolean) => Promise<T>,
): Promise<T> {
  try {
    return await start(false);
  } catch (error) {
    if (!isDiskFull(error) || !(await releaseReserve(fileSystem, directory))) throw error;
    return await start(true);
  }
}
