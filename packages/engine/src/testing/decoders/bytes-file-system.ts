/** Files that are byte arrays, read only: the cheapest disk for those who read a whole file once. */

import {
  type DirectoryEntry,
  type DiskSpace,
  type FileHandle,
  type FileStat,
  type FileSystem,
  FileSystemError,
} from '@kayadb/vfs';

export class BytesFileSystem implements FileSystem {
  readonly #files: ReadonlyMap<string, Uint8Array>;

  /** Keeps the arrays. @param files - By path. */
  constructor(files: ReadonlyMap<string, Uint8Array>) {
    this.#files = files;
  }

  async open(path: string): Promise<FileHandle> {
    return this.openSync(path);
  }

  openSync(path: string): FileHandle {
    return new BytesHandle(path, this.#find(path, 'open'));
  }

  async readFile(path: string): Promise<Uint8Array> {
    return this.#find(path, 'read').slice();
  }

  async readDirectory(path: string): Promise<readonly DirectoryEntry[]> {
    const inside = [...this.#files.keys()].filter((file) => file.startsWith(`${path}/`));
    return inside.map((file) => ({ name: file.slice(path.length + 1), kind: 'file' }));
  }

  async stat(path: string): Promise<FileStat | undefined> {
    const bytes = this.#files.get(path)?.length;
    return bytes === undefined ? undefined : { kind: 'file', bytes, modifiedMs: 0, mode: 0o600 };
  }

  makeDirectory(path: string): Promise<boolean> {
    throw refusal('makeDirectory', path);
  }

  rename(path: string): Promise<void> {
    throw refusal('rename', path);
  }

  link(path: string): Promise<void> {
    throw refusal('link', path);
  }

  unlink(path: string): Promise<void> {
    throw refusal('unlink', path);
  }

  removeDirectory(path: string): Promise<void> {
    throw refusal('removeDirectory', path);
  }

  syncDirectory(path: string): Promise<void> {
    throw refusal('syncDirectory', path);
  }

  async diskSpace(): Promise<DiskSpace> {
    return { totalBytes: 0, availableBytes: 0 };
  }

  #find(path: string, operation: string): Uint8Array {
    const bytes = this.#files.get(path);
    if (bytes === undefined) throw new FileSystemError('ENOENT', operation, path);
    return bytes;
  }
}

class BytesHandle implements FileHandle {
  readonly path: string;
  readonly #bytes: Uint8Array;

  constructor(path: string, bytes: Uint8Array) {
    this.path = path;
    this.#bytes = bytes;
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    return this.readSync(buffer, position);
  }

  readSync(buffer: Uint8Array, position: number): number {
    const end = Math.min(this.#bytes.length, position + buffer.length);
    if (position >= end) return 0;
    buffer.set(this.#bytes.subarray(position, end));
    return end - position;
  }

  async size(): Promise<number> {
    return this.#bytes.length;
  }

  sizeSync(): number {
    return this.#bytes.length;
  }

  async close(): Promise<void> {}

  write(): Promise<void> {
    throw refusal('write', this.path);
  }

  writeSync(): void {
    throw refusal('write', this.path);
  }

  sync(): Promise<void> {
    throw refusal('sync', this.path);
  }

  syncSync(): void {
    throw refusal('sync', this.path);
  }

  truncate(): Promise<void> {
    throw refusal('truncate', this.path);
  }
}

function refusal(operation: string, path: string): FileSystemError {
  return new FileSystemError('EROFS', operation, path);
}
