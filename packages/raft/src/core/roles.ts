/** A node's changes of role (paper figure 4). Invariant: whoever leaves a term forgets what was true in it only. */

import { assert } from '@kayadb/codec';

import { appendOwnEntries, emptyDraft } from './own-entries.ts';
import type { RaftState } from './raft-state.ts';
import { NO_NODE, type NodeId, type Term } from './types.ts';

/** @param leader - `NO_NODE` while nobody is known to lead `term`. */
export function becomeFollower(state: RaftState, term: Term, leader: NodeId): void {
  reset(state, term);
  state.leader = leader;
  state.role = 'follower';
  announce(state);
}

/** Begins a term and votes for itself in it (paper section 5.2). */
export function becomeCandidate(state: RaftState): void {
  assert(state.role !== 'leader', 'a leader does not campaign');
  reset(state, state.term + 1);
  state.vote = state.id;
  state.role = 'candidate';
  announce(state);
}

/** Neither term nor vote change (thesis section 9.6), but the leader is forgotten, so that others may win meanwhile. */
export function becomePreCandidate(state: RaftState): void {
  assert(state.role !== 'leader', 'a leader does not campaign');
  state.tracker.resetVotes();
  state.leader = NO_NODE;
  state.role = 'pre-candidate';
  announce(state);
}

/** Begins with an entry for nobody, whose commit commits all before it (paper section 5.4.2). */
export function becomeLeader(state: RaftState): void {
  assert(state.role !== 'follower', 'a follower does not lead without an election');
  reset(state, state.term);
  state.leader = state.id;
  state.role = 'leader';
  const own = state.ownProgress;
  assert(own !== undefined, 'who is not in the configuration does not lead');
  own.becomeReplicate();
  own.isRecentlyActive = true;
  // There may be a change of the configuration anywhere in what is not applied yet; to look for it could take long.
  state.pendingConfigIndex = state.log.lastIndex;
  assert(appendOwnEntries(state, [emptyDraft('normal')]), 'an empty entry is within any quota');
  announce(state);
}

function reset(state: RaftState, term: Term): void {
  if (state.term !== term) {
    state.term = term;
    state.vote = NO_NODE;
  }
  state.leader = NO_NODE;
  state.electionElapsed = 0;
  state.heartbeatElapsed = 0;
  drawElectionTimeout(state);
  state.transferTarget = NO_NODE;
  state.wasTimeoutNowSent = false;
  state.tracker.resetVotes();
  state.tracker.resetProgress(state.id, state.log.lastIndex);
  state.pendingConfigIndex = 0;
  state.uncommittedBytes = 0;
  state.reads.reset();
  state.parkedReads = [];
}

/** Of the whole range, so that two nodes seldom time out together (paper section 5.2). */
function drawElectionTimeout(state: RaftState): void {
  const { electionTicks, random } = state.settings;
  state.randomizedElectionTicks = electionTicks + random(electionTicks);
}

function announce(state: RaftState): void {
  state.emit({ kind: 'role-changed', role: state.role, term: state.term });
}
