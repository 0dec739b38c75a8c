/**
 * The end of the log that is not known to be durable: entries and perhaps a snapshot before them, some of it handed out to be made durable.
 * It may begin before the stored log ends: then it takes the place of what is stored from there on.
 * Invariant: offset <= offsetInProgress <= offset + count; entry i of it has the index offset + i.
 */

import { assert } from '@kayadb/codec';

import { countFitting } from './entry-size.ts';
import type { EventSink } from './events.ts';
import type { Entry, LogIndex, Snapshot, Term } from './types.ts';

export class UnstableLog {
  readonly #emit: EventSink | undefined;
  #entries: Entry[] = [];
  #offset: LogIndex;
  #offsetInProgress: LogIndex;
  #snapshot: Snapshot | undefined;
  #isSnapshotInProgress = false;
  #revision = 0;

  /** @param offset - Index of the first entry that is not stored. */
  constructor(offset: LogIndex, emit: EventSink | undefined) {
    this.#offset = offset;
    this.#offsetInProgress = offset;
    this.#emit = emit;
  }

  get offset(): LogIndex {
    return this.#offset;
  }

  /** Index after the last entry that was handed out. */
  get offsetInProgress(): LogIndex {
    return this.#offsetInProgress;
  }

  /** Grows with each change of what the log says; that something became durable is none. */
  get revision(): number {
    return this.#revision;
  }

  get count(): number {
    return this.#entries.length;
  }

  /** Not known to be durable, handed out or not. */
  get snapshot(): Snapshot | undefined {
    return this.#snapshot;
  }

  /** Of the entries, else of the snapshot, if there is either. */
  get lastIndex(): LogIndex | undefined {
    if (this.#entries.length > 0) return this.#offset + this.#entries.length - 1;
    return this.#snapshot?.meta.index;
  }

  /** The term at `index`, when it is the snapshot's or that of an entry here. */
  term(index: LogIndex): Term | undefined {
    if (index < this.#offset) {
      const meta = this.#snapshot?.meta;
      return meta !== undefined && meta.index === index ? meta.term : undefined;
    }
    return this.#entries[index - this.#offset]?.term;
  }

  /** Entries that nobody was handed yet. A copy. */
  nextEntries(): Entry[] {
    return this.#entries.slice(this.#offsetInProgress - this.#offset);
  }

  get hasNextEntries(): boolean {
    return this.#offsetInProgress - this.#offset < this.#entries.length;
  }

  /** The snapshot, if nobody was handed it yet. */
  get nextSnapshot(): Snapshot | undefined {
    return this.#isSnapshotInProgress ? undefined : this.#snapshot;
  }

  /** All that is here is handed out now. */
  acceptInProgress(): void {
    if (this.#entries.length > 0) this.#offsetInProgress = this.#offset + this.#entries.length;
    if (this.#snapshot !== undefined) this.#isSnapshotInProgress = true;
  }

  /**
   * Entries up to `index`, whose term is `term`, are durable, and are read from storage from now on.
   *
   * Requires: no write in flight replaces any of them.
   */
  stableTo(index: LogIndex, term: Term): void {
    const unstableTerm = this.term(index);
    if (unstableTerm === undefined) {
      this.#emit?.({ kind: 'stable-entry-missing', index });
      return;
    }
    if (index < this.#offset) {
      this.#emit?.({ kind: 'stable-entry-in-snapshot', index });
      return;
    }
    if (unstableTerm !== term) {
      this.#emit?.({ kind: 'stable-entry-mismatched', index, term, unstableTerm });
      return;
    }
    const first = index + 1;
    this.#entries = this.#entries.slice(first - this.#offset);
    this.#offset = first;
    this.#offsetInProgress = Math.max(this.#offsetInProgress, first);
  }

  /** The snapshot of `index` is durable; any other is left alone. */
  stableSnapshotTo(index: LogIndex): void {
    if (this.#snapshot?.meta.index !== index) return;
    this.#snapshot = undefined;
    this.#isSnapshotInProgress = false;
  }

  /** `snapshot` takes the place of everything. */
  restore(snapshot: Snapshot): void {
    const { index } = snapshot.meta;
    assertIndex(index);
    this.#revision++;
    this.#offset = index + 1;
    this.#offsetInProgress = this.#offset;
    this.#entries = [];
    this.#snapshot = snapshot;
    this.#isSnapshotInProgress = false;
  }

  /**
   * `entries` from `start` on take the place of everything from their first index on. Keeps the entries, not the list.
   *
   * Requires: start < entries.length, and no gap behind the log.
   */
  truncateAndAppend(entries: readonly Entry[], start: number): void {
    this.#revision++;
    const from = entries[start]?.index ?? 0;
    const end = this.#offset + this.#entries.length;
    assert(from > 0 && from <= end, `entries from ${from} on leave a gap behind ${end - 1}`);
    assertIndex(from + entries.length - start - 1);
    if (from < end) this.#cut(from);
    if (start === 0 && this.#entries.length === 0) {
      this.#entries = entries.slice();
      return;
    }
    const list = this.#entries;
    for (let i = start; i < entries.length; i++) list.push(entries[i] as Entry);
  }

  /** Entries from `from` on, before `to`, which are all here, as many as fit in `maxBytes`, though one at least. A copy. Requires: from < to. */
  take(from: LogIndex, to: LogIndex, maxBytes: number, entryBytes: (entry: Entry) => number): Entry[] {
    const start = from - this.#offset;
    const end = to - this.#offset;
    assert(start >= 0 && start < end && end <= this.#entries.length, `entries from ${from} to ${to} are not here`);
    return this.#entries.slice(start, start + countFitting(this.#entries, start, end, maxBytes, entryBytes));
  }

  #cut(from: LogIndex): void {
    if (from <= this.#offset) {
      this.#emit?.({ kind: 'unstable-replaced', from });
      this.#entries = [];
      this.#offset = from;
      this.#offsetInProgress = from;
    } else {
      this.#emit?.({ kind: 'unstable-truncated', from });
      this.#entries = this.#entries.slice(0, from - this.#offset);
      this.#offsetInProgress = Math.min(this.#offsetInProgress, from);
    }
  }
}

/** The index behind it has to be a number of its own too. */
function assertIndex(index: LogIndex): void {
  if (index >= Number.MAX_SAFE_INTEGER) assert(false, `entry ${index} is more than can be counted`);
}
