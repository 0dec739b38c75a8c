export type { DirectoryEntry, DiskSpace, FileHandle, FileKind, FileStat, FileSystem, OpenMode } from './file-system.ts';
export {
  FileSystemError,
  isDiskFull,
  isExists,
  isNotFound,
  type FileSystemErrorCode,
  type FileSystemErrorOptions,
} from './file-system-error.ts';
export {
  acquireDirectoryLock,
  breakDirectoryLock,
  inspectDirectoryLock,
  type DirectoryLock,
  type DirectoryLockState,
} from './lock/directory-lock.ts';
export {
  DirectoryLockedError,
  type DirectoryLockErrorCode,
  UNREADABLE_LOCK_TOKEN,
} from './lock/directory-locked-error.ts';
export { isLockFileName, LOCK_FILE_NAME } from './lock/lock-claim.ts';
export { decodeLockOwner, type LockOwner } from './lock/lock-owner.ts';
export { nodeProcessTable } from './lock/node-process-table.ts';
export type { Liveness, ProcessIdentity, ProcessTable } from './lock/process-table.ts';
export { nodeFileSystem } from './node/node-file-system.ts';
export { publishFile, TEMPORARY_SUFFIX } from './publish-file.ts';
export { undoWrite } from './undo-write.ts';
