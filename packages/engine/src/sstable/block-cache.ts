/**
 * Raw blocks of all open tables, within one budget. Evicts by CLOCK: a block that was used since the hand last passed is
 * spared once, so what is read once makes room before what is read again.
 *
 * A table finds its blocks by their ordinal in an array of its own; no map is asked on a hit. The blocks may come to
 * live in one slab later: users keep a block no longer than their turn, or through a cursor.
 */

import { assert } from '@kayadb/codec';

import type { FileNumber } from '../key/internal-key.ts';
import type { BlockReader } from './block-reader.ts';

/** What a cached block costs beside its bytes, roughly. */
const BLOCK_OVERHEAD_BYTES = 512;

export interface BlockCacheStats {
  readonly hits: number;
  readonly misses: number;
  /** Memory accounted to cached blocks. */
  readonly bytes: number;
  readonly blocks: number;
}

interface Slot {
  readonly table: CachedTable;
  readonly ordinal: number;
  readonly bytes: number;
}

/** One table's part of the cache. Hot: a hit touches two arrays of the table's own. */
export class CachedTable {
  readonly #cache: BlockCache;
  readonly #blocks: (BlockReader | undefined)[];
  readonly #slots: Int32Array;
  /** 1 for a block that was used since the hand last passed. */
  readonly #isUsed: Uint8Array;
  #isDropped = false;

  /** Not for users: see `BlockCache.table`. */
  constructor(cache: BlockCache, blockCount: number) {
    this.#cache = cache;
    this.#blocks = Array.from({ length: blockCount });
    this.#slots = new Int32Array(blockCount);
    this.#isUsed = new Uint8Array(blockCount);
  }

  get blockCount(): number {
    return this.#blocks.length;
  }

  /** The block at `ordinal`, counted from 0, if it is cached. Counts a hit or a miss. */
  get(ordinal: number): BlockReader | undefined {
    const block = this.#blocks[ordinal];
    if (block === undefined) {
      this.#cache.misses++;
      return undefined;
    }
    this.#cache.hits++;
    this.#isUsed[ordinal] = 1;
    return block;
  }

  /** Caches a block unless it is there already or larger than the whole budget. */
  insert(ordinal: number, block: BlockReader): void {
    if (this.#isDropped || this.#blocks[ordinal] !== undefined) return;
    const slot = this.#cache.admit(this, ordinal, block.bytes.buffer.byteLength + BLOCK_OVERHEAD_BYTES);
    if (slot === undefined) return;
    this.#blocks[ordinal] = block;
    this.#slots[ordinal] = slot;
    this.#isUsed[ordinal] = 0;
  }

  /** Not for users: the hand passes. @returns Whether the block was used since it last did. */
  spare(ordinal: number): boolean {
    const isUsed = this.#isUsed[ordinal] === 1;
    this.#isUsed[ordinal] = 0;
    return isUsed;
  }

  /** Not for users: the cache lets go of this block. */
  forget(ordinal: number): void {
    this.#blocks[ordinal] = undefined;
  }

  /** Not for users: see `BlockCache.evictTable`. Lets go of all blocks and takes no more in. */
  drop(): void {
    this.#isDropped = true;
    for (const [ordinal, block] of this.#blocks.entries()) {
      if (block !== undefined) this.#cache.free(this.#slots[ordinal]!);
    }
  }
}

/** Requires: serves one store, since tables are told apart by file number. */
export class BlockCache {
  /** Only `CachedTable` counts these. */
  hits = 0;
  misses = 0;
  readonly #budgetBytes: number;
  readonly #tables = new Map<FileNumber, CachedTable>();
  /** The hand goes round over these; a slot that was let go is taken again first. */
  readonly #slots: (Slot | undefined)[] = [];
  readonly #freeSlots: number[] = [];
  #hand = 0;
  #bytes = 0;

  /** @param budgetBytes - Bound: memory accounted to cached blocks. 0 caches nothing. */
  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes;
  }

  get stats(): BlockCacheStats {
    return {
      hits: this.hits,
      misses: this.misses,
      bytes: this.#bytes,
      blocks: this.#slots.length - this.#freeSlots.length,
    };
  }

  /** The part of table `fileNumber`. It outlives the table's handle: a table opened again finds its blocks. */
  table(fileNumber: FileNumber, blockCount: number): CachedTable {
    let table = this.#tables.get(fileNumber);
    if (table === undefined) {
      table = new CachedTable(this, blockCount);
      this.#tables.set(fileNumber, table);
    }
    assert(table.blockCount === blockCount, `table ${fileNumber} changed its number of blocks`);
    return table;
  }

  /** Lets go of all blocks of a table that nobody will open again. */
  evictTable(fileNumber: FileNumber): void {
    this.#tables.get(fileNumber)?.drop();
    this.#tables.delete(fileNumber);
  }

  /** Not for users: see `CachedTable.insert`. Makes room. @returns The slot, or `undefined` if there can be no room. */
  admit(table: CachedTable, ordinal: number, bytes: number): number | undefined {
    if (bytes > this.#budgetBytes) return undefined;
    while (this.#bytes + bytes > this.#budgetBytes) this.#evictOne();
    // A slot just freed lies behind the hand, so the newcomer has a whole round to prove itself.
    const slot = this.#freeSlots.pop() ?? this.#slots.length;
    this.#slots[slot] = { table, ordinal, bytes };
    this.#bytes += bytes;
    return slot;
  }

  /** Not for users: lets go of the block in `slot`. */
  free(slot: number): void {
    const { table, ordinal, bytes } = this.#slots[slot]!;
    this.#slots[slot] = undefined;
    this.#freeSlots.push(slot);
    this.#bytes -= bytes;
    table.forget(ordinal);
  }

  /** Requires: something is cached. */
  #evictOne(): void {
    for (;;) {
      if (this.#hand >= this.#slots.length) this.#hand = 0;
      const slot = this.#hand++;
      const cached = this.#slots[slot];
      if (cached === undefined || cached.table.spare(cached.ordinal)) continue;
      this.free(slot);
      return;
    }
  }
}
