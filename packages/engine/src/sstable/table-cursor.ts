/**
 * Walks the entries of one table. The block a seek lands in goes through the cache; blocks reached by walking on are
 * read ahead, more at a time the longer the walk lasts, into memory of the cursor's own, so that scans do not wash the
 * cache out.
 */

import type { Cursor, Direction, MaybePromise } from '../iterate/cursor.ts';
import type { Entry } from '../key/internal-key.ts';
import type { BlockReader } from './block-reader.ts';
import type { BlockRun, TableBlocks } from './table-blocks.ts';

/** What the first read-ahead takes in; each further one doubles. */
const FIRST_READ_AHEAD_BYTES = 16 * 1024;

export interface TableCursorOptions {
  /** Bound: stored bytes read ahead at a time, though never less than one block. Default 128 KiB. */
  readonly readAheadBytes?: number;
  /** Whether the block that a seek lands in is cached. Default true; compaction says false. */
  readonly fillCache?: boolean;
}

const DEFAULT_READ_AHEAD_BYTES = 128 * 1024;

export class TableCursor implements Cursor {
  readonly #blocks: TableBlocks;
  readonly #step: 1 | -1;
  readonly #maxReadAheadBytes: number;
  readonly #fillCache: boolean;
  readonly #release: () => void;
  #readAheadBytes = FIRST_READ_AHEAD_BYTES;
  #run: BlockRun | undefined;
  #block: BlockReader | undefined;
  #ordinal = 0;
  /** Within the block; out of its bounds while there is no entry. */
  #position = -1;
  #entry: Entry | undefined;
  #moving: Promise<void> | undefined;
  #isClosed = false;

  /** @param release - Called once, when the cursor is closed and reads nothing any more. */
  constructor(blocks: TableBlocks, direction: Direction, options: TableCursorOptions, release: () => void) {
    this.#blocks = blocks;
    this.#step = direction === 'forward' ? 1 : -1;
    this.#maxReadAheadBytes = options.readAheadBytes ?? DEFAULT_READ_AHEAD_BYTES;
    this.#fillCache = options.fillCache ?? true;
    this.#release = release;
  }

  get entry(): Entry | undefined {
    return (this.#entry ??= this.#block?.entry(this.#position));
  }

  seekToStart(): MaybePromise {
    const ordinal = this.#step === 1 ? 0 : this.#blocks.count - 1;
    return this.#seekBlock(ordinal, (block) => this.#edgeOf(block));
  }

  seek(key: Uint8Array): MaybePromise {
    const { search, count } = this.#blocks;
    if (this.#step === 1) return this.#seekBlock(search.firstAtOrAfter(key), (block) => block.seek(key, Infinity));
    // The first block whose last key is greater holds, or directly follows, the last entry that is not.
    const ordinal = Math.min(search.firstAfter(key), count - 1);
    return this.#seekBlock(ordinal, (block) => block.seek(key, -1) - 1);
  }

  next(): MaybePromise {
    this.#entry = undefined;
    this.#position += this.#step;
    if (this.#position >= 0 && this.#position < this.#block!.count) return undefined;
    return this.#walkOn();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#leave();
    this.#run = undefined;
    // A read that is under way still needs the file.
    if (this.#moving === undefined) this.#release();
    else this.#moving.then(this.#release, this.#release);
  }

  #seekBlock(ordinal: number, locate: (block: BlockReader) => number): MaybePromise {
    this.#leave();
    this.#readAheadBytes = FIRST_READ_AHEAD_BYTES;
    if (ordinal >= this.#blocks.count) return undefined;
    const block = this.#blockAtHand(ordinal);
    if (block !== undefined) return this.#enter(ordinal, block, locate(block));
    return this.#move(async () => {
      const read = this.#fillCache ? await this.#blocks.read(ordinal) : await this.#readAhead(ordinal, 1);
      await this.#enter(ordinal, read, locate(read));
    });
  }

  /** Goes to the near edge of the block next to the one just left. */
  #walkOn(): MaybePromise {
    const ordinal = this.#ordinal + this.#step;
    this.#leave();
    if (ordinal < 0 || ordinal >= this.#blocks.count) return undefined;
    const block = this.#blockAtHand(ordinal);
    if (block !== undefined) return this.#enter(ordinal, block, this.#edgeOf(block));
    const bytes = Math.min(this.#readAheadBytes, this.#maxReadAheadBytes);
    this.#readAheadBytes *= 2;
    return this.#move(async () => {
      const read = await this.#readAhead(ordinal, this.#blocks.countWithin(ordinal, this.#step, bytes));
      await this.#enter(ordinal, read, this.#edgeOf(read));
    });
  }

  /** Stands at `position` of `block`; where that is outside of it, on the next entry after it. */
  #enter(ordinal: number, block: BlockReader, position: number): MaybePromise {
    if (this.#isClosed) return undefined;
    this.#ordinal = ordinal;
    if (position < 0 || position >= block.count) return this.#walkOn();
    this.#block = block;
    this.#position = position;
    return undefined;
  }

  #leave(): void {
    this.#block = undefined;
    this.#entry = undefined;
  }

  #edgeOf(block: BlockReader): number {
    return this.#step === 1 ? 0 : block.count - 1;
  }

  #blockAtHand(ordinal: number): BlockReader | undefined {
    const run = this.#run;
    if (run !== undefined && ordinal >= run.firstOrdinal && ordinal < run.endOrdinal) {
      return this.#blocks.openFromRun(run, ordinal);
    }
    return this.#blocks.cached(ordinal);
  }

  /** Reads `count` blocks in the cursor's direction, `ordinal` being the first. */
  async #readAhead(ordinal: number, count: number): Promise<BlockReader> {
    const first = this.#step === 1 ? ordinal : ordinal - count + 1;
    this.#run = await this.#blocks.readRun(first, first + count);
    return this.#blocks.openFromRun(this.#run, ordinal);
  }

  #move(move: () => Promise<void>): Promise<void> {
    const moving = move().finally(() => {
      this.#moving = undefined;
    });
    this.#moving = moving;
    return moving;
  }
}
