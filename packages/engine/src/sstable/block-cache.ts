/**
 * Raw blocks of all open tables, within one budget that they share with the filters and indexes of those tables.
 *
 * A table finds its blocks by their ordinal in an array of numbers of its own: a hit asks no map and makes no object. Blocks lie
 * in the slots of a slab; those that are larger than a slot (one huge value, or tables of another block size) lie apart. Evicts by CLOCK: a
 * block that was used since the hand last passed is spared once, so what is read once makes room before what is read again.
 *
 * Invariant: the bytes of a block are overwritten once it is evicted, so nobody keeps a view of them beyond the turn.
 * Decision: docs/decisions/20261122-slab-block-cache.md.
 */

import { assert } from '@kayadb/codec';

import type { FileNumber } from '../key/internal-key.ts';
import { BlockSlab } from './block-slab.ts';
import { CachedTable } from './cached-table.ts';
import { LargeBlocks } from './large-blocks.ts';
import type { PointLookup } from './point-lookup.ts';
import { RunMemory } from './run-memory.ts';

const DEFAULT_BLOCK_BYTES = 4096;
const SLOT_ALIGNMENT = 64;
const MIN_SLOT_BYTES = 512;
/** Larger blocks are few enough to be kept one by one. */
const MAX_SLOT_BYTES = 64 * 1024;
/** A window of read-around.ts, and what its last block may reach beyond it. */
const MAX_RUN_BYTES = 320 * 1024;
/** Bound: runs that are read into the cache at the same time: so many keep the threads of the pool busy while some are unpacked. */
const MAX_RUNS = 8;
/** What the cache notes beside each slot. */
const SLOT_OVERHEAD_BYTES = 16;
/** The share of the budget that filters and indexes do not get, however many tables are open. */
const MIN_BLOCK_SHARE = 1 / 8;

export interface BlockCacheStats {
  readonly hits: number;
  readonly misses: number;
  /** Memory accounted to cached blocks. */
  readonly bytes: number;
  readonly blocks: number;
  /** Memory that others keep, out of the same budget. */
  readonly reservedBytes: number;
  /** Memory that is held for blocks, used or not, and for reading them. */
  readonly allocatedBytes: number;
}

/** Requires: serves one store, since tables are told apart by file number. */
export class BlockCache {
  /** Only `CachedTable` counts these. */
  hits = 0;
  misses = 0;
  /** For runs of blocks on their way into the cache. */
  readonly runMemory = new RunMemory(MAX_RUN_BYTES, MAX_RUNS);
  readonly #budgetBytes: number;
  readonly #slotCost: number;
  readonly #slab: BlockSlab;
  readonly #large: LargeBlocks;
  readonly #tables = new Map<FileNumber, CachedTable>();
  /** Whose block a slot holds, and which; `undefined` for a free slot. */
  readonly #owners: (CachedTable | undefined)[] = [];
  readonly #ordinals: number[] = [];
  /** 1 for a slot that was used since the hand last passed. */
  #isUsed = new Uint8Array(1024);
  /** Slots below `#owners.length` that hold nothing. */
  #freeSlots: number[] = [];
  /** Bound: slots that may be used at present. */
  #slotLimit = 0;
  #hand = 0;
  #reservedBytes = 0;

  /**
   * @param budgetBytes - Bound: memory for blocks and for what is reserved. 0 caches nothing.
   * @param blockBytes - The size that most blocks have at most.
   */
  constructor(budgetBytes: number, blockBytes: number = DEFAULT_BLOCK_BYTES) {
    const aligned = Math.ceil(blockBytes / SLOT_ALIGNMENT) * SLOT_ALIGNMENT;
    const slotBytes = Math.min(MAX_SLOT_BYTES, Math.max(MIN_SLOT_BYTES, aligned));
    this.#budgetBytes = budgetBytes;
    this.#slotCost = slotBytes + SLOT_OVERHEAD_BYTES;
    this.#slab = new BlockSlab(slotBytes, Math.floor(budgetBytes / this.#slotCost));
    this.#large = new LargeBlocks();
    this.#fit();
  }

  get stats(): BlockCacheStats {
    const slots = this.#owners.length - this.#freeSlots.length;
    return {
      hits: this.hits,
      misses: this.misses,
      bytes: slots * this.#slotCost + this.#large.bytes,
      blocks: slots + this.#large.count,
      reservedBytes: this.#reservedBytes,
      allocatedBytes: this.#slab.allocatedBytes + this.#large.bytes + this.runMemory.allocatedBytes,
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

  /** Whether so many more blocks of usual size go in without another one going out. */
  hasRoomFor(blocks: number): boolean {
    return this.#owners.length - this.#freeSlots.length + blocks <= this.#slotLimit;
  }

  /** Takes `bytes` of the budget for something else; blocks make room, down to a small share. */
  reserve(bytes: number): void {
    this.#reservedBytes += bytes;
    this.#fit();
  }

  /** Gives back what was reserved. */
  release(bytes: number): void {
    assert(bytes <= this.#reservedBytes, 'more memory is given back than was reserved');
    this.#reservedBytes -= bytes;
    this.#fit();
  }

  /** Not for users: see `CachedTable.insert`. @returns The place, or 0 if there can be no room. */
  admit(table: CachedTable, ordinal: number, block: Uint8Array): number {
    if (block.length > this.#slab.slotBytes) return this.#admitLarge(table, ordinal, block);
    const slot = this.#takeSlot();
    if (slot === undefined) return 0;
    this.#slab.write(slot, block);
    this.#owners[slot] = table;
    this.#ordinals[slot] = ordinal;
    this.#isUsed[slot] = 0;
    return slot + 1;
  }

  /** Not for users: points `lookup` at the block in `place`. Hot. */
  attach(place: number, lookup: PointLookup): void {
    if (place < 0) {
      this.#large.attach(-place - 1, lookup);
      return;
    }
    const slot = place - 1;
    if (this.#isUsed[slot] === 0) this.#isUsed[slot] = 1;
    this.#slab.attach(slot, lookup);
  }

  /** Not for users: the block of `length` bytes in `place`, in a new array. */
  copy(place: number, length: number): Uint8Array {
    if (place < 0) return this.#large.copy(-place - 1);
    this.#isUsed[place - 1] = 1;
    return this.#slab.copy(place - 1, length);
  }

  /** Not for users: lets go of the block in `place`. */
  free(place: number): void {
    if (place < 0) {
      this.#large.remove(-place - 1);
      this.#fit();
      return;
    }
    this.#empty(place - 1);
    this.#freeSlots.push(place - 1);
  }

  /** Memory for blocks of all sizes, in bytes. */
  get #blockBudget(): number {
    return Math.floor(Math.max(this.#budgetBytes - this.#reservedBytes, this.#budgetBytes * MIN_BLOCK_SHARE));
  }

  /** Brings the slots in use within what large blocks and reservations leave. */
  #fit(): void {
    const budget = this.#blockBudget;
    while (this.#large.bytes > this.#largeLimit(budget)) this.#large.evictOne();
    this.#slotLimit = Math.floor((budget - this.#large.bytes) / this.#slotCost);
    if (this.#owners.length <= this.#slotLimit) return;
    for (let slot = this.#slotLimit; slot < this.#owners.length; slot++) this.#empty(slot);
    this.#owners.length = this.#slotLimit;
    this.#ordinals.length = this.#slotLimit;
    this.#freeSlots = this.#freeSlots.filter((slot) => slot < this.#slotLimit);
    this.#slab.shrinkTo(this.#slotLimit);
  }

  /** Large blocks have the budget for themselves until a slot is needed, then half of it. */
  #largeLimit(budget: number): number {
    return this.#owners.length === 0 ? budget : budget / 2;
  }

  #admitLarge(table: CachedTable, ordinal: number, block: Uint8Array): number {
    const budget = this.#blockBudget;
    const limit = this.#largeLimit(budget);
    if (LargeBlocks.cost(block.length) > limit) return 0;
    while (this.#large.bytes + LargeBlocks.cost(block.length) > limit) this.#large.evictOne();
    const index = this.#large.add(table, ordinal, block);
    this.#fit();
    return -index - 1;
  }

  #takeSlot(): number | undefined {
    const free = this.#freeSlots.pop();
    if (free !== undefined) return free;
    const next = this.#owners.length;
    if (next >= this.#slotLimit) this.#takeBackFromLarge(next + 1);
    if (next >= this.#slotLimit) return next === 0 ? undefined : this.#evictOne();
    if (next === this.#isUsed.length) this.#isUsed = grown(this.#isUsed);
    this.#owners.push(undefined);
    this.#ordinals.push(0);
    return next;
  }

  /** Makes room for `slots` slots, as far as large blocks have more than their half of the budget. */
  #takeBackFromLarge(slots: number): void {
    const budget = this.#blockBudget;
    if (this.#large.bytes <= budget / 2) return;
    while (this.#large.bytes > budget / 2 && budget - this.#large.bytes < slots * this.#slotCost)
      this.#large.evictOne();
    this.#fit();
  }

  /** Requires: some slot is in use, and none is free. */
  #evictOne(): number {
    for (;;) {
      if (this.#hand >= this.#owners.length) this.#hand = 0;
      const slot = this.#hand++;
      if (this.#isUsed[slot] === 1) {
        this.#isUsed[slot] = 0;
        continue;
      }
      this.#empty(slot);
      return slot;
    }
  }

  #empty(slot: number): void {
    this.#owners[slot]?.forget(this.#ordinals[slot]!);
    this.#owners[slot] = undefined;
  }
}

function grown(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(bytes.length * 2);
  larger.set(bytes);
  return larger;
}
