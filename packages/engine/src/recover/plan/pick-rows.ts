/**
 * Which versions of which keys a salvage keeps, in the order of keys.
 *
 * Invariant: a provable row is the newest version of its key up to the last sequence number that is proved, no range delete up to it
 * hides it, and no damaged place may have held a newer one.
 */

import { compareBytes, copyBytes, EMPTY_BYTES } from '@kayadb/codec';

import { type Entry, PUT_KIND, type SequenceNumber } from '../../key/internal-key.ts';
import type { RangeDeleteSet } from '../../range-delete/range-delete-set.ts';
import { type DamagedPlace, PlaceSweep } from './damaged-place.ts';
import type { EntrySource } from './entry-source.ts';
import { mergeSources } from './merge-sources.ts';
import type { SalvagePolicy } from './recovery-plan.ts';

export interface PickOptions {
  readonly sources: readonly EntrySource[];
  readonly places: readonly DamagedPlace[];
  /** Up to which everything is known, but for the places. */
  readonly lastSequence: SequenceNumber;
  /** Of the state that is proved. */
  readonly rangeDeletes: RangeDeleteSet;
  /** Of everything that was found. */
  readonly allRangeDeletes: RangeDeleteSet;
}

export interface PickedRow {
  readonly policy: SalvagePolicy;
  /** Its views are valid until the promise of the visit resolves. */
  readonly entry: Entry;
  /** A newer version may have stood in a damaged place: `provable` leaves it out. */
  readonly isDoubtful: boolean;
  /** Where it stands. */
  readonly file: string;
}

/** @param visit - Gets the rows of both policies. */
export async function pickRows(
  { sources, places, lastSequence, rangeDeletes, allRangeDeletes }: PickOptions,
  visit: (row: PickedRow) => Promise<void> | undefined,
): Promise<void> {
  const sweep = new PlaceSweep(places);
  let key: Uint8Array = EMPTY_BYTES;
  let hasNewest = false;
  let hasProvable = false;

  function pick(policy: SalvagePolicy, entry: Entry, source: EntrySource): Promise<void> | undefined {
    const isProvable = policy === 'provable';
    const hiddenBelow = isProvable
      ? rangeDeletes.newestCovering(entry.key, lastSequence)
      : allRangeDeletes.newestCovering(entry.key, Infinity);
    if (entry.kind !== PUT_KIND || hiddenBelow > entry.sequence) return undefined;
    const isDoubtful = sweep.mayHoldNewer(entry.key, entry.sequence, source.rank);
    return visit({ policy, entry, isDoubtful, file: source.file });
  }

  await mergeSources(sources, (source) => {
    const entry = source.entry!;
    if (key.length === 0 || compareBytes(entry.key, key) !== 0) {
      key = copyBytes(entry.key);
      hasNewest = false;
      hasProvable = false;
      sweep.advance(key);
    }
    const picksProvable = !hasProvable && source.isProven && entry.sequence <= lastSequence;
    const picksNewest = !hasNewest;
    hasProvable ||= picksProvable;
    hasNewest = true;
    const first = picksNewest ? pick('newest-found', entry, source) : undefined;
    if (!picksProvable) return first;
    return first === undefined ? pick('provable', entry, source) : first.then(() => pick('provable', entry, source));
  });
}
