/**
 * Picks out of stretches of entries what a reader sees: of each key the newest version at or below a sequence number, unless it is a
 * delete or hidden by a range delete. Stretches come one after another in the order of the walk, the versions of one key
 * newest first when it goes forward, oldest first in reverse. Hot: one loop for each direction, no object per entry.
 */

import { PUT_KIND, type SequenceNumber } from '../key/internal-key.ts';
import { BlockRows, hasSameKey } from '../sstable/block-rows.ts';
import { ENTRY_KIND_AT } from '../wal/wal-format.ts';
import type { Direction } from './cursor.ts';

/** What takes the rows picked. */
export interface RowSink {
  /** No more rows may be added. */
  readonly isFull: boolean;
  /** Requires: not full. `at` is where the entry starts in `rows.bytes`. */
  add(rows: BlockRows, at: number): void;
}

export class VisibleRows {
  /** Entries older than this are hidden, until it is set anew. Requires: versions of one key are all taken under the same. */
  hiddenBelow: SequenceNumber = 0;
  readonly #maxSequence: SequenceNumber;
  readonly #isForward: boolean;
  /** Forward: the key decided last. Reverse: the version that decides its key, unless a newer one follows. */
  #rows: BlockRows | undefined;
  #at = 0;
  /** Reverse: whether the version at hand is to be shown. */
  #isShown = false;

  constructor(maxSequence: SequenceNumber, direction: Direction) {
    this.#maxSequence = maxSequence;
    this.#isForward = direction === 'forward';
  }

  /**
   * Takes the entries of `rows` from `from` up to, not including, `to`: down to it in reverse.
   *
   * @returns The first one not taken, since `sink` was full; otherwise `to`.
   */
  take(rows: BlockRows, from: number, to: number, sink: RowSink): number {
    return this.#isForward ? this.#takeForward(rows, from, to, sink) : this.#takeReverse(rows, from, to, sink);
  }

  /** There are no more entries: what is left to show is shown. Requires: `sink` is not full. */
  finish(sink: RowSink): void {
    if (!this.#isForward && this.#rows !== undefined && this.#isShown) sink.add(this.#rows, this.#at);
    this.forget();
  }

  /** `rows` is not valid any more after this. */
  detach(rows: BlockRows): void {
    if (this.#rows !== rows) return;
    this.#rows = BlockRows.ofCopy(rows, this.#at, !this.#isForward);
    this.#at = 0;
  }

  /** The walk starts anew elsewhere. */
  forget(): void {
    this.#rows = undefined;
  }

  #takeForward(rows: BlockRows, from: number, to: number, sink: RowSink): number {
    const { bytes, words, deltasAt, offsetsAt, baseSequence } = rows;
    const maxSequence = this.#maxSequence;
    const hiddenBelow = this.hiddenBelow;
    let lastBytes = this.#rows?.bytes;
    let lastAt = this.#at;
    let i = from;
    for (; i < to; i++) {
      const sequence = baseSequence + words[deltasAt + i]!;
      if (sequence > maxSequence) continue;
      const at = words[offsetsAt + i]!;
      if (lastBytes !== undefined && hasSameKey(bytes, at, lastBytes, lastAt)) continue;
      lastBytes = bytes;
      lastAt = at;
      if (bytes[at + ENTRY_KIND_AT] !== PUT_KIND || sequence < hiddenBelow) continue;
      sink.add(rows, at);
      if (sink.isFull) {
        i++;
        break;
      }
    }
    if (lastBytes === bytes) this.#rows = rows;
    this.#at = lastAt;
    return i;
  }

  #takeReverse(rows: BlockRows, from: number, to: number, sink: RowSink): number {
    const { bytes, words, deltasAt, offsetsAt, baseSequence } = rows;
    const maxSequence = this.#maxSequence;
    const hiddenBelow = this.hiddenBelow;
    let last = this.#rows;
    let lastAt = this.#at;
    let isShown = this.#isShown;
    let i = from;
    for (; i > to; i--) {
      const sequence = baseSequence + words[deltasAt + i]!;
      if (sequence > maxSequence) continue;
      const at = words[offsetsAt + i]!;
      if (last !== undefined && isShown && !hasSameKey(bytes, at, last.bytes, lastAt)) {
        sink.add(last, lastAt);
        last = undefined;
        if (sink.isFull) break;
      }
      last = rows;
      lastAt = at;
      isShown = bytes[at + ENTRY_KIND_AT] === PUT_KIND && sequence >= hiddenBelow;
    }
    this.#rows = last;
    this.#at = lastAt;
    this.#isShown = isShown;
    return i;
  }
}
