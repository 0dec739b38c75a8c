/** What a leader sends to bring the others' logs up to its own (paper section 5.3), and to keep them from campaigning. */

import { payloadBytes } from './entry-size.ts';
import type { Progress } from './progress.ts';
import type { RaftState } from './raft-state.ts';
import { maybeSendSnapshot } from './snapshot-sending.ts';
import type { Entry, NodeId } from './types.ts';

const NO_ENTRIES: readonly Entry[] = [];

/** As `maybeSendAppend`, and an empty append where there is nothing else: it carries the commit index. */
export function sendAppend(state: RaftState, to: NodeId, progress: Progress): void {
  maybeSendAppend(state, to, progress, true);
}

/**
 * Sends entries from `progress.next` on, as many as one message holds, or a snapshot where they are gone.
 *
 * @param sendIfEmpty - Whether to send an append without entries.
 * @returns Whether a message was sent.
 */
export function maybeSendAppend(state: RaftState, to: NodeId, progress: Progress, sendIfEmpty: boolean): boolean {
  if (progress.isPaused) return false;
  const { log, settings } = state;
  const prevIndex = progress.next - 1;
  const prevTerm = log.term(prevIndex);
  if (typeof prevTerm !== 'number') return maybeSendSnapshot(state, to, progress);
  let entries = NO_ENTRIES;
  // While the window is full, appends are empty: were everything in it lost, nothing else would ever find that out.
  if (progress.state !== 'replicate' || !progress.inflights.isFull) {
    const found = log.entriesFrom(progress.next, settings.maxMessageBytes);
    if (found === 'compacted') return sendIfEmpty && maybeSendSnapshot(state, to, progress);
    entries = found;
  }
  if (entries.length === 0 && !sendIfEmpty) return false;
  const commit = log.committed;
  state.outbox.send({ kind: 'append', from: state.id, to, term: state.term, prevIndex, prevTerm, entries, commit });
  progress.sentEntries(entries.length, payloadBytes(entries));
  progress.markCommitSent(commit);
  return true;
}

/** To everybody. */
export function broadcastAppend(state: RaftState): void {
  for (const [id, progress] of state.tracker.progress) {
    if (id !== state.id) sendAppend(state, id, progress);
  }
}

/** To everybody for whom there are entries. */
export function broadcastNewEntries(state: RaftState): void {
  for (const [id, progress] of state.tracker.progress) {
    if (id !== state.id) maybeSendAppend(state, id, progress, false);
  }
}

/** To everybody, with the number of the last read that waits. */
export function broadcastHeartbeat(state: RaftState): void {
  const context = state.reads.heartbeatContext();
  for (const [id, progress] of state.tracker.progress) {
    if (id === state.id) continue;
    // No further than the logs are known to agree: what the other has beyond may not be what is committed.
    const commit = Math.min(progress.match, state.log.committed);
    state.outbox.send({ kind: 'heartbeat', from: state.id, to: id, term: state.term, commit, context });
    progress.markCommitSent(commit);
  }
}

/** Commits what a quorum has, if it is of the leader's own term (paper section 5.4.2). @returns Whether that is news, for everybody. */
export function maybeCommit(state: RaftState): boolean {
  return state.log.maybeCommit(Math.min(state.tracker.committed, Number.MAX_SAFE_INTEGER), state.term);
}
