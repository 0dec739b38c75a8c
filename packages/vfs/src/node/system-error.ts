/** Turns what node:fs throws into FileSystemError; anything that is not an operating system's error passes unchanged. */

import { FileSystemError } from '../file-system-error.ts';

/** The `errno` name of an operating system's error, or `undefined` for anything else (a TypeError, say). */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, errno } = error as NodeJS.ErrnoException;
  return typeof code === 'string' && typeof errno === 'number' ? code : undefined;
}

export function toFileSystemError(error: unknown, operation: string, path: string): unknown {
  const errno = errnoOf(error);
  return errno === undefined ? error : new FileSystemError(errno, operation, path, { cause: error });
}
