/** Entries and snapshots in a few letters, for tests of logs. */

import {
  type Configuration,
  EMPTY_CONFIGURATION,
  type Entry,
  type LogIndex,
  type Snapshot,
  type Term,
} from '../core/types.ts';

/** @param data - Payload, as text. */
export function entryOf(index: LogIndex, term: Term, data = ''): Entry {
  return { index, term, kind: 'normal', data: new TextEncoder().encode(data) };
}

/** One entry for each of `terms`, from index `first` on. */
export function entriesOf(first: LogIndex, ...terms: readonly Term[]): Entry[] {
  return terms.map((term, i) => entryOf(first + i, term));
}

/** `1/5 2/6`: term and index of each, as they stand. */
export function describeEntries(entries: readonly Entry[]): string {
  return entries.map(({ term, index }) => `${term}/${index}`).join(' ');
}

export function snapshotOf(index: LogIndex, term: Term, configuration: Configuration = EMPTY_CONFIGURATION): Snapshot {
  return { meta: { index, term, configuration }, data: new Uint8Array(0) };
}

export function votersOf(...voters: readonly number[]): Configuration {
  return { ...EMPTY_CONFIGURATION, voters };
}
