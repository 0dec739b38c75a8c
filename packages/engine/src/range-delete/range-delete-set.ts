/**
 * Range deletes cut into fragments that do not overlap, so that one binary search finds everything that covers a key.
 * Immutable. Fragmentation as in Pebble's rangedel and RocksDB's FragmentedRangeTombstoneList.
 */

import { compareBytes } from '@kayadb/codec';

import type { SequenceNumber } from '../key/internal-key.ts';
import type { KeySpan, RangeDelete } from './range-delete.ts';

/** Keys that the same range deletes cover. */
interface Fragment extends KeySpan {
  /** Descending; at least one. */
  readonly sequences: readonly SequenceNumber[];
}

/** A stretch of keys in which every entry older than `sequence` is hidden. */
export interface HiddenSpan extends KeySpan {
  readonly sequence: SequenceNumber;
}

export class RangeDeleteSet {
  /** What it was made of, in any order. */
  readonly deletes: readonly RangeDelete[];
  /** Ascending, without overlap; gaps are covered by nothing. */
  readonly #fragments: readonly Fragment[];

  constructor(deletes: readonly RangeDelete[]) {
    this.deletes = deletes;
    this.#fragments = deletes.length === 0 ? [] : cutFragments(deletes);
  }

  get isEmpty(): boolean {
    return this.#fragments.length === 0;
  }

  /**
   * Sequence number of the newest range delete at or below `maxSequence` that covers `key`; 0 if none does.
   * An entry of that key is hidden from readers at `maxSequence` if its own is smaller.
   */
  newestCovering(key: Uint8Array, maxSequence: SequenceNumber): SequenceNumber {
    const fragment = this.#fragments[this.#indexAt(key)];
    return fragment === undefined || !starts(fragment, key) ? 0 : newestAtOrBelow(fragment, maxSequence);
  }

  /** The fragment around `key`, as readers at `maxSequence` see it; `undefined` when nothing covers `key` for them. */
  hiddenSpanAt(key: Uint8Array, maxSequence: SequenceNumber): HiddenSpan | undefined {
    const fragment = this.#fragments[this.#indexAt(key)];
    if (fragment === undefined || !starts(fragment, key)) return undefined;
    const sequence = newestAtOrBelow(fragment, maxSequence);
    return sequence === 0 ? undefined : { start: fragment.start, end: fragment.end, sequence };
  }

  /** Index of the first fragment that ends behind `key`. */
  #indexAt(key: Uint8Array): number {
    let low = 0;
    let high = this.#fragments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { end } = this.#fragments[middle]!;
      if (end !== undefined && compareBytes(end, key) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export const NO_RANGE_DELETES: RangeDeleteSet = new RangeDeleteSet([]);

function starts(fragment: Fragment, key: Uint8Array): boolean {
  return compareBytes(fragment.start, key) <= 0;
}

function newestAtOrBelow({ sequences }: Fragment, maxSequence: SequenceNumber): SequenceNumber {
  for (const sequence of sequences) if (sequence <= maxSequence) return sequence;
  return 0;
}

/** Sweeps over all starts and ends in key order; between two of them the same deletes are open. */
function cutFragments(deletes: readonly RangeDelete[]): readonly Fragment[] {
  const byStart = deletes.toSorted((a, b) => compareBytes(a.start, b.start));
  const byEnd = deletes.toSorted((a, b) => compareEnds(a.end, b.end));
  const open = new Set<SequenceNumber>();
  const fragments: Fragment[] = [];
  let from: Uint8Array | undefined;
  let nextStart = 0;
  for (let nextEnd = 0; nextEnd < byEnd.length;) {
    const starting = byStart[nextStart];
    const { end } = byEnd[nextEnd]!;
    const isStart = starting !== undefined && (end === undefined || compareBytes(starting.start, end) < 0);
    const at = isStart ? starting.start : end;
    if (open.size > 0 && !isSame(from, at)) {
      fragments.push({ start: from!, end: at, sequences: [...open].toSorted((a, b) => b - a) });
    }
    from = at;
    if (isStart) {
      open.add(starting.sequence);
      nextStart++;
    } else {
      open.delete(byEnd[nextEnd]!.sequence);
      nextEnd++;
    }
  }
  return fragments;
}

function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : compareBytes(a, b) === 0;
}

/** No end comes last. */
function compareEnds(a: Uint8Array | undefined, b: Uint8Array | undefined): number {
  if (a === undefined || b === undefined) return (a === undefined ? 1 : 0) - (b === undefined ? 1 : 0);
  return compareBytes(a, b);
}
