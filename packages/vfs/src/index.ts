export type { DirectoryEntry, DiskSpace, FileHandle, FileKind, FileStat, FileSystem, OpenMode } from './file-system.ts';
export { FileSystemError, type FileSystemErrorCode } from './file-system-error.ts';
