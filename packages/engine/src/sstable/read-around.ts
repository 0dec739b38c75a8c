/**
 * Cold reads of one table while the block cache fills: a read takes in the blocks around the one asked for, and whoever asks for one of
 * those meanwhile waits for the same read. A trip through the thread pool costs as much as checking a dozen blocks.
 *
 * Invariant: never evicts a block for one that nobody asked for. Figures: docs/decisions/20261122-slab-block-cache.md.
 */

import type { CachedTable } from './cached-table.ts';
import type { TableBlocks } from './table-blocks.ts';

/** The file is cut into windows of this size; a block belongs to the one that it starts in. */
const WINDOW_BYTES = 256 * 1024;

export class ReadAround {
  readonly #blocks: TableBlocks;
  readonly #cache: CachedTable;
  /** Reads under way, by the number of their window. */
  readonly #reading = new Map<number, Promise<boolean>>();

  constructor(blocks: TableBlocks, cache: CachedTable) {
    this.#blocks = blocks;
    this.#cache = cache;
  }

  /**
   * Brings the blocks around `ordinal` into the cache, as far as they are whole.
   *
   * @returns `undefined` if the cache has no room for them; otherwise whether they could be read.
   */
  read(ordinal: number): Promise<boolean> | undefined {
    const window = Math.floor(this.#blocks.handleAt(ordinal).offset / WINDOW_BYTES);
    const underWay = this.#reading.get(window);
    if (underWay !== undefined) return underWay;
    const first = this.#blocks.firstFrom(window * WINDOW_BYTES);
    const end = this.#blocks.firstFrom((window + 1) * WINDOW_BYTES);
    if (this.#blocks.bytesBetween(first, end) > this.#cache.runMemory.runBytes) return undefined;
    if (!this.#cache.hasRoomFor(end - first)) {
      this.#cache.runMemory.trim();
      return undefined;
    }
    const reading = this.#readWindow(window, first, end);
    this.#reading.set(window, reading);
    return reading;
  }

  async #readWindow(window: number, first: number, end: number): Promise<boolean> {
    const { runMemory } = this.#cache;
    const memory = await runMemory.take();
    try {
      this.#blocks.insertRun(await this.#blocks.readRun(first, end, memory));
      return true;
    } catch {
      // A neighbour may be to blame: whoever asked reads the one block, and gets the failure if it is that block's.
      return false;
    } finally {
      runMemory.give(memory);
      this.#reading.delete(window);
    }
  }
}
