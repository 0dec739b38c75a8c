/** A copy of a node's state, for whoever wants to see it. */

import type { RaftState } from './raft-state.ts';
import { type ProgressView, type Status, type StatusSummary, viewProgress } from './status.ts';
import type { NodeId } from './types.ts';

export function statusOf(state: RaftState): Status {
  const { id, term, vote, role, leader, isLearner, transferTarget, log, tracker } = state;
  const { index: lastIndex, term: lastTerm } = state.last;
  const progress = new Map<NodeId, ProgressView>();
  if (role === 'leader') for (const [peer, one] of tracker.progress) progress.set(peer, viewProgress(one));
  return {
    id,
    term,
    vote,
    role,
    leader,
    isLearner,
    transferTarget,
    commit: log.committed,
    applying: log.applying,
    applied: log.applied,
    firstIndex: log.firstIndex,
    lastIndex,
    lastTerm,
    configuration: tracker.configuration,
    progress,
    electionElapsedTicks: state.electionElapsed,
    randomizedElectionTicks: state.randomizedElectionTicks,
    uncommittedBytes: state.uncommittedBytes,
  };
}

export function summaryOf({ id, term, vote, role, leader, log, tracker }: RaftState): StatusSummary {
  const { committed: commit, applying, applied, lastIndex } = log;
  const { configuration } = tracker;
  return { id, term, vote, role, leader, commit, applying, applied, lastIndex, configuration };
}
