/**
 * How long what makes data durable takes, and has taken already: a file system around another that times every sync of a file or folder and changes nothing. A disk that does not answer
 * may hold the first write, or a new file, for which the sync waits: so all that changes the disk is looked at, and syncs alone are counted.
 *
 * Invariant: what is under way is told from its call on until it has ended, however it ends. Bound: as many as the callers have under way.
 */

import type { Clock } from '@kayadb/codec';
import type { DirectoryEntry, DiskSpace, FileHandle, FileStat, FileSystem, OpenMode } from '@kayadb/vfs';

import type { StorageView } from '../node-view.ts';

export interface WatchedStorage {
  /** To be used in place of the one that was given. */
  readonly fileSystem: FileSystem;
  /** Of syncs through `fileSystem` alone: not of what works in threads of its own. */
  readonly storage: StorageView;
}

export function watchSyncs(fs: FileSystem, clock: Clock): WatchedStorage {
  const storage = new SyncTimes(clock);
  return { fileSystem: new TimedFileSystem(fs, storage), storage };
}

class SyncTimes implements StorageView {
  readonly #clock: Clock;
  /** When each began; in that order. */
  readonly #underWay = new Set<{ readonly sinceMs: number }>();
  #syncCount = 0;
  #syncTotalMs = 0;
  #syncMaxMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get oldestSyncMs(): number {
    const [oldest] = this.#underWay;
    return oldest === undefined ? 0 : this.#clock.now() - oldest.sinceMs;
  }

  get syncCount(): number {
    return this.#syncCount;
  }

  get syncTotalMs(): number {
    return this.#syncTotalMs;
  }

  get syncMaxMs(): number {
    return this.#syncMaxMs;
  }

  async time(sync: () => Promise<void>): Promise<void> {
    const sinceMs = this.#clock.now();
    try {
      await this.watch(sync);
    } finally {
      this.#count(sinceMs);
    }
  }

  async watch<T>(change: () => Promise<T>): Promise<T> {
    const entry = { sinceMs: this.#clock.now() };
    this.#underWay.add(entry);
    try {
      return await change();
    } finally {
      this.#underWay.delete(entry);
    }
  }

  timeSync(sync: () => void): void {
    const sinceMs = this.#clock.now();
    try {
      sync();
    } finally {
      this.#count(sinceMs);
    }
  }

  #count(sinceMs: number): void {
    const tookMs = this.#clock.now() - sinceMs;
    this.#syncCount++;
    this.#syncTotalMs += tookMs;
    this.#syncMaxMs = Math.max(this.#syncMaxMs, tookMs);
  }
}

class TimedFileSystem implements FileSystem {
  readonly #inner: FileSystem;
  readonly #times: SyncTimes;

  constructor(inner: FileSystem, times: SyncTimes) {
    this.#inner = inner;
    this.#times = times;
  }

  async open(path: string, mode: OpenMode): Promise<FileHandle> {
    return new TimedHandle(await this.#times.watch(() => this.#inner.open(path, mode)), this.#times);
  }

  openSync(path: string, mode: OpenMode): FileHandle {
    return new TimedHandle(this.#inner.openSync(path, mode), this.#times);
  }

  readFile(path: string): Promise<Uint8Array> {
    return this.#inner.readFile(path);
  }

  readDirectory(path: string): Promise<readonly DirectoryEntry[]> {
    return this.#inner.readDirectory(path);
  }

  stat(path: string): Promise<FileStat | undefined> {
    return this.#inner.stat(path);
  }

  makeDirectory(path: string): Promise<boolean> {
    return this.#times.watch(() => this.#inner.makeDirectory(path));
  }

  rename(from: string, to: string): Promise<void> {
    return this.#times.watch(() => this.#inner.rename(from, to));
  }

  link(from: string, to: string): Promise<void> {
    return this.#times.watch(() => this.#inner.link(from, to));
  }

  unlink(path: string): Promise<void> {
    return this.#times.watch(() => this.#inner.unlink(path));
  }

  removeDirectory(path: string): Promise<void> {
    return this.#times.watch(() => this.#inner.removeDirectory(path));
  }

  syncDirectory(path: string): Promise<void> {
    return this.#times.time(() => this.#inner.syncDirectory(path));
  }

  diskSpace(path: string): Promise<DiskSpace> {
    return this.#inner.diskSpace(path);
  }
}

class TimedHandle implements FileHandle {
  readonly path: string;
  readonly #inner: FileHandle;
  readonly #times: SyncTimes;

  constructor(inner: FileHandle, times: SyncTimes) {
    this.path = inner.path;
    this.#inner = inner;
    this.#times = times;
  }

  read(buffer: Uint8Array, position: number): Promise<number> {
    return this.#inner.read(buffer, position);
  }

  readSync(buffer: Uint8Array, position: number): number {
    return this.#inner.readSync(buffer, position);
  }

  write(data: Uint8Array, position: number): Promise<void> {
    return this.#times.watch(() => this.#inner.write(data, position));
  }

  writeSync(data: Uint8Array, position: number): void {
    this.#inner.writeSync(data, position);
  }

  sync(): Promise<void> {
    return this.#times.time(() => this.#inner.sync());
  }

  syncSync(): void {
    this.#times.timeSync(() => this.#inner.syncSync());
  }

  truncate(bytes: number): Promise<void> {
    return this.#times.watch(() => this.#inner.truncate(bytes));
  }

  size(): Promise<number> {
    return this.#inner.size();
  }

  sizeSync(): number {
    return this.#inner.sizeSync();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
