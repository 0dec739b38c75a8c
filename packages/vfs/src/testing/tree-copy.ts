/**
 * Copies of a simulated disk's tree: as it is, or with what a crash leaves of it.
 *
 * Invariant: every file and folder is copied once, however many names it has.
 */

import { MemoryFile, type UnsyncedChange } from './memory-file.ts';
import { applyNames, MemoryFolder, type MemoryNode, type NameChange } from './memory-folder.ts';
import type { PagedBytes } from './paged-bytes.ts';

/** Applies to `image` what is left of one unsynced change of `file`. */
export type ApplyChange = (image: PagedBytes, change: UnsyncedChange, file: MemoryFile) => void;

/** What is left of one unsynced change of names; none of them when it is lost. */
export type SurvivingNames = (change: NameChange) => NameChange['names'];

abstract class TreeCopy {
  readonly #copies = new Map<MemoryNode, MemoryNode>();

  folder(folder: MemoryFolder): MemoryFolder {
    const known = this.#copies.get(folder);
    if (known instanceof MemoryFolder) return known;
    const copy = new MemoryFolder();
    copy.modifiedMs = folder.modifiedMs;
    this.#copies.set(folder, copy);
    this.fillFolder(folder, copy);
    return copy;
  }

  protected node(node: MemoryNode): MemoryNode {
    if (node.kind === 'directory') return this.folder(node);
    const copy = this.#copies.get(node) ?? this.copyFile(node);
    this.#copies.set(node, copy);
    return copy;
  }

  protected abstract copyFile(file: MemoryFile): MemoryFile;
  protected abstract fillFolder(from: MemoryFolder, to: MemoryFolder): void;
}

/** Keeps the difference between synced and current. */
export class DiskFork extends TreeCopy {
  readonly #changes = new Map<NameChange, NameChange>();
  /** Copies whose required change was not copied yet, by that change. */
  readonly #waiting = new Map<NameChange, NameChange>();

  protected override copyFile(file: MemoryFile): MemoryFile {
    return file.fork();
  }

  protected override fillFolder(from: MemoryFolder, to: MemoryFolder): void {
    to.adoptSynced([...from.synced].map(([name, node]) => [name, this.node(node)]));
    applyNames(
      to.entries,
      [...from.entries].map(([name, node]) => [name, this.node(node)]),
    );
    for (const change of from.pending) this.#change(change, to);
  }

  #change(change: NameChange, folder: MemoryFolder): void {
    const names = change.names.map(([name, node]) => [name, node && this.node(node)] as const);
    const copy = folder.adoptPending(names, undefined);
    this.#changes.set(change, copy);
    const { requires } = change;
    if (requires !== undefined && !requires.persisted) {
      copy.requires = this.#changes.get(requires);
      if (copy.requires === undefined) this.#waiting.set(requires, copy);
    }
    const waiting = this.#waiting.get(change);
    if (waiting !== undefined) waiting.requires = copy;
  }
}

/** Keeps what survives, as a disk on which everything is synced. */
export class DiskSurvivors extends TreeCopy {
  readonly #apply: ApplyChange;
  readonly #names: SurvivingNames;

  constructor(apply: ApplyChange, names: SurvivingNames) {
    super();
    this.#apply = apply;
    this.#names = names;
  }

  protected override copyFile(file: MemoryFile): MemoryFile {
    const image = file.syncedImage();
    for (const change of file.unsynced) this.#apply(image, change, file);
    return MemoryFile.onDisk(image, file.modifiedMs);
  }

  protected override fillFolder(from: MemoryFolder, to: MemoryFolder): void {
    const names = new Map(from.synced);
    for (const change of from.pending) applyNames(names, this.#names(change));
    for (const [name, node] of names) to.entries.set(name, this.node(node));
    to.adoptSynced(to.entries);
  }
}
