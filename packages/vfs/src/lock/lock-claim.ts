/**
 * Claims: lock files that are taken whole or not at all, and taken over from the dead one at a time.
 *
 * There is no flock in Node, so a claim is a file made elsewhere and linked to its name: link fails when the name is
 * taken, and nobody ever sees half a claim. Removing a dead owner's claim is the dangerous step, for two contenders
 * may find it dead and the slower one would remove the faster one's new claim. Hence it is done under a second claim
 * named after the dead owner's token, and only after reading the first again.
 *
 * Invariant: a claim holding token S is removed by its owner, or by the one holder of the claim `takeover-S`. Tokens
 * never come back, so a leftover `takeover-S` matters only while a claim still holds S.
 */

import { FileSystemError, isExists, isNotFound } from '../file-system-error.ts';
import type { FileSystem } from '../file-system.ts';
import { TEMPORARY_SUFFIX } from '../publish-file.ts';
import { DirectoryLockedError } from './directory-locked-error.ts';
import { decodeLockOwner, encodeLockOwner, type LockOwner } from './lock-owner.ts';
import type { ProcessTable } from './process-table.ts';

export const LOCK_FILE_NAME = 'LOCK';
const TAKEOVER_PREFIX = `${LOCK_FILE_NAME}.takeover-`;

/** Bound: times a claim may change hands while one contender tries to get it. */
const MAX_ROUNDS = 64;
/** Bound: takers that died one upon the other. */
const MAX_TAKEOVER_DEPTH = 16;

/** Whether a name in a data directory belongs to its lock, half-made and leftover claims included. */
export function isLockFileName(name: string): boolean {
  return name === LOCK_FILE_NAME || isLeftoverName(name);
}

function isLeftoverName(name: string): boolean {
  return name.startsWith(TAKEOVER_PREFIX) || (name.startsWith(`${LOCK_FILE_NAME}.`) && name.endsWith(TEMPORARY_SUFFIX));
}

export type ClaimState =
  | { readonly kind: 'free' }
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'owned'; readonly owner: LockOwner };

export interface Claim {
  readonly owner: LockOwner;
  /** The dead owner from whom it was taken over. */
  readonly tookOverFrom: LockOwner | undefined;
}

/** The claims of one directory, as one process sees them. It keeps nothing but names. */
export class LockClaims {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #processes: ProcessTable;

  constructor(fs: FileSystem, directory: string, processes: ProcessTable) {
    this.#fs = fs;
    this.#directory = directory;
    this.#processes = processes;
  }

  get lockPath(): string {
    return `${this.#directory}/${LOCK_FILE_NAME}`;
  }

  async read(path: string): Promise<ClaimState> {
    let bytes: Uint8Array;
    try {
      bytes = await this.#fs.readFile(path);
    } catch (error) {
      if (isNotFound(error)) return { kind: 'free' };
      if (error instanceof FileSystemError && error.code === 'KAYA_FS_IS_DIRECTORY') return { kind: 'unreadable' };
      throw error;
    }
    const owner = decodeLockOwner(bytes);
    return owner === undefined ? { kind: 'unreadable' } : { kind: 'owned', owner };
  }

  /** @throws DirectoryLockedError, FileSystemError */
  async take(path: string, depth: number = 0): Promise<Claim> {
    let tookOverFrom: LockOwner | undefined;
    let lastOwner: LockOwner | undefined;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const state = await this.read(path);
      if (state.kind === 'unreadable') throw DirectoryLockedError.unreadable(path);
      if (state.kind === 'owned') {
        lastOwner = state.owner;
        const liveness = this.#processes.isAlive(state.owner);
        if (liveness !== 'dead') throw DirectoryLockedError.heldBy(path, state.owner, liveness);
        if (await this.remove(path, state.owner.token, depth + 1)) tookOverFrom = state.owner;
      } else {
        const owner = await this.#tryLink(path);
        if (owner !== undefined) return { owner, tookOverFrom };
      }
    }
    throw DirectoryLockedError.contended(path, lastOwner);
  }

  /**
   * Removes the claim at `path` if it still holds `token` (`undefined`: if it is still unreadable).
   * Requires: its owner is dead.
   *
   * @returns Whether it was this call that removed it.
   */
  async remove(path: string, token: string | undefined, depth: number = 1): Promise<boolean> {
    if (depth > MAX_TAKEOVER_DEPTH) throw DirectoryLockedError.contended(path, undefined);
    const guard = `${this.#directory}/${TAKEOVER_PREFIX}${token ?? 'unreadable'}`;
    const { owner } = await this.take(guard, depth);
    try {
      const state = await this.read(path);
      const same = token === undefined ? state.kind === 'unreadable' : holds(state, token);
      // Gone already when `path` is a takeover that the next holder of the lock has tidied away.
      if (same) await this.#unlinkIfThere(path);
      return same;
    } finally {
      await this.release(guard, owner.token);
    }
  }

  /** Gives back an own claim. Does nothing when it is no longer held: somebody certified this process gone. */
  async release(path: string, token: string): Promise<void> {
    if (holds(await this.read(path), token)) await this.#unlinkIfThere(path);
  }

  /**
   * Removes what crashed contenders left. Requires: the caller holds the lock, for then no takeover in progress can
   * matter any more, and a live contender whose half-made claim disappears looks again and finds the lock taken.
   */
  async removeLeftovers(): Promise<void> {
    for (const { name } of await this.#fs.readDirectory(this.#directory)) {
      if (isLeftoverName(name)) await this.#unlinkIfThere(`${this.#directory}/${name}`);
    }
  }

  /** The path of the claim that holds `token`, if there is one. */
  async find(token: string): Promise<string | undefined> {
    const names = (await this.#fs.readDirectory(this.#directory)).map((entry) => entry.name);
    for (const name of names.filter((each) => each === LOCK_FILE_NAME || each.startsWith(TAKEOVER_PREFIX))) {
      const path = `${this.#directory}/${name}`;
      if (holds(await this.read(path), token)) return path;
    }
    return undefined;
  }

  /** @returns Undefined when somebody else was faster. */
  async #tryLink(path: string): Promise<LockOwner | undefined> {
    const token = this.#processes.newToken();
    const temporary = `${this.#directory}/${LOCK_FILE_NAME}.${token}${TEMPORARY_SUFFIX}`;
    try {
      const owner = await this.#writeOwner(temporary, token);
      return (await this.#linkTo(path, temporary, token)) ? owner : undefined;
    } finally {
      // A leftover is harmless and the next holder removes it; the outcome above is what counts.
      await this.#unlinkIfThere(temporary).catch(() => {});
    }
  }

  /** @returns Whether the claim at `path` is this one. */
  async #linkTo(path: string, temporary: string, token: string): Promise<boolean> {
    try {
      await this.#fs.link(temporary, path);
      return true;
    } catch (error) {
      // Not found: the holder of the lock has tidied the half-made claim away.
      if (isNotFound(error)) return false;
      // A network file system may repeat a request whose answer was lost, and then find our own link.
      if (isExists(error)) return holds(await this.read(path), token);
      // The outcome is unknown: a link that was made all the same must not keep everybody out.
      await this.release(path, token).catch(() => {});
      throw error;
    }
  }

  /** Durability: the content survives power loss before the name is linked, so that no crash leaves an empty lock. */
  async #writeOwner(temporary: string, token: string): Promise<LockOwner> {
    const handle = await this.#fs.open(temporary, 'create');
    try {
      const modifiedMs = (await this.#fs.stat(temporary))?.modifiedMs ?? 0;
      const owner = { ...this.#processes.self(), token, takenAt: new Date(modifiedMs).toISOString() };
      await handle.write(encodeLockOwner(owner), 0);
      await handle.sync();
      return owner;
    } finally {
      await handle.close();
    }
  }

  async #unlinkIfThere(path: string): Promise<void> {
    try {
      await this.#fs.unlink(path);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

function holds(state: ClaimState, token: string): boolean {
  return state.kind === 'owned' && state.owner.token === token;
}
