/**
 * Memory for blocks in slots of one size, cut from large chunks that are allocated when they are first needed and given back
 * when the slab shrinks below them. No object, no map and no buffer for each block.
 */

import { assert } from '@kayadb/codec';

import type { PointLookup } from './point-lookup.ts';

const CHUNK_BYTES = 1024 * 1024;

export class BlockSlab {
  readonly slotBytes: number;
  readonly #maxSlots: number;
  readonly #chunkShift: number;
  readonly #chunkMask: number;
  readonly #words: Uint32Array[] = [];
  readonly #bytes: Uint8Array[] = [];

  /**
   * @param slotBytes - Size of a slot; a multiple of 8.
   * @param maxSlots - Bound: slots that are ever asked for.
   */
  constructor(slotBytes: number, maxSlots: number) {
    assert(slotBytes % 8 === 0, 'slots must keep words aligned');
    this.slotBytes = slotBytes;
    this.#maxSlots = maxSlots;
    this.#chunkShift = Math.max(0, Math.floor(Math.log2(CHUNK_BYTES / slotBytes)));
    this.#chunkMask = (1 << this.#chunkShift) - 1;
  }

  /** Memory held, in bytes. */
  get allocatedBytes(): number {
    return this.#bytes.reduce((sum, { length }) => sum + length, 0);
  }

  /** Points `lookup` at the block in `slot`. Hot. */
  attach(slot: number, lookup: PointLookup): void {
    const chunk = slot >>> this.#chunkShift;
    lookup.attach(this.#words[chunk]!, this.#bytes[chunk]!, (slot & this.#chunkMask) * this.slotBytes);
  }

  /** Copies a block into `slot`. */
  write(slot: number, block: Uint8Array): void {
    const chunk = slot >>> this.#chunkShift;
    this.#reserve(chunk);
    this.#bytes[chunk]!.set(block, (slot & this.#chunkMask) * this.slotBytes);
  }

  /** The first `length` bytes of `slot`, in a new array. */
  copy(slot: number, length: number): Uint8Array {
    const at = (slot & this.#chunkMask) * this.slotBytes;
    return this.#bytes[slot >>> this.#chunkShift]!.slice(at, at + length);
  }

  /** Gives back chunks that lie wholly behind the first `slots` slots. */
  shrinkTo(slots: number): void {
    const chunks = (slots + this.#chunkMask) >>> this.#chunkShift;
    if (chunks >= this.#bytes.length) return;
    this.#words.length = chunks;
    this.#bytes.length = chunks;
  }

  #reserve(chunk: number): void {
    while (this.#bytes.length <= chunk) {
      const firstSlot = this.#bytes.length << this.#chunkShift;
      const slots = Math.min(this.#chunkMask + 1, this.#maxSlots - firstSlot);
      const buffer = new ArrayBuffer(slots * this.slotBytes);
      this.#words.push(new Uint32Array(buffer));
      this.#bytes.push(new Uint8Array(buffer));
    }
  }
}
