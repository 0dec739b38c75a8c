/** A node's durable storage, with somebody who sees what is asked of it and what it promises. */

import { KayaError } from '@kayadb/codec';
import type {
  DurableRaftStorage,
  Entry,
  LogGap,
  LogIndex,
  RaftStorage,
  Snapshot,
  StorageBatch,
  Term,
} from '@kayadb/raft';

import type { Ledger } from './ledger.ts';

export type EntryId = Pick<Entry, 'index' | 'term'>;

export interface StorageObserver {
  /**
   * @param previousTerm - That of the entry before the first one; undefined when nobody knows it any more.
   * @param before - What stood from the first one on.
   */
  onAppended(entries: readonly Entry[], previousTerm: Term | undefined, before: readonly EntryId[]): void;
}

export class WatchedStorage implements RaftStorage {
  readonly #inner: DurableRaftStorage;
  readonly #ledger: Ledger;
  readonly #observer: StorageObserver;
  #refusalCount = 0;

  constructor(inner: DurableRaftStorage, ledger: Ledger, observer: StorageObserver) {
    this.#inner = inner;
    this.#ledger = ledger;
    this.#observer = observer;
  }

  initialState(): ReturnType<RaftStorage['initialState']> {
    return this.#inner.initialState();
  }

  /** Batches that were seen from here when they were taken, and that a full disk has taken back. */
  get refusalCount(): number {
    return this.#refusalCount;
  }

  get firstIndex(): LogIndex {
    return this.#inner.firstIndex;
  }

  get lastIndex(): LogIndex {
    return this.#inner.lastIndex;
  }

  get snapshotIndex(): LogIndex {
    const snapshot = this.#inner.snapshot();
    return snapshot === 'unavailable' ? 0 : snapshot.meta.index;
  }

  term(index: LogIndex): Term | LogGap {
    return this.#inner.term(index);
  }

  entries(from: LogIndex, to: LogIndex, maxBytes: number): readonly Entry[] | LogGap {
    return this.#inner.entries(from, to, maxBytes);
  }

  snapshot(): Snapshot | 'unavailable' {
    return this.#inner.snapshot();
  }

  /** Gives the very promise of the storage: whoever is refused has to hear of it in the turn in which the storage refuses. */
  write(batch: StorageBatch): Promise<void> {
    const before = this.#suffixFrom(batch);
    this.#ledger.begins(batch);
    const done = this.#inner.write(batch);
    this.#observe(batch, before);
    done.then(
      () => this.#ledger.becomesDurable(batch),
      (error: unknown) => {
        if (!(error instanceof KayaError && error.code === 'KAYA_DISK_FULL')) return;
        this.#refusalCount++;
        this.#ledger.wasRefused(batch);
      },
    );
    return done;
  }

  saveSnapshot(snapshot: Snapshot): Promise<void> {
    return this.#inner.saveSnapshot(snapshot);
  }

  compact(index: LogIndex): Promise<void> {
    return this.#inner.compact(index);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  #observe({ entries }: StorageBatch, before: readonly EntryId[]): void {
    const [first] = entries;
    if (first === undefined) return;
    const previous = this.#inner.term(first.index - 1);
    this.#observer.onAppended(entries, typeof previous === 'number' ? previous : undefined, before);
  }

  /** What the entries of `batch` take the place of. A snapshot takes the place of everything, as it may. */
  #suffixFrom({ entries, snapshot }: StorageBatch): readonly EntryId[] {
    const suffix: EntryId[] = [];
    if (snapshot !== undefined) return suffix;
    for (let index = entries[0]?.index ?? Infinity; index <= this.#inner.lastIndex; index++) {
      const term = this.#inner.term(index);
      if (typeof term === 'number') suffix.push({ index, term });
    }
    return suffix;
  }
}
