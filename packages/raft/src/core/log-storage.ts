/** What the core reads of the log that is durable, or on its way to be. Never waits: what is not in memory is read in the caller's turn. */

import type { Configuration, Entry, HardState, LogIndex, Snapshot, Term } from './types.ts';

/**
 * - `compacted`: a snapshot stands for it.
 * - `unavailable`: it is not there yet.
 */
export type LogGap = 'compacted' | 'unavailable';

export interface LogStorage {
  /** What was durable when the store was opened. */
  initialState(): { readonly hardState: HardState; readonly configuration: Configuration };
  /** Index of the first entry that is there; one more than `lastIndex` when none is. */
  readonly firstIndex: LogIndex;
  readonly lastIndex: LogIndex;
  /** The term of the entry at `index`. Of `firstIndex - 1` too, unless the log was never compacted and `index` is 0: then 0. */
  term(index: LogIndex): Term | LogGap;
  /**
   * Entries from `from` on, before `to`, as many as fit in `maxBytes` (by `entryBytes`), though one at least.
   * Requires: from < to.
   */
  entries(from: LogIndex, to: LogIndex, maxBytes: number): readonly Entry[] | LogGap;
  /** The newest; `unavailable` while it is being made: the core asks again later. */
  snapshot(): Snapshot | 'unavailable';
}
