/**
 * Carries a commit group out: one record in the write-ahead log, at most one fsync, then the memtable.
 * Waits for nothing that is not needed: a group without a sync, with room in the memtable, is committed within the turn.
 */

import { isDiskFull } from '@kayadb/vfs';

import type { Counters } from '../counters.ts';
import { EngineError } from '../errors.ts';
import { isUndone } from '../files/disk-outcome.ts';
import type { SequenceNumber } from '../key/internal-key.ts';
import { MAX_GROUP_BYTES } from '../limits.ts';
import type { MemtableList } from '../memtable/memtable-list.ts';
import type { DiskGuard } from '../space/disk-guard.ts';
import type { WriteResult } from '../types.ts';
import type { WriteLog } from '../wal/write-log.ts';
import type { IntervalSync } from './interval-sync.ts';
import type { Poison } from './poison.ts';
import type { PendingWrite } from './queued-write.ts';
import type { Throttle } from './throttle.ts';
import type { WriteTarget } from './write-queue.ts';
import type { Stall } from './write-stall.ts';

export interface CommitterOptions {
  readonly wal: WriteLog;
  readonly memtables: MemtableList;
  readonly poison: Poison;
  readonly intervalSync: IntervalSync;
  readonly throttle: Throttle;
  readonly space: DiskGuard;
  readonly counters: Counters;
  readonly lastSequence: SequenceNumber;
  /** A memtable of this size is full. */
  readonly memtableBytes: number;
  /** Why a full memtable cannot be frozen now, or `undefined` when it can. */
  readonly decideStall: () => Stall | undefined;
  /** Resolves when the job it waits for has got on; rejects when that cannot. */
  readonly waitOut: (stall: Stall) => Promise<void>;
  /** Told that there is a frozen memtable to flush. */
  readonly onFrozen: () => void;
}

export class Committer implements WriteTarget {
  readonly #options: CommitterOptions;
  /** From here on the next segment is made ready. */
  readonly #prepareAtBytes: number;
  #lastSequence: SequenceNumber;
  #endLsn = 0;
  #isPrepared = false;
  #missingIndex: number | undefined;
  /** The group at hand; kept, so that a group costs no array. */
  readonly #payloads: Uint8Array[] = [];

  constructor(options: CommitterOptions) {
    this.#options = options;
    this.#prepareAtBytes = options.memtableBytes / 2;
    this.#lastSequence = options.lastSequence;
  }

  /** The newest write that readers see. */
  get lastSequence(): SequenceNumber {
    return this.#lastSequence;
  }

  /** With an external log: the index of the first write that failed and has not come again. No later one is taken before it. */
  get missingIndex(): number | undefined {
    return this.#missingIndex;
  }

  onRejected({ appliedIndex }: PendingWrite): void {
    if (appliedIndex === undefined) return;
    this.#missingIndex = Math.min(this.#missingIndex ?? appliedIndex, appliedIndex);
  }

  makeRoom(): Promise<void> | undefined {
    const { poison, memtables, memtableBytes, throttle } = this.#options;
    poison.check();
    const { dataBytes } = memtables.active;
    if (dataBytes >= memtableBytes) return this.#freezeWhenAllowed();
    if (dataBytes >= this.#prepareAtBytes && !this.#isPrepared) this.#prepare();
    return throttle.hold();
  }

  /** Freezes the active memtable, if anything is in it. Requires: no commit is under way. */
  async freeze(): Promise<void> {
    const { wal, memtables, poison, space, onFrozen } = this.#options;
    poison.check();
    if (memtables.active.isEmpty) return;
    let segment: number;
    try {
      segment = await space.withRoom(() => wal.rotate());
    } catch (error) {
      throw isUndone(error) ? error : poison.set(error);
    }
    memtables.rotate(segment);
    this.#isPrepared = false;
    onFrozen();
  }

  /**
   * Durability: as the strictest writer of the group asks, once what is returned resolves. Nothing is applied before it is as durable
   * as that, so no reader acts on a strict write that power loss could still take back.
   */
  append(group: readonly PendingWrite[]): Promise<void> | undefined {
    try {
      return this.#append(group);
    } catch (error) {
      if (!this.#options.space.isWatching || !isDiskFull(error)) throw error;
      return this.#appendWithRoom(group, error);
    }
  }

  #append(group: readonly PendingWrite[]): Promise<void> | undefined {
    const { wal, poison, intervalSync, throttle, space } = this.#options;
    poison.check();
    if (this.#missingIndex !== undefined) this.#checkMissing(group);
    const payloads = this.#payloads;
    let count = 0;
    let bytes = 0;
    let needsSync = false;
    let needsInterval = false;
    for (const write of group) {
      if (write.durability === 'strict') needsSync = true;
      else if (write.durability === 'interval') needsInterval = true;
      if (write.count === 0) continue;
      payloads.push(write.payload);
      count += write.count;
      bytes += write.payload.length;
    }
    if (count > 0) {
      this.#appendToLog(count);
      throttle.admit(bytes);
      if (space.isWatching) space.noteWritten(bytes);
    }
    this.#endLsn = wal.endLsn;
    if (needsSync && wal.durableLsn < this.#endLsn) return this.#sync();
    if (needsInterval) intervalSync.schedule();
    return undefined;
  }

  /**
   * Once more, when the reserve has been given back: deletes go on where the disk is full.
   * Bound: puts that were in the group already take `MAX_GROUP_BYTES` of the reserve at most; later ones are refused.
   */
  async #appendWithRoom(group: readonly PendingWrite[], error: unknown): Promise<void> {
    const bytes = group.reduce((sum, { payload }) => sum + payload.length, 0);
    if (bytes > MAX_GROUP_BYTES || !(await this.#options.space.makeRoom())) throw error;
    await this.#append(group);
  }

  apply(write: PendingWrite): WriteResult {
    const { memtables, wal } = this.#options;
    if (write.count > 0) this.#insert(write);
    if (write.appliedIndex !== undefined) memtables.active.noteApplied(write.appliedIndex);
    return { sequence: this.#lastSequence, lsn: this.#endLsn, durable: wal.durableLsn >= this.#endLsn };
  }

  /** Tables that hold a later index would claim the missing one too, and the external log would not repeat it. */
  #checkMissing(group: readonly PendingWrite[]): void {
    for (const { appliedIndex } of group) {
      if (appliedIndex === undefined || this.#missingIndex === undefined) continue;
      if (appliedIndex > this.#missingIndex) {
        throw new EngineError(
          'KAYA_INDEX_MISSING',
          `the write with applied index ${this.#missingIndex} failed, so ${appliedIndex} cannot follow; repeat the log from ${this.#missingIndex} on`,
        );
      }
      this.#missingIndex = undefined;
    }
  }

  #appendToLog(count: number): void {
    const { wal, poison } = this.#options;
    const payloads = this.#payloads;
    try {
      wal.append({ payloads, firstSequence: this.#lastSequence + 1, count });
    } catch (error) {
      throw isUndone(error) ? error : poison.set(error);
    } finally {
      while (payloads.length > 0) payloads.pop();
    }
  }

  /** The log has the write already, so memory that cannot take it must not take a later one in its place. */
  #insert({ payload, count }: PendingWrite): void {
    const { memtables, poison } = this.#options;
    poison.check();
    try {
      memtables.active.insert(payload, this.#lastSequence + 1);
    } catch (error) {
      throw poison.set(error);
    }
    this.#lastSequence += count;
  }

  async #sync(): Promise<void> {
    const { wal, poison, counters } = this.#options;
    const stop = counters.start(counters.walSyncs);
    try {
      await wal.sync();
    } catch (error) {
      throw poison.set(error);
    }
    stop();
  }

  /** In the background. What goes wrong comes up when the memtable is frozen, which asks for the same file. */
  #prepare(): void {
    this.#isPrepared = true;
    void this.#options.wal.prepare().catch(() => undefined);
  }

  async #freezeWhenAllowed(): Promise<void> {
    const { decideStall, waitOut, poison, counters } = this.#options;
    let stop: (() => number) | undefined;
    try {
      for (let stall = decideStall(); stall !== undefined; stall = decideStall()) {
        stop ??= counters.start(counters.stalls);
        await waitOut(stall);
        poison.check();
      }
    } finally {
      stop?.();
    }
    await this.freeze();
  }
}
