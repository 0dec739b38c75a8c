/** Tells a full disk, which leaves nothing behind, from failures after which nobody knows what is on disk. */

import { FileSystemError } from '@kayadb/vfs';

import { RaftError } from '../errors.ts';

/** Whether there was no room. A sync that says so is another matter: what it should have made durable may be lost. */
export function isDiskFull(error: unknown): error is FileSystemError {
  return error instanceof FileSystemError && error.code === 'KAYA_DISK_FULL' && !error.operation.startsWith('sync');
}

/** The final error of a storage whose `file` is in an unknown state. */
export function poisoned(what: string, cause: unknown): RaftError {
  if (cause instanceof RaftError && cause.code === 'KAYA_RAFT_POISONED') return cause;
  return new RaftError('KAYA_RAFT_POISONED', `${what} failed, and nobody knows what is on disk; start the node again`, {
    cause,
  });
}
