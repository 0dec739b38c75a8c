/** A leader's snapshot in the place of entries that it has no more (paper section 7). */

import { assert } from '@kayadb/codec';

import type { Progress } from './progress.ts';
import type { RaftState } from './raft-state.ts';
import { viewProgress } from './status.ts';
import type { NodeId } from './types.ts';

/** Not to somebody who was not heard of: it would be lost. @returns Whether it was sent. */
export function maybeSendSnapshot(state: RaftState, to: NodeId, progress: Progress): boolean {
  if (!progress.isRecentlyActive) {
    state.emit({ kind: 'snapshot-not-sent-inactive', to });
    return false;
  }
  const snapshot = state.log.snapshot();
  if (snapshot === 'unavailable') {
    state.emit({ kind: 'snapshot-not-sent-unavailable', to });
    return false;
  }
  const { index, term } = snapshot.meta;
  assert(index > 0, 'entries are gone for which no snapshot stands');
  state.emit({
    kind: 'snapshot-sent',
    to,
    firstIndex: state.log.firstIndex,
    commit: state.log.committed,
    snapshot: { index, term },
    progress: viewProgress(progress),
  });
  progress.becomeSnapshot(index);
  state.emit({ kind: 'replication-paused', to, progress: viewProgress(progress) });
  state.outbox.send({ kind: 'snapshot', from: state.id, to, term: state.term, snapshot });
  return true;
}
