/**
 * The blocks of one run, each checked and unpacked when it is asked for. Blocks that are not compressed go side by side into one
 * piece of memory: an array buffer for each would cost a scan more than all its reading.
 */

import { BlockReader } from './block-reader.ts';
import { checkStored } from './stored-block.ts';
import { type BlockRun, type TableBlocks } from './table-blocks.ts';

/** Blocks are read through words. */
const ALIGNMENT = 8;

export class RunBlocks {
  readonly #blocks: TableBlocks;
  readonly #run: BlockRun;
  /** Where the first byte of the run is in the file. */
  readonly #start: number;
  #memory: Uint8Array | undefined;
  #used = 0;

  constructor(blocks: TableBlocks, run: BlockRun) {
    this.#blocks = blocks;
    this.#run = run;
    this.#start = blocks.handleAt(run.firstOrdinal).offset;
  }

  has(ordinal: number): boolean {
    return ordinal >= this.#run.firstOrdinal && ordinal < this.#run.endOrdinal;
  }

  /** Requires: `has(ordinal)`. @throws CorruptionError when the block is damaged. */
  open(ordinal: number): BlockReader {
    const handle = this.#blocks.handleAt(ordinal);
    if (handle.storedBytes < handle.rawBytes) return this.#blocks.openFromRun(this.#run, ordinal);
    const { bytes } = this.#run;
    const { identity } = this.#blocks;
    const at = handle.offset - this.#start;
    checkStored(bytes, at, handle, identity);
    const raw = this.#take(handle.rawBytes);
    raw.set(bytes.subarray(at, at + handle.storedBytes));
    return new BlockReader(raw, identity.file, handle.offset);
  }

  /** Memory that nobody else has had. */
  #take(size: number): Uint8Array {
    const needed = Math.ceil(size / ALIGNMENT) * ALIGNMENT;
    // A block opened again finds no room left: it gets memory of its own.
    if (this.#memory !== undefined && this.#used + needed > this.#memory.length) return new Uint8Array(size);
    // Not cleared: every byte of what is taken is copied into.
    this.#memory ??= Buffer.allocUnsafeSlow(this.#run.bytes.length + ALIGNMENT * this.#blockCount);
    const at = this.#used;
    this.#used += needed;
    return this.#memory.subarray(at, at + size);
  }

  get #blockCount(): number {
    return this.#run.endOrdinal - this.#run.firstOrdinal;
  }
}
