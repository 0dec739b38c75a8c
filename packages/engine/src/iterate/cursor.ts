/**
 * The one shape in which sorted entries are walked: memtables, blocks, tables, levels and merges of them.
 *
 * A cursor goes one way for its whole life; the direction is chosen when it is opened. Moving returns a promise only
 * when bytes must be read; otherwise it returns undefined and the next entry is there already. So a walk over cached
 * blocks never leaves the caller's turn: `const wait = cursor.next(); if (wait) await wait;`
 */

import type { Entry } from '../key/internal-key.ts';

export type Direction = 'forward' | 'reverse';

/** `undefined`: done in this turn. Otherwise wait; no other call is allowed meanwhile. */
export type MaybePromise = Promise<void> | undefined;

export interface Cursor {
  /**
   * The entry under the cursor, or `undefined` before the first positioning and after the end.
   * Its views stay valid until the cursor moves or closes.
   */
  readonly entry: Entry | undefined;
  /** Goes to the first entry in this cursor's direction. */
  seekToStart(): MaybePromise;
  /**
   * Forward: goes to the first entry whose user key is at or after `key`.
   * Reverse: goes to the first entry, in reverse order, whose user key is at or before `key`
   * (that is, of the versions of that user key the oldest, since they come oldest first in reverse).
   */
  seek(key: Uint8Array): MaybePromise;
  /** Requires: `entry` is defined. */
  next(): MaybePromise;
  /** Releases what the cursor holds. Idempotent. */
  close(): void;
}
