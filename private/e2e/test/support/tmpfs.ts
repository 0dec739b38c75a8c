/** A disk of a given size, which can be filled and made read-only. Needs the right to mount, which containers often lack. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MOUNT = '/bin/mount';
const UMOUNT = '/bin/umount';

export interface SmallDisk extends Disposable {
  readonly path: string;
  at(...parts: readonly string[]): string;
  /** Requires: no file on it is open for writing. */
  makeReadOnly(): void;
  makeWritable(): void;
}

/** Whether this process may not mount: it is not root, or is kept from it. */
export const mountingIsRefused = !canMount();

/** @throws Error when mounting is refused. */
export function mountSmallDisk(mebibytes: number): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), 'kayadb-disk-'));
  try {
    mount('-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=700`, 'tmpfs', path);
  } catch (error) {
    rmdirSync(path);
    throw error;
  }
  return {
    path,
    at: (...parts) => join(path, ...parts),
    makeReadOnly: () => mount('-o', 'remount,ro', path),
    makeWritable: () => mount('-o', 'remount,rw', path),
    [Symbol.dispose]() {
      // Lazily, so that a process that is about to end does not leave the mount behind.
      spawnSync(UMOUNT, ['-l', path]);
      rmdirSync(path);
    },
  };
}

function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  try {
    mountSmallDisk(1)[Symbol.dispose]();
    return true;
  } catch {
    return false;
  }
}

function mount(...argv: readonly string[]): void {
  const { status, stderr } = spawnSync(MOUNT, argv, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`mount ${argv.join(' ')} failed: ${stderr}`);
}
