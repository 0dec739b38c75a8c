/**
 * Reads that see everything committed before they were asked for, without an entry in the log (thesis section 6.4): the leader notes its commit
 * index, makes sure that it still leads, and whoever asked waits until that index is applied.
 */

import type { ReadIndexRequest } from './message.ts';
import { dropped, HANDLED, type StepOutcome } from './outcome.ts';
import type { RaftState } from './raft-state.ts';
import { broadcastHeartbeat } from './replication.ts';
import { type LogIndex, NO_NODE, type NodeId } from './types.ts';

/**
 * A read comes to the leader. Parked until an entry of the own term is committed: before that the leader may not know of all that is committed,
 * not even where it decides alone.
 */
export function handleReadIndex(state: RaftState, request: ReadIndexRequest): StepOutcome {
  if (state.parkedReads.length + state.reads.pendingCount >= state.settings.maxPendingReads) return dropped('quota');
  if (hasCommittedInTerm(state)) beginRead(state, request);
  else state.parkedReads.push(request);
  return HANDLED;
}

/** Begins the parked reads, once an entry of the own term is committed. */
export function releaseParkedReads(state: RaftState): void {
  if (state.parkedReads.length === 0 || !hasCommittedInTerm(state)) return;
  const parked = state.parkedReads;
  state.parkedReads = [];
  for (const request of parked) beginRead(state, request);
}

/** `from` confirms that this node led when it sent `context`. */
export function confirmReads(state: RaftState, from: NodeId, context: Uint8Array): void {
  if (context.byteLength === 0) return;
  state.reads.recordConfirmation(from, context);
  answerConfirmedReads(state);
}

/** Answers the reads that a quorum has confirmed: after a confirmation, and when the quorum has become another one. */
export function answerConfirmedReads(state: RaftState): void {
  for (const { request, index } of state.reads.takeConfirmed(state.tracker.configuration)) {
    answerRead(state, request, index);
  }
}

function beginRead(state: RaftState, request: ReadIndexRequest): void {
  const { committed } = state.log;
  if (decidesAlone(state) || hasLease(state)) {
    answerRead(state, request, committed);
    return;
  }
  state.reads.add(request, committed);
  state.reads.recordConfirmation(state.id, state.reads.heartbeatContext());
  broadcastHeartbeat(state);
}

function answerRead(state: RaftState, { from, context }: ReadIndexRequest, index: LogIndex): void {
  if (from === NO_NODE || from === state.id) state.readStates.push({ index, context });
  else state.outbox.send({ kind: 'read-index-response', from: state.id, to: from, term: state.term, index, context });
}

function hasCommittedInTerm({ log, term }: RaftState): boolean {
  return log.termOrZero(log.committed) === term;
}

/** A leader that was removed from a group of one other voter does not. */
function decidesAlone({ tracker, id }: RaftState): boolean {
  return tracker.isSingleton && tracker.isVoter(id);
}

/** None from the moment on when another node was told to campaign: its election passes over leases (thesis section 6.4.1). */
function hasLease({ settings, wasTimeoutNowSent }: RaftState): boolean {
  return settings.readOnly === 'lease' && !wasTimeoutNowSent;
}
