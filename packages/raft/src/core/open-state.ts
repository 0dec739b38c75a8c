/** A node starts, or starts again, from what its storage remembers. */

import type { CoreSettings } from './config.ts';
import { roomForInflights } from './config.ts';
import { switchConfiguration } from './configuration-switch.ts';
import { RaftLog } from './log.ts';
import { restoreMembership } from './membership.ts';
import { ProgressTracker } from './progress-tracker.ts';
import { RaftState } from './raft-state.ts';
import { becomeFollower } from './roles.ts';
import { type HardState, type LogIndex, NO_NODE } from './types.ts';

/** @throws RangeError when what is remembered does not fit together. */
export function openRaftState(settings: CoreSettings): RaftState {
  const { storage, entryBytes, onEvent, maxCommittedBytesPerReady: maxApplyingBytes, applied } = settings;
  const { hardState, configuration } = storage.initialState();
  const log = new RaftLog({ storage, maxApplyingBytes, entryBytes, onEvent });
  const state = new RaftState(settings, log, new ProgressTracker(roomForInflights(settings)));
  const membership = restoreMembership(configuration);
  if (membership.kind === 'refused') throw new RangeError(`the stored configuration is none: ${membership.reason}`);
  switchConfiguration(state, membership);
  loadHardState(state, hardState);
  catchUpWithApplied(state, applied);
  becomeFollower(state, state.term, NO_NODE);
  const { committed: commit } = log;
  const voters = state.tracker.voterNodes;
  state.emit({ kind: 'core-created', voters, term: state.term, commit, applied: log.applied, last: state.last });
  return state;
}

function loadHardState(state: RaftState, { term, vote, commit }: HardState): void {
  if (term === 0 && vote === NO_NODE && commit === 0) return;
  const { log } = state;
  for (const [name, value] of Object.entries({ term, vote, commit })) {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`the stored ${name} is ${value}`);
  }
  if (commit > log.lastIndex) {
    throw new RangeError(`the stored commit index is ${commit}, beyond the log, which ends at ${log.lastIndex}`);
  }
  log.commitTo(commit);
  state.term = term;
  state.vote = vote;
}

/**
 * What was applied, or is only in a snapshot now, was committed. The stored commit index may be older: on its own it is never synced, and
 * with asynchronous storage writes it may be on its way still when entries are applied.
 */
function catchUpWithApplied({ log }: RaftState, applied: LogIndex): void {
  if (applied <= log.applied) return;
  if (applied > log.lastIndex) {
    throw new RangeError(`applied is ${applied}, beyond the log, which ends at ${log.lastIndex}`);
  }
  log.commitTo(applied);
  log.appliedTo(applied, []);
}
