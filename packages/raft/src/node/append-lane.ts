/**
 * The append thread: writes of the storage under way, in the order in which the core asked for them.
 *
 * Invariant: a work is released when it and all before it are durable, in order, exactly once. After a failure with an unknown outcome nothing is released.
 * On a full disk the row from the failed work on is written again, all of it, whatever became of those behind the first (docs/decisions/20261122-full-disk-of-a-node.md).
 * Bound: none of its own; `isFull` and `isOverfull` say when the node is to take no more messages that may lead to writes.
 */

import { assert, KayaError } from '@kayadb/codec';

import type { StorageAppend } from '../core/message.ts';
import type { StorageBatch } from '../storage/raft-storage.ts';
import { Fifo } from './fifo.ts';
import { messageBytes } from './message-bytes.ts';

export interface AppendLaneHost {
  write(batch: StorageBatch): Promise<void>;
  /** `work` is durable, and so is everything before it. */
  onDurable(work: StorageAppend): void;
  onDiskFull(cause: unknown): void;
  onRoom(): void;
  /** The outcome of a write is unknown. */
  onFailed(cause: unknown): void;
}

export interface AppendLaneLimits {
  readonly maxWrites: number;
  readonly maxWriteBytes: number;
  readonly diskFullRetryTicks: number;
}

interface Work {
  readonly message: StorageAppend;
  readonly bytes: number;
  readonly sinceTick: number;
  /** `waiting`: behind a write that found the disk full. */
  state: 'writing' | 'durable' | 'waiting';
}

/** Room for terms and votes behind appends that filled the lane. */
const OVERFULL_FACTOR = 2;

export class AppendLane {
  readonly #host: AppendLaneHost;
  readonly #limits: AppendLaneLimits;
  readonly #row = new Fifo<Work>();
  #bytes = 0;
  /** Writes that have not settled. */
  #writing = 0;
  #tick = 0;
  #retryTick: number | undefined;
  /** The one that finds out whether there is room again. */
  #probe: Work | undefined;
  #isEnded = false;
  #idlers: (() => void)[] = [];

  constructor(host: AppendLaneHost, limits: AppendLaneLimits) {
    this.#host = host;
    this.#limits = limits;
  }

  /** Works that are not released. */
  get count(): number {
    return this.#row.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isFull(): boolean {
    return this.#row.length >= this.#limits.maxWrites || this.#bytes >= this.#limits.maxWriteBytes;
  }

  /** So full that nothing may come that makes it longer, not even a new term. */
  get isOverfull(): boolean {
    return this.#row.length >= this.#limits.maxWrites * OVERFULL_FACTOR;
  }

  /** Whether the last that was heard of the disk is that it has no room. */
  get isDiskFull(): boolean {
    return this.#retryTick !== undefined;
  }

  /** How long the oldest work has been waiting to become durable; 0 when there is none. */
  get oldestAgeTicks(): number {
    const oldest = this.#row.peek();
    return oldest === undefined ? 0 : this.#tick - oldest.sinceTick;
  }

  push(message: StorageAppend): void {
    if (this.#isEnded) return;
    const work: Work = { message, bytes: messageBytes(message), sinceTick: this.#tick, state: 'waiting' };
    this.#row.push(work);
    this.#bytes += work.bytes;
    if (!this.isDiskFull) this.#start(work);
  }

  /** Time passes. One write finds out whether there is room on a full disk; the others follow when there is. */
  tick(): void {
    this.#tick++;
    if (this.#isEnded || this.#retryTick === undefined || this.#tick < this.#retryTick || this.#writing > 0) return;
    for (const work of this.#row) work.state = 'waiting';
    this.#probe = this.#row.peek();
    assert(this.#probe !== undefined, 'a write that found the disk full is still to be done');
    this.#start(this.#probe);
  }

  /** Resolves when no write is under way. Works that wait for room stay undone. */
  idle(): Promise<void> {
    if (this.#writing === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idlers.push(resolve);
    });
  }

  /** Nothing is started or released any more. */
  stop(): void {
    this.#isEnded = true;
  }

  #start(work: Work): void {
    const { entries, hardState, snapshot } = work.message;
    if (entries.length === 0 && hardState === undefined && snapshot === undefined) {
      this.#wasWritten(work);
      return;
    }
    work.state = 'writing';
    this.#writing++;
    // Reacts in the very next turn of the promises: until then the storage refuses what comes behind a failed write.
    this.#write({ entries, hardState, snapshot }).then(
      () => this.#settle(() => this.#wasWritten(work)),
      (cause: unknown) => this.#settle(() => this.#wasNotWritten(work, cause)),
    );
  }

  /** What is thrown at once is a rejection like any other. */
  #write(batch: StorageBatch): Promise<void> {
    try {
      return this.#host.write(batch);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #settle(then: () => void): void {
    this.#writing--;
    if (!this.#isEnded) then();
    if (this.#writing > 0) return;
    for (const resolve of this.#idlers.splice(0)) resolve();
  }

  #wasWritten(work: Work): void {
    work.state = 'durable';
    const isProbe = work === this.#probe;
    this.#release();
    if (isProbe && !this.#isEnded) this.#resume();
  }

  #wasNotWritten(work: Work, cause: unknown): void {
    if (!(cause instanceof KayaError) || cause.code !== 'KAYA_DISK_FULL') {
      this.#isEnded = true;
      this.#host.onFailed(cause);
      return;
    }
    const isNews = !this.isDiskFull;
    work.state = 'waiting';
    this.#probe = undefined;
    this.#retryTick = this.#tick + this.#limits.diskFullRetryTicks;
    if (isNews) this.#host.onDiskFull(cause);
  }

  /** There is room: the row that waited is written. */
  #resume(): void {
    this.#probe = undefined;
    this.#retryTick = undefined;
    this.#host.onRoom();
    const waiting = [...this.#row].filter(({ state }) => state === 'waiting');
    for (const work of waiting) this.#start(work);
  }

  #release(): void {
    for (let oldest = this.#row.peek(); oldest?.state === 'durable'; oldest = this.#row.peek()) {
      this.#row.take();
      this.#bytes -= oldest.bytes;
      this.#host.onDurable(oldest.message);
      if (this.#isEnded) return;
    }
  }
}
