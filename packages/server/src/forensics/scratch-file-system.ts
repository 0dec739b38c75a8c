/**
 * A file system over another one that is only read: whatever is written, renamed or removed through it stays in memory and is gone with it. So a store can be opened, and a
 * log applied to it, where nothing may change: on evidence, or on a disk that is mounted for reading.
 *
 * Invariant: below, files are opened in mode `read`, and nothing else is called that could change anything. Bound: memory for all that is written.
 */

import {
  type DirectoryEntry,
  type DiskSpace,
  type FileHandle,
  type FileStat,
  type FileSystem,
  FileSystemError,
  type OpenMode,
} from '@kayadb/vfs';

import { ScratchFile, ScratchHandle } from './scratch-file.ts';

/** What a path stands for above what lies below: a file, a folder, nothing any more, or a file below that has been given another name. */
type Above =
  | { readonly kind: 'file'; readonly file: ScratchFile }
  | { readonly kind: 'directory' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'below'; readonly path: string };

export interface ScratchOptions {
  /** Names that are not there, such as the locks of others. */
  readonly hides?: (name: string) => boolean;
}

const FILE_MODE = 0o600;

export class ScratchFileSystem implements FileSystem {
  readonly #below: FileSystem;
  readonly #hides: (name: string) => boolean;
  readonly #above = new Map<string, Above>();

  constructor(below: FileSystem, { hides = () => false }: ScratchOptions = {}) {
    this.#below = below;
    this.#hides = hides;
  }

  async open(path: string, mode: OpenMode): Promise<FileHandle> {
    const known = this.#find(path);
    if (mode === 'create') {
      if (known === undefined ? (await this.#below.stat(path)) !== undefined : known.kind !== 'gone') {
        throw new FileSystemError('EEXIST', 'open', path);
      }
      return this.#create(path);
    }
    const lower = known === undefined ? path : known.kind === 'below' ? known.path : undefined;
    if (lower === undefined) return openAbove(path, known, mode);
    if (mode === 'read') return this.#below.open(lower, 'read');
    const file = new ScratchFile(await this.#below.readFile(lower));
    this.#above.set(path, { kind: 'file', file });
    return new ScratchHandle(path, file, true);
  }

  openSync(path: string, mode: OpenMode): FileHandle {
    const known = this.#find(path);
    if (mode !== 'read') throw new FileSystemError('EROFS', 'open', path);
    if (known === undefined) return this.#below.openSync(path, 'read');
    return known.kind === 'below' ? this.#below.openSync(known.path, 'read') : openAbove(path, known, mode);
  }

  async readFile(path: string): Promise<Uint8Array> {
    const handle = await this.open(path, 'read');
    try {
      const bytes = new Uint8Array(await handle.size());
      return bytes.subarray(0, await handle.read(bytes, 0));
    } finally {
      await handle.close();
    }
  }

  async readDirectory(path: string): Promise<readonly DirectoryEntry[]> {
    const isAbove = this.#find(path)?.kind === 'directory';
    const below = isAbove ? [] : await this.#below.readDirectory(path);
    const entries = new Map(below.filter(({ name }) => !this.#hides(name)).map((entry) => [entry.name, entry]));
    for (const [each, above] of this.#above) {
      const cut = each.lastIndexOf('/');
      if (each.slice(0, cut) !== path) continue;
      const name = each.slice(cut + 1);
      if (above.kind === 'gone') entries.delete(name);
      else entries.set(name, { name, kind: above.kind === 'directory' ? 'directory' : 'file' });
    }
    return [...entries.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  async stat(path: string): Promise<FileStat | undefined> {
    const known = this.#find(path);
    if (known === undefined) return this.#below.stat(path);
    switch (known.kind) {
      case 'gone':
        return undefined;
      case 'below':
        return this.#below.stat(known.path);
      case 'directory':
        return { kind: 'directory', bytes: 0, modifiedMs: 0, mode: FILE_MODE };
      case 'file':
        return { kind: 'file', bytes: known.file.bytes, modifiedMs: 0, mode: FILE_MODE };
    }
  }

  async makeDirectory(path: string): Promise<boolean> {
    if ((await this.stat(path)) !== undefined) return false;
    this.#above.set(path, { kind: 'directory' });
    return true;
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#alias(from, to);
    this.#above.set(from, { kind: 'gone' });
  }

  async link(from: string, to: string): Promise<void> {
    if ((await this.stat(to)) !== undefined) throw new FileSystemError('EEXIST', 'link', to);
    await this.#alias(from, to);
  }

  async unlink(path: string): Promise<void> {
    if ((await this.stat(path)) === undefined) throw new FileSystemError('ENOENT', 'unlink', path);
    this.#above.set(path, { kind: 'gone' });
  }

  async removeDirectory(path: string): Promise<void> {
    this.#above.set(path, { kind: 'gone' });
  }

  async syncDirectory(): Promise<void> {
    // What is written here survives nothing.
  }

  diskSpace(path: string): Promise<DiskSpace> {
    return this.#below.diskSpace(path);
  }

  #find(path: string): Above | undefined {
    const known = this.#above.get(path);
    if (known !== undefined) return known;
    return this.#hides(path.slice(path.lastIndexOf('/') + 1)) ? { kind: 'gone' } : undefined;
  }

  #create(path: string): FileHandle {
    const file = new ScratchFile();
    this.#above.set(path, { kind: 'file', file });
    return new ScratchHandle(path, file, true);
  }

  /** A second name for a file, which may lie below. */
  async #alias(from: string, to: string): Promise<void> {
    const stat = await this.stat(from);
    if (stat?.kind !== 'file') throw new FileSystemError(stat === undefined ? 'ENOENT' : 'EROFS', 'rename', from);
    this.#above.set(to, this.#find(from) ?? { kind: 'below', path: from });
  }
}

function openAbove(path: string, above: Above | undefined, mode: OpenMode): FileHandle {
  if (above?.kind === 'file') return new ScratchHandle(path, above.file, mode !== 'read');
  throw new FileSystemError(above?.kind === 'directory' ? 'EISDIR' : 'ENOENT', 'open', path);
}
