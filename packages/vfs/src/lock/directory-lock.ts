/**
 * One process per data directory: `acquireDirectoryLock` and what belongs to it.
 *
 * Invariant: of all processes whose ProcessTable tells the truth, at most one holds a directory's lock. How that is
 * held without flock is told in lock-claim.ts.
 */

import type { FileSystem } from '../file-system.ts';
import { DirectoryLockedError } from './directory-locked-error.ts';
import { LockClaims } from './lock-claim.ts';
import type { LockOwner } from './lock-owner.ts';
import type { ProcessTable } from './process-table.ts';

export interface DirectoryLock {
  /** The lock file. */
  readonly path: string;
  readonly owner: LockOwner;
  /** The dead owner from whom it was taken over: that process ended without closing. Worth a line in the log. */
  readonly tookOverFrom: LockOwner | undefined;
  /** Idempotent. Requires: nothing in the directory is used any more. @throws FileSystemError; may be tried again. */
  release(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What `inspectDirectoryLock` found. `stale`: the owner is dead, and opening would take the lock over. */
export type DirectoryLockState =
  | { readonly kind: 'free' }
  | { readonly kind: 'held'; readonly owner: LockOwner; readonly liveness: 'alive' | 'unknown' }
  | { readonly kind: 'stale'; readonly owner: LockOwner }
  | { readonly kind: 'unreadable' };

/**
 * Takes the lock of `directory`, from a dead owner if need be.
 *
 * The same process is refused a second time too. Requires: `directory` exists, and its file system has hard links.
 * Durability: none is needed; a lock that survives power loss names a boot that is over.
 *
 * @throws DirectoryLockedError KAYA_LOCKED when its owner is alive, cannot be seen from here, or cannot be read.
 * @throws FileSystemError when the directory is missing, read-only or full.
 */
export async function acquireDirectoryLock(
  fs: FileSystem,
  directory: string,
  processes: ProcessTable,
): Promise<DirectoryLock> {
  const claims = new LockClaims(fs, directory, processes);
  const { owner, tookOverFrom } = await claims.take(claims.lockPath);
  // Leftovers take some bytes and nothing else; failing to remove them is no reason not to open.
  await claims.removeLeftovers().catch(() => {});
  return new HeldDirectoryLock(claims, owner, tookOverFrom);
}

/** Says who holds the lock of `directory`, without changing anything. @throws FileSystemError */
export async function inspectDirectoryLock(
  fs: FileSystem,
  directory: string,
  processes: ProcessTable,
): Promise<DirectoryLockState> {
  const claims = new LockClaims(fs, directory, processes);
  const state = await claims.read(claims.lockPath);
  if (state.kind !== 'owned') return state;
  const { owner } = state;
  const liveness = processes.isAlive(owner);
  return liveness === 'dead' ? { kind: 'stale', owner } : { kind: 'held', owner, liveness };
}

/**
 * Removes a lock on the word of an operator, who certifies that its owner has ended though it cannot be seen from here.
 *
 * Removes the claim with `expectedToken` only: the lock, or the claim of a process that ended while it took the lock
 * over. `undefined` stands for a lock file that cannot be read.
 *
 * @returns False when no such claim is left.
 * @throws DirectoryLockedError when its owner is running after all, or somebody is taking it over.
 */
export async function breakDirectoryLock(
  fs: FileSystem,
  directory: string,
  processes: ProcessTable,
  expectedToken: string | undefined,
): Promise<boolean> {
  const claims = new LockClaims(fs, directory, processes);
  const path = expectedToken === undefined ? claims.lockPath : await claims.find(expectedToken);
  if (path === undefined) return false;
  const state = await claims.read(path);
  if (state.kind === 'owned' && state.owner.token === expectedToken && processes.isAlive(state.owner) === 'alive') {
    throw DirectoryLockedError.heldBy(path, state.owner, 'alive');
  }
  return claims.remove(path, expectedToken);
}

class HeldDirectoryLock implements DirectoryLock {
  readonly owner: LockOwner;
  readonly tookOverFrom: LockOwner | undefined;
  readonly #claims: LockClaims;
  #releasing: Promise<void> | undefined;

  constructor(claims: LockClaims, owner: LockOwner, tookOverFrom: LockOwner | undefined) {
    this.#claims = claims;
    this.owner = owner;
    this.tookOverFrom = tookOverFrom;
  }

  get path(): string {
    return this.#claims.lockPath;
  }

  release(): Promise<void> {
    this.#releasing ??= this.#claims.release(this.path, this.owner.token).catch((error: unknown) => {
      this.#releasing = undefined;
      throw error;
    });
    return this.#releasing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}
