/**
 * A FileSystem around another that sees every call before it is made: what tracing, fault injection and seeded
 * scheduling have in common.
 */

import type { DirectoryEntry, DiskSpace, FileHandle, FileStat, FileSystem, OpenMode } from '../file-system.ts';

/** One call. `paths` has two entries for rename and link; the fields below it are there when the call has them. */
export interface Operation {
  readonly kind: OperationKind;
  readonly paths: readonly string[];
  readonly mode?: OpenMode;
  readonly position?: number;
  readonly bytes?: number;
  /** What a write was given; valid during the call only. */
  readonly data?: Uint8Array;
  /** The handle underneath, for the calls of a handle. */
  readonly handle?: FileHandle;
}

export type OperationKind =
  | 'open'
  | 'read'
  | 'write'
  | 'sync'
  | 'truncate'
  | 'size'
  | 'close'
  | 'readFile'
  | 'readDirectory'
  | 'stat'
  | 'makeDirectory'
  | 'rename'
  | 'link'
  | 'unlink'
  | 'removeDirectory'
  | 'syncDirectory'
  | 'diskSpace';

/** Decides about each call; `run` makes it. Synchronous twins come to `callSync`. */
export interface Interceptor {
  call<T>(operation: Operation, run: () => Promise<T>): Promise<T>;
  callSync<T>(operation: Operation, run: () => T): T;
}

export class InterceptedFileSystem implements FileSystem {
  readonly #inner: FileSystem;
  readonly #interceptor: Interceptor;

  constructor(inner: FileSystem, interceptor: Interceptor) {
    this.#inner = inner;
    this.#interceptor = interceptor;
  }

  async open(path: string, mode: OpenMode): Promise<FileHandle> {
    const operation: Operation = { kind: 'open', paths: [path], mode };
    const handle = await this.#interceptor.call(operation, () => this.#inner.open(path, mode));
    return new InterceptedHandle(handle, this.#interceptor);
  }

  openSync(path: string, mode: OpenMode): FileHandle {
    const operation: Operation = { kind: 'open', paths: [path], mode };
    const handle = this.#interceptor.callSync(operation, () => this.#inner.openSync(path, mode));
    return new InterceptedHandle(handle, this.#interceptor);
  }

  readFile(path: string): Promise<Uint8Array> {
    return this.#call('readFile', [path], () => this.#inner.readFile(path));
  }

  readDirectory(path: string): Promise<readonly DirectoryEntry[]> {
    return this.#call('readDirectory', [path], () => this.#inner.readDirectory(path));
  }

  stat(path: string): Promise<FileStat | undefined> {
    return this.#call('stat', [path], () => this.#inner.stat(path));
  }

  makeDirectory(path: string): Promise<boolean> {
    return this.#call('makeDirectory', [path], () => this.#inner.makeDirectory(path));
  }

  rename(from: string, to: string): Promise<void> {
    return this.#call('rename', [from, to], () => this.#inner.rename(from, to));
  }

  link(from: string, to: string): Promise<void> {
    return this.#call('link', [from, to], () => this.#inner.link(from, to));
  }

  unlink(path: string): Promise<void> {
    return this.#call('unlink', [path], () => this.#inner.unlink(path));
  }

  removeDirectory(path: string): Promise<void> {
    return this.#call('removeDirectory', [path], () => this.#inner.removeDirectory(path));
  }

  syncDirectory(path: string): Promise<void> {
    return this.#call('syncDirectory', [path], () => this.#inner.syncDirectory(path));
  }

  diskSpace(path: string): Promise<DiskSpace> {
    return this.#call('diskSpace', [path], () => this.#inner.diskSpace(path));
  }

  #call<T>(kind: OperationKind, paths: readonly string[], run: () => Promise<T>): Promise<T> {
    return this.#interceptor.call({ kind, paths }, run);
  }
}

/** The innermost handle under any number of interceptors. */
export function innermostHandle(handle: FileHandle): FileHandle {
  return handle instanceof InterceptedHandle ? innermostHandle(handle.inner) : handle;
}

class InterceptedHandle implements FileHandle {
  readonly path: string;
  readonly #inner: FileHandle;
  readonly #interceptor: Interceptor;
  #closing: Promise<void> | undefined;

  constructor(inner: FileHandle, interceptor: Interceptor) {
    this.path = inner.path;
    this.#inner = inner;
    this.#interceptor = interceptor;
  }

  get inner(): FileHandle {
    return this.#inner;
  }

  read(buffer: Uint8Array, position: number): Promise<number> {
    const operation = this.#operation('read', { position, bytes: buffer.length });
    return this.#interceptor.call(operation, () => this.#inner.read(buffer, position));
  }

  readSync(buffer: Uint8Array, position: number): number {
    const operation = this.#operation('read', { position, bytes: buffer.length });
    return this.#interceptor.callSync(operation, () => this.#inner.readSync(buffer, position));
  }

  write(data: Uint8Array, position: number): Promise<void> {
    const operation = this.#operation('write', { position, bytes: data.length, data });
    return this.#interceptor.call(operation, () => this.#inner.write(data, position));
  }

  writeSync(data: Uint8Array, position: number): void {
    const operation = this.#operation('write', { position, bytes: data.length, data });
    this.#interceptor.callSync(operation, () => this.#inner.writeSync(data, position));
  }

  sync(): Promise<void> {
    return this.#interceptor.call(this.#operation('sync'), () => this.#inner.sync());
  }

  syncSync(): void {
    this.#interceptor.callSync(this.#operation('sync'), () => this.#inner.syncSync());
  }

  truncate(bytes: number): Promise<void> {
    return this.#interceptor.call(this.#operation('truncate', { bytes }), () => this.#inner.truncate(bytes));
  }

  size(): Promise<number> {
    return this.#interceptor.call(this.#operation('size'), () => this.#inner.size());
  }

  sizeSync(): number {
    return this.#interceptor.callSync(this.#operation('size'), () => this.#inner.sizeSync());
  }

  /** Intercepted once, since the calls after the first do nothing. */
  close(): Promise<void> {
    this.#closing ??= this.#interceptor.call(this.#operation('close'), () => this.#inner.close());
    return this.#closing;
  }

  #operation(kind: OperationKind, more: Partial<Operation> = {}): Operation {
    return { kind, paths: [this.path], handle: this.#inner, ...more };
  }
}
