/** A leader's snapshot comes in (paper section 7, figure 13). */

import { roomForInflights } from './config.ts';
import { switchConfiguration } from './configuration-switch.ts';
import { restoreMembership } from './membership.ts';
import type { SnapshotRequest } from './message.ts';
import { ProgressTracker } from './progress-tracker.ts';
import type { RaftState } from './raft-state.ts';
import { acknowledgeAppend } from './responses.ts';
import { becomeFollower } from './roles.ts';
import { type Configuration, NO_NODE, type NodeId, type Snapshot } from './types.ts';

/** Answers with what the log matches the leader's up to, whether the snapshot was of use or not. */
export function handleSnapshot(state: RaftState, message: SnapshotRequest): void {
  const { index, term } = message.snapshot.meta;
  const isRestored = restore(state, message.snapshot);
  const commit = state.log.committed;
  state.emit({ kind: isRestored ? 'snapshot-received' : 'snapshot-ignored', commit, snapshot: { index, term } });
  acknowledgeAppend(state, message.from, isRestored ? state.log.lastIndex : commit);
}

/** @returns Whether the snapshot has taken the place of the log. */
function restore(state: RaftState, snapshot: Snapshot): boolean {
  const { log } = state;
  const { index, term, configuration } = snapshot.meta;
  if (index <= log.committed) return false;
  if (state.role !== 'follower') {
    state.emit({ kind: 'snapshot-restore-not-follower' });
    becomeFollower(state, state.term + 1, NO_NODE);
    return false;
  }
  if (!hasMember(configuration, state.id)) {
    state.emit({ kind: 'snapshot-restore-not-member', configuration });
    return false;
  }
  if (log.matches(index, term)) {
    const { committed: commit } = log;
    state.emit({ kind: 'snapshot-fast-forwarded', commit, last: state.last, snapshot: { index, term } });
    log.commitTo(index);
    return false;
  }
  const membership = restoreMembership(configuration);
  if (membership.kind === 'refused') {
    state.emit({ kind: 'snapshot-restore-invalid', configuration, reason: membership.reason });
    return false;
  }
  log.restore(snapshot);
  state.tracker = new ProgressTracker(roomForInflights(state.settings));
  switchConfiguration(state, membership);
  state.emit({ kind: 'snapshot-restored', commit: log.committed, last: state.last, snapshot: { index, term } });
  return true;
}

/** Learners to be are voters of the outgoing half still. */
function hasMember({ voters, votersOutgoing, learners }: Configuration, id: NodeId): boolean {
  return voters.includes(id) || votersOutgoing.includes(id) || learners.includes(id);
}
