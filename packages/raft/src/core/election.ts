/** Elections: campaigning, asking for votes, and giving them (paper sections 5.2 and 5.4.1, thesis sections 3.10 and 9.6). */

import { commitToTell, hasUnappliedChange, learnCommit } from './commit-knowledge.ts';
import type { VoteRequest, VoteResponse } from './message.ts';
import type { VoteResult } from './quorum.ts';
import type { RaftState } from './raft-state.ts';
import { becomeCandidate, becomePreCandidate } from './roles.ts';
import { type KnownCommit, NO_COMMIT, NO_NODE, type Term } from './types.ts';

/**
 * - `pre-election`: asks whether an election could be won, first.
 * - `transfer`: the leader asked for it, so that nobody refuses because of having heard of a leader.
 */
export type CampaignKind = 'pre-election' | 'election' | 'transfer';

/** Campaigns, where that makes sense: not as a leader, and as a voter who knows all changes of the configuration that are committed. */
export function startElection(state: RaftState, kind: CampaignKind): void {
  const { term } = state;
  if (state.role === 'leader') {
    state.emit({ kind: 'campaign-ignored-leader' });
    return;
  }
  if (!state.isPromotable) {
    state.emit({ kind: 'campaign-refused-unpromotable' });
    return;
  }
  if (hasUnappliedChange(state)) {
    state.emit({ kind: 'campaign-refused-unapplied-change', term });
    return;
  }
  state.emit({ kind: 'election-started', term });
  campaign(state, kind);
}

/** A term for `startElection` to begin, or only to ask about. Votes for itself by a message, as the vote has to be durable before it counts. */
export function campaign(state: RaftState, kind: CampaignKind): void {
  if (!state.isPromotable) state.emit({ kind: 'campaign-unpromotable' });
  const isPre = kind === 'pre-election';
  if (isPre) becomePreCandidate(state);
  else becomeCandidate(state);
  const { id: from, last, outbox } = state;
  const message = isPre ? 'pre-vote' : 'vote';
  const term = isPre ? state.term + 1 : state.term;
  for (const to of state.tracker.voterNodes) {
    if (to === from) {
      const response = isPre ? 'pre-vote-response' : 'vote-response';
      outbox.send({ kind: response, from, to, term, isRejected: false, ...NO_COMMIT });
      continue;
    }
    state.emit({ kind: 'vote-requested', message, to, last, term: state.term });
    const { index: lastIndex, term: lastTerm } = last;
    const isTransfer = kind === 'transfer';
    outbox.send({ kind: message, from, to, term, lastIndex, lastTerm, isTransfer, ...commitToTell(state) });
  }
}

/** Counts an answer to this node's own campaign. */
export function countVote(state: RaftState, { kind: message, from, isRejected }: VoteResponse): VoteResult {
  state.emit({ kind: 'vote-received', message, from, isRejected, term: state.term });
  state.tracker.recordVote(from, !isRejected);
  const { granted, rejected, result } = state.tracker.tallyVotes();
  state.emit({ kind: 'votes-counted', message, granted, rejected });
  return result;
}

/**
 * One vote in each term, to whoever asks first and has a log that is at least as up to date (paper section 5.4.1). A question before an
 * election binds nobody. Learners vote too: they may have been promoted and not know it yet.
 *
 * Requires: the request's term is this node's, or it is a `pre-vote` of a later one.
 */
export function handleVoteRequest(state: RaftState, request: VoteRequest): void {
  const { from, kind } = request;
  const isFree = state.vote === NO_NODE && state.leader === NO_NODE;
  const mayVote = state.vote === from || isFree || (kind === 'pre-vote' && request.term > state.term);
  if (!mayVote || !state.log.isUpToDate(request.lastIndex, request.lastTerm)) {
    refuseVote(state, request);
    return;
  }
  state.emit({ kind: 'vote-cast', ...judgementOf(state, request) });
  // In the term that was asked for: an answer of a pre-vote in the own one would be ignored as outdated.
  answer(state, request, request.term, undefined);
  if (kind === 'vote') {
    state.electionElapsed = 0;
    state.vote = from;
  }
}

/** Tells the candidate this node's term: it may be outdated. Each learns from the other what is committed, as neither may be able to win without. */
export function refuseVote(state: RaftState, request: VoteRequest): void {
  state.emit({ kind: 'vote-rejected', ...judgementOf(state, request) });
  answer(state, request, state.term, commitToTell(state));
  learnCommit(state, request);
}

/** Whether a vote is out of the question because a leader was heard of within the least election timeout (thesis section 4.2.3). */
export function isInLease({ settings, leader, electionElapsed }: RaftState): boolean {
  return settings.checkQuorum && leader !== NO_NODE && electionElapsed < settings.electionTicks;
}

export function ignoreVoteInLease(state: RaftState, request: VoteRequest): void {
  const remainingTicks = state.settings.electionTicks - state.electionElapsed;
  state.emit({ kind: 'vote-ignored-in-lease', remainingTicks, ...judgementOf(state, request) });
}

/** @param refusal - What comes with a refusal; undefined grants the vote. */
function answer(state: RaftState, { kind, from: to }: VoteRequest, term: Term, refusal: KnownCommit | undefined): void {
  const response = kind === 'vote' ? 'vote-response' : 'pre-vote-response';
  const isRejected = refusal !== undefined;
  state.outbox.send({ kind: response, from: state.id, to, term, isRejected, ...(refusal ?? NO_COMMIT) });
}

function judgementOf(state: RaftState, { kind, from, lastIndex, lastTerm }: VoteRequest) {
  return {
    message: kind,
    candidate: from,
    candidateLast: { index: lastIndex, term: lastTerm },
    last: state.last,
    vote: state.vote,
    term: state.term,
  };
}
