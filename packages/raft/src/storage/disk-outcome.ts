/** Tells failures that left everything as it was from those after which nobody knows what is on disk. */

import { FileSystemError, isDiskFull } from '@kayadb/vfs';

import { RaftError } from '../errors.ts';

/** Whether nothing happened: there was no room, or no descriptor for a file that was to be opened. */
export function isUndone(error: unknown): error is FileSystemError {
  if (isDiskFull(error)) return true;
  return error instanceof FileSystemError && error.code === 'KAYA_FS_TOO_MANY_FILES' && error.operation === 'open';
}

/** The final error of a storage of which a file is in an unknown state. @returns `cause` where that is typed already. */
export function poisoned(what: string, cause: unknown): RaftError {
  if (cause instanceof RaftError) return cause;
  return new RaftError('KAYA_RAFT_POISONED', `${what} failed, and nobody knows what is on disk; start the node again`, {
    cause,
  });
}
