/**
 * The log, the term and vote, and the snapshot of a node on disk, behind one order of writes.
 *
 * Invariant: no batch is on disk before those handed in before it, and no entry before its term. A batch that changes neither term, vote nor snapshot
 * is written within the turn; others wait until what must come first is durable, and so do those behind them. Formats: docs/format/raft-log.md,
 * raft-state.md, raft-snapshot.md; why: docs/decisions/20261122-raft-log-of-batches.md.
 */

import { assert, AssertionError } from '@kayadb/codec';
import { isDiskFull } from '@kayadb/vfs';

import type { LogGap } from '../core/log-storage.ts';
import {
  type Configuration,
  EMPTY_CONFIGURATION,
  type Entry,
  type HardState,
  type LogIndex,
  type Snapshot,
  type Term,
} from '../core/types.ts';
import { RaftError } from '../errors.ts';
import { poisoned } from './disk-outcome.ts';
import type { EntryCache } from './entry-cache.ts';
import { readRun } from './entry-reader.ts';
import { EntryTable } from './entry-table.ts';
import type { HardStateFile } from './hard-state-file.ts';
import { type PendingBatch, PendingBatches } from './pending-batches.ts';
import type { RaftStorage, StorageBatch } from './raft-storage.ts';
import { APPEND_RECORD, RESET_RECORD } from './segment-format.ts';
import type { SegmentLog } from './segment-log.ts';
import { type SnapshotPin, SnapshotPins } from './snapshot-pins.ts';
import type { SnapshotStore } from './snapshot-store.ts';
import { assertBatch } from './storage-batch.ts';
import { SyncGroup } from './sync-group.ts';

export interface DurableStorageParts {
  readonly log: SegmentLog;
  readonly table: EntryTable;
  readonly cache: EntryCache;
  readonly stateFile: HardStateFile;
  readonly snapshots: SnapshotStore;
  readonly hardState: HardState;
  readonly entryBytes: (entry: Entry) => number;
}

export class DurableRaftStorage implements RaftStorage {
  readonly #log: SegmentLog;
  readonly #cache: EntryCache;
  readonly #stateFile: HardStateFile;
  readonly #snapshots: SnapshotStore;
  readonly #entryBytes: (entry: Entry) => number;
  readonly #pins = new SnapshotPins();
  readonly #pending = new PendingBatches();
  readonly #syncs: SyncGroup;
  readonly #initial: { readonly hardState: HardState; readonly configuration: Configuration };
  /** What is written; `#pending` comes on top of it. */
  #table: EntryTable;
  #hardState: HardState;
  /** Writes what is pending; resolves when nothing is, and never rejects. */
  #pumping: Promise<void> = Promise.resolve();
  /** What goes on beside the writes. */
  readonly #tasks = new Set<Promise<unknown>>();
  #failure: { readonly error: unknown } | undefined;
  /** Until those who were refused have been told, nobody comes behind them. */
  #full: { readonly error: unknown } | undefined;
  #closing: Promise<void> | undefined;

  /** Requires: all of `parts` is durable. Takes over the files. */
  constructor(parts: DurableStorageParts) {
    this.#log = parts.log;
    this.#table = parts.table;
    this.#cache = parts.cache;
    this.#stateFile = parts.stateFile;
    this.#snapshots = parts.snapshots;
    this.#hardState = parts.hardState;
    this.#entryBytes = parts.entryBytes;
    this.#pins.replace(parts.snapshots.durable);
    this.#syncs = new SyncGroup(() => this.#sync());
    const configuration = parts.snapshots.durable?.meta.configuration ?? EMPTY_CONFIGURATION;
    this.#initial = { hardState: parts.hardState, configuration };
  }

  initialState(): { readonly hardState: HardState; readonly configuration: Configuration } {
    return this.#initial;
  }

  get firstIndex(): LogIndex {
    return this.#pending.firstIndex(this.#table);
  }

  get lastIndex(): LogIndex {
    return this.#pending.lastIndex(this.#table);
  }

  term(index: LogIndex): Term | LogGap {
    return this.#pending.term(index, this.#table);
  }

  /**
   * @throws RaftCorruptionError when an entry does not read back as it was written. @throws FileSystemError when it cannot be read.
   */
  entries(from: LogIndex, to: LogIndex, maxBytes: number): readonly Entry[] | LogGap {
    assert(from < to, `entries from ${from} before ${to}`);
    if (from < this.firstIndex) return 'compacted';
    if (to > this.lastIndex + 1) return 'unavailable';
    const entries: Entry[] = [];
    let bytes = 0;
    while (from + entries.length < to) {
      for (const entry of this.#readSome(from + entries.length, to, maxBytes - bytes)) {
        bytes += this.#entryBytes(entry);
        if (bytes > maxBytes && entries.length > 0) return entries;
        entries.push(entry);
      }
    }
    return entries;
  }

  snapshot(): Snapshot | 'unavailable' {
    return this.#pending.snapshot ?? this.#pins.newest ?? 'unavailable';
  }

  /** Keeps the newest durable snapshot among those in use until it is released. @returns undefined when there is none. */
  pinSnapshot(): SnapshotPin | undefined {
    return this.#pins.pin();
  }

  /** The newest durable snapshot and those that are pinned. What they refer to must stay. */
  get snapshotsInUse(): readonly Snapshot[] {
    return this.#pins.inUse;
  }

  /** How many segments the log is in. For tests and status. */
  get segmentCount(): number {
    return this.#log.segmentCount;
  }

  write(batch: StorageBatch): Promise<void> {
    const refusal = this.#failure ?? this.#full ?? this.#closedError();
    if (refusal !== undefined) return Promise.reject(refusal.error);
    const before = this.#pending.last?.hardState ?? this.#hardState;
    assertBatch(batch, this, before);
    const { entries, snapshot } = batch;
    const hardState = batch.hardState ?? before;
    const changesVote = hardState.term !== before.term || hardState.vote !== before.vote;
    const mustWait = changesVote || snapshot !== undefined || !this.#pending.isEmpty || this.#log.isFull;
    if (mustWait) return this.#defer(entries, hardState, snapshot);
    if (entries.length > 0) return this.#writeNow(entries, hardState);
    this.#hardState = hardState;
    return this.#syncs.idle();
  }

  async saveSnapshot(snapshot: Snapshot): Promise<void> {
    await this.#beside(async () => {
      await this.#settle();
      await this.#publish(snapshot);
    });
  }

  async compact(index: LogIndex): Promise<void> {
    await this.#beside(async () => {
      await this.#settle();
      const snapshot = this.#snapshots.durable?.meta.index ?? 0;
      assert(index <= snapshot, `the log is compacted to ${index}, and its snapshot stands for ${snapshot} entries`);
      this.#table.compact(index);
      this.#cache.compact(index);
      const { firstIndex, lastIndex } = this.#table;
      const needed = firstIndex <= lastIndex ? this.#table.segmentOf(firstIndex) : this.#log.segment;
      // A batch that is written already, and not durable yet, may have replaced what stands in the segments before.
      await this.#settle();
      await this.#log.retireBefore(needed);
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Some entries from `from` on, one at least. */
  #readSome(from: LogIndex, to: LogIndex, maxBytes: number): readonly Entry[] {
    const pending = this.#pending.entryAt(from);
    if (pending !== undefined) return [pending];
    if (from >= this.#cache.firstIndex) return [this.#cache.at(from)];
    const end = Math.min(to, this.#cache.firstIndex, this.#pending.lowestIndex);
    return readRun(this.#log, this.#table, from, end, maxBytes);
  }

  #writeNow(entries: readonly Entry[], hardState: HardState): Promise<void> {
    const firstIndex = entries[0]!.index;
    const previousTerm = this.#table.term(firstIndex - 1) as Term;
    try {
      this.#append(APPEND_RECORD, firstIndex, previousTerm, entries, hardState);
    } catch (error) {
      return Promise.reject(this.#refuse(error));
    }
    return this.#syncs.join();
  }

  /** Within the turn, or nothing of it happens. */
  #append(
    kind: number,
    firstIndex: LogIndex,
    previousTerm: Term,
    entries: readonly Entry[],
    hardState: HardState,
  ): void {
    const offset = this.#log.append({ kind, firstIndex, previousTerm, commit: hardState.commit }, entries);
    if (kind === RESET_RECORD) {
      this.#table = new EntryTable(firstIndex - 1, previousTerm);
      this.#cache.clear();
    }
    if (entries.length > 0) {
      this.#table.replace(entries, this.#log.segment, offset);
      this.#cache.replace(entries);
    }
    this.#hardState = hardState;
    if (this.#log.wantsNext) this.#inBackground(this.#log.prepare());
  }

  #defer(entries: readonly Entry[], hardState: HardState, snapshot: Snapshot | undefined): Promise<void> {
    const resets = snapshot !== undefined && this.term(snapshot.meta.index) !== snapshot.meta.term;
    const head = entries[0];
    const previousTerm = resets ? snapshot.meta.term : head === undefined ? 0 : (this.term(head.index - 1) as Term);
    const isIdle = this.#pending.isEmpty;
    return new Promise((resolve, reject) => {
      this.#pending.add({ entries, hardState, snapshot, resets, previousTerm, resolve, reject });
      if (isIdle) this.#pumping = this.#pump();
    });
  }

  async #pump(): Promise<void> {
    for (let batch = this.#pending.first; batch !== undefined; batch = this.#pending.first) {
      try {
        const hasRecord = await this.#perform(batch);
        this.#pending.removeFirst();
        batch.resolve(hasRecord ? this.#syncs.join() : this.#syncs.idle());
      } catch (error) {
        const refusal = this.#refuse(error);
        for (const refused of this.#pending.takeAll()) refused.reject(refusal);
        // They may be on disk although their batch is refused, and never go back.
        this.#hardState = { ...this.#hardState, term: this.#stateFile.term, vote: this.#stateFile.vote };
      }
    }
  }

  /** @returns Whether a record was written, which is to be synced. */
  async #perform({ entries, hardState, snapshot, resets, previousTerm }: PendingBatch): Promise<boolean> {
    const { term, vote } = hardState;
    if (term !== this.#stateFile.term || vote !== this.#stateFile.vote) {
      await this.#syncs.idle();
      await this.#stateFile.write(term, vote);
      this.#inBackground(this.#stateFile.copied());
    }
    if (snapshot !== undefined) {
      await this.#syncs.idle();
      await this.#publish(snapshot);
    }
    if (this.#log.isFull) {
      await this.#syncs.idle();
      await this.#log.rotate(this.#table.lastIndex + 1, this.#table.lastTerm);
    }
    if (!resets && entries.length === 0) {
      this.#hardState = hardState;
      if (snapshot !== undefined) this.#table.compact(snapshot.meta.index);
      return false;
    }
    const firstIndex = resets ? snapshot!.meta.index + 1 : entries[0]!.index;
    this.#append(resets ? RESET_RECORD : APPEND_RECORD, firstIndex, previousTerm, entries, hardState);
    if (snapshot !== undefined) this.#table.compact(snapshot.meta.index);
    return true;
  }

  async #sync(): Promise<void> {
    try {
      await this.#log.sync();
    } catch (error) {
      throw this.#refuse(error);
    }
  }

  async #publish(snapshot: Snapshot): Promise<void> {
    await this.#snapshots.save(snapshot);
    this.#pins.replace(this.#snapshots.durable);
  }

  /** Everything handed in so far is durable, or was refused for want of room. @throws What has ended the storage meanwhile. */
  async #settle(): Promise<void> {
    await this.#pumping;
    await this.#syncs.idle();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Runs something that is not a write. @throws What it throws; what leaves the outcome unknown ends the storage. */
  async #beside(task: () => Promise<void>): Promise<void> {
    const refusal = this.#failure ?? this.#closedError();
    if (refusal !== undefined) throw refusal.error;
    const running = task();
    this.#tasks.add(running);
    try {
      await running;
    } catch (error) {
      throw isDiskFull(error) ? error : this.#refuse(error);
    } finally {
      this.#tasks.delete(running);
    }
  }

  #inBackground(task: Promise<void>): void {
    const mine = task.catch((error: unknown) => void this.#refuse(error));
    this.#tasks.add(mine);
    void mine.then(() => this.#tasks.delete(mine));
  }

  async #close(): Promise<void> {
    await this.#pumping;
    await Promise.allSettled([this.#syncs.idle(), ...this.#tasks]);
    try {
      if (this.#failure === undefined) await this.#writeEnd();
    } finally {
      await Promise.all([this.#stateFile.close(), this.#log.close()]);
    }
  }

  /** A record without entries vouches for everything before it, and has the last commit index. */
  async #writeEnd(): Promise<void> {
    const { lastIndex, lastTerm } = this.#table;
    const { commit } = this.#hardState;
    try {
      this.#log.append({ kind: APPEND_RECORD, firstIndex: lastIndex + 1, previousTerm: lastTerm, commit }, []);
      await this.#syncs.join();
    } catch (error) {
      if (!isDiskFull(error)) throw this.#refuse(error);
    }
  }

  /** @returns What to throw: the first unknown outcome is that of everything from then on. */
  #refuse(error: unknown): unknown {
    if (this.#failure !== undefined) return this.#failure.error;
    if (error instanceof RangeError || error instanceof AssertionError) return error;
    if (isDiskFull(error)) {
      this.#full = { error };
      queueMicrotask(() => queueMicrotask(() => this.#endRefusal()));
      return error;
    }
    this.#failure = { error: error instanceof RaftError ? error : poisoned('keeping the log', error) };
    return this.#failure.error;
  }

  /** Those who wait for a refused write have been told by now: one turn of the promises later. */
  #endRefusal(): void {
    this.#full = undefined;
  }

  #closedError(): { readonly error: unknown } | undefined {
    if (this.#closing === undefined) return undefined;
    return { error: new RaftError('KAYA_RAFT_STOPPED', 'the storage is closed; open it again') };
  }
}
