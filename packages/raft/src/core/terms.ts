/** Terms before all else (paper section 5.1): a message of a later one makes a follower, one of an earlier one is not acted on. */

import { snapshotStored } from './applied.ts';
import { ignoreVoteInLease, isInLease, refuseVote } from './election.ts';
import type { Message } from './message.ts';
import type { RaftState } from './raft-state.ts';
import { acknowledgeAppend } from './responses.ts';
import { becomeFollower } from './roles.ts';
import { NO_NODE, type Term } from './types.ts';

/** @returns Whether the message is to be acted on, in the term that the node is in now. */
export function admitTerm(state: RaftState, message: Message): boolean {
  const term = 'term' in message ? message.term : 0;
  if (term === 0 || term === state.term) return true;
  if (term > state.term) return followLaterTerm(state, message, term);
  answerEarlierTerm(state, message, term);
  return false;
}

function followLaterTerm(state: RaftState, message: Message, messageTerm: Term): boolean {
  const { kind, from } = message;
  if (kind === 'vote' || kind === 'pre-vote') {
    if (!message.isTransfer && isInLease(state)) {
      ignoreVoteInLease(state, message);
      return false;
    }
    if (kind === 'pre-vote') return true;
  }
  // Granted in the term that this node asked about; it begins that term when it has enough of them.
  if (kind === 'pre-vote-response' && !message.isRejected) return true;
  state.emit({ kind: 'higher-term-received', message: kind, from, messageTerm, term: state.term });
  const comesFromLeader = kind === 'append' || kind === 'heartbeat' || kind === 'snapshot';
  becomeFollower(state, messageTerm, comesFromLeader ? from : NO_NODE);
  return true;
}

function answerEarlierTerm(state: RaftState, message: Message, messageTerm: Term): void {
  const { kind, from } = message;
  const { checkQuorum, preVote } = state.settings;
  if ((checkQuorum || preVote) && (kind === 'heartbeat' || kind === 'append')) {
    // Votes for this node may be refused, so a leader that it has outrun learns the term in this way, and the node gets back into the group.
    acknowledgeAppend(state, from, 0);
  } else if (kind === 'pre-vote') {
    // Without an answer, a node of an earlier term with the better log would never learn the term that it has to win in.
    refuseVote(state, message);
  } else if (kind === 'storage-append-response') {
    if (message.index !== 0) state.emit({ kind: 'stale-append-ignored', messageTerm, term: state.term });
    if (message.snapshot !== undefined) snapshotStored(state, message.snapshot);
  } else {
    state.emit({ kind: 'lower-term-ignored', message: kind, from, messageTerm, term: state.term });
  }
}
