/** The durable half of a node in memory, for tests and simulations: keeps the same contract, and forgets everything with the process. */

import { assert } from '@kayadb/codec';

import { defaultEntryBytes } from '../core/config.ts';
import { countFitting } from '../core/entry-size.ts';
import type { LogGap } from '../core/log-storage.ts';
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
import { RaftError } from '../errors.ts';
import type { RaftStorage, StorageBatch } from './raft-storage.ts';
import { assertBatch, checkSnapshotData } from './storage-batch.ts';

export interface MemoryStorageOptions {
  readonly hardState?: HardState;
  readonly snapshot?: Snapshot;
  /** What an entry counts for in the limit of a read. */
  readonly entryBytes?: (entry: Entry) => number;
}

export class MemoryRaftStorage implements RaftStorage {
  readonly #entryBytes: (entry: Entry) => number;
  #initial: { readonly hardState: HardState; readonly configuration: Configuration };
  #hardState: HardState;
  #snapshot: Snapshot | undefined;
  /** The entry before the first. */
  #base: LogIndex;
  #baseTerm: Term;
  #entries: Entry[] = [];
  #isClosed = false;

  /** The log begins behind the snapshot, if there is one. */
  constructor(options: MemoryStorageOptions = {}) {
    this.#entryBytes = options.entryBytes ?? defaultEntryBytes;
    this.#hardState = options.hardState ?? EMPTY_HARD_STATE;
    this.#snapshot = options.snapshot;
    this.#base = options.snapshot?.meta.index ?? 0;
    this.#baseTerm = options.snapshot?.meta.term ?? 0;
    this.#initial = this.#describe();
  }

  initialState(): { readonly hardState: HardState; readonly configuration: Configuration } {
    return this.#initial;
  }

  get firstIndex(): LogIndex {
    return this.#base + 1;
  }

  get lastIndex(): LogIndex {
    return this.#base + this.#entries.length;
  }

  term(index: LogIndex): Term | LogGap {
    if (index === this.#base) return this.#baseTerm;
    if (index < this.#base) return 'compacted';
    return this.#entries[index - this.firstIndex]?.term ?? 'unavailable';
  }

  entries(from: LogIndex, to: LogIndex, maxBytes: number): readonly Entry[] | LogGap {
    assert(from < to, `entries from ${from} before ${to}`);
    if (from < this.firstIndex) return 'compacted';
    if (to > this.lastIndex + 1) return 'unavailable';
    const [start, end] = [from - this.firstIndex, to - this.firstIndex];
    return this.#entries.slice(start, start + countFitting(this.#entries, start, end, maxBytes, this.#entryBytes));
  }

  snapshot(): Snapshot | 'unavailable' {
    return this.#snapshot ?? 'unavailable';
  }

  write(batch: StorageBatch): Promise<void> {
    if (this.#isClosed) return Promise.reject(closed());
    assertBatch(batch, this, this.#hardState);
    const { entries, hardState, snapshot } = batch;
    this.#hardState = hardState ?? this.#hardState;
    if (snapshot !== undefined) {
      checkSnapshotData(snapshot);
      this.#restore(snapshot);
      this.#snapshot = snapshot;
    }
    const head = entries[0];
    if (head !== undefined) this.#entries.length = head.index - this.firstIndex;
    for (const entry of entries) this.#entries.push(entry);
    return Promise.resolve();
  }

  async saveSnapshot(snapshot: Snapshot): Promise<void> {
    if (this.#isClosed) throw closed();
    checkSnapshotData(snapshot);
    if (snapshot.meta.index >= (this.#snapshot?.meta.index ?? 0)) this.#snapshot = snapshot;
  }

  async compact(index: LogIndex): Promise<void> {
    if (this.#isClosed) throw closed();
    const snapshot = this.#snapshot?.meta.index ?? 0;
    assert(index <= snapshot, `the log is compacted to ${index}, and its snapshot stands for ${snapshot} entries`);
    if (index < this.firstIndex) return;
    const term = this.term(index);
    assert(typeof term === 'number', `the log cannot be compacted to ${index}; it ends at ${this.lastIndex}`);
    this.#entries.splice(0, index - this.#base);
    this.#base = index;
    this.#baseTerm = term;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  /** A storage with what this one has, as if a process had ended and another begun. This one is closed. */
  reopen(): MemoryRaftStorage {
    this.#isClosed = true;
    const next = new MemoryRaftStorage({ entryBytes: this.#entryBytes });
    next.#hardState = { ...this.#hardState, commit: Math.min(this.#knownCommit, this.lastIndex) };
    next.#snapshot = this.#snapshot;
    next.#base = this.#base;
    next.#baseTerm = this.#baseTerm;
    next.#entries = this.#entries.slice();
    next.#initial = next.#describe();
    return next;
  }

  get #knownCommit(): LogIndex {
    return Math.max(this.#hardState.commit, this.#snapshot?.meta.index ?? 0);
  }

  #describe(): { readonly hardState: HardState; readonly configuration: Configuration } {
    return { hardState: this.#hardState, configuration: this.#snapshot?.meta.configuration ?? EMPTY_CONFIGURATION };
  }

  #restore({ meta }: Snapshot): void {
    const { index, term } = meta;
    const isInLog = this.term(index) === term;
    this.#entries = isInLog ? this.#entries.slice(index - this.#base) : [];
    this.#base = index;
    this.#baseTerm = term;
  }
}

function closed(): RaftError {
  return new RaftError('KAYA_RAFT_STOPPED', 'the storage is closed; open it again');
}
