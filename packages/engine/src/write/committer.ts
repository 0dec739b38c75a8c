/** Carries a commit group out: one record in the write-ahead log, at most one fsync, then the memtable. */

import type { Counters } from '../counters.ts';
import { isUndone } from '../files/disk-outcome.ts';
import type { SequenceNumber } from '../key/internal-key.ts';
import type { MemtableList } from '../memtable/memtable-list.ts';
import type { WriteResult } from '../types.ts';
import type { WalWriter } from '../wal/wal-writer.ts';
import type { IntervalSync } from './interval-sync.ts';
import type { Poison } from './poison.ts';
import type { PendingWrite, WriteTarget } from './write-queue.ts';
import type { Stall } from './write-stall.ts';

export interface CommitterOptions {
  readonly wal: WalWriter;
  readonly memtables: MemtableList;
  readonly poison: Poison;
  readonly intervalSync: IntervalSync;
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
  #lastSequence: SequenceNumber;

  constructor(options: CommitterOptions) {
    this.#options = options;
    this.#lastSequence = options.lastSequence;
  }

  /** The newest write that readers see. */
  get lastSequence(): SequenceNumber {
    return this.#lastSequence;
  }

  makeRoom(): Promise<void> | undefined {
    this.#options.poison.check();
    const { memtables, memtableBytes } = this.#options;
    return memtables.active.dataBytes < memtableBytes ? undefined : this.#freezeWhenAllowed();
  }

  /** Freezes the active memtable, if anything is in it. Requires: no commit is under way. */
  async freeze(): Promise<void> {
    const { wal, memtables, poison, onFrozen } = this.#options;
    poison.check();
    if (memtables.active.isEmpty) return;
    let segment: number;
    try {
      segment = await wal.rotate();
    } catch (error) {
      throw isUndone(error) ? error : poison.set(error);
    }
    memtables.rotate(segment);
    onFrozen();
  }

  /**
   * Durability: as the strictest writer of the group asks. Nothing is visible before it is as durable as that, so no
   * reader acts on a strict write that power loss could still take back.
   */
  async commit(group: readonly PendingWrite[]): Promise<readonly WriteResult[]> {
    const { wal, memtables, poison, intervalSync } = this.#options;
    poison.check();
    const firstSequence = this.#lastSequence + 1;
    const payloads = group.map(({ payload }) => payload).filter(({ length }) => length > 0);
    const count = group.reduce((sum, write) => sum + write.count, 0);
    if (count > 0) this.#append(payloads, firstSequence, count);
    const endLsn = wal.endLsn;
    if (group.some(({ durability }) => durability === 'strict')) await this.#sync();
    else if (group.some(({ durability }) => durability === 'interval')) intervalSync.schedule();

    let sequence = firstSequence;
    return group.map((write) => {
      memtables.active.insert(write.payload, sequence);
      sequence += write.count;
      this.#lastSequence = sequence - 1;
      return { sequence: this.#lastSequence, lsn: endLsn, durable: wal.durableLsn >= endLsn };
    });
  }

  #append(payloads: readonly Uint8Array[], firstSequence: SequenceNumber, count: number): void {
    const { wal, poison } = this.#options;
    try {
      wal.append({ payloads, firstSequence, count });
    } catch (error) {
      throw isUndone(error) ? error : poison.set(error);
    }
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
