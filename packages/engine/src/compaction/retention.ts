/**
 * May this entry go? Pure bookkeeping over the entries of a merge, in their order.
 *
 * An entry is needed if some reader can see it: the newest state, or a snapshot. Of the versions of one key, each
 * snapshot sees the newest at or below its sequence number. A delete is needed as long as an older version of its key may
 * lie in a deeper level. What a range delete covers is needed only by snapshots that do not see the range delete.
 */

import { encodedKey, encodedKind } from '../key/encoded-entry.ts';
import { DELETE_KIND, type SequenceNumber } from '../key/internal-key.ts';
import { NO_RANGE_DELETES, type RangeDeleteSet } from '../range-delete/range-delete-set.ts';

export class Retention {
  /** Ascending; the newest state counts as a snapshot behind all others. */
  readonly #snapshots: readonly SequenceNumber[];
  readonly #olderVersionsBelow: (key: Uint8Array) => boolean;
  readonly #rangeDeletes: RangeDeleteSet;
  readonly #hasRangeDeletes: boolean;
  /** Index of the oldest snapshot that sees the version met last; versions seen by none older are hidden by it. */
  #seenBy = 0;

  /**
   * @param snapshots - Sequence numbers of the open snapshots, ascending.
   * @param olderVersionsBelow - Whether a level below the merge's output may hold `key`.
   * @param rangeDeletes - Those to apply. Others, that are not known here, stay in force.
   */
  constructor(
    snapshots: readonly SequenceNumber[],
    olderVersionsBelow: (key: Uint8Array) => boolean,
    rangeDeletes: RangeDeleteSet = NO_RANGE_DELETES,
  ) {
    this.#snapshots = snapshots;
    this.#olderVersionsBelow = olderVersionsBelow;
    this.#rangeDeletes = rangeDeletes;
    this.#hasRangeDeletes = !rangeDeletes.isEmpty;
  }

  /**
   * Requires: entries come in their order (key ascending, newest version first), each once.
   *
   * @param bytes - Holds the entry from `at` on, laid out as in encoded-entry.ts.
   * @param isNewKey - Whether its key is another than that of the entry before.
   */
  shouldKeep(bytes: Uint8Array, at: number, sequence: SequenceNumber, isNewKey: boolean): boolean {
    const stripe = this.#snapshots.length === 0 ? 0 : this.#oldestSnapshotSeeing(sequence);
    if (!isNewKey && stripe === this.#seenBy) return false;
    this.#seenBy = stripe;
    if (this.#hasRangeDeletes && this.#isCovered(encodedKey(bytes, at), sequence, stripe)) return false;
    if (encodedKind(bytes, at) !== DELETE_KIND || stripe > 0) return true;
    // The oldest stripe has no snapshot below it, so the delete only has to hide what lies deeper.
    return this.#olderVersionsBelow(encodedKey(bytes, at));
  }

  /** Whether all who see the entry see a range delete over it as well: one that is newer, in the same stripe. */
  #isCovered(key: Uint8Array, sequence: SequenceNumber, stripe: number): boolean {
    return this.#rangeDeletes.newestCovering(key, this.#snapshots[stripe] ?? Infinity) > sequence;
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
