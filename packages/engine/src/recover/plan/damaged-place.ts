/**
 * Places of tables that do not verify, and whether one of them may have held a newer version of a key than the one at hand.
 *
 * Invariant: what may have stood in a place is never taken for absent: bounds that are not known include everything.
 */

import { compareBytes } from '@kayadb/codec';

import type { SequenceNumber } from '../../key/internal-key.ts';
import type { Loss, LossKind } from './recovery-plan.ts';

/** Keys up to and with `to`, from `from` on; `undefined` where there is no bound. */
export interface KeyBounds {
  readonly from: Uint8Array | undefined;
  readonly isFromExcluded: boolean;
  readonly to: Uint8Array | undefined;
}

export const ALL_KEYS: KeyBounds = { from: undefined, isFromExcluded: false, to: undefined };

export interface DamagedPlace {
  readonly kind: LossKind;
  /** Name inside the directory. */
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
  readonly reason: string;
  readonly level: number | null;
  /** Where it comes among all that holds entries, newest first: a version of a key is newer than those of the same key behind it. */
  readonly rank: number;
  readonly entryCount: number | null;
  readonly firstSequence: SequenceNumber | null;
  readonly lastSequence: SequenceNumber | null;
  readonly bounds: KeyBounds;
}

/** @param showKeys - Whether the bounds go into it. */
export function lossOf(place: DamagedPlace, showKeys: boolean): Loss {
  const { kind, file, offset, bytes, reason, level, entryCount, firstSequence, lastSequence, bounds } = place;
  const { from, isFromExcluded, to } = bounds;
  const hasKeys = from !== undefined && to !== undefined;
  const keys = showKeys && hasKeys ? { from: hex(from), isFromExcluded, to: hex(to) } : null;
  return { kind, file, offset, bytes, reason, level, entryCount, firstSequence, lastSequence, hasKeys, keys };
}

/** Answers for keys that come in ascending order. */
export class PlaceSweep {
  /** By where they begin, without those before the present key. */
  readonly #waiting: DamagedPlace[];
  #next = 0;
  /** Those that may hold the present key, and some that end before it. */
  #active: DamagedPlace[] = [];

  constructor(places: readonly DamagedPlace[]) {
    this.#waiting = places.toSorted((a, b) => compareStarts(a.bounds.from, b.bounds.from));
  }

  /** Goes to `key`. Requires: at or after the one before. */
  advance(key: Uint8Array): void {
    while (this.#next < this.#waiting.length) {
      const place = this.#waiting[this.#next]!;
      const { from } = place.bounds;
      if (from !== undefined && compareBytes(from, key) > 0) break;
      this.#active.push(place);
      this.#next++;
    }
    if (this.#active.some((place) => endsBefore(place, key))) {
      this.#active = this.#active.filter((place) => !endsBefore(place, key));
    }
  }

  /**
   * Whether a place may hold a version of the present key that is newer than the one with `sequence`.
   *
   * @param rank - Where that one stands.
   */
  mayHoldNewer(key: Uint8Array, sequence: SequenceNumber, rank: number): boolean {
    return this.#active.some(
      (place) => place.rank <= rank && (place.lastSequence ?? Infinity) > sequence && !startsAt(place, key),
    );
  }
}

function endsBefore({ bounds: { to } }: DamagedPlace, key: Uint8Array): boolean {
  return to !== undefined && compareBytes(to, key) < 0;
}

function startsAt({ bounds: { from, isFromExcluded } }: DamagedPlace, key: Uint8Array): boolean {
  return isFromExcluded && from !== undefined && compareBytes(from, key) === 0;
}

/** No start comes first. */
function compareStarts(a: Uint8Array | undefined, b: Uint8Array | undefined): number {
  if (a === undefined || b === undefined) return (a === undefined ? 0 : 1) - (b === undefined ? 0 : 1);
  return compareBytes(a, b);
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
