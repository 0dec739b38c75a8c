/** Blocks that do not fit a slot of the slab, each in memory of its own. Few: a block is large because a value is. */

import type { CachedTable } from './cached-table.ts';
import type { PointLookup } from './point-lookup.ts';

/** What a block costs beside its bytes, roughly. */
const OVERHEAD_BYTES = 256;

interface LargeBlock {
  readonly table: CachedTable;
  readonly ordinal: number;
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  /** Since the hand last passed. */
  isUsed: boolean;
}

export class LargeBlocks {
  readonly #blocks: (LargeBlock | undefined)[] = [];
  readonly #free: number[] = [];
  #bytes = 0;
  #hand = 0;

  /** Memory that a block of `length` bytes takes. */
  static cost(length: number): number {
    return length + OVERHEAD_BYTES;
  }

  /** Memory held, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#blocks.length - this.#free.length;
  }

  /** Keeps a copy of `block`. @returns Its index. */
  add(table: CachedTable, ordinal: number, block: Uint8Array): number {
    const buffer = new ArrayBuffer((block.length + 3) & ~3);
    const bytes = new Uint8Array(buffer, 0, block.length);
    bytes.set(block);
    const index = this.#free.pop() ?? this.#blocks.length;
    this.#blocks[index] = { table, ordinal, bytes, words: new Uint32Array(buffer), isUsed: false };
    this.#bytes += LargeBlocks.cost(block.length);
    return index;
  }

  attach(index: number, lookup: PointLookup): void {
    const block = this.#blocks[index]!;
    block.isUsed = true;
    lookup.attach(block.words, block.bytes, 0);
  }

  copy(index: number): Uint8Array {
    const block = this.#blocks[index]!;
    block.isUsed = true;
    return block.bytes.slice();
  }

  /** Lets go of a block, and tells its table. */
  remove(index: number): void {
    const { table, ordinal, bytes } = this.#blocks[index]!;
    this.#blocks[index] = undefined;
    this.#free.push(index);
    this.#bytes -= LargeBlocks.cost(bytes.length);
    table.forget(ordinal);
  }

  /** Lets go of one that was not used lately. Requires: there is one. */
  evictOne(): void {
    for (;;) {
      if (this.#hand >= this.#blocks.length) this.#hand = 0;
      const index = this.#hand++;
      const block = this.#blocks[index];
      if (block === undefined) continue;
      if (!block.isUsed) {
        this.remove(index);
        return;
      }
      block.isUsed = false;
    }
  }
}
