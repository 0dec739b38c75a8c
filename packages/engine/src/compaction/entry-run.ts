/**
 * A forward walk over sorted entries in place: what merges read. Unlike a `Cursor` it makes no object for an entry, only says where
 * it lies.
 */

import { EMPTY_BYTES } from '@kayadb/codec';

import type { Cursor, MaybePromise } from '../iterate/cursor.ts';
import { encodeEntry } from '../key/encoded-entry.ts';
import type { SequenceNumber } from '../key/internal-key.ts';

export interface EntryRun {
  /** Holds the entry under the walk, laid out as in encoded-entry.ts, from `at` on. Both stay valid until `next` is called. */
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly sequence: SequenceNumber;
  /** There is no entry any more; before `start` nobody knows. */
  readonly isAtEnd: boolean;
  /** Goes to the first entry. Call once. @returns A promise only when bytes must be read. */
  start(): MaybePromise;
  /** Requires: not at the end, and the promise of the call before has resolved. */
  next(): MaybePromise;
  /** Gives back what the walk holds. Idempotent. Waits for reads under way. */
  close(): Promise<void>;
}

/** Any forward cursor as a run. Each entry is copied once; good enough where entries are few or already objects. */
export class CursorRun implements EntryRun {
  readonly #cursor: Cursor;
  bytes: Uint8Array = EMPTY_BYTES;
  readonly at: number = 0;
  sequence: SequenceNumber = 0;
  isAtEnd = false;

  constructor(cursor: Cursor) {
    this.#cursor = cursor;
  }

  start(): MaybePromise {
    return this.#arrive(this.#cursor.seekToStart());
  }

  next(): MaybePromise {
    return this.#arrive(this.#cursor.next());
  }

  close(): Promise<void> {
    this.#cursor.close();
    return Promise.resolve();
  }

  #arrive(moving: MaybePromise): MaybePromise {
    if (moving !== undefined) return moving.then(() => this.#load());
    this.#load();
    return undefined;
  }

  #load(): void {
    const { entry } = this.#cursor;
    if (entry === undefined) {
      this.isAtEnd = true;
      return;
    }
    this.bytes = encodeEntry(entry, this.bytes);
    this.sequence = entry.sequence;
  }
}
