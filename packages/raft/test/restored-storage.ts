/** What a node has in storage whose log is gone, but for a snapshot that stands for it. */

import type { Configuration, LogIndex, Term } from '../src/core/types.ts';
import { entriesOf, snapshotOf } from '../src/testing/entries.ts';
import { MemoryLogStorage } from '../src/testing/memory-log-storage.ts';

/** @param terms - Of the entries behind the snapshot, none of them committed. */
export function restoredStorage(
  index: LogIndex,
  term: Term,
  configuration: Configuration,
  terms: readonly Term[] = [],
): MemoryLogStorage {
  const storage = new MemoryLogStorage();
  storage.applySnapshot(snapshotOf(index, term, configuration));
  storage.append(entriesOf(index + 1, ...terms));
  storage.setHardState({ term: terms.at(-1) ?? term, vote: 0, commit: index });
  return storage;
}
