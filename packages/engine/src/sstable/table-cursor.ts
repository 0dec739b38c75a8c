/** Walks the entries of one table, one by one as merges do; scans take its blocks whole instead. */

import type { Cursor, Direction, MaybePromise } from '../iterate/cursor.ts';
import type { RunCursor } from '../iterate/run-cursor.ts';
import type { Entry } from '../key/internal-key.ts';
import { BlockRows } from './block-rows.ts';
import { BlockWalk, type BlockWalkOptions } from './block-walk.ts';
import type { TableBlocks } from './table-blocks.ts';

export type TableCursorOptions = BlockWalkOptions;

export class TableCursor implements Cursor {
  readonly #walk: BlockWalk;
  readonly #step: 1 | -1;
  /** Within the walk's block. */
  #position = -1;
  #entry: Entry | undefined;

  /** @param release - Called once, when the cursor is closed and reads nothing any more. */
  constructor(blocks: TableBlocks, direction: Direction, options: TableCursorOptions, release: () => void) {
    this.#walk = new BlockWalk(blocks, direction, options, release);
    this.#step = direction === 'forward' ? 1 : -1;
  }

  get entry(): Entry | undefined {
    return (this.#entry ??= this.#walk.block?.entry(this.#position));
  }

  seekToStart(): MaybePromise {
    return this.#arrive(this.#walk.seekToStart());
  }

  seek(key: Uint8Array): MaybePromise {
    return this.#arrive(this.#step === 1 ? this.#walk.seek(key) : this.#walk.seekAtOrBefore(key));
  }

  next(): MaybePromise {
    this.#entry = undefined;
    this.#position += this.#step;
    if (this.#position >= 0 && this.#position < this.#walk.block!.count) return undefined;
    return this.#arrive(this.#walk.nextBlock());
  }

  close(): void {
    this.#entry = undefined;
    this.#walk.close();
  }

  /** The same table in whole blocks. Requires: the cursor itself is not used from then on; closing either closes both. */
  runs(): RunCursor {
    return new TableRuns(this.#walk);
  }

  #arrive(waiting: MaybePromise): MaybePromise {
    this.#entry = undefined;
    if (waiting !== undefined) return waiting.then(() => this.#land());
    this.#land();
    return undefined;
  }

  #land(): void {
    this.#position = this.#walk.position;
  }
}

class TableRuns implements RunCursor {
  readonly #walk: BlockWalk;
  #rows: BlockRows | undefined;

  constructor(walk: BlockWalk) {
    this.#walk = walk;
  }

  get rows(): BlockRows | undefined {
    const block = this.#walk.block;
    if (block === undefined) return undefined;
    if (this.#rows?.bytes !== block.bytes) this.#rows = BlockRows.ofBlock(block);
    return this.#rows;
  }

  get position(): number {
    return this.#walk.position;
  }

  seekToStart(): MaybePromise {
    return this.#walk.seekToStart();
  }

  seek(key: Uint8Array): MaybePromise {
    return this.#walk.seek(key);
  }

  nextRun(): MaybePromise {
    return this.#walk.nextBlock();
  }

  close(): void {
    this.#rows = undefined;
    this.#walk.close();
  }
}
