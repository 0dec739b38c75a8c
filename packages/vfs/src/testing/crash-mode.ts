/** The ways power loss may leave a disk, and the list of all that apply to a disk at one moment. */

import type { MemoryFileSystem } from './memory-file-system.ts';
import { findUnsynced } from './unsynced.ts';

export const SECTOR_BYTES = 512;
/** Bound: of each long list (sectors of a write, names, files) as many are tried, spread over it. */
const MAX_OF_EACH = 16;

/**
 * What is lost.
 *
 * - `everything`: nothing is lost. The process died and the machine did not; what is unsynced stays at risk.
 * - `nothing-unsynced`: only what was synced is left, of contents and of names.
 * - `random-sectors`: each 512-byte sector of each unsynced write survives or not, each size change too; all names do.
 * - `torn-last-write`: all survives but the last unsynced write, of which the first `bytes` bytes do.
 * - `last-write-only`: of all unsynced writes only the last survives; all names do.
 * - `size-without-data`: sizes survive, unsynced bytes do not: new parts of files read as zeros.
 * - `one-file-lost`: all survives but the unsynced contents of one file.
 * - `names-without-contents`: all names survive, no unsynced contents: renamed and new files are as they were synced, perhaps empty.
 * - `contents-without-names`: all contents survive, no unsynced change of names.
 * - `names-lost`: each unsynced change of names survives or not, later ones without earlier ones; all contents do.
 * - `one-name-lost`: all survives but one change of names, and what requires it.
 * - `one-name-kept`: of all unsynced changes of names only one survives, and what it requires; all contents do.
 * - `old-names-kept`: all survives, but files that were renamed within a folder have their old names too, as after a rename that is
 *   a link and an unlink.
 * - `anything`: `random-sectors` and `names-lost` at once.
 *
 * An `index` counts files, or changes of names, of `findUnsynced`.
 */
export type CrashMode =
  | { readonly kind: 'everything' }
  | { readonly kind: 'nothing-unsynced' }
  | { readonly kind: 'random-sectors' }
  | { readonly kind: 'torn-last-write'; readonly bytes: number }
  | { readonly kind: 'last-write-only' }
  | { readonly kind: 'size-without-data' }
  | { readonly kind: 'one-file-lost'; readonly index: number }
  | { readonly kind: 'names-without-contents' }
  | { readonly kind: 'contents-without-names' }
  | { readonly kind: 'names-lost' }
  | { readonly kind: 'one-name-lost'; readonly index: number }
  | { readonly kind: 'one-name-kept'; readonly index: number }
  | { readonly kind: 'old-names-kept' }
  | { readonly kind: 'anything' };

/**
 * Every way to crash now that may leave a disk of its own: the last write torn at each sector and at two random bytes, each file and each
 * change of names alone. Without anything unsynced, or given up by a failed sync, `everything` is all there is.
 *
 * @param random - Uniform in [0, 1).
 */
export function crashModes(fs: MemoryFileSystem, random: () => number): readonly CrashMode[] {
  const { files, nameChanges, lastWrite, isLossy } = findUnsynced(fs.content.root);
  const modes: CrashMode[] = [{ kind: 'everything' }];
  if (files.length + nameChanges.length > 0 || isLossy) modes.push({ kind: 'nothing-unsynced' });
  if (files.length > 0) modes.push({ kind: 'random-sectors' }, { kind: 'size-without-data' });
  if (lastWrite !== undefined) {
    const { length } = lastWrite.data;
    for (const at of spread(Math.ceil(length / SECTOR_BYTES))) {
      modes.push({ kind: 'torn-last-write', bytes: at * SECTOR_BYTES });
    }
    for (let i = 0; i < 2; i++) modes.push({ kind: 'torn-last-write', bytes: Math.floor(random() * length) });
  }
  if (files.length > 1 || (files[0]?.unsynced.length ?? 0) > 1) modes.push({ kind: 'last-write-only' });
  if (files.length > 1) for (const index of spread(files.length)) modes.push({ kind: 'one-file-lost', index });
  if (nameChanges.length === 0) return modes;
  modes.push({ kind: 'contents-without-names' }, { kind: 'old-names-kept' });
  if (files.length > 0) modes.push({ kind: 'names-without-contents' }, { kind: 'anything' }, { kind: 'anything' });
  if (nameChanges.length === 1) return modes;
  modes.push({ kind: 'names-lost' });
  for (const index of spread(nameChanges.length)) {
    modes.push({ kind: 'one-name-lost', index }, { kind: 'one-name-kept', index });
  }
  return modes;
}

/** The numbers below `count`, or so many of them, the first and the last among them. */
function spread(count: number): readonly number[] {
  const taken = Math.min(count, MAX_OF_EACH);
  return Array.from({ length: taken }, (_, i) => Math.round((i * (count - 1)) / Math.max(1, taken - 1)));
}
