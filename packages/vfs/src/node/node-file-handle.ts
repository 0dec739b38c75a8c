/**
 * One open descriptor, driven through the callback and synchronous calls of node:fs (FileHandle promises cost half
 * as much again per call).
 *
 * Invariant: the descriptor is closed once, after every call in flight has come back, and never used afterwards:
 * its number may belong to another file by then.
 */

import type { Stats } from 'node:fs';

import { assertOffset } from '../assert-offset.ts';
import { FileSystemError } from '../file-system-error.ts';
import type { FileHandle, OpenMode } from '../file-system.ts';
import { errnoOf, toFileSystemError } from './system-error.ts';

type Callback<T> = (error: NodeJS.ErrnoException | null, value: T) => void;
type Transfer<R> = (fd: number, buffer: Uint8Array, offset: number, length: number, position: number) => R;

/** The part of node:fs that works on a descriptor. Tests give their own, to answer short or to be interrupted. */
export interface DescriptorCalls {
  read(fd: number, buffer: Uint8Array, offset: number, length: number, position: number, done: Callback<number>): void;
  write(fd: number, buffer: Uint8Array, offset: number, length: number, position: number, done: Callback<number>): void;
  readonly readSync: Transfer<number>;
  readonly writeSync: Transfer<number>;
  fdatasync(fd: number, done: (error: NodeJS.ErrnoException | null) => void): void;
  fdatasyncSync(fd: number): void;
  ftruncate(fd: number, bytes: number, done: (error: NodeJS.ErrnoException | null) => void): void;
  fstat(fd: number, done: Callback<Stats>): void;
  fstatSync(fd: number): Stats;
  close(fd: number, done: (error: NodeJS.ErrnoException | null) => void): void;
}

/** Bound: interruptions in a row after which a transfer gives up, so that it cannot spin for ever. */
const MAX_INTERRUPTIONS = 1000;

function isInterruption(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'EINTR' || errno === 'EAGAIN';
}

export class NodeFileHandle implements FileHandle {
  readonly path: string;
  readonly #fd: number;
  readonly #calls: DescriptorCalls;
  readonly #writable: boolean;
  #inFlight = 0;
  #closing: Promise<void> | undefined;
  #onDrained: (() => void) | undefined;

  /** Requires: `fd` is open in the way that `mode` says. The handle owns it from here on. */
  constructor(fd: number, path: string, mode: OpenMode, calls: DescriptorCalls) {
    this.#fd = fd;
    this.path = path;
    this.#writable = mode !== 'read';
    this.#calls = calls;
  }

  read(buffer: Uint8Array, position: number): Promise<number> {
    return this.#transfer('read', buffer, position);
  }

  readSync(buffer: Uint8Array, position: number): number {
    return this.#transferSync('read', buffer, position);
  }

  async write(data: Uint8Array, position: number): Promise<void> {
    await this.#transfer('write', data, position);
  }

  writeSync(data: Uint8Array, position: number): void {
    this.#transferSync('write', data, position);
  }

  /** A failed fdatasync is never repeated here, not even an interrupted one: the kernel may have dropped the pages and would report success. */
  sync(): Promise<void> {
    return this.#start('sync', (done) => this.#calls.fdatasync(this.#fd, done));
  }

  syncSync(): void {
    this.#assertOpen('sync');
    try {
      this.#calls.fdatasyncSync(this.#fd);
    } catch (error) {
      throw toFileSystemError(error, 'sync', this.path);
    }
  }

  async truncate(bytes: number): Promise<void> {
    this.#assertWritable('truncate');
    assertOffset('bytes', bytes);
    await this.#start<void>('truncate', (done) => this.#calls.ftruncate(this.#fd, bytes, done));
  }

  async size(): Promise<number> {
    const stats = await this.#start<Stats>('size', (done) => this.#calls.fstat(this.#fd, done));
    return stats.size;
  }

  sizeSync(): number {
    this.#assertOpen('size');
    try {
      return this.#calls.fstatSync(this.#fd).size;
    } catch (error) {
      throw toFileSystemError(error, 'size', this.path);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#closeOnce();
    return this.#closing;
  }

  async #closeOnce(): Promise<void> {
    if (this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        this.#onDrained = resolve;
      });
    }
    await new Promise<void>((resolve, reject) => {
      this.#calls.close(this.#fd, (error) => {
        // After EINTR, Linux has closed the descriptor all the same; closing again could hit another file.
        if (error === null || isInterruption(error)) resolve();
        else reject(toFileSystemError(error, 'close', this.path));
      });
    });
  }

  #assertOpen(operation: string): void {
    if (this.#closing !== undefined) throw new FileSystemError('EBADF', operation, this.path);
  }

  #assertWritable(operation: string): void {
    this.#assertOpen(operation);
    if (!this.#writable) throw new FileSystemError('EBADF', operation, this.path);
  }

  #transfer(operation: 'read' | 'write', buffer: Uint8Array, position: number): Promise<number> {
    return this.#start<number>(operation, (done) => {
      if (operation === 'write') this.#assertWritable(operation);
      assertOffset('position', position);
      let moved = 0;
      let interruptions = 0;
      const step = (): void => {
        this.#calls[operation](this.#fd, buffer, moved, buffer.length - moved, position + moved, (error, bytes) => {
          if (error !== null) {
            interruptions++;
            if (isInterruption(error) && interruptions < MAX_INTERRUPTIONS) step();
            else done(error, moved);
            return;
          }
          interruptions = 0;
          moved += bytes;
          if (moved === buffer.length || (bytes === 0 && operation === 'read')) done(null, moved);
          else if (bytes === 0) done(this.#nothingWritten(), moved);
          else step();
        });
      };
      step();
    });
  }

  #transferSync(operation: 'read' | 'write', buffer: Uint8Array, position: number): number {
    if (operation === 'write') this.#assertWritable(operation);
    else this.#assertOpen(operation);
    assertOffset('position', position);
    const call = operation === 'read' ? this.#calls.readSync : this.#calls.writeSync;
    let moved = 0;
    let interruptions = 0;
    while (moved < buffer.length) {
      let bytes: number;
      try {
        bytes = call(this.#fd, buffer, moved, buffer.length - moved, position + moved);
      } catch (error) {
        interruptions++;
        if (isInterruption(error) && interruptions < MAX_INTERRUPTIONS) continue;
        throw toFileSystemError(error, operation, this.path);
      }
      interruptions = 0;
      moved += bytes;
      if (bytes === 0) {
        if (operation === 'read') break;
        throw this.#nothingWritten();
      }
    }
    return moved;
  }

  /** A write that moves nothing and reports nothing would loop for ever. */
  #nothingWritten(): FileSystemError {
    return new FileSystemError('EIO', 'write', this.path);
  }

  /** Runs one call with the handle held open until it has come back. */
  #start<T>(operation: string, call: (done: (error: Error | null, value: T) => void) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#assertOpen(operation);
      this.#inFlight++;
      const leave = (): void => {
        this.#inFlight--;
        if (this.#inFlight === 0) this.#onDrained?.();
      };
      try {
        call((error, value) => {
          leave();
          if (error === null) resolve(value);
          else reject(toFileSystemError(error, operation, this.path));
        });
      } catch (error) {
        leave();
        throw error;
      }
    });
  }
}
