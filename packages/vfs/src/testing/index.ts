export { MemoryFileSystem, type MemoryFileSystemOptions, type Mutation } from './memory-file-system.ts';
