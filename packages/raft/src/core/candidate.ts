/** What only a candidate does, before (`pre-candidate`) and during an election (paper section 5.2). */

import { campaign, countVote } from './election.ts';
import { followLeader } from './follower.ts';
import type { Message, VoteResponse } from './message.ts';
import { dropped, HANDLED, type StepOutcome } from './outcome.ts';
import type { RaftState } from './raft-state.ts';
import { broadcastAppend } from './replication.ts';
import { becomeFollower, becomeLeader } from './roles.ts';
import { NO_NODE } from './types.ts';

export function stepCandidate(state: RaftState, message: Message): StepOutcome {
  const { role, term } = state;
  switch (message.kind) {
    case 'append':
    case 'heartbeat':
    case 'snapshot':
      // Of this term: somebody else has won.
      becomeFollower(state, message.term, message.from);
      followLeader(state, message);
      return HANDLED;
    case 'pre-vote-response':
      if (role === 'pre-candidate') settleVote(state, message);
      return HANDLED;
    case 'vote-response':
      // Late answers to the question before the election are of the other kind, and do not count as votes.
      if (role === 'candidate') settleVote(state, message);
      return HANDLED;
    case 'propose':
      state.emit({ kind: 'proposal-dropped-no-leader', term });
      return dropped('no-leader');
    case 'read-index':
      return dropped('no-leader');
    case 'timeout-now':
      state.emit({ kind: 'timeout-now-ignored', from: message.from, role, term });
      return HANDLED;
    case 'vote':
    case 'pre-vote':
    case 'append-response':
    case 'heartbeat-response':
    case 'read-index-response':
    case 'transfer-leader':
    case 'storage-append':
    case 'storage-append-response':
    case 'storage-apply':
    case 'storage-apply-response':
    case 'hup':
    case 'beat':
    case 'check-quorum':
    case 'forget-leader':
    case 'unreachable':
    case 'snapshot-status':
      return HANDLED;
  }
}

function settleVote(state: RaftState, message: VoteResponse): void {
  const result = countVote(state, message);
  if (result === 'won') win(state);
  // A rejected pre-vote may carry a later term, which was dealt with before: the node stays in its own.
  else if (result === 'lost') becomeFollower(state, state.term, NO_NODE);
}

function win(state: RaftState): void {
  if (state.role === 'pre-candidate') {
    campaign(state, 'election');
  } else if (state.ownProgress === undefined) {
    // It was removed meanwhile: those who are left elect one of themselves.
    state.emit({ kind: 'campaign-unpromotable' });
    becomeFollower(state, state.term, NO_NODE);
  } else {
    becomeLeader(state);
    broadcastAppend(state);
  }
}
