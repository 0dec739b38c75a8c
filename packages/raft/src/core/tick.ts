/** The core's only notion of time: a tick, as long as the host likes. */

import { startElection } from './election.ts';
import type { RaftState } from './raft-state.ts';
import { stepMessage } from './step.ts';
import { NO_NODE } from './types.ts';

export function tickState(state: RaftState): void {
  state.electionElapsed++;
  if (state.role === 'leader') tickLeader(state);
  else tickElection(state);
}

function tickElection(state: RaftState): void {
  if (!state.isPromotable || state.electionElapsed < state.randomizedElectionTicks) return;
  state.electionElapsed = 0;
  startElection(state, state.settings.preVote ? 'pre-election' : 'election');
}

function tickLeader(state: RaftState): void {
  const { id, settings } = state;
  state.heartbeatElapsed++;
  if (state.electionElapsed >= settings.electionTicks) {
    state.electionElapsed = 0;
    if (settings.checkQuorum) stepMessage(state, { kind: 'check-quorum', from: id, to: id });
    // A transfer that takes longer is given up, or proposals would be refused for ever.
    if (state.role === 'leader') state.transferTarget = NO_NODE;
  }
  if (state.role !== 'leader' || state.heartbeatElapsed < settings.heartbeatTicks) return;
  state.heartbeatElapsed = 0;
  stepMessage(state, { kind: 'beat', from: id, to: id });
}
