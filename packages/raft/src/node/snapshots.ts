/**
 * Makes snapshots of the state machine when the policy says so, and lets the log go behind them.
 *
 * Invariant: one at a time; none is made while a leader's is taken over, which waits for the one being made; none takes the place of a newer one. Durability: a snapshot is durable before the log
 * behind it goes, and the log goes only as far as the state machine has its own data durable.
 * One that cannot be made is told, and is tried again when as much was applied again.
 */

import type { LogIndex } from '../core/types.ts';
import type { RaftStorage } from '../storage/raft-storage.ts';
import { AppliedBytes } from './applied-bytes.ts';
import type { NodeEventSink } from './node-events.ts';
import { type MemberView, pickCompaction, shouldSnapshot, type SnapshotPolicy } from './snapshot-policy.ts';
import type { AppliedPoint, StateMachine } from './state-machine.ts';

/** A stretch of the log that was applied before the node started. */
export interface AppliedStretch {
  readonly upTo: LogIndex;
  readonly bytes: number;
}

export interface SnapshotsHost {
  /** What a leader knows of the others; empty when this node does not lead. */
  otherMembers(): readonly MemberView[];
  readonly onEvent: NodeEventSink;
}

/** Marks of how large the log is, for each of the policy's sizes. */
const MARKS_PER_SIZE = 64;

export class Snapshots {
  readonly #policy: SnapshotPolicy;
  readonly #storage: RaftStorage;
  readonly #stateMachine: StateMachine<unknown>;
  readonly #host: SnapshotsHost;
  readonly #bytes: AppliedBytes;
  #bytesAtLast = 0;
  /** Who waits for one, whatever the policy says. */
  #demands: (() => void)[] = [];
  #restores = 0;
  #running: Promise<void> | undefined;
  #isStopped = false;

  /** @param applied - What lies behind the newest snapshot and was applied in earlier lives: it counts, or a node that restarts often would never make another. */
  constructor(
    policy: SnapshotPolicy,
    storage: RaftStorage,
    stateMachine: StateMachine<unknown>,
    host: SnapshotsHost,
    applied: readonly AppliedStretch[] = [],
  ) {
    this.#policy = policy;
    this.#storage = storage;
    this.#stateMachine = stateMachine;
    this.#host = host;
    const smallest = Math.min(policy.snapshotBytes, Math.max(policy.keepBytes, 1));
    const start = applied.length === 0 ? stateMachine.appliedIndex : this.newestIndex;
    this.#bytes = new AppliedBytes(start, Math.ceil(smallest / MARKS_PER_SIZE));
    for (const { upTo, bytes } of applied) this.#bytes.advance(upTo, bytes);
  }

  get isMaking(): boolean {
    return this.#running !== undefined;
  }

  /** Of the newest snapshot; 0 when there is none. */
  get newestIndex(): LogIndex {
    const snapshot = this.#storage.snapshot();
    return snapshot === 'unavailable' ? 0 : snapshot.meta.index;
  }

  /** A leader's snapshot is about to take the place of the state machine. */
  restoreBegins(): void {
    this.#restores++;
  }

  restoreEnded(): void {
    this.#restores--;
    this.#bytesAtLast = this.#bytes.totalBytes;
  }

  /**
   * Somebody needs one that is newer than what is there. `then` is called when the one that is being made is made or given up, or else the one that
   * is made at the next call of `pointMoved` or `meetDemand`.
   */
  demand(then: () => void): void {
    if (this.#running === undefined) this.#demands.push(then);
    else void this.#running.then(then);
  }

  /** As `pointMoved`, when it has not: for whoever has come since with a demand. */
  meetDemand(point: AppliedPoint): void {
    if (this.#demands.length > 0) this.#maybeBegin(point);
  }

  /** Requires: the state machine stands for `point`, and nothing is being applied. */
  pointMoved(point: AppliedPoint, bytes: number): void {
    this.#bytes.advance(point.index, bytes);
    this.#maybeBegin(point);
  }

  #maybeBegin(point: AppliedPoint): void {
    if (this.#isStopped) return;
    const isDue = shouldSnapshot(this.#policy, {
      appliedIndex: point.index,
      snapshotIndex: this.newestIndex,
      bytesSince: this.#bytes.totalBytes - this.#bytesAtLast,
      isDemanded: this.#demands.length > 0,
      isBusy: this.#running !== undefined || this.#restores > 0,
    });
    if (isDue) this.#running = this.#make(point);
    // Where none is made, what is there is the newest that there can be.
    const after = this.#running ?? Promise.resolve();
    for (const then of this.#demands.splice(0)) void after.then(then);
  }

  /** Resolves when the one being made is done or given up. */
  async settled(): Promise<void> {
    await this.#running;
  }

  /** As `settled`; no other one is begun. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.settled();
  }

  async #make(point: AppliedPoint): Promise<void> {
    const { index } = point;
    this.#bytesAtLast = this.#bytes.totalBytes;
    try {
      await this.#save(point, await this.#stateMachine.snapshot(point));
    } catch (cause) {
      if (!this.#isStopped) this.#host.onEvent({ kind: 'snapshot-not-made', index, cause });
    }
    try {
      await this.#compact();
    } catch (cause) {
      if (!this.#isStopped) this.#host.onEvent({ kind: 'log-not-compacted', cause });
    }
    this.#running = undefined;
  }

  async #save(point: AppliedPoint, data: Uint8Array): Promise<void> {
    const { index, term } = point;
    if (this.#isStopped || this.#restores > 0 || this.newestIndex >= index) return;
    await this.#storage.saveSnapshot({ meta: point, data });
    this.#host.onEvent({ kind: 'snapshot-made', index, term, bytes: data.byteLength });
  }

  /** As far as the durable snapshot allows, which need not be the one that was to be made just now. */
  async #compact(): Promise<void> {
    const logWorthBytes = (await this.#stateMachine.logWorthBytes?.()) ?? 0;
    if (this.#isStopped || this.#restores > 0) return;
    const index = pickCompaction(this.#policy, {
      snapshotIndex: this.newestIndex,
      durableIndex: this.#stateMachine.durableIndex,
      indexKeeping: (bytes) => this.#bytes.indexKeeping(bytes),
      others: this.#host.otherMembers(),
      logWorthBytes,
    });
    if (index < this.#storage.firstIndex) return;
    await this.#storage.compact(index);
    this.#host.onEvent({ kind: 'log-compacted', index });
  }
}
