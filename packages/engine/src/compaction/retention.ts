/**
 * May this entry go? Pure bookkeeping over the entries of a merge, in their order.
 *
 * An entry is needed if some reader can see it: the newest state, or a snapshot. Of the versions of one key, each
 * snapshot sees the newest at or below its sequence number. A delete is needed as long as an older version of its key may
 * lie in a deeper level.
 */

import { compareBytes, copyBytes } from '@kayadb/codec';

import { DELETE_KIND, type Entry, type SequenceNumber } from '../key/internal-key.ts';

export class Retention {
  /** Ascending; the newest state counts as a snapshot behind all others. */
  readonly #snapshots: readonly SequenceNumber[];
  readonly #olderVersionsBelow: (key: Uint8Array) => boolean;
  #key: Uint8Array | undefined;
  /** Index of the oldest snapshot that sees the version kept last; versions seen by none older are hidden by it. */
  #seenBy = 0;

  /**
   * @param snapshots - Sequence numbers of the open snapshots, ascending.
   * @param olderVersionsBelow - Whether a level below the merge's output may hold `key`.
   */
  constructor(snapshots: readonly SequenceNumber[], olderVersionsBelow: (key: Uint8Array) => boolean) {
    this.#snapshots = snapshots;
    this.#olderVersionsBelow = olderVersionsBelow;
  }

  /** Requires: entries come in their order (key ascending, newest version first). */
  shouldKeep(entry: Entry): boolean {
    const stripe = this.#oldestSnapshotSeeing(entry.sequence);
    if (this.#key === undefined || compareBytes(this.#key, entry.key) !== 0) this.#key = copyBytes(entry.key);
    else if (stripe === this.#seenBy) return false;
    this.#seenBy = stripe;
    // The oldest stripe has no snapshot below it, so the delete only has to hide what lies deeper.
    return !(entry.kind === DELETE_KIND && stripe === 0 && !this.#olderVersionsBelow(entry.key));
  }

  /** How many snapshots are older than `sequence`: versions with the same answer are seen by the same readers. */
  #oldestSnapshotSeeing(sequence: SequenceNumber): number {
    let low = 0;
    let high = this.#snapshots.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#snapshots[middle]! < sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
