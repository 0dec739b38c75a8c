/**
 * One file's content in MemoryFileSystem, twice: as the process sees it and as the disk holds it, with the changes
 * between the two in the order they were made.
 *
 * Invariant: applying all of `unsynced` to the synced image gives the current content, unless a failed sync was
 * injected (`revertUnsynced`, `forgetUnsynced`), after which nobody can say, as on a real disk.
 */

import { endOfPages, PagedBytes, pagesBetween } from './paged-bytes.ts';

/** One change that a crash may lose. `sequence` orders the changes of all files of one file system. */
export type UnsyncedChange =
  | { readonly kind: 'write'; readonly sequence: number; readonly position: number; readonly data: Uint8Array }
  | { readonly kind: 'resize'; readonly sequence: number; readonly bytes: number };

export class MemoryFile {
  readonly kind = 'file';
  /** The number of the last change: this disk has no clock. */
  modifiedMs = 0;
  /** How many names and open handles keep the file. Its space is free when both are 0. */
  names = 0;
  handles = 0;
  #current = new PagedBytes();
  #synced = new PagedBytes();
  #unsynced: UnsyncedChange[] = [];
  readonly #dirty = new Set<number>();
  /** Pages that the kernel calls clean and the disk never gets. */
  readonly #lost = new Set<number>();
  #sizeDirty = false;

  /** A file on a disk after power loss: all of `content` is synced. */
  static onDisk(content: PagedBytes, modifiedMs: number): MemoryFile {
    const file = new MemoryFile();
    file.modifiedMs = modifiedMs;
    file.#current = content;
    file.#synced = content.fork();
    return file;
  }

  get bytes(): number {
    return this.#current.bytes;
  }

  /** Whether reads give bytes that no sync will make durable. */
  get isLossy(): boolean {
    return this.#lost.size > 0;
  }

  get unsynced(): readonly UnsyncedChange[] {
    return this.#unsynced;
  }

  /** The same text for the same current content. */
  fingerprint(): string {
    return this.#current.fingerprint();
  }

  /** What survives power loss for certain, as a copy. */
  syncedImage(): PagedBytes {
    return this.#synced.fork();
  }

  /** The same file with its unsynced changes still at risk, as it is after process death alone. */
  fork(): MemoryFile {
    const file = new MemoryFile();
    file.modifiedMs = this.modifiedMs;
    file.#current = this.#current.fork();
    file.#synced = this.#synced.fork();
    file.#unsynced = this.#unsynced.slice();
    for (const page of this.#dirty) file.#dirty.add(page);
    for (const page of this.#lost) file.#lost.add(page);
    file.#sizeDirty = this.#sizeDirty;
    return file;
  }

  read(buffer: Uint8Array, position: number): number {
    return this.#current.read(buffer, position);
  }

  /** Copies `data`. */
  write(data: Uint8Array, position: number, sequence: number): void {
    if (data.length === 0) return;
    const before = this.#current.bytes;
    const end = position + data.length;
    this.#current.write(data, position);
    for (const page of pagesBetween(position, end)) this.#dirty.add(page);
    if (end > before) this.#sizeDirty = true;
    this.modifiedMs = sequence;
    this.#unsynced.push({ kind: 'write', sequence, position, data: data.slice() });
  }

  resize(bytes: number, sequence: number): void {
    const before = this.#current.bytes;
    this.#current.resize(bytes);
    for (const page of pagesBetween(bytes, before)) this.#dirty.add(page);
    this.#sizeDirty = true;
    this.modifiedMs = sequence;
    this.#unsynced.push({ kind: 'resize', sequence, bytes });
  }

  /** Durability: everything so far, except in the pages that `forgetUnsynced` gave up. */
  sync(): void {
    if (this.#unsynced.length === 0) return;
    const written = [...this.#dirty].filter((page) => !this.#lost.has(page));
    this.#synced.adoptPages(this.#current, written);
    if (this.#sizeDirty) this.#synced.resize(this.#current.bytes);
    else this.#synced.resize(Math.max(this.#synced.bytes, Math.min(this.#current.bytes, endOfPages(this.#dirty))));
    this.#settle();
  }

  /**
   * A failed sync whose pages the kernel dropped: reads give what is on the disk again. The size stays, as an
   * inode's does, so that lost new data reads as zeros.
   */
  revertUnsynced(sequence: number): void {
    const bytes = this.#current.bytes;
    const sizeDirty = this.#sizeDirty;
    this.#current = this.#synced.fork();
    this.#current.resize(bytes);
    this.#settle();
    if (!sizeDirty) return;
    this.#sizeDirty = true;
    this.#unsynced = [{ kind: 'resize', sequence, bytes }];
  }

  /**
   * A failed sync whose pages the kernel keeps and calls clean: reads give the new bytes, later syncs succeed, and the disk never has them, nor
   * what is written over them: so it is with blocks that ext4 had just allocated (docs/decisions/20261122-files-of-one-process.md).
   */
  forgetUnsynced(): void {
    for (const page of this.#dirty) this.#lost.add(page);
    this.#settle();
  }

  #settle(): void {
    this.#unsynced = [];
    this.#dirty.clear();
    this.#sizeDirty = false;
  }
}
