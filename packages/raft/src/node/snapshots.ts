/**
 * Makes snapshots of the state machine when the policy says so, and lets the log go behind them.
 *
 * Invariant: one at a time; none is made while a leader's is taken over, and none takes the place of a newer one. Durability: a snapshot is durable before the log
 * behind it goes, and the log goes only as far as the state machine has its own data durable.
 * One that cannot be made is told, and is tried again when as much was applied again.
 */

import type { LogIndex } from '../core/types.ts';
import type { RaftStorage } from '../storage/raft-storage.ts';
import { AppliedBytes } from './applied-bytes.ts';
import type { NodeEventSink } from './node-events.ts';
import { type MemberView, pickCompaction, shouldSnapshot, type SnapshotPolicy } from './snapshot-policy.ts';
import type { AppliedPoint, StateMachine } from './state-machine.ts';

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

  constructor(policy: SnapshotPolicy, storage: RaftStorage, stateMachine: StateMachine<unknown>, host: SnapshotsHost) {
    this.#policy = policy;
    this.#storage = storage;
    this.#stateMachine = stateMachine;
    this.#host = host;
    const smallest = Math.min(policy.snapshotBytes, Math.max(policy.keepBytes, 1));
    this.#bytes = new AppliedBytes(stateMachine.appliedIndex, Math.ceil(smallest / MARKS_PER_SIZE));
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
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async #make(point: AppliedPoint): Promise<void> {
    const { index, term } = point;
    this.#bytesAtLast = this.#bytes.totalBytes;
    try {
      const data = await this.#stateMachine.snapshot(point);
      if (this.#isStopped || this.#restores > 0 || this.newestIndex >= index) return;
      await this.#storage.saveSnapshot({ meta: point, data });
      this.#host.onEvent({ kind: 'snapshot-made', index, term, bytes: data.byteLength });
      await this.#compact(index);
    } catch (cause) {
      if (!this.#isStopped) this.#host.onEvent({ kind: 'snapshot-not-made', index, cause });
    } finally {
      this.#running = undefined;
    }
  }

  /** Requires: the snapshot of `snapshotIndex`, or a newer one, is durable. */
  async #compact(snapshotIndex: LogIndex): Promise<void> {
    if (this.#isStopped) return;
    const index = pickCompaction(this.#policy, {
      snapshotIndex,
      durableIndex: this.#stateMachine.durableIndex,
      indexKeeping: (bytes) => this.#bytes.indexKeeping(bytes),
      others: this.#host.otherMembers(),
    });
    if (index < this.#storage.firstIndex) return;
    await this.#storage.compact(index);
    this.#host.onEvent({ kind: 'log-compacted', index });
  }
}
