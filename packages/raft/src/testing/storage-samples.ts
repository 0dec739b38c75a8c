/** Entries, snapshots and batches for tests of storages, and logs as text. */

import { encodeUtf8 } from '@kayadb/codec';

import {
  type Configuration,
  EMPTY_CONFIGURATION,
  type Entry,
  type HardState,
  type LogIndex,
  type Snapshot,
  type Term,
} from '../core/types.ts';
import type { RaftStorage, StorageBatch } from '../storage/raft-storage.ts';

export const NO_LIMIT = Number.MAX_SAFE_INTEGER;

export function sampleEntry(index: LogIndex, term: Term, text = `${term}/${index}`): Entry {
  return { index, term, kind: 'normal', data: encodeUtf8(text) };
}

/** Entries of one term, from an index on to another. */
export function sampleEntries(from: LogIndex, last: LogIndex, term: Term): readonly Entry[] {
  return Array.from({ length: last - from + 1 }, (_, i) => sampleEntry(from + i, term));
}

export function sampleSnapshot(index: LogIndex, term: Term, configuration: Partial<Configuration> = {}): Snapshot {
  return {
    meta: { index, term, configuration: { ...EMPTY_CONFIGURATION, voters: [1, 2, 3], ...configuration } },
    data: encodeUtf8(`state at ${index}`),
  };
}

export function batchOf(parts: Partial<StorageBatch>): StorageBatch {
  return { entries: [], hardState: undefined, snapshot: undefined, ...parts };
}

/** The log as text: `term/index` of each entry. */
export function describeLog(storage: RaftStorage): string {
  const { firstIndex, lastIndex } = storage;
  if (lastIndex < firstIndex) return `empty behind ${lastIndex}`;
  const entries = storage.entries(firstIndex, lastIndex + 1, NO_LIMIT);
  return typeof entries === 'string' ? entries : entries.map(({ term, index }) => `${term}/${index}`).join(' ');
}

/** Something to be remembered. */
export function vote(term: Term, to = 0, commit: LogIndex = 0): HardState {
  return { term, vote: to, commit };
}
