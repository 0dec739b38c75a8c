/**
 * Blocks of one table read in long runs, in one direction, past the cache. A walk that lasts gets longer runs, and the
 * next one is read while the present one is walked.
 */

import type { BlockReader } from './block-reader.ts';
import { BlockMemory, RunBlocks } from './run-blocks.ts';
import type { BlockRun, TableBlocks } from './table-blocks.ts';

/** What the first run takes in; each further one doubles. */
const FIRST_RUN_BYTES = 16 * 1024;
/** A walk that has come to runs of this size is a long one. */
const LONG_RUN_BYTES = 64 * 1024;

interface ComingRun {
  /** The first block, in the direction of the walk. */
  readonly ordinal: number;
  readonly reading: Promise<BlockRun>;
}

export class ReadAhead {
  readonly #blocks: TableBlocks;
  readonly #step: 1 | -1;
  readonly #maxRunBytes: number;
  #runBytes = FIRST_RUN_BYTES;
  readonly #memory = new BlockMemory();
  #run: RunBlocks | undefined;
  #coming: ComingRun | undefined;
  /** Every read under way, also of runs that nobody will ask for because the walk went elsewhere. */
  readonly #reading = new Set<Promise<BlockRun>>();

  /** @param maxRunBytes - Bound: stored bytes of a run, though never less than one block; two of them are held. */
  constructor(blocks: TableBlocks, step: 1 | -1, maxRunBytes: number) {
    this.#blocks = blocks;
    this.#step = step;
    this.#maxRunBytes = maxRunBytes;
  }

  /** The block at `ordinal` if the present run has it; the one opened before is gone. @throws CorruptionError when it is damaged. */
  open(ordinal: number): BlockReader | undefined {
    return this.#run?.has(ordinal) === true ? this.#run.open(ordinal) : undefined;
  }

  /** Reads a run that starts with the block at `ordinal`. Fails with CorruptionError when that block is damaged. */
  async read(ordinal: number): Promise<BlockReader> {
    const coming = this.#coming?.ordinal === ordinal ? this.#coming : this.#start(ordinal);
    this.#coming = undefined;
    const run = await coming.reading;
    const next = this.#step === 1 ? run.endOrdinal : run.firstOrdinal - 1;
    if (this.#runBytes >= LONG_RUN_BYTES && next >= 0 && next < this.#blocks.count) this.#coming = this.#start(next);
    this.#run = new RunBlocks(this.#blocks, run, this.#memory);
    return this.#run.open(ordinal);
  }

  /** The walk goes on elsewhere, and may be short. */
  restart(): void {
    this.#runBytes = FIRST_RUN_BYTES;
  }

  /** Lets go of what was read. @returns Something to wait for, which never fails, while the file is still read. */
  close(): Promise<unknown> | undefined {
    this.#run = undefined;
    return this.#reading.size === 0 ? undefined : Promise.allSettled(this.#reading);
  }

  #start(ordinal: number): ComingRun {
    const count = this.#blocks.countWithin(ordinal, this.#step, Math.min(this.#runBytes, this.#maxRunBytes));
    this.#runBytes = Math.min(2 * this.#runBytes, this.#maxRunBytes);
    const first = this.#step === 1 ? ordinal : ordinal - count + 1;
    const reading = this.#blocks.readRun(first, first + count);
    this.#reading.add(reading);
    // Whoever comes to need the run gets the failure; nobody else wants it.
    const forget = (): boolean => this.#reading.delete(reading);
    reading.then(forget, forget);
    return { ordinal, reading };
  }
}
