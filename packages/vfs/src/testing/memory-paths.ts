/** Walks POSIX-like paths in a tree of MemoryFolder. Relative paths start at the root; `.` and `..` are resolved. */

import { FileSystemError } from '../file-system-error.ts';
import type { MemoryFolder, MemoryNode } from './memory-folder.ts';

/** Where a name is, or would be. */
export interface Place {
  readonly folder: MemoryFolder;
  readonly name: string;
  readonly node: MemoryNode | undefined;
}

export class MemoryPaths {
  readonly #root: MemoryFolder;

  constructor(root: MemoryFolder) {
    this.#root = root;
  }

  find(path: string): MemoryNode | undefined {
    const found = this.#walk(namesOf(path));
    return typeof found === 'string' ? undefined : found;
  }

  /** @throws FileSystemError ENOENT or ENOTDIR */
  folder(operation: string, path: string): MemoryFolder {
    const found = this.#walk(namesOf(path));
    if (typeof found === 'string') throw new FileSystemError(found, operation, path);
    if (found.kind === 'file') throw new FileSystemError('ENOTDIR', operation, path);
    return found;
  }

  /**
   * The folder and the last name of `path`; the folder must exist.
   *
   * @param reported - The path that an error names, for calls with two.
   * @throws FileSystemError ENOENT or ENOTDIR; EISDIR for the root, which has no name.
   */
  place(operation: string, path: string, reported: string = path): Place {
    const names = namesOf(path);
    const name = names.pop();
    if (name === undefined) throw new FileSystemError('EISDIR', operation, reported);
    const folder = this.#walk(names);
    if (typeof folder === 'string') throw new FileSystemError(folder, operation, reported);
    if (folder.kind === 'file') throw new FileSystemError('ENOTDIR', operation, reported);
    return { folder, name, node: folder.entries.get(name) };
  }

  #walk(names: readonly string[]): MemoryNode | 'ENOENT' | 'ENOTDIR' {
    let node: MemoryNode = this.#root;
    for (const name of names) {
      if (node.kind === 'file') return 'ENOTDIR';
      const next = node.entries.get(name);
      if (next === undefined) return 'ENOENT';
      node = next;
    }
    return node;
  }
}

function namesOf(path: string): string[] {
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  }
  return names;
}
