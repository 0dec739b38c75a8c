/**
 * Cuts the keys at the ends of all range deletes: inside one region the same range deletes count for every key, so a scan
 * asks once per region and not once per row.
 */

import { compareBytes } from '@kayadb/codec';

import type { SequenceNumber } from '../key/internal-key.ts';
import type { RangeDeleteSet } from '../range-delete/range-delete-set.ts';

/** Keys from `start` on, up to and without `end`; without them to either end of all keys. */
export interface Region {
  readonly start: Uint8Array | undefined;
  readonly end: Uint8Array | undefined;
  /** Entries older than this are hidden; 0 if none are. */
  readonly hiddenBelow: SequenceNumber;
}

/** Cuts of sets still in use: scans share a set until the next range delete. */
const cutsOf = new WeakMap<RangeDeleteSet, readonly Uint8Array[]>();

export class HiddenRegions {
  readonly #set: RangeDeleteSet;
  readonly #maxSequence: SequenceNumber;
  readonly #cuts: readonly Uint8Array[];

  /** What readers at `maxSequence` see of `set`. */
  constructor(set: RangeDeleteSet, maxSequence: SequenceNumber) {
    this.#set = set;
    this.#maxSequence = maxSequence;
    let cuts = cutsOf.get(set);
    if (cuts === undefined) {
      cuts = cutKeys(set);
      cutsOf.set(set, cuts);
    }
    this.#cuts = cuts;
  }

  /** The region that `key` is in. */
  at(key: Uint8Array): Region {
    const cuts = this.#cuts;
    let low = 0;
    let high = cuts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareBytes(cuts[middle]!, key) <= 0) low = middle + 1;
      else high = middle;
    }
    return { start: cuts[low - 1], end: cuts[low], hiddenBelow: this.#set.newestCovering(key, this.#maxSequence) };
  }
}

/** Starts and ends, ascending, each once. */
function cutKeys({ deletes }: RangeDeleteSet): readonly Uint8Array[] {
  const keys = deletes.flatMap(({ start, end }) => (end === undefined ? [start] : [start, end])).toSorted(compareBytes);
  return keys.filter((key, i) => i === 0 || compareBytes(keys[i - 1]!, key) !== 0);
}
