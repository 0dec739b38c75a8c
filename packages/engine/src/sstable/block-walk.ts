/**
 * Walks the blocks of one table, one way. The block a seek lands in goes through the cache; blocks reached by walking on
 * are read ahead, more at a time the longer the walk lasts, into memory of the walk's own, so that scans do not wash the
 * cache out.
 */

import type { Direction, MaybePromise } from '../iterate/cursor.ts';
import type { BlockReader } from './block-reader.ts';
import { ReadAhead } from './read-ahead.ts';
import type { TableBlocks } from './table-blocks.ts';

const DEFAULT_READ_AHEAD_BYTES = 256 * 1024;

export interface BlockWalkOptions {
  /** Bound: stored bytes read ahead at a time, though never less than one block; two such runs are held. Default 256 KiB. */
  readonly readAheadBytes?: number;
  /** Whether the block that a seek lands in is cached. Default true; compaction says false. */
  readonly fillCache?: boolean;
}

export class BlockWalk {
  readonly #blocks: TableBlocks;
  readonly #step: 1 | -1;
  readonly #readAhead: ReadAhead;
  readonly #fillCache: boolean;
  readonly #release: () => void;
  #block: BlockReader | undefined;
  #ordinal = 0;
  #position = -1;
  #moving: Promise<void> | undefined;
  #isClosed = false;

  /** @param release - Called once, when the walk is closed and reads nothing any more. */
  constructor(blocks: TableBlocks, direction: Direction, options: BlockWalkOptions, release: () => void) {
    this.#blocks = blocks;
    this.#step = direction === 'forward' ? 1 : -1;
    this.#readAhead = new ReadAhead(blocks, this.#step, options.readAheadBytes ?? DEFAULT_READ_AHEAD_BYTES);
    this.#fillCache = options.fillCache ?? true;
    this.#release = release;
  }

  get isForward(): boolean {
    return this.#step === 1;
  }

  /** The block that the walk is in, valid until it moves; `undefined` before the first positioning and after the end. */
  get block(): BlockReader | undefined {
    return this.#block;
  }

  /** Where in the block the last move landed; always an entry of it. */
  get position(): number {
    return this.#position;
  }

  seekToStart(): MaybePromise {
    const ordinal = this.#step === 1 ? 0 : this.#blocks.count - 1;
    return this.#seekBlock(ordinal, (block) => this.#edgeOf(block));
  }

  /** Forward: goes to the first entry with a key at or after `key`. Reverse: to the last one before `key`. */
  seek(key: Uint8Array): MaybePromise {
    const ordinal = this.#blocks.search.firstAtOrAfter(key);
    if (this.#step === 1) return this.#seekBlock(ordinal, (block) => block.seek(key, Infinity));
    // That block holds, or directly follows, the last entry before.
    return this.#seekBlock(Math.min(ordinal, this.#blocks.count - 1), (block) => block.seek(key, Infinity) - 1);
  }

  /** Requires: reverse. Goes to the last entry with a key at or before `key`. */
  seekAtOrBefore(key: Uint8Array): MaybePromise {
    // The first block whose last key is greater holds, or directly follows, the last entry that is not.
    const ordinal = Math.min(this.#blocks.search.firstAfter(key), this.#blocks.count - 1);
    return this.#seekBlock(ordinal, (block) => block.seek(key, -1) - 1);
  }

  /** Goes to the near edge of the next block. Requires: `block` is defined. */
  nextBlock(): MaybePromise {
    const ordinal = this.#ordinal + this.#step;
    this.#block = undefined;
    if (ordinal < 0 || ordinal >= this.#blocks.count) return undefined;
    const block = this.#blockAtHand(ordinal);
    if (block !== undefined) return this.#enter(ordinal, block, this.#edgeOf(block));
    return this.#move(async () => {
      const read = await this.#readAhead.read(ordinal);
      await this.#enter(ordinal, read, this.#edgeOf(read));
    });
  }

  /** Releases what the walk holds. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#block = undefined;
    // Reads that are under way still need the file; a move may start one more.
    if (this.#moving === undefined) this.#releaseAfter(this.#readAhead.close());
    else void this.#releaseWhenMoved(this.#moving);
  }

  #seekBlock(ordinal: number, locate: (block: BlockReader) => number): MaybePromise {
    this.#block = undefined;
    this.#readAhead.restart();
    if (ordinal >= this.#blocks.count) return undefined;
    const block = this.#blockAtHand(ordinal);
    if (block !== undefined) return this.#enter(ordinal, block, locate(block));
    return this.#move(async () => {
      const read = this.#fillCache ? await this.#blocks.read(ordinal) : await this.#readAhead.read(ordinal);
      await this.#enter(ordinal, read, locate(read));
    });
  }

  /** Stands at `position` of `block`; where that is outside of it, on the next entry after it. */
  #enter(ordinal: number, block: BlockReader, position: number): MaybePromise {
    if (this.#isClosed) return undefined;
    this.#ordinal = ordinal;
    if (position < 0 || position >= block.count) return this.nextBlock();
    this.#block = block;
    this.#position = position;
    return undefined;
  }

  #edgeOf(block: BlockReader): number {
    return this.#step === 1 ? 0 : block.count - 1;
  }

  #blockAtHand(ordinal: number): BlockReader | undefined {
    return this.#readAhead.open(ordinal) ?? this.#blocks.takeCopy(ordinal);
  }

  async #releaseWhenMoved(moving: Promise<void>): Promise<void> {
    await moving.catch(() => undefined);
    this.#releaseAfter(this.#readAhead.close());
  }

  #releaseAfter(reading: Promise<unknown> | undefined): void {
    if (reading === undefined) this.#release();
    else void reading.then(this.#release);
  }

  #move(move: () => Promise<void>): Promise<void> {
    const moving = move().finally(() => {
      this.#moving = undefined;
    });
    this.#moving = moving;
    return moving;
  }
}
