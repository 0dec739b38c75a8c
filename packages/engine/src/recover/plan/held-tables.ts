/**
 * The tables that a plan reads, held open, so that a store that is in use cannot take them away meanwhile.
 *
 * Bound: `MAX_HELD_TABLES` files; of more, those that were read longest ago are closed and opened again when they are read.
 * Requires: one read at a time, since a file that is being read must not be closed.
 */

import type { FileHandle } from '@kayadb/vfs';

import type { ReadableFile } from '../../log/read-window.ts';

const MAX_HELD_TABLES = 512;

export class HeldTables {
  readonly #open: (file: string) => Promise<FileHandle>;
  /** Read longest ago first. */
  readonly #held = new Map<string, FileHandle>();

  constructor(open: (file: string) => Promise<FileHandle>) {
    this.#open = open;
  }

  /** The table, open now, and whenever it is read later. @throws What opening throws. */
  async file(file: string): Promise<ReadableFile> {
    await this.#handleOf(file);
    return {
      read: async (buffer, position) => (await this.#handleOf(file)).read(buffer, position),
      size: async () => (await this.#handleOf(file)).size(),
    };
  }

  /** Idempotent. */
  async close(): Promise<void> {
    for (const handle of this.#held.values()) await handle.close();
    this.#held.clear();
  }

  async #handleOf(file: string): Promise<FileHandle> {
    const handle = this.#held.get(file) ?? (await this.#open(file));
    this.#held.delete(file);
    if (this.#held.size === MAX_HELD_TABLES) {
      const [idle] = this.#held;
      this.#held.delete(idle![0]);
      await idle![1].close();
    }
    this.#held.set(file, handle);
    return handle;
  }
}
