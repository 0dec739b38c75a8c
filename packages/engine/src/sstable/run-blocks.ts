/**
 * The blocks of one run, each checked and unpacked when it is asked for. Those that are not compressed all go into the same few
 * kilobytes, one after another: they stay in the processor's caches, and a scan makes no array buffer per block.
 */

import { BlockReader } from './block-reader.ts';
import { checkStored } from './stored-block.ts';
import type { BlockRun, TableBlocks } from './table-blocks.ts';

/** Memory for one block at a time; given back when a huge one made it larger than this. */
const KEPT_BYTES = 256 * 1024;

/** Where blocks of one walk are unpacked to: each overwrites the one before. */
export class BlockMemory {
  #bytes = new Uint8Array(0);

  /** @returns `size` bytes, at a multiple of 8 in their buffer. What was taken before must not be used any more. */
  take(size: number): Uint8Array {
    if (size > KEPT_BYTES) return new Uint8Array(size);
    if (size > this.#bytes.length) this.#bytes = new Uint8Array(Math.min(KEPT_BYTES, size + (size >>> 1)));
    return this.#bytes.subarray(0, size);
  }
}

export class RunBlocks {
  readonly #blocks: TableBlocks;
  readonly #run: BlockRun;
  readonly #memory: BlockMemory;
  /** Where the first byte of the run is in the file. */
  readonly #start: number;

  constructor(blocks: TableBlocks, run: BlockRun, memory: BlockMemory) {
    this.#blocks = blocks;
    this.#run = run;
    this.#memory = memory;
    this.#start = blocks.handleAt(run.firstOrdinal).offset;
  }

  has(ordinal: number): boolean {
    return ordinal >= this.#run.firstOrdinal && ordinal < this.#run.endOrdinal;
  }

  /** Requires: `has(ordinal)`. The block opened before is gone. @throws CorruptionError when the block is damaged. */
  open(ordinal: number): BlockReader {
    const handle = this.#blocks.handleAt(ordinal);
    if (handle.storedBytes < handle.rawBytes) return this.#blocks.openFromRun(this.#run, ordinal);
    const { bytes } = this.#run;
    const { identity } = this.#blocks;
    const at = handle.offset - this.#start;
    checkStored(bytes, at, handle, identity);
    const raw = this.#memory.take(handle.rawBytes);
    raw.set(bytes.subarray(at, at + handle.storedBytes));
    return new BlockReader(raw, identity.file, handle.offset);
  }
}
