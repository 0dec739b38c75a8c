/** The one error that leaves a FileSystem. Codes are listed in docs/reference/errors.md. */

import { KayaError } from '@kayadb/codec';

export type FileSystemErrorCode =
  | 'KAYA_FS_NOT_FOUND'
  | 'KAYA_FS_EXISTS'
  | 'KAYA_FS_IS_DIRECTORY'
  | 'KAYA_FS_NOT_EMPTY'
  | 'KAYA_FS_PERMISSION'
  | 'KAYA_FS_TOO_MANY_FILES'
  | 'KAYA_FS_CLOSED'
  | 'KAYA_DISK_FULL'
  | 'KAYA_IO';

const codes: Readonly<Record<string, FileSystemErrorCode>> = {
  ENOENT: 'KAYA_FS_NOT_FOUND',
  ENOTDIR: 'KAYA_FS_NOT_FOUND',
  ENAMETOOLONG: 'KAYA_FS_NOT_FOUND',
  EISDIR: 'KAYA_FS_IS_DIRECTORY',
  ENOTEMPTY: 'KAYA_FS_NOT_EMPTY',
  EEXIST: 'KAYA_FS_EXISTS',
  EACCES: 'KAYA_FS_PERMISSION',
  EPERM: 'KAYA_FS_PERMISSION',
  EROFS: 'KAYA_FS_PERMISSION',
  EMFILE: 'KAYA_FS_TOO_MANY_FILES',
  ENFILE: 'KAYA_FS_TOO_MANY_FILES',
  EBADF: 'KAYA_FS_CLOSED',
  ENOSPC: 'KAYA_DISK_FULL',
  EDQUOT: 'KAYA_DISK_FULL',
  EFBIG: 'KAYA_DISK_FULL',
};

const advice: Readonly<Record<FileSystemErrorCode, string>> = {
  KAYA_FS_NOT_FOUND: 'no such file or folder; check the path',
  KAYA_FS_EXISTS: 'the name exists already',
  KAYA_FS_IS_DIRECTORY: 'it is a folder, and a file was expected; check the path',
  KAYA_FS_NOT_EMPTY: 'the folder is not empty',
  KAYA_FS_PERMISSION: 'permission denied; check the owner and mode of the folder, and that it is not mounted read-only',
  KAYA_FS_TOO_MANY_FILES: 'too many open files; raise the limit (ulimit -n)',
  KAYA_FS_CLOSED: 'the file handle is closed, or was opened for reading only',
  KAYA_DISK_FULL: 'no space is left on the disk or in the quota; free some and try again',
  KAYA_IO: 'the operating system reported an input/output error; check the disk',
};

/** Where the advice for the code would mislead. */
const adviceForErrno: Readonly<Record<string, string>> = {
  ENOTDIR: 'it is a file, or lies below one, and a folder was expected; check the path',
  ENAMETOOLONG: 'the name is too long; choose a shorter one',
};

export interface FileSystemErrorOptions {
  readonly cause?: unknown;
  /** Ends the message: what the failure left behind, when that needs saying. */
  readonly detail?: string;
}

/** What a FileSystem call failed on. `errno` is the operating system's name, such as ENOSPC. */
export class FileSystemError extends KayaError<FileSystemErrorCode> {
  readonly operation: string;
  /** The path of the call; `from to to` for a call with two. */
  readonly path: string;
  readonly errno: string;

  constructor(errno: string, operation: string, path: string, options?: FileSystemErrorOptions) {
    const code = codes[errno] ?? 'KAYA_IO';
    const detail = options?.detail === undefined ? '' : `; ${options.detail}`;
    super(
      code,
      `${operation} of ${path} failed with ${errno}: ${adviceForErrno[errno] ?? advice[code]}${detail}`,
      options,
    );
    this.operation = operation;
    this.path = path;
    this.errno = errno;
  }
}

/** Whether `error` is the file system saying that nothing has that name. */
export function isNotFound(error: unknown): boolean {
  return error instanceof FileSystemError && error.code === 'KAYA_FS_NOT_FOUND';
}

/**
 * Whether `error` is a change saying that there was no room for it. A sync or a close that says so is another matter: it speaks of changes that came
 * before it, and that may be in effect, or lost.
 */
export function isDiskFull(error: unknown): error is FileSystemError {
  if (!(error instanceof FileSystemError) || error.code !== 'KAYA_DISK_FULL') return false;
  return !error.operation.startsWith('sync') && error.operation !== 'close';
}

/** Whether `error` is the file system saying that the name is taken. */
export function isExists(error: unknown): boolean {
  return error instanceof FileSystemError && error.code === 'KAYA_FS_EXISTS';
}
