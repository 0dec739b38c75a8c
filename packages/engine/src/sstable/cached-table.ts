/** One table's part of the block cache: which of its blocks are there, and where. Hot: a hit reads one number here. */

import type { BlockCache } from './block-cache.ts';
import type { PointLookup } from './point-lookup.ts';
import type { RunMemory } from './run-memory.ts';

export class CachedTable {
  readonly #cache: BlockCache;
  /** By ordinal: 0 for a block that is not cached, otherwise its place as `BlockCache.admit` gave it. */
  readonly #places: Int32Array;
  #isDropped = false;

  /** Not for users: see `BlockCache.table`. */
  constructor(cache: BlockCache, blockCount: number) {
    this.#cache = cache;
    this.#places = new Int32Array(blockCount);
  }

  get blockCount(): number {
    return this.#places.length;
  }

  /** Points `lookup` at the block at `ordinal`, counted from 0. @returns Whether it is cached. Counts a hit or a miss. */
  attach(ordinal: number, lookup: PointLookup): boolean {
    const place = this.#places[ordinal]!;
    if (place === 0) {
      this.#cache.misses++;
      return false;
    }
    this.#cache.hits++;
    this.#cache.attach(place, lookup);
    return true;
  }

  /** As `attach`, for one who has counted already. */
  attachAgain(ordinal: number, lookup: PointLookup): boolean {
    const place = this.#places[ordinal]!;
    if (place !== 0) this.#cache.attach(place, lookup);
    return place !== 0;
  }

  has(ordinal: number): boolean {
    return this.#places[ordinal] !== 0;
  }

  get runMemory(): RunMemory {
    return this.#cache.runMemory;
  }

  /** Whether so many more blocks of usual size go into the cache without another one going out. */
  hasRoomFor(blocks: number): boolean {
    return !this.#isDropped && this.#cache.hasRoomFor(blocks);
  }

  /** The block at `ordinal` in a new array, if it is cached. Counts a hit or a miss. @param bytes - Its length. */
  copy(ordinal: number, bytes: number): Uint8Array | undefined {
    const place = this.#places[ordinal]!;
    if (place === 0) {
      this.#cache.misses++;
      return undefined;
    }
    this.#cache.hits++;
    return this.#cache.copy(place, bytes);
  }

  /** Caches a copy of a checked block, unless it is there already or there can be no room for it. */
  insert(ordinal: number, block: Uint8Array): void {
    if (this.#isDropped || this.#places[ordinal] !== 0) return;
    this.#places[ordinal] = this.#cache.admit(this, ordinal, block);
  }

  /** Not for users: the cache lets go of this block. */
  forget(ordinal: number): void {
    this.#places[ordinal] = 0;
  }

  /** Not for users: see `BlockCache.evictTable`. Lets go of all blocks and takes no more in. */
  drop(): void {
    this.#isDropped = true;
    for (const place of this.#places) if (place !== 0) this.#cache.free(place);
  }
}
