export type { DirectoryEntry, DiskSpace, FileHandle, FileKind, FileStat, FileSystem, OpenMode } from './file-system.ts';
export {
  FileSystemError,
  isExists,
  isNotFound,
  type FileSystemErrorCode,
  type FileSystemErrorOptions,
} from './file-system-error.ts';
export { nodeFileSystem } from './node/node-file-system.ts';
