/** A snapshot that somebody is being sent: its files are there until it is let go. */

import { assert } from '@kayadb/codec';
import type { PinnedSnapshot, SnapshotFile } from '@kayadb/raft';
import type { FileHandle, FileSystem } from '@kayadb/vfs';

/** Bound: one file is open. */
export class PinnedFiles implements PinnedSnapshot {
  readonly files: readonly SnapshotFile[];
  readonly #fs: FileSystem;
  readonly #folder: string;
  readonly #release: () => void;
  #open: { readonly file: number; readonly handle: FileHandle } | undefined;
  /** Reads come one after the other, so that none finds its file closed. */
  #last: Promise<unknown> = Promise.resolve();
  #isPinned = true;

  constructor(fs: FileSystem, folder: string, files: readonly SnapshotFile[], release: () => void) {
    this.#fs = fs;
    this.#folder = folder;
    this.files = files;
    this.#release = release;
  }

  read(file: number, buffer: Uint8Array, offset: number): Promise<number> {
    const reading = this.#last.then(async () => {
      assert(this.#isPinned, 'a snapshot is read while it is pinned');
      return await (await this.#handleOf(file)).read(buffer, offset);
    });
    this.#last = reading.catch(() => undefined);
    return reading;
  }

  /** Idempotent. */
  unpin(): void {
    if (!this.#isPinned) return;
    this.#isPinned = false;
    const release = this.#release;
    this.#last = this.#last
      .then(() => this.#close())
      .catch(() => undefined)
      .then(release);
  }

  async #handleOf(file: number): Promise<FileHandle> {
    if (this.#open?.file !== file) {
      await this.#close();
      const handle = await this.#fs.open(`${this.#folder}/${this.files[file]!.name}`, 'read');
      this.#open = { file, handle };
    }
    return this.#open.handle;
  }

  async #close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.handle.close();
  }
}
