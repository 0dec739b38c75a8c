/** What a follower does with what its leader sends (paper section 5.3, figure 2 "AppendEntries RPC"). */

import type { AppendRequest, Heartbeat } from './message.ts';
import type { RaftState } from './raft-state.ts';
import { acknowledgeAppend, rejectAppend } from './responses.ts';

export function handleAppend(state: RaftState, message: AppendRequest): void {
  const { log } = state;
  const { from, prevIndex, prevTerm, entries, commit } = message;
  if (prevIndex < log.committed) {
    acknowledgeAppend(state, from, log.committed);
    return;
  }
  const matched = log.maybeAppend(prevIndex, prevTerm, entries, commit);
  if (matched !== undefined) {
    acknowledgeAppend(state, from, matched);
    return;
  }
  const localTerm = log.termOrZero(prevIndex);
  state.emit({ kind: 'append-rejected', from, prev: { index: prevIndex, term: prevTerm }, localTerm });
  // The leader's terms before `prevIndex` are at most `prevTerm`: entries here of a higher one can not be in its log.
  const hint = log.findConflictByTerm(Math.min(prevIndex, log.lastIndex), prevTerm);
  rejectAppend(state, from, prevIndex, hint);
}

export function handleHeartbeat(state: RaftState, { from, commit, context }: Heartbeat): void {
  state.log.commitTo(commit);
  state.outbox.send({ kind: 'heartbeat-response', from: state.id, to: from, term: state.term, context });
}
