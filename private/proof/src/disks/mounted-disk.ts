/**
 * Disks of the proof's own: a tmpfs of a given size, and an ext4 file system in a file, mounted through a loop device. Both need the right to mount,
 * which containers often lack; a disk image needs `mkfs.ext4` as well.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MEBIBYTE = 1024 * 1024;
/** Where administrators' programs are, which an ordinary PATH leaves out. */
const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;

export interface MountedDisk extends Disposable {
  readonly path: string;
  at(...parts: readonly string[]): string;
}

/** A file system in a file. */
export interface DiskImage extends MountedDisk {
  /**
   * What the disk holds at this moment, as the file system has written it, mounted as a disk of its own: what memory alone held is missing, as
   * after power loss. Requires: no process writes to the disk.
   */
  copyAsAfterPowerLoss(): DiskImage;
  /** As a file system does that has met an error: every write fails from now on, also those of open files. */
  refuseWrites(): void;
}

/** Why no tmpfs can be mounted here; undefined when it can. */
export const tmpfsIsMissing: string | undefined = whyNot(() => mountTmpfs(1));
/** Why no disk image can be made and mounted here; undefined when it can. */
export const diskImageIsMissing: string | undefined = whyNot(() => mountDiskImage(4));

/** @throws Error with what mount says. */
export function mountTmpfs(mebibytes: number): MountedDisk {
  return mounted(mkdtempSync(join(tmpdir(), 'kayadb-tmpfs-')), (path) =>
    run('mount', '-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=700`, 'tmpfs', path),
  );
}

/** A new ext4, with a journal and nothing reserved for root. @throws Error with what mkfs.ext4 or mount says. */
export function mountDiskImage(mebibytes: number): DiskImage {
  const folder = mkdtempSync(join(tmpdir(), 'kayadb-image-'));
  const image = join(folder, 'disk.img');
  try {
    writeFileSync(image, '');
    truncateSync(image, mebibytes * MEBIBYTE);
    run('mkfs.ext4', '-q', '-F', '-m', '0', image);
  } catch (error) {
    rmSync(folder, { recursive: true });
    throw error;
  }
  return mountImage(folder);
}

/** @param folder - Has `disk.img`; goes away with the disk. */
function mountImage(folder: string): DiskImage {
  const image = join(folder, 'disk.img');
  const mountPoint = mkdtempSync(join(tmpdir(), 'kayadb-ext4-'));
  const disk = mounted(mountPoint, (path) => {
    // Nothing is written back behind the engine's back for minutes: what survives is what was synced.
    run('mount', '-o', 'loop,commit=300', image, path);
  });
  return {
    ...disk,
    copyAsAfterPowerLoss() {
      const copy = mkdtempSync(join(tmpdir(), 'kayadb-image-'));
      run('cp', '--sparse=always', image, join(copy, 'disk.img'));
      return mountImage(copy);
    },
    refuseWrites: () => run('mount', '-o', 'remount,abort', mountPoint),
    [Symbol.dispose]() {
      disk[Symbol.dispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Fills the disk but for `bytes`; it may be full a little sooner than it says. @returns A function that makes the room again. */
export function fillDisk(disk: MountedDisk, bytes: number): () => void {
  const filler = disk.at('filler');
  const { bavail, bsize } = statfsSync(disk.path);
  const count = Math.max(0, bavail * bsize - bytes);
  try {
    writeFileSync(filler, Buffer.alloc(count, 1));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
  return () => rmSync(filler, { force: true });
}

function mounted(path: string, mount: (path: string) => void): MountedDisk {
  try {
    mount(path);
  } catch (error) {
    rmSync(path, { recursive: true });
    throw error;
  }
  return {
    path,
    at: (...parts) => join(path, ...parts),
    [Symbol.dispose]() {
      // Lazily, so that a process that is about to end does not leave the mount behind.
      run('umount', '-l', path);
      rmSync(path, { recursive: true });
    },
  };
}

function run(program: string, ...argv: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, argv, { encoding: 'utf8', env: { ...process.env, PATH } });
  if (error !== undefined) throw new Error(`${program} cannot be run: ${error.message}`);
  if (status !== 0) throw new Error(`${program} ${argv.join(' ')} failed: ${stderr.trim()}`);
}

function whyNot(mount: () => MountedDisk): string | undefined {
  if (process.platform !== 'linux') return 'this is not Linux';
  if (process.getuid?.() !== 0) return 'mounting needs root';
  try {
    mount()[Symbol.dispose]();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
