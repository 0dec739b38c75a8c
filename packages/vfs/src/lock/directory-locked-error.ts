/** Why a directory lock was refused. The code is listed in docs/reference/errors.md. */

import { dirname } from 'node:path';

import { KayaError } from '@kayadb/codec';

import type { LockOwner } from './lock-owner.ts';

/** What an operator gives to `kayactl unlock` in the place of the token, when the lock file cannot be read. */
export const UNREADABLE_LOCK_TOKEN = 'unreadable';

export type DirectoryLockErrorCode = 'KAYA_LOCKED';

export interface DirectoryLockedOptions {
  readonly path: string;
  /** `undefined` when the lock file cannot be read as one. */
  readonly owner: LockOwner | undefined;
  readonly liveness: 'alive' | 'unknown';
  readonly detail: string;
}

/** Somebody holds the folder, or may hold it. */
export class DirectoryLockedError extends KayaError<DirectoryLockErrorCode> {
  /** The lock file. */
  readonly path: string;
  readonly owner: LockOwner | undefined;
  readonly liveness: 'alive' | 'unknown';

  constructor({ path, owner, liveness, detail }: DirectoryLockedOptions) {
    super('KAYA_LOCKED', detail);
    this.path = path;
    this.owner = owner;
    this.liveness = liveness;
  }

  /** The owner runs, or cannot be told to have ended. */
  static heldBy(path: string, owner: LockOwner, liveness: 'alive' | 'unknown'): DirectoryLockedError {
    const who = `process ${owner.pid} on host ${owner.host} since ${owner.takenAt}`;
    const detail =
      liveness === 'alive'
        ? `${path} is held by ${who}, which is running; stop that process or use another directory`
        : `${path} is held by ${who}, in another host or container, so it cannot be seen from here whether it still ` +
          `runs; make sure that it has ended, then run ${unlockCommand(path, owner.token)}`;
    return new DirectoryLockedError({ path, owner, liveness, detail });
  }

  /** The file is there and is no lock: nobody can say whose it was. */
  static unreadable(path: string): DirectoryLockedError {
    const detail =
      `${path} exists but is not a readable lock file, so it cannot be told who holds the directory; ` +
      `make sure that no process uses the directory, then run ${unlockCommand(path, UNREADABLE_LOCK_TOKEN)}`;
    return new DirectoryLockedError({ path, owner: undefined, liveness: 'unknown', detail });
  }

  /** Others took and gave back the lock faster than this process could look. */
  static contended(path: string, owner: LockOwner | undefined): DirectoryLockedError {
    const detail = `${path} changed hands again and again while this process tried to take it; try again`;
    return new DirectoryLockedError({ path, owner, liveness: 'unknown', detail });
  }
}

function unlockCommand(path: string, token: string): string {
  return `"kayactl --data ${dirname(path)} unlock --token ${token}"`;
}
