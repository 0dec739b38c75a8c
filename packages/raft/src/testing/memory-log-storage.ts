/**
 * A log in memory that is durable as soon as it is told something: for tests of the core, where the test decides what is told when.
 * Invariant: entries are without gaps, from the one after the compacted ones on.
 */

import { assert } from '@kayadb/codec';

import { defaultEntryBytes } from '../core/config.ts';
import { countFitting } from '../core/entry-size.ts';
import type { LogGap, LogStorage } from '../core/log-storage.ts';
import {
  type Configuration,
  EMPTY_CONFIGURATION,
  EMPTY_HARD_STATE,
  type Entry,
  type HardState,
  type LogIndex,
  type Snapshot,
  type Term,
} from '../core/types.ts';

const NO_DATA = new Uint8Array(0);

export class MemoryLogStorage implements LogStorage {
  readonly #entryBytes: (entry: Entry) => number;
  #entries: Entry[] = [];
  /** Index and term of the last entry that is gone. */
  #compacted: { readonly index: LogIndex; readonly term: Term } = { index: 0, term: 0 };
  #snapshot: Snapshot = { meta: { index: 0, term: 0, configuration: EMPTY_CONFIGURATION }, data: NO_DATA };
  #hardState: HardState = EMPTY_HARD_STATE;
  /** Makes `snapshot()` answer that there is none yet. */
  isSnapshotUnavailable = false;

  constructor(entryBytes: (entry: Entry) => number = defaultEntryBytes) {
    this.#entryBytes = entryBytes;
  }

  initialState(): { readonly hardState: HardState; readonly configuration: Configuration } {
    return { hardState: this.#hardState, configuration: this.#snapshot.meta.configuration };
  }

  get firstIndex(): LogIndex {
    return this.#compacted.index + 1;
  }

  get lastIndex(): LogIndex {
    return this.#compacted.index + this.#entries.length;
  }

  term(index: LogIndex): Term | LogGap {
    if (index < this.#compacted.index) return 'compacted';
    if (index === this.#compacted.index) return this.#compacted.term;
    return this.#entries[index - this.firstIndex]?.term ?? 'unavailable';
  }

  entries(from: LogIndex, to: LogIndex, maxBytes: number): readonly Entry[] | LogGap {
    if (from < this.firstIndex) return 'compacted';
    if (to > this.lastIndex + 1) return 'unavailable';
    const start = from - this.firstIndex;
    const count = countFitting(this.#entries, start, to - this.firstIndex, maxBytes, this.#entryBytes);
    return this.#entries.slice(start, start + count);
  }

  snapshot(): Snapshot | 'unavailable' {
    return this.isSnapshotUnavailable ? 'unavailable' : this.#snapshot;
  }

  /** Every entry that is here. */
  allEntries(): readonly Entry[] {
    return this.#entries.slice();
  }

  /** The group's members when its log begins. Requires: no snapshot is here. */
  bootstrap(configuration: Configuration): void {
    assert(this.#snapshot.meta.index === 0, 'the members are those of the snapshot');
    this.#snapshot = { meta: { index: 0, term: 0, configuration }, data: NO_DATA };
  }

  setHardState(hardState: HardState): void {
    this.#hardState = hardState;
  }

  /** `entries` take the place of everything from the first of them on; those that are compacted already are passed over. */
  append(entries: readonly Entry[]): void {
    const kept = entries.filter(({ index }) => index >= this.firstIndex);
    const first = kept[0]?.index;
    if (first === undefined) return;
    assert(first <= this.lastIndex + 1, `entry ${first} leaves a gap behind ${this.lastIndex}`);
    const before = first - this.firstIndex;
    if (before < this.#entries.length) this.#entries.length = before;
    for (const entry of kept) this.#entries.push(entry);
  }

  /** `snapshot` takes the place of the whole log. @returns Whether it is newer than the one that is here. */
  applySnapshot(snapshot: Snapshot): boolean {
    if (snapshot.meta.index <= this.#snapshot.meta.index) return false;
    this.#snapshot = snapshot;
    this.#compacted = { index: snapshot.meta.index, term: snapshot.meta.term };
    this.#entries = [];
    return true;
  }

  /** A snapshot of this node's own, up to the entry at `index`, which is here. The log stays. */
  createSnapshot(index: LogIndex, configuration: Configuration, data: Uint8Array): Snapshot {
    const term = this.term(index);
    assert(typeof term === 'number', `no entry ${index} for a snapshot`);
    assert(
      index > this.#snapshot.meta.index,
      `a snapshot of ${index} is not newer than that of ${this.#snapshot.meta.index}`,
    );
    this.#snapshot = { meta: { index, term, configuration }, data };
    return this.#snapshot;
  }

  /** Lets go of the entries up to `index`. */
  compact(index: LogIndex): void {
    const term = this.term(index);
    assert(index > this.#compacted.index && typeof term === 'number', `the log can not be compacted up to ${index}`);
    this.#entries = this.#entries.slice(index + 1 - this.firstIndex);
    this.#compacted = { index, term };
  }
}
