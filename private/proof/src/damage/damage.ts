/**
 * One thing that has happened to a store's files, as data: it prints, and is applied to a copy of the disk.
 *
 * `rot`: bytes inside a file came back wrong; an error names that file, at or before the place. `replaced`: files are whole, but
 * not the right ones, or end too early: two files contradict each other, and an error may name either of them.
 */

import type { MemoryFileSystem } from '@kayadb/vfs/testing';

import { DIRECTORY } from '../workload/proof-world.ts';

export type DamageKind =
  | 'flip'
  | 'cut'
  | 'page'
  | 'swap'
  | 'stale'
  | 'foreign'
  | 'exchange'
  | 'missing'
  | 'double'
  | 'extended'
  | 'shifted';

export interface FileChange {
  readonly file: string;
  /** The content now; `undefined` when the file is gone. */
  readonly bytes: Uint8Array | undefined;
  /** Outside of these offsets the file is as it was. `to` counts in the longer of the two. */
  readonly from: number;
  readonly to: number;
}

export interface Damage {
  readonly kind: DamageKind;
  readonly nature: 'rot' | 'replaced';
  /** What was done, in words and numbers that are enough to do it again. */
  readonly story: string;
  readonly changes: readonly FileChange[];
}

/** Makes the changes on `disk`. */
export function applyDamage(disk: MemoryFileSystem, { changes }: Damage): void {
  for (const { file, bytes, from, to } of changes) {
    const path = `${DIRECTORY}/${file}`;
    if (bytes === undefined) {
      void disk.unlink(path);
      continue;
    }
    const handle = disk.openSync(path, exists(disk, path) ? 'write' : 'create');
    handle.writeSync(bytes.subarray(from, Math.min(to, bytes.length)), from);
    // Every call of this disk does its work before it returns its promise.
    if (handle.sizeSync() !== bytes.length) void handle.truncate(bytes.length);
    void handle.close();
  }
}

/** @returns `undefined` when nothing differs. */
export function changeOf(file: string, before: Uint8Array, after: Uint8Array): FileChange | undefined {
  const shorter = Math.min(before.length, after.length);
  let from = 0;
  while (from < shorter && before[from] === after[from]) from++;
  if (from === before.length && from === after.length) return undefined;
  let to = Math.max(before.length, after.length);
  if (before.length === after.length) while (before[to - 1] === after[to - 1]) to--;
  return { file, bytes: after, from, to };
}

function exists(disk: MemoryFileSystem, path: string): boolean {
  try {
    void disk.openSync(path, 'read').close();
    return true;
  } catch {
    return false;
  }
}
