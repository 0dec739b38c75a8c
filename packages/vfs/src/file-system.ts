/**
 * The seam under every byte that KayaDB keeps: a small file system, as the engine and the Raft log need it.
 *
 * What a caller may rely on after power loss is stated here and nowhere else:
 * - bytes of a file survive once `sync()` of a handle on it has resolved after they were written;
 * - a name (created, renamed, linked, removed) survives once `syncDirectory()` of its folder has resolved;
 * - a failed `sync()` or `syncDirectory()` leaves the outcome unknown for ever: a later success proves nothing.
 *
 * Every failure is a FileSystemError with a stable code, the operation and the path.
 */

/**
 * - `read`: must exist, cannot be written.
 * - `write`: must exist, read and written in place.
 * - `create`: must not exist, read and written.
 */
export type OpenMode = 'read' | 'write' | 'create';

export type FileKind = 'file' | 'directory' | 'other';

export interface DirectoryEntry {
  readonly name: string;
  readonly kind: FileKind;
}

export interface FileStat {
  readonly kind: FileKind;
  /** Size in bytes; 0 for folders. */
  readonly bytes: number;
  /** Last modification, in milliseconds since 1970. For display only. */
  readonly modifiedMs: number;
  /** Permission bits, as in 0o600. */
  readonly mode: number;
}

export interface DiskSpace {
  readonly totalBytes: number;
  /** What an unprivileged process may still write. */
  readonly availableBytes: number;
}

/**
 * An open file. Reads and writes name their position, so one handle may serve several readers.
 *
 * The synchronous twins do the same work in the caller's turn. They exist because a buffered write of a few
 * kilobytes costs about a microsecond, and its way through the thread pool thirty.
 */
export interface FileHandle {
  readonly path: string;
  /**
   * Fills `buffer` from `position`.
   *
   * @returns Bytes read; fewer than `buffer.length` only at the end of the file.
   */
  read(buffer: Uint8Array, position: number): Promise<number>;
  readSync(buffer: Uint8Array, position: number): number;
  /** Writes all of `data` at `position`, or throws with an unknown part of it written. Keeps no reference to `data`. */
  write(data: Uint8Array, position: number): Promise<void>;
  writeSync(data: Uint8Array, position: number): void;
  /** Durability: what was written before the call, and the file's size, survive power loss once it resolves. */
  sync(): Promise<void>;
  syncSync(): void;
  /** Cuts or zero-extends the file. */
  truncate(bytes: number): Promise<void>;
  size(): Promise<number>;
  sizeSync(): number;
  /** Idempotent. Does not sync. */
  close(): Promise<void>;
}

/** Paths are POSIX-like; `/` separates. Nothing here follows a pattern or creates a parent unasked. */
export interface FileSystem {
  open(path: string, mode: OpenMode): Promise<FileHandle>;
  /** As `open`, in the caller's turn: for readers that may wait for the disk. */
  openSync(path: string, mode: OpenMode): FileHandle;
  /** The whole file in a new array. */
  readFile(path: string): Promise<Uint8Array>;
  /** Sorted by name. */
  readDirectory(path: string): Promise<readonly DirectoryEntry[]>;
  /** @returns `undefined` when nothing has that name. */
  stat(path: string): Promise<FileStat | undefined>;
  /** Creates one folder (parents must exist), readable by its owner only. @returns false when it was there already. */
  makeDirectory(path: string): Promise<boolean>;
  /** Replaces `to` atomically if it exists. Durable after `syncDirectory` of the folders involved. */
  rename(from: string, to: string): Promise<void>;
  /** A second name for the same file. Fails with KAYA_FS_EXISTS when `to` exists. */
  link(from: string, to: string): Promise<void>;
  /** Removes a name of a file. */
  unlink(path: string): Promise<void>;
  /** Removes an empty folder. */
  removeDirectory(path: string): Promise<void>;
  /** Durability: names created, renamed, linked or removed in `path` before the call survive power loss. */
  syncDirectory(path: string): Promise<void>;
  diskSpace(path: string): Promise<DiskSpace>;
}
