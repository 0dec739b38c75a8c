/**
 * One folder in MemoryFileSystem, twice: the names the process sees and the names the disk holds, with the changes
 * between the two in the order they were made.
 *
 * Invariant: applying all of `pending` in order to `synced` gives `entries`. Each change says what a name means
 * afterwards, so any subset may be applied, which is what a crash does.
 */

import type { MemoryFile } from './memory-file.ts';

export type MemoryNode = MemoryFile | MemoryFolder;

/** One atomic change of names in one folder: a name and what it means now, `undefined` for nothing. */
export interface NameChange {
  readonly folder: MemoryFolder;
  readonly names: readonly (readonly [name: string, node: MemoryNode | undefined])[];
  /**
   * What the disk must hold before, or together with, this change. A rename between two folders is two changes, and
   * the old name cannot go before the new one is there.
   */
  requires: NameChange | undefined;
  persisted: boolean;
}

export class MemoryFolder {
  readonly kind = 'directory';
  modifiedMs = 0;
  readonly entries: Map<string, MemoryNode>;
  readonly #synced: Map<string, MemoryNode>;
  #pending: NameChange[] = [];

  /** A folder on a disk after power loss: all of `entries` is synced. */
  constructor(entries: ReadonlyMap<string, MemoryNode> = new Map()) {
    this.entries = new Map(entries);
    this.#synced = new Map(entries);
  }

  get synced(): ReadonlyMap<string, MemoryNode> {
    return this.#synced;
  }

  get pending(): readonly NameChange[] {
    return this.#pending;
  }

  /** Makes the change visible; it is durable after `sync`. */
  change(names: NameChange['names'], requires?: NameChange): NameChange {
    applyNames(this.entries, names);
    return this.adoptPending(names, requires);
  }

  /** Records a change that is visible already. For building copies. */
  adoptPending(names: NameChange['names'], requires: NameChange | undefined): NameChange {
    const change: NameChange = { folder: this, names, requires, persisted: false };
    this.#pending.push(change);
    return change;
  }

  /** Records that `names` are on the disk. For building copies. */
  adoptSynced(names: Iterable<readonly [string, MemoryNode]>): void {
    applyNames(this.#synced, names);
  }

  sync(): void {
    this.#persistThrough(this.#pending.length);
  }

  /** Persists the first `count` changes, in order, and what they require in other folders. */
  #persistThrough(count: number): void {
    const changes = this.#pending.splice(0, count);
    for (const change of changes) {
      change.persisted = true;
      applyNames(this.#synced, change.names);
    }
    for (const { requires } of changes) {
      if (requires === undefined || requires.persisted) continue;
      const { folder } = requires;
      folder.#persistThrough(folder.#pending.indexOf(requires) + 1);
    }
  }
}

export function applyNames(
  entries: Map<string, MemoryNode>,
  names: Iterable<readonly [string, MemoryNode | undefined]>,
): void {
  for (const [name, node] of names) {
    if (node === undefined) entries.delete(name);
    else entries.set(name, node);
  }
}
