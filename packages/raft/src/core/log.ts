/**
 * A node's log: the stored entries, the unstable ones behind them or in their place, and how far it is committed and applied (paper section 5.3).
 * Invariant: applied <= applying <= committed <= lastIndex, and firstIndex - 1 <= applied.
 */

import { assert } from '@kayadb/codec';

import { ApplyWindow } from './apply-window.ts';
import { NO_LIMIT, sumEntryBytes } from './entry-size.ts';
import type { EventSink } from './events.ts';
import type { LogGap, LogStorage } from './log-storage.ts';
import type { Entry, LogIndex, Snapshot, Term } from './types.ts';
import { UnstableLog } from './unstable-log.ts';

export interface LogOptions {
  readonly storage: LogStorage;
  /** Bound: bytes of entries handed out to be applied and not applied yet. */
  readonly maxApplyingBytes: number;
  readonly entryBytes: (entry: Entry) => number;
  readonly onEvent: EventSink | undefined;
}

/** Up to which index two logs may agree, and this log's term there: 0 when it is not known. */
export interface AgreementHint {
  readonly index: LogIndex;
  readonly term: Term;
}

export class RaftLog {
  readonly unstable: UnstableLog;
  readonly #storage: LogStorage;
  readonly #entryBytes: (entry: Entry) => number;
  readonly #maxApplyingBytes: number;
  readonly #emit: EventSink | undefined;
  readonly #applyWindow: ApplyWindow;
  #committed: LogIndex;

  constructor(options: LogOptions) {
    this.#storage = options.storage;
    this.#entryBytes = options.entryBytes;
    this.#maxApplyingBytes = options.maxApplyingBytes;
    this.#emit = options.onEvent;
    const compacted = this.#storage.firstIndex - 1;
    this.unstable = new UnstableLog(this.#storage.lastIndex + 1, options.onEvent);
    this.#committed = compacted;
    this.#applyWindow = new ApplyWindow(compacted, options.maxApplyingBytes);
  }

  get committed(): LogIndex {
    return this.#committed;
  }

  /** The last entry handed out to be applied. */
  get applying(): LogIndex {
    return this.#applyWindow.applying;
  }

  get applied(): LogIndex {
    return this.#applyWindow.applied;
  }

  get isApplyingPaused(): boolean {
    return this.#applyWindow.isPaused;
  }

  /** Index of the first entry that is not only in a snapshot. */
  get firstIndex(): LogIndex {
    const snapshot = this.unstable.snapshot;
    return snapshot === undefined ? this.#storage.firstIndex : snapshot.meta.index + 1;
  }

  get lastIndex(): LogIndex {
    return this.unstable.lastIndex ?? this.#storage.lastIndex;
  }

  get lastTerm(): Term {
    return this.knownTerm(this.lastIndex);
  }

  /** Of `firstIndex - 1` too: of the last entry that the snapshot stands for. */
  term(index: LogIndex): Term | LogGap {
    const unstableTerm = this.unstable.term(index);
    if (unstableTerm !== undefined) return unstableTerm;
    if (index + 1 < this.firstIndex) return 'compacted';
    if (index > this.lastIndex) return 'unavailable';
    return this.#storage.term(index);
  }

  /** As `term`, but 0 where the term is not known. */
  termOrZero(index: LogIndex): Term {
    const term = this.term(index);
    return typeof term === 'number' ? term : 0;
  }

  /** Requires: `index` is in the log, or just before it. */
  knownTerm(index: LogIndex): Term {
    const term = this.term(index);
    if (typeof term !== 'number') assert(false, `the term of entry ${index} is ${term}`);
    return term;
  }

  matches(index: LogIndex, term: Term): boolean {
    return this.term(index) === term;
  }

  /** Whether a log that ends like this is at least as up to date as this one (paper section 5.4.1). */
  isUpToDate(lastIndex: LogIndex, lastTerm: Term): boolean {
    const ownTerm = this.lastTerm;
    return lastTerm > ownTerm || (lastTerm === ownTerm && lastIndex >= this.lastIndex);
  }

  /**
   * A leader's `entries`, which follow its entry (`prevIndex`, `prevTerm`): those that are here stay, and from the first that differs on
   * they take the place of what is here (paper section 5.3).
   *
   * @param commit - The leader's; this log's follows as far as `entries` reach.
   * @returns Index of the last entry that is known to match, or undefined when the entry before them is not here.
   */
  maybeAppend(prevIndex: LogIndex, prevTerm: Term, entries: readonly Entry[], commit: LogIndex): LogIndex | undefined {
    if (!this.matches(prevIndex, prevTerm)) return undefined;
    const lastNew = prevIndex + entries.length;
    const conflict = this.findConflict(entries);
    if (conflict !== 0) {
      if (conflict <= this.#committed) assert(false, `entry ${conflict} conflicts with a committed one`);
      this.#appendFrom(entries, conflict - prevIndex - 1);
    }
    this.commitTo(Math.min(commit, lastNew));
    return lastNew;
  }

  /** Entries of a leader's own, or of a test's. Requires: none of them takes the place of a committed one. @returns The last index. */
  append(entries: readonly Entry[]): LogIndex {
    if (entries.length > 0) this.#appendFrom(entries, 0);
    return this.lastIndex;
  }

  /** Index of the first of `entries` that is not here as it is; 0 when all are. */
  findConflict(entries: readonly Entry[]): LogIndex {
    for (let i = 0; i < entries.length; i++) {
      const { index, term } = entries[i] as Entry;
      if (this.matches(index, term)) continue;
      if (index <= this.lastIndex) {
        const existingTerm = this.termOrZero(index);
        this.#emit?.({ kind: 'log-conflict-found', index, existingTerm, conflictingTerm: term });
      }
      return index;
    }
    return 0;
  }

  /**
   * The largest index, up to `index`, where this log's term is at most `term`, or is not known: above it, this log can not agree with one
   * that has an entry (`index`, `term`), since terms never fall along a log.
   */
  findConflictByTerm(index: LogIndex, term: Term): AgreementHint {
    for (let at = index; at > 0; at--) {
      const own = this.term(at);
      if (typeof own !== 'number') return { index: at, term: 0 };
      if (own <= term) return { index: at, term: own };
    }
    return { index: 0, term: 0 };
  }

  commitTo(index: LogIndex): void {
    if (index <= this.#committed) return;
    if (index > this.lastIndex)
      assert(false, `commit index ${index} is beyond the log, which ends at ${this.lastIndex}`);
    this.#committed = index;
  }

  /** Commits up to `index` if the entry there is of the leader's own `term` (paper section 5.4.2). @returns Whether that is news. */
  maybeCommit(index: LogIndex, term: Term): boolean {
    if (index <= this.#committed || term === 0 || this.termOrZero(index) !== term) return false;
    this.commitTo(index);
    return true;
  }

  /** Entries up to `index` were applied; `entries` are those of them that were handed out for it. */
  appliedTo(index: LogIndex, entries: readonly Entry[]): void {
    if (index > this.#committed) assert(false, `entry ${index} was applied, and only ${this.#committed} is committed`);
    this.#applyWindow.appliedTo(index, this.#applyBytes(entries));
  }

  /** `entries`, of `nextCommittedEntries`, were handed out to be applied. */
  acceptApplying(entries: readonly Entry[], allowUnstable: boolean): void {
    const last = entries.at(-1);
    if (last === undefined) return;
    if (last.index > this.#committed) assert(false, `entry ${last.index} is handed out before it is committed`);
    this.#applyWindow.accept(last.index, this.#applyBytes(entries), this.#appliableIndex(allowUnstable));
  }

  /**
   * Committed entries that were not handed out yet, as many as there is room for. None while a snapshot waits to be stored: it comes first.
   *
   * @param allowUnstable - Whether entries count that this node has not made durable yet: others have.
   */
  nextCommittedEntries(allowUnstable: boolean): readonly Entry[] {
    if (!this.hasNextCommittedEntries(allowUnstable)) return [];
    const room = this.#maxApplyingBytes >= NO_LIMIT ? NO_LIMIT : this.#applyWindow.roomBytes;
    const entries = this.slice(this.applying + 1, this.#appliableIndex(allowUnstable) + 1, room);
    if (typeof entries === 'string') assert(false, `committed entries after ${this.applying} are ${entries}`);
    return entries;
  }

  hasNextCommittedEntries(allowUnstable: boolean): boolean {
    if (this.#applyWindow.isPaused || this.unstable.snapshot !== undefined) return false;
    return this.applying < this.#appliableIndex(allowUnstable);
  }

  /** Entries from `from` to the end, as many as fit in `maxBytes`, though one at least; none when there are none. */
  entriesFrom(from: LogIndex, maxBytes: number): readonly Entry[] | 'compacted' {
    const end = this.lastIndex + 1;
    return from >= end ? [] : this.slice(from, end, maxBytes);
  }

  /** Entries from `from` on, before `to`, as many as fit in `maxBytes`, though one at least. Requires: they are not beyond the end. */
  slice(from: LogIndex, to: LogIndex, maxBytes: number): readonly Entry[] | 'compacted' {
    if (from > to) assert(false, `slice from ${from} to ${to}`);
    if (from < this.firstIndex) return 'compacted';
    if (to > this.lastIndex + 1) assert(false, `slice to ${to} is beyond the end at ${this.lastIndex}`);
    if (from === to) return [];
    const offset = this.unstable.offset;
    if (from >= offset) return this.unstable.take(from, to, maxBytes, this.#entryBytes);
    return this.#sliceStored(from, to, maxBytes);
  }

  /** Whether `predicate` holds for any entry from `from` on, before `to`. Reads `pageBytes` of them at a time. */
  some(from: LogIndex, to: LogIndex, pageBytes: number, predicate: (entry: Entry) => boolean): boolean {
    for (let at = from; at < to;) {
      const page = this.slice(at, to, pageBytes);
      if (typeof page === 'string' || page.length === 0) assert(false, `entries from ${at} to ${to} are not here`);
      if (page.some(predicate)) return true;
      at += page.length;
    }
    return false;
  }

  /** The newest: it may be one that waits to be stored. */
  snapshot(): Snapshot | 'unavailable' {
    return this.unstable.snapshot ?? this.#storage.snapshot();
  }

  /** `snapshot` takes the place of the whole log. */
  restore(snapshot: Snapshot): void {
    const { index, term } = snapshot.meta;
    this.#emit?.({
      kind: 'log-restoring',
      commit: this.#committed,
      applied: this.applied,
      applying: this.applying,
      unstableOffset: this.unstable.offset,
      unstableOffsetInProgress: this.unstable.offsetInProgress,
      unstableCount: this.unstable.count,
      snapshot: { index, term },
    });
    this.#committed = index;
    this.unstable.restore(snapshot);
  }

  #appendFrom(entries: readonly Entry[], start: number): void {
    const first = entries[start]?.index ?? 0;
    if (first <= this.#committed) assert(false, `entry ${first} takes the place of a committed one`);
    this.unstable.truncateAndAppend(entries, start);
  }

  #appliableIndex(allowUnstable: boolean): LogIndex {
    return allowUnstable ? this.#committed : Math.min(this.#committed, this.unstable.offset - 1);
  }

  #applyBytes(entries: readonly Entry[]): number {
    return this.#maxApplyingBytes >= NO_LIMIT ? 0 : sumEntryBytes(entries, this.#entryBytes);
  }

  #sliceStored(from: LogIndex, to: LogIndex, maxBytes: number): readonly Entry[] | 'compacted' {
    const offset = this.unstable.offset;
    const cut = Math.min(to, offset);
    const stored = this.#storage.entries(from, cut, maxBytes);
    if (stored === 'compacted') return stored;
    if (stored === 'unavailable') assert(false, `stored entries from ${from} to ${cut} are not there`);
    const first = stored[0]?.index;
    if (first !== from) assert(false, `the store gave entry ${first} for ${from}`);
    if (to <= offset || stored.length < cut - from) return stored;
    if (maxBytes >= NO_LIMIT) return stored.concat(this.unstable.take(offset, to, maxBytes, this.#entryBytes));
    const room = maxBytes - sumEntryBytes(stored, this.#entryBytes);
    if (room <= 0) return stored;
    const rest = this.unstable.take(offset, to, room, this.#entryBytes);
    // One entry is taken even where it does not fit.
    if (rest.length === 1 && sumEntryBytes(rest, this.#entryBytes) > room) return stored;
    return stored.concat(rest);
  }
}
