/**
 * What a leader knows about one follower's log, and how it sends to it (thesis section 10.2.1).
 *
 * - `probe`: one append at a time, to find where the logs agree.
 * - `replicate`: appends follow each other without waiting, as far as the window allows.
 * - `snapshot`: none, until what was sent in their place has arrived.
 *
 * Invariant: match < next. Entries between them are on their way.
 */

import { assert } from '@kayadb/codec';

import { type InflightLimits, Inflights } from './inflights.ts';
import type { LogIndex } from './types.ts';

export type ProgressState = 'probe' | 'replicate' | 'snapshot';

export interface ProgressStart {
  /** At least 1, and above `match`. */
  readonly next: LogIndex;
  readonly match?: LogIndex;
  readonly isLearner?: boolean;
  /** True for a new member: it has to have a chance to be heard before it counts as silent. */
  readonly isRecentlyActive?: boolean;
  readonly inflightLimits: InflightLimits;
}

export class Progress {
  readonly inflights: Inflights;
  /** Whether it was heard since the leader last asked for a quorum of active voters. Always true of the leader itself. */
  isRecentlyActive: boolean;
  /** Answers that the leader has had from it, to appends and heartbeats. */
  answerCount = 0;
  /** Set by the tracker, as the configuration has it. */
  isLearner: boolean;
  /** No append goes out before an answer to one, or to a heartbeat, has come. */
  isFlowPaused = false;
  #state: ProgressState = 'probe';
  #match: LogIndex;
  #next: LogIndex;
  #pendingSnapshot: LogIndex = 0;
  #sentCommit: LogIndex = 0;

  constructor(start: ProgressStart) {
    this.#match = start.match ?? 0;
    this.#next = start.next;
    this.isLearner = start.isLearner ?? false;
    this.isRecentlyActive = start.isRecentlyActive ?? false;
    this.inflights = new Inflights(start.inflightLimits);
    assert(this.#match < this.#next, `match ${this.#match} must be below next ${this.#next}`);
  }

  get state(): ProgressState {
    return this.#state;
  }

  /** Up to here the follower's log is known to be the leader's. */
  get match(): LogIndex {
    return this.#match;
  }

  /** The first entry of the next append. */
  get next(): LogIndex {
    return this.#next;
  }

  /** Of the snapshot that was sent, in state `snapshot`; otherwise 0. */
  get pendingSnapshot(): LogIndex {
    return this.#pendingSnapshot;
  }

  /** The largest commit index that is on its way to the follower. Falls where `next` falls. */
  get sentCommit(): LogIndex {
    return this.#sentCommit;
  }

  /** Whether no entries may be sent at the moment. */
  get isPaused(): boolean {
    return this.#state === 'snapshot' || this.isFlowPaused;
  }

  /** It was heard, as a follower of this leader. */
  noteAnswer(): void {
    this.isRecentlyActive = true;
    this.answerCount++;
  }

  /** Starts over behind what is known to match, or behind a snapshot that was sent and not reported as failed. */
  becomeProbe(): void {
    const arrived = this.#pendingSnapshot;
    this.#enter('probe');
    this.#next = Math.max(this.#match, arrived) + 1;
    this.#sentCommit = Math.min(this.#sentCommit, this.#next - 1);
  }

  becomeReplicate(): void {
    this.#enter('replicate');
    this.#next = this.#match + 1;
  }

  /** A snapshot up to `index` was sent. */
  becomeSnapshot(index: LogIndex): void {
    this.#enter('snapshot');
    this.#pendingSnapshot = index;
    this.#next = index + 1;
    this.#sentCommit = index;
  }

  /** The snapshot did not arrive: probing starts behind what matched before it. Requires: state `snapshot`. */
  failSnapshot(): void {
    assert(this.#state === 'snapshot', 'only a snapshot that was sent can fail');
    this.#pendingSnapshot = 0;
    this.becomeProbe();
  }

  /** An append with `count` entries of `bytes` in all went out, the first of them at `next`. Requires: not state `snapshot`. */
  sentEntries(count: number, bytes: number): void {
    assert(this.#state !== 'snapshot', 'no append may be sent while a snapshot is on its way');
    if (this.#state === 'probe') {
      if (count > 0) this.isFlowPaused = true;
      return;
    }
    if (count > 0) {
      this.#next += count;
      this.inflights.add(this.#next - 1, bytes);
    }
    this.isFlowPaused = this.inflights.isFull;
  }

  /** A message with the commit index `commit` went out. */
  markCommitSent(commit: LogIndex): void {
    this.#sentCommit = commit;
  }

  /** Whether to tell the follower `commit` may move its commit index: not when it was told so much that its log ends below. */
  canBumpCommit(commit: LogIndex): boolean {
    return commit > this.#sentCommit && this.#sentCommit < this.#next - 1;
  }

  /** The follower acknowledged everything up to `index`. @returns Whether that is news. */
  maybeUpdate(index: LogIndex): boolean {
    if (index <= this.#match) return false;
    this.#match = index;
    this.#next = Math.max(this.#next, index + 1);
    this.isFlowPaused = false;
    return true;
  }

  /**
   * The follower refused the append behind `rejected`; its log may agree at `hint`, not above.
   * Late and doubled refusals are told by what is known since, and never move `next` to `match` or below.
   *
   * @returns Whether the refusal was of interest, so that an append is to be sent.
   */
  maybeDecrease(rejected: LogIndex, hint: LogIndex): boolean {
    if (this.#state === 'replicate') {
      if (rejected <= this.#match) return false;
      this.#next = this.#match + 1;
    } else {
      if (rejected !== this.#next - 1) return false;
      this.#next = Math.max(Math.min(rejected, hint + 1), this.#match + 1);
      this.isFlowPaused = false;
    }
    this.#sentCommit = Math.min(this.#sentCommit, this.#next - 1);
    return true;
  }

  #enter(state: ProgressState): void {
    this.#state = state;
    this.isFlowPaused = false;
    this.#pendingSnapshot = 0;
    this.inflights.clear();
  }
}
