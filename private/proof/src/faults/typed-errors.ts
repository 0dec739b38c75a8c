/** Whether an error is one that a caller can act on: typed, all the way down, and with the file and the operation in its sentence. */

import { KayaError } from '@kayadb/codec';
import { FileSystemError } from '@kayadb/engine';

import { DIRECTORY } from '../workload/proof-world.ts';

/** @returns What is wrong with `error`, if anything. */
export function untyped(error: unknown): string | undefined {
  if (error instanceof AggregateError) {
    if (error.errors.length === 0) return 'an AggregateError of nothing';
    return error.errors.map(untyped).find((complaint) => complaint !== undefined);
  }
  if (!(error instanceof KayaError)) return `no KayaError: ${error instanceof Error ? error.stack : String(error)}`;
  const cause = diskCause(error);
  if (cause === undefined) return undefined;
  const { operation, path } = cause;
  return error.message.includes(operation) && error.message.includes(path)
    ? undefined
    : `does not name ${operation} of ${path}: ${error.message}`;
}

/**
 * Whether `error` is a bare failure to change one of the store's own files, of which nobody knows what it left. With the disk full or
 * descriptors short a write is taken back; a sync never is.
 */
export function hasUnknownOutcome(error: unknown): boolean {
  if (!(error instanceof FileSystemError)) return false;
  const { operation, path, code } = error;
  if (!path.startsWith(`${DIRECTORY}/`) && path !== DIRECTORY) return false;
  if (path.includes('/LOCK') || path.includes('/RESERVE')) return false;
  if (operation === 'sync' || operation === 'syncDirectory') return true;
  return operation === 'write' && code !== 'KAYA_DISK_FULL' && code !== 'KAYA_FS_TOO_MANY_FILES';
}

/** The codes of an error, or of those that it is an aggregate of. */
export function errorCodes(error: unknown): readonly string[] {
  if (error instanceof AggregateError) return error.errors.flatMap(errorCodes);
  return [error instanceof KayaError ? error.code : 'none'];
}

/** The failed call of the disk that `error` is, or that is underneath. */
export function diskCause(error: unknown): FileSystemError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof FileSystemError) return cause;
  return undefined;
}
