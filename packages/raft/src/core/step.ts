/** One message, from wherever: the term first, then what every role does alike, then what each does for itself. */

import { handleStorageAppendResponse, handleStorageApplyResponse } from './applied.ts';
import { stepCandidate } from './candidate.ts';
import { learnCommit } from './commit-knowledge.ts';
import { handleVoteRequest, startElection } from './election.ts';
import { stepFollower } from './follower.ts';
import { stepLeader } from './leader.ts';
import type { Message, MessageKind } from './message.ts';
import { HANDLED, type StepOutcome } from './outcome.ts';
import type { RaftState } from './raft-state.ts';
import { admitTerm } from './terms.ts';

export function stepMessage(state: RaftState, message: Message): StepOutcome {
  if (!admitTerm(state, message)) return HANDLED;
  switch (message.kind) {
    case 'hup':
      startElection(state, state.settings.preVote ? 'pre-election' : 'election');
      return HANDLED;
    case 'vote':
    case 'pre-vote':
      handleVoteRequest(state, message);
      return HANDLED;
    case 'storage-append-response':
      handleStorageAppendResponse(state, message);
      return HANDLED;
    case 'storage-apply-response':
      handleStorageApplyResponse(state, message);
      return HANDLED;
    case 'vote-response':
    case 'pre-vote-response':
      learnCommit(state, message);
      return stepRole(state, message);
    case 'append':
    case 'append-response':
    case 'snapshot':
    case 'heartbeat':
    case 'heartbeat-response':
    case 'propose':
    case 'read-index':
    case 'read-index-response':
    case 'transfer-leader':
    case 'timeout-now':
    case 'storage-append':
    case 'storage-apply':
    case 'beat':
    case 'check-quorum':
    case 'forget-leader':
    case 'unreachable':
    case 'snapshot-status':
      return stepRole(state, message);
  }
}

function stepRole(state: RaftState, message: Message): StepOutcome {
  switch (state.role) {
    case 'leader':
      return stepLeader(state, message);
    case 'follower':
      return stepFollower(state, message);
    case 'candidate':
    case 'pre-candidate':
      return stepCandidate(state, message);
  }
}

/** What only a node's host and its threads say. */
const LOCAL_KINDS: ReadonlySet<MessageKind> = new Set<MessageKind>([
  'hup',
  'beat',
  'check-quorum',
  'unreachable',
  'snapshot-status',
  'storage-append',
  'storage-append-response',
  'storage-apply',
  'storage-apply-response',
]);

export function isLocalKind(kind: MessageKind): boolean {
  return LOCAL_KINDS.has(kind);
}

/** What answers something, so that only members have anything to say in it. */
const RESPONSE_KINDS: ReadonlySet<MessageKind> = new Set<MessageKind>([
  'append-response',
  'vote-response',
  'pre-vote-response',
  'heartbeat-response',
  'read-index-response',
]);

export function isResponseKind(kind: MessageKind): boolean {
  return RESPONSE_KINDS.has(kind);
}
