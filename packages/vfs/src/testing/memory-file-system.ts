/**
 * A whole disk in memory: deterministic, without a clock, and aware of what is durable.
 *
 * Every call does its work before it returns its promise. The disk knows for each file and each folder what a sync
 * has made durable and what is still pending, which `crashClone` turns into the disk after power loss.
 */

import { FileSystemError } from '../file-system-error.ts';
import type { DirectoryEntry, DiskSpace, FileHandle, FileStat, FileSystem, OpenMode } from '../file-system.ts';
import { type MemoryDisk, MemoryFileHandle } from './memory-file-handle.ts';
import { MemoryFile } from './memory-file.ts';
import { MemoryFolder, type MemoryNode, type NameChange } from './memory-folder.ts';
import { MemoryPaths, type Place } from './memory-paths.ts';

/** What an unlimited disk reports: 1 PiB. */
const UNLIMITED_BYTES = 2 ** 50;

/** A change that has just been made; syncs count, since they change what a crash leaves. */
export interface Mutation {
  readonly operation: string;
  readonly path: string;
}

export interface MemoryFileSystemOptions {
  /** Sum of all file sizes that fit; none by default. */
  readonly capacityBytes?: number;
}

/** A tree of folders and files, and the number of the last change made to it. */
export interface DiskContent {
  readonly root: MemoryFolder;
  readonly sequence: number;
}

export class MemoryFileSystem implements FileSystem {
  readonly #root: MemoryFolder;
  readonly #paths: MemoryPaths;
  readonly #observers = new Set<(mutation: Mutation) => void>();
  readonly #disk: MemoryDisk;
  #capacityBytes: number | undefined;
  #readOnly = false;
  #usedBytes = 0;
  #openHandles = 0;
  #sequence: number;

  /** @param content - What is on the disk, for copies; nothing by default. */
  constructor(options: MemoryFileSystemOptions = {}, content: DiskContent = { root: new MemoryFolder(), sequence: 0 }) {
    const { root } = content;
    this.#root = root;
    this.#sequence = content.sequence;
    this.#paths = new MemoryPaths(root);
    this.#capacityBytes = options.capacityBytes;
    for (const file of countNames(root)) this.#usedBytes += file.bytes;
    this.#disk = {
      assertWritable: (operation, path) => this.#assertWritable(operation, path),
      roomFor: (from, to) => Math.max(0, Math.min(to - from, this.#availableBytes())),
      resized: (from, to) => {
        this.#usedBytes += to - from;
      },
      nextSequence: () => ++this.#sequence,
      opened: () => this.#openHandles++,
      released: (file) => {
        this.#openHandles--;
        this.#releaseIfUnused(file);
      },
      mutated: (operation, path) => this.#mutated(operation, path),
    };
  }

  /** All there is, with its durability records. For `crashClone`, which only reads it. */
  get content(): DiskContent {
    return { root: this.#root, sequence: this.#sequence };
  }

  get capacityBytes(): number | undefined {
    return this.#capacityBytes;
  }

  /** How many handles are open: 0 after everything has been closed, or somebody leaks descriptors. */
  get openHandles(): number {
    return this.#openHandles;
  }

  /** Limits the sum of all file sizes; growth past it fails with ENOSPC. `undefined` lifts the limit. */
  setCapacity(bytes: number | undefined): void {
    this.#capacityBytes = bytes;
  }

  /** While on, everything that changes a name or a byte fails with EROFS. */
  setReadOnly(readOnly: boolean): void {
    this.#readOnly = readOnly;
  }

  /**
   * Calls back after every change and every sync, in the turn that made it, so that each crash point can be visited.
   *
   * @returns Call it to stop.
   */
  afterEachMutation(callback: (mutation: Mutation) => void): () => void {
    this.#observers.add(callback);
    return () => this.#observers.delete(callback);
  }

  async open(path: string, mode: OpenMode): Promise<FileHandle> {
    return this.openSync(path, mode);
  }

  openSync(path: string, mode: OpenMode): FileHandle {
    if (mode !== 'read') this.#assertWritable('open', path);
    const place = this.#paths.place('open', path);
    if (mode === 'create') {
      if (place.node !== undefined) throw new FileSystemError('EEXIST', 'open', path);
      const file = new MemoryFile();
      const handle = new MemoryFileHandle(path, file, mode, this.#disk);
      this.#change(place.folder, [[place.name, file]]);
      this.#mutated('create', path);
      return handle;
    }
    if (place.node === undefined) throw new FileSystemError('ENOENT', 'open', path);
    if (place.node.kind === 'directory') throw new FileSystemError('EISDIR', 'open', path);
    return new MemoryFileHandle(path, place.node, mode, this.#disk);
  }

  async readFile(path: string): Promise<Uint8Array> {
    const { node } = this.#paths.place('open', path);
    if (node === undefined) throw new FileSystemError('ENOENT', 'open', path);
    if (node.kind === 'directory') throw new FileSystemError('EISDIR', 'open', path);
    const content = new Uint8Array(node.bytes);
    node.read(content, 0);
    return content;
  }

  async readDirectory(path: string): Promise<readonly DirectoryEntry[]> {
    const folder = this.#paths.folder('readDirectory', path);
    return [...folder.entries]
      .map(([name, node]): DirectoryEntry => ({ name, kind: node.kind }))
      .toSorted((left, right) => (left.name < right.name ? -1 : 1));
  }

  async stat(path: string): Promise<FileStat | undefined> {
    const node = this.#paths.find(path);
    if (node === undefined) return undefined;
    const { kind, modifiedMs } = node;
    return kind === 'file'
      ? { kind, modifiedMs, bytes: node.bytes, mode: 0o600 }
      : { kind, modifiedMs, bytes: 0, mode: 0o700 };
  }

  async makeDirectory(path: string): Promise<boolean> {
    if (this.#paths.find(path)?.kind === 'directory') return false;
    const place = this.#paths.place('makeDirectory', path);
    if (place.node !== undefined) throw new FileSystemError('EEXIST', 'makeDirectory', path);
    this.#assertWritable('makeDirectory', path);
    this.#change(place.folder, [[place.name, new MemoryFolder()]]);
    this.#mutated('makeDirectory', path);
    return true;
  }

  async rename(from: string, to: string): Promise<void> {
    const paths = `${from} to ${to}`;
    this.#assertWritable('rename', paths);
    const source = this.#paths.place('rename', from, paths);
    const target = this.#paths.place('rename', to, paths);
    const { node } = source;
    const replaced = target.node;
    if (node === undefined) throw new FileSystemError('ENOENT', 'rename', paths);
    if (node === replaced) return;
    const errno = whyNotReplace(node, target);
    if (errno !== undefined) throw new FileSystemError(errno, 'rename', paths);
    if (replaced?.kind === 'file') replaced.names--;
    if (source.folder === target.folder) {
      this.#changeFolder(source.folder, [
        [target.name, node],
        [source.name, undefined],
      ]);
    } else {
      const added = this.#changeFolder(target.folder, [[target.name, node]]);
      const removed = this.#changeFolder(source.folder, [[source.name, undefined]], added);
      // A folder never has two names, not even after a crash.
      if (node.kind === 'directory') added.requires = removed;
    }
    if (replaced?.kind === 'file') this.#releaseIfUnused(replaced);
    this.#mutated('rename', paths);
  }

  async link(from: string, to: string): Promise<void> {
    const paths = `${from} to ${to}`;
    const { node } = this.#paths.place('link', from, paths);
    const target = this.#paths.place('link', to, paths);
    if (node === undefined) throw new FileSystemError('ENOENT', 'link', paths);
    if (target.node !== undefined) throw new FileSystemError('EEXIST', 'link', paths);
    this.#assertWritable('link', paths);
    if (node.kind === 'directory') throw new FileSystemError('EPERM', 'link', paths);
    this.#change(target.folder, [[target.name, node]]);
    this.#mutated('link', paths);
  }

  async unlink(path: string): Promise<void> {
    const { folder, name, node } = this.#paths.place('unlink', path);
    if (node === undefined) throw new FileSystemError('ENOENT', 'unlink', path);
    this.#assertWritable('unlink', path);
    if (node.kind === 'directory') throw new FileSystemError('EISDIR', 'unlink', path);
    this.#change(folder, [[name, undefined]]);
    node.names--;
    this.#releaseIfUnused(node);
    this.#mutated('unlink', path);
  }

  async removeDirectory(path: string): Promise<void> {
    const { folder, name, node } = this.#paths.place('removeDirectory', path);
    if (node === undefined) throw new FileSystemError('ENOENT', 'removeDirectory', path);
    this.#assertWritable('removeDirectory', path);
    if (node.kind !== 'directory') throw new FileSystemError('ENOTDIR', 'removeDirectory', path);
    if (node.entries.size > 0) throw new FileSystemError('ENOTEMPTY', 'removeDirectory', path);
    this.#change(folder, [[name, undefined]]);
    this.#mutated('removeDirectory', path);
  }

  async syncDirectory(path: string): Promise<void> {
    this.#paths.folder('syncDirectory', path).sync();
    this.#mutated('syncDirectory', path);
  }

  async diskSpace(path: string): Promise<DiskSpace> {
    if (this.#paths.find(path) === undefined) throw new FileSystemError('ENOENT', 'diskSpace', path);
    return {
      totalBytes: this.#capacityBytes ?? UNLIMITED_BYTES,
      availableBytes: Math.max(0, this.#availableBytes()),
    };
  }

  #availableBytes(): number {
    return (this.#capacityBytes ?? UNLIMITED_BYTES) - this.#usedBytes;
  }

  #assertWritable(operation: string, path: string): void {
    if (this.#readOnly) throw new FileSystemError('EROFS', operation, path);
  }

  /** Changes names, and counts the new ones of a file. */
  #change(folder: MemoryFolder, names: NameChange['names']): void {
    for (const [, node] of names) if (node?.kind === 'file') node.names++;
    this.#changeFolder(folder, names);
  }

  #changeFolder(folder: MemoryFolder, names: NameChange['names'], requires?: NameChange): NameChange {
    folder.modifiedMs = ++this.#sequence;
    return folder.change(names, requires);
  }

  #releaseIfUnused(file: MemoryFile): void {
    if (file.names === 0 && file.handles === 0) this.#usedBytes -= file.bytes;
  }

  #mutated(operation: string, path: string): void {
    for (const observer of this.#observers) observer({ operation, path });
  }
}

/** @returns The errno that POSIX has for putting `node` in the place of what `target` holds. */
function whyNotReplace(node: MemoryNode, target: Place): string | undefined {
  if (node.kind === 'file') return target.node?.kind === 'directory' ? 'EISDIR' : undefined;
  if (contains(node, target.folder)) return 'EINVAL';
  if (target.node?.kind === 'file') return 'ENOTDIR';
  return target.node !== undefined && target.node.entries.size > 0 ? 'ENOTEMPTY' : undefined;
}

function contains(folder: MemoryFolder, sought: MemoryFolder): boolean {
  if (folder === sought) return true;
  return [...folder.entries.values()].some((node) => node.kind === 'directory' && contains(node, sought));
}

/** Counts the names of every file below `root`. @returns Each file once. */
function countNames(root: MemoryFolder, seen: Set<MemoryFile> = new Set()): ReadonlySet<MemoryFile> {
  for (const node of root.entries.values()) {
    if (node.kind === 'directory') countNames(node, seen);
    else {
      node.names++;
      seen.add(node);
    }
  }
  return seen;
}
