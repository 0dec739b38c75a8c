/** What follows from the storage's and the state machine's work: entries and snapshots that are durable, or applied. */

import type { StorageAppendResponse, StorageApplyResponse } from './message.ts';
import { emptyDraft, releaseQuota } from './own-entries.ts';
import { proposeAsLeader } from './proposals.ts';
import type { RaftState } from './raft-state.ts';
import type { Entry, LogIndex, Snapshot } from './types.ts';

/** Requires: it was asked for in the term that the node is still in, so that nothing replaces these entries meanwhile. */
export function handleStorageAppendResponse(state: RaftState, message: StorageAppendResponse): void {
  if (message.index !== 0) state.log.unstable.stableTo(message.index, message.logTerm);
  if (message.snapshot !== undefined) snapshotStored(state, message.snapshot);
}

export function handleStorageApplyResponse(state: RaftState, { entries }: StorageApplyResponse): void {
  const last = entries.at(-1);
  if (last === undefined) return;
  appliedTo(state, last.index, entries);
  releaseQuota(state, entries);
}

/** `snapshot` is durable and has taken the place of the state machine. True in whichever term: it stands for committed entries. */
export function snapshotStored(state: RaftState, snapshot: Snapshot): void {
  state.log.unstable.stableSnapshotTo(snapshot.meta.index);
  appliedTo(state, snapshot.meta.index, []);
}

function appliedTo(state: RaftState, index: LogIndex, entries: readonly Entry[]): void {
  const applied = Math.max(index, state.log.applied);
  state.log.appliedTo(applied, entries);
  if (applied >= state.pendingConfigIndex) maybeLeaveJoint(state);
}

/**
 * A leader leaves a joint configuration that is to be left without being asked, whoever entered it. Tried again at every applied entry, for a
 * transfer of leadership that fails may have prevented it.
 */
function maybeLeaveJoint(state: RaftState): void {
  const { configuration } = state.tracker;
  if (!configuration.autoLeave || state.role !== 'leader') return;
  const outcome = proposeAsLeader(state, [emptyDraft('config')]);
  if (outcome.kind === 'dropped') state.emit({ kind: 'auto-leave-dropped', configuration, reason: outcome.reason });
  else state.emit({ kind: 'auto-leave-started', configuration });
}
