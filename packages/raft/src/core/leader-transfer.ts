/**
 * Handing leadership over (thesis section 3.10): the target is brought up to date, no proposal is taken meanwhile, and it is told to campaign at once.
 * Given up after an election timeout, when the target stops being a voter, and whenever the term or the role ends.
 */

import type { Progress } from './progress.ts';
import type { RaftState } from './raft-state.ts';
import { sendAppend } from './replication.ts';
import { NO_NODE, type NodeId } from './types.ts';

/** The leader is asked to hand over to `target`. */
export function handleTransferLeader(state: RaftState, target: NodeId, progress: Progress): void {
  const { term, id } = state;
  if (progress.isLearner) {
    state.emit({ kind: 'transfer-ignored-learner' });
    return;
  }
  const before = state.transferTarget;
  if (before === target) {
    state.emit({ kind: 'transfer-ignored-repeated', target, term });
    return;
  }
  if (before !== NO_NODE) {
    state.transferTarget = NO_NODE;
    state.emit({ kind: 'transfer-aborted', target: before, term });
  }
  if (target === id) {
    state.emit({ kind: 'transfer-ignored-self' });
    return;
  }
  state.emit({ kind: 'transfer-started', target, term });
  // The time that it may take begins now.
  state.electionElapsed = 0;
  state.transferTarget = target;
  if (progress.match === state.log.lastIndex) {
    sendTimeoutNow(state, target);
    state.emit({ kind: 'timeout-now-sent-at-once', target });
  } else {
    sendAppend(state, target, progress);
  }
}

/** The target may have caught up. */
export function maybeFinishTransfer(state: RaftState, from: NodeId, progress: Progress): void {
  if (from !== state.transferTarget || progress.match !== state.log.lastIndex) return;
  state.emit({ kind: 'timeout-now-sent-caught-up', target: from });
  sendTimeoutNow(state, from);
}

function sendTimeoutNow(state: RaftState, to: NodeId): void {
  state.wasTimeoutNowSent = true;
  state.outbox.send({ kind: 'timeout-now', from: state.id, to, term: state.term });
}
