/** When a node makes a snapshot, and how much of the log it keeps behind. Pure. */

import type { LogIndex } from '../core/types.ts';

export interface SnapshotPolicy {
  /** Bytes of log that are applied between two snapshots. */
  readonly snapshotBytes: number;
  /** Bytes of log that are kept, at least, for whoever is a little behind. */
  readonly keepBytes: number;
  /** Bytes of log that are kept, at most, for the slowest member that is alive, where its snapshot is not larger. At least `keepBytes`. */
  readonly keepForSlowBytes: number;
}

export interface SnapshotState {
  readonly appliedIndex: LogIndex;
  readonly snapshotIndex: LogIndex;
  /** Applied since the snapshot, or since the last attempt at one. */
  readonly bytesSince: number;
  /** Whether somebody needs one. */
  readonly isDemanded: boolean;
  /** Whether one is being made, or one of a leader is being taken over. */
  readonly isBusy: boolean;
}

/** What a leader knows about a member. */
export interface MemberView {
  readonly isAlive: boolean;
  readonly match: LogIndex;
  /** Index of the snapshot that is on its way to it, 0 when none is. */
  readonly pendingSnapshot: LogIndex;
}

export interface CompactionState {
  /** Of the durable snapshot. */
  readonly snapshotIndex: LogIndex;
  /** Up to here the state machine is durable without the log. */
  readonly durableIndex: LogIndex;
  /** The smallest index behind which there are at most so many bytes of log. */
  readonly indexKeeping: (bytes: number) => LogIndex;
  /** Of a leader; empty otherwise. */
  readonly others: readonly MemberView[];
  /** As `StateMachine.logWorthBytes`. */
  readonly logWorthBytes: number;
}

export function shouldSnapshot(policy: SnapshotPolicy, state: SnapshotState): boolean {
  if (state.isBusy || state.appliedIndex <= state.snapshotIndex) return false;
  return state.isDemanded || state.bytesSince >= policy.snapshotBytes;
}

/**
 * The index up to which the log may go: never beyond the durable snapshot, nor beyond what the state machine has durable on its own. A member to which a snapshot is on its way goes on
 * behind that snapshot, so the log from there on is kept for it, heard of at the moment or not: were it gone when the snapshot has arrived, all would begin again with a larger one
 * (docs/decisions/20261123-log-behind-a-snapshot.md).
 */
export function pickCompaction(policy: SnapshotPolicy, state: CompactionState): LogIndex {
  const needs = state.others
    .filter(({ isAlive, pendingSnapshot }) => isAlive || pendingSnapshot > 0)
    .map(({ match, pendingSnapshot }) => Math.max(match, pendingSnapshot));
  const forAll = state.indexKeeping(policy.keepBytes);
  const slowest = Math.min(forAll, ...needs);
  const forSlow = Math.max(slowest, state.indexKeeping(Math.max(policy.keepForSlowBytes, state.logWorthBytes)));
  return Math.min(state.snapshotIndex, state.durableIndex, forAll, forSlow);
}
