/** A leader learns from answers how far each log agrees with its own, and sends on (paper section 5.3, thesis section 10.2.1). */

import { maybeFinishTransfer } from './leader-transfer.ts';
import type { AppendResponse, HeartbeatResponse } from './message.ts';
import type { Progress } from './progress.ts';
import type { RaftState } from './raft-state.ts';
import { confirmReads, releaseParkedReads } from './read-index.ts';
import { broadcastAppend, maybeCommit, maybeSendAppend, sendAppend } from './replication.ts';
import { viewProgress } from './status.ts';

export function handleAppendResponse(state: RaftState, message: AppendResponse, progress: Progress): void {
  progress.noteAnswer();
  if (message.isRejected) handleRejection(state, message, progress);
  else handleAcknowledgement(state, message, progress);
}

/**
 * Probes further back. The other's log has at most `hintTerm` up to `hintIndex`, so nothing here of a later term can be in it: one probe for each
 * term at the most.
 */
function handleRejection(state: RaftState, message: AppendResponse, progress: Progress): void {
  const { from, index, hintIndex, hintTerm } = message;
  state.emit({ kind: 'append-rejection-received', from, index, hint: { index: hintIndex, term: hintTerm } });
  const hint = hintTerm > 0 ? state.log.findConflictByTerm(hintIndex, hintTerm).index : hintIndex;
  if (!progress.maybeDecrease(index, hint)) return;
  state.emit({ kind: 'progress-decreased', of: from, progress: viewProgress(progress) });
  if (progress.state === 'replicate') progress.becomeProbe();
  sendAppend(state, from, progress);
}

function handleAcknowledgement(state: RaftState, { from, index }: AppendResponse, progress: Progress): void {
  const { log, id } = state;
  const isNews = progress.maybeUpdate(index);
  // An answer to a probe that tells nothing new still shows where the logs agree.
  if (!isNews && !(progress.match === index && progress.state === 'probe')) return;
  resumeReplication(state, from, index, progress);
  if (maybeCommit(state)) {
    releaseParkedReads(state);
    broadcastAppend(state);
  } else if (from !== id && progress.canBumpCommit(log.committed)) {
    sendAppend(state, from, progress);
  }
  if (from === id) return;
  // There may be room in the window now for more than one.
  while (maybeSendAppend(state, from, progress, false));
  maybeFinishTransfer(state, from, progress);
}

function resumeReplication(state: RaftState, from: number, index: number, progress: Progress): void {
  switch (progress.state) {
    case 'probe':
      progress.becomeReplicate();
      return;
    case 'replicate':
      progress.inflights.freeUpTo(index);
      return;
    case 'snapshot':
      // Whichever snapshot it has restored: what counts is that the log goes on from there.
      if (progress.match + 1 < state.log.firstIndex) return;
      state.emit({ kind: 'snapshot-recovered', to: from, progress: viewProgress(progress) });
      // By way of probing, which starts behind the snapshot.
      progress.becomeProbe();
      progress.becomeReplicate();
  }
}

/** An append may have been lost: an answer to a heartbeat is a reason to try again. */
export function handleHeartbeatResponse(state: RaftState, message: HeartbeatResponse, progress: Progress): void {
  progress.noteAnswer();
  progress.isFlowPaused = false;
  // Of a probe that has caught up already, the answer to an empty append ends the probing.
  if (progress.match < state.log.lastIndex || progress.state === 'probe') sendAppend(state, message.from, progress);
  confirmReads(state, message.from, message.context);
}
