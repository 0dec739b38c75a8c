/** Answers to a leader's appends. They leave when what they promise is durable (outbox.ts). */

import type { AgreementHint } from './log.ts';
import type { RaftState } from './raft-state.ts';
import type { LogIndex, NodeId } from './types.ts';

/** The log matches the leader's up to `index`. */
export function acknowledgeAppend(state: RaftState, to: NodeId, index: LogIndex): void {
  send(state, to, index, false, NO_HINT);
}

/** The log has no entry like the leader's at `index`; it may agree up to `hint`. */
export function rejectAppend(state: RaftState, to: NodeId, index: LogIndex, hint: AgreementHint): void {
  send(state, to, index, true, hint);
}

const NO_HINT: AgreementHint = { index: 0, term: 0 };

function send(state: RaftState, to: NodeId, index: LogIndex, isRejected: boolean, hint: AgreementHint): void {
  const { id: from, term } = state;
  const { index: hintIndex, term: hintTerm } = hint;
  state.outbox.send({ kind: 'append-response', from, to, term, index, isRejected, hintIndex, hintTerm });
}
