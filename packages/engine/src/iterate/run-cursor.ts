/**
 * Sorted entries handed out in runs, each a block of memory: what scans merge. A run cursor goes one way, and waits, as
 * `Cursor` does, only for bytes.
 */

import type { SequenceNumber } from '../key/internal-key.ts';
import type { BlockRows } from '../sstable/block-rows.ts';
import type { MaybePromise } from './cursor.ts';

export interface RunCursor {
  /** The run under the cursor, valid until the cursor moves or closes. `undefined` before the first positioning and after the end. */
  readonly rows: BlockRows | undefined;
  /** Where in `rows` the last move landed; always an entry of it. In reverse, the run's entries are taken from there downwards. */
  readonly position: number;
  /** Goes to the first entry in this cursor's direction. */
  seekToStart(): MaybePromise;
  /** Forward: goes to the first entry with a key at or after `key`. Reverse: to the last one with a key before `key`. */
  seek(key: Uint8Array): MaybePromise;
  /** Goes to the near edge of the next run. Requires: `rows` is defined. */
  nextRun(): MaybePromise;
  /** Releases what the cursor holds. Idempotent. */
  close(): void;
}

/** A run cursor that knows what it can leave out. */
export interface SkippingRunCursor extends RunCursor {
  /**
   * Nobody wants the entries from here to `target` that are not newer than `sequence`. Passes over them as long as it is sure, without
   * looking at them, that there is nothing else; the cursor may stop earlier, but does not pass `target` (as in `seek`; absent: the end).
   *
   * @returns `false` when it has not moved.
   */
  skip(target: Uint8Array | undefined, sequence: SequenceNumber): MaybePromise | false;
}
