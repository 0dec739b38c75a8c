/** What only a leader does (paper section 5.3). */

import { handleAppendResponse, handleHeartbeatResponse } from './append-responses.ts';
import { handleTransferLeader } from './leader-transfer.ts';
import type { Message, SnapshotStatus } from './message.ts';
import { HANDLED, type StepOutcome } from './outcome.ts';
import type { Progress } from './progress.ts';
import { proposeAsLeader } from './proposals.ts';
import type { RaftState } from './raft-state.ts';
import { handleReadIndex } from './read-index.ts';
import { broadcastHeartbeat } from './replication.ts';
import { becomeFollower } from './roles.ts';
import { viewProgress } from './status.ts';
import { NO_NODE, type NodeId } from './types.ts';

export function stepLeader(state: RaftState, message: Message): StepOutcome {
  switch (message.kind) {
    case 'append-response':
    case 'heartbeat-response':
    case 'snapshot-status':
    case 'unreachable':
    case 'transfer-leader':
      stepProgress(state, message);
      return HANDLED;
    case 'propose':
      return proposeAsLeader(state, message.entries);
    case 'read-index':
      return handleReadIndex(state, message);
    case 'beat':
      broadcastHeartbeat(state);
      return HANDLED;
    case 'check-quorum':
      checkQuorum(state);
      return HANDLED;
    case 'forget-leader':
      return HANDLED;
    case 'vote':
    case 'pre-vote':
    case 'vote-response':
    case 'pre-vote-response':
    case 'append':
    case 'snapshot':
    case 'heartbeat':
    case 'read-index-response':
    case 'timeout-now':
    case 'storage-append':
    case 'storage-append-response':
    case 'storage-apply':
    case 'storage-apply-response':
    case 'hup':
      if (!state.tracker.progress.has(message.from)) state.emit({ kind: 'progress-missing', from: message.from });
      return HANDLED;
  }
}

type ProgressMessage = Extract<
  Message,
  { kind: 'append-response' | 'heartbeat-response' | 'snapshot-status' | 'unreachable' | 'transfer-leader' }
>;

/** What is about one other node. */
function stepProgress(state: RaftState, message: ProgressMessage): void {
  const progress = state.tracker.progress.get(message.from);
  if (progress === undefined) {
    state.emit({ kind: 'progress-missing', from: message.from });
    return;
  }
  switch (message.kind) {
    case 'append-response':
      handleAppendResponse(state, message, progress);
      return;
    case 'heartbeat-response':
      handleHeartbeatResponse(state, message, progress);
      return;
    case 'snapshot-status':
      handleSnapshotStatus(state, message, progress);
      return;
    case 'unreachable':
      handleUnreachable(state, message.from, progress);
      return;
    case 'transfer-leader':
      handleTransferLeader(state, message.from, progress);
  }
}

/** A leader that no quorum has answered since the last time may have been replaced: it steps down (thesis section 6.2). */
function checkQuorum(state: RaftState): void {
  if (!state.tracker.isQuorumActive) {
    state.emit({ kind: 'quorum-inactive' });
    becomeFollower(state, state.term, NO_NODE);
  }
  for (const [id, progress] of state.tracker.progress) {
    if (id !== state.id) progress.isRecentlyActive = false;
  }
}

/** Either way nothing is sent before the next answer: to an append that the snapshot ends in, or to a heartbeat. */
function handleSnapshotStatus(state: RaftState, { from, isRejected }: SnapshotStatus, progress: Progress): void {
  if (progress.state !== 'snapshot') return;
  if (isRejected) progress.failSnapshot();
  else progress.becomeProbe();
  const kind = isRejected ? 'snapshot-failed' : 'snapshot-succeeded';
  state.emit({ kind, to: from, progress: viewProgress(progress) });
  progress.isFlowPaused = true;
}

/** Appends that were sent ahead are most likely lost. */
function handleUnreachable(state: RaftState, peer: NodeId, progress: Progress): void {
  if (progress.state === 'replicate') progress.becomeProbe();
  state.emit({ kind: 'peer-unreachable', peer, progress: viewProgress(progress) });
}
