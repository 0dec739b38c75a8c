/** What only a follower does: it follows, and passes on what is for the leader (paper section 5.1). */

import { startElection } from './election.ts';
import { handleAppend, handleHeartbeat } from './follower-log.ts';
import type { AppendRequest, Heartbeat, Message, ProposeRequest, SnapshotRequest } from './message.ts';
import { dropped, HANDLED, type ProposeOutcome, type StepOutcome } from './outcome.ts';
import type { RaftState } from './raft-state.ts';
import { handleSnapshot } from './snapshot-restore.ts';
import { NO_NODE } from './types.ts';

export type LeaderMessage = AppendRequest | Heartbeat | SnapshotRequest;

export function stepFollower(state: RaftState, message: Message): StepOutcome {
  const { leader, term } = state;
  switch (message.kind) {
    case 'append':
    case 'heartbeat':
    case 'snapshot':
      state.electionElapsed = 0;
      state.leader = message.from;
      followLeader(state, message);
      return HANDLED;
    case 'propose':
      return passOnProposal(state, message);
    case 'transfer-leader':
      if (leader === NO_NODE) state.emit({ kind: 'transfer-dropped-no-leader', term });
      else state.outbox.send({ ...message, to: leader, term });
      return HANDLED;
    case 'read-index':
      if (leader === NO_NODE) {
        state.emit({ kind: 'read-dropped-no-leader', term });
        return dropped('no-leader');
      }
      state.outbox.send({ ...message, to: leader });
      return { kind: 'forwarded', leader };
    case 'read-index-response':
      state.readStates.push({ index: message.index, context: message.context });
      return HANDLED;
    case 'forget-leader':
      forgetLeader(state);
      return HANDLED;
    case 'timeout-now':
      state.emit({ kind: 'timeout-now-received', from: message.from, term });
      // Without the question before: this node is not back from a partition, and to ask takes time.
      startElection(state, 'transfer');
      return HANDLED;
    case 'vote':
    case 'pre-vote':
    case 'vote-response':
    case 'pre-vote-response':
    case 'append-response':
    case 'heartbeat-response':
    case 'storage-append':
    case 'storage-append-response':
    case 'storage-apply':
    case 'storage-apply-response':
    case 'hup':
    case 'beat':
    case 'check-quorum':
    case 'unreachable':
    case 'snapshot-status':
      return HANDLED;
  }
}

/** What the leader of this term sent. Requires: the node is its follower. */
export function followLeader(state: RaftState, message: LeaderMessage): void {
  switch (message.kind) {
    case 'append':
      handleAppend(state, message);
      return;
    case 'heartbeat':
      handleHeartbeat(state, message);
      return;
    case 'snapshot':
      handleSnapshot(state, message);
  }
}

function passOnProposal(state: RaftState, message: ProposeRequest): ProposeOutcome {
  const { leader, term } = state;
  if (leader === NO_NODE) {
    state.emit({ kind: 'proposal-dropped-no-leader', term });
    return dropped('no-leader');
  }
  if (state.settings.disableProposalForwarding) {
    state.emit({ kind: 'proposal-not-forwarded', leader, term });
    return dropped('forwarding-disabled');
  }
  state.outbox.send({ ...message, to: leader });
  return { kind: 'forwarded', leader };
}

/** Not where a lease may be counted on: this node would vote for another before it is over. */
function forgetLeader(state: RaftState): void {
  if (state.settings.readOnly === 'lease') {
    state.emit({ kind: 'forget-leader-refused-lease' });
    return;
  }
  if (state.leader === NO_NODE) return;
  state.emit({ kind: 'leader-forgotten', leader: state.leader, term: state.term });
  state.leader = NO_NODE;
}
