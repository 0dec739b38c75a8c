/** An open file of MemoryFileSystem. It keeps its file after the last name is gone, as POSIX has it. */

import { assertOffset } from '../assert-offset.ts';
import { FileSystemError } from '../file-system-error.ts';
import type { FileHandle, OpenMode } from '../file-system.ts';
import type { MemoryFile } from './memory-file.ts';

/** What a handle asks of the file system it belongs to. */
export interface MemoryDisk {
  /** @throws FileSystemError EROFS */
  assertWritable(operation: string, path: string): void;
  /** How many bytes of a growth from `from` to `to` fit. */
  roomFor(from: number, to: number): number;
  /** Accounts for a file whose size went from `from` to `to`. */
  resized(from: number, to: number): void;
  nextSequence(): number;
  opened(): void;
  released(file: MemoryFile): void;
  mutated(operation: string, path: string): void;
}

/** How a failed sync left the pages. */
export type FailedSyncPages = 'unchanged' | 'dropped' | 'clean';

export class MemoryFileHandle implements FileHandle {
  readonly path: string;
  readonly #file: MemoryFile;
  readonly #mode: OpenMode;
  readonly #disk: MemoryDisk;
  #closed = false;

  constructor(path: string, file: MemoryFile, mode: OpenMode, disk: MemoryDisk) {
    this.path = path;
    this.#file = file;
    this.#mode = mode;
    this.#disk = disk;
    file.handles++;
    disk.opened();
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    return this.readSync(buffer, position);
  }

  readSync(buffer: Uint8Array, position: number): number {
    this.#assertOpen('read');
    assertOffset('position', position);
    return this.#file.read(buffer, position);
  }

  async write(data: Uint8Array, position: number): Promise<void> {
    this.writeSync(data, position);
  }

  /** On a disk that is nearly full the part that fits is written, as the operating system would. */
  writeSync(data: Uint8Array, position: number): void {
    this.#assertWritable('write');
    assertOffset('position', position);
    if (data.length === 0) return;
    const before = this.#file.bytes;
    const end = position + data.length;
    const fits = end <= before ? data.length : this.#disk.roomFor(before, end) + before - position;
    if (fits > 0) {
      this.#file.write(data.subarray(0, fits), position, this.#disk.nextSequence());
      this.#disk.resized(before, this.#file.bytes);
      this.#disk.mutated('write', this.path);
    }
    if (fits < data.length) throw new FileSystemError('ENOSPC', 'write', this.path);
  }

  async sync(): Promise<void> {
    this.syncSync();
  }

  syncSync(): void {
    this.#assertOpen('sync');
    this.#file.sync();
    this.#disk.mutated('sync', this.path);
  }

  async truncate(bytes: number): Promise<void> {
    this.#assertWritable('truncate');
    assertOffset('bytes', bytes);
    const before = this.#file.bytes;
    if (bytes > before && this.#disk.roomFor(before, bytes) < bytes - before) {
      throw new FileSystemError('ENOSPC', 'truncate', this.path);
    }
    this.#file.resize(bytes, this.#disk.nextSequence());
    this.#disk.resized(before, bytes);
    this.#disk.mutated('truncate', this.path);
  }

  async size(): Promise<number> {
    return this.sizeSync();
  }

  sizeSync(): number {
    this.#assertOpen('size');
    return this.#file.bytes;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#file.handles--;
    this.#disk.released(this.#file);
  }

  /** Leaves the file as a sync that failed would; the caller reports the failure. For fault injection. */
  failSync(pages: FailedSyncPages): void {
    this.#assertOpen('sync');
    if (pages === 'dropped') this.#file.revertUnsynced(this.#disk.nextSequence());
    else if (pages === 'clean') this.#file.forgetUnsynced();
  }

  /** The same file has the same identity through every name and handle. For fault injection. */
  get identity(): object {
    return this.#file;
  }

  #assertOpen(operation: string): void {
    if (this.#closed) throw new FileSystemError('EBADF', operation, this.path);
  }

  #assertWritable(operation: string): void {
    this.#assertOpen(operation);
    if (this.#mode === 'read') throw new FileSystemError('EBADF', operation, this.path);
    this.#disk.assertWritable(operation, this.path);
  }
}
