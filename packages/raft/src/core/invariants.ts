/**
 * What holds for a node after every input, whatever came before. Tests and simulations check it each time; a node in service does not, as it
 * looks at every node's progress and at the last terms of the log.
 */

import { assert } from '@kayadb/codec';

import type { Progress } from './progress.ts';
import type { RaftCore } from './raft-core.ts';
import type { RaftState } from './raft-state.ts';
import { type LogIndex, NO_NODE, type NodeId } from './types.ts';

/** @throws AssertionError that names what does not hold. */
export function assertRaftInvariants(core: RaftCore): void {
  core.assertInvariants();
}

/** As `assertRaftInvariants`, for the core itself. */
export function assertStateInvariants(state: RaftState): void {
  assertIntegers(state);
  assertLog(state);
  assertRole(state);
  for (const [id, progress] of state.tracker.progress) assertProgress(state, id, progress);
}

function assertIntegers(state: RaftState): void {
  const { term, vote, leader, log, electionElapsed, heartbeatElapsed, uncommittedBytes } = state;
  const { committed, applied, applying, firstIndex, lastIndex } = log;
  const numbers = { term, vote, leader, committed, applied, applying, firstIndex, lastIndex };
  const counts = { electionElapsed, heartbeatElapsed, uncommittedBytes };
  for (const [name, value] of Object.entries({ ...numbers, ...counts })) {
    assert(Number.isSafeInteger(value) && value >= 0, `${name} is ${value}`);
  }
}

/** Bound: so many terms are looked at, from the end on. */
const CHECKED_TERMS = 64;

function assertLog({ log, term }: RaftState): void {
  const { committed, applied, applying, firstIndex, lastIndex, unstable } = log;
  assert(applied <= applying, `applied ${applied} <= applying ${applying}`);
  assert(applying <= committed, `applying ${applying} <= committed ${committed}`);
  assert(committed <= lastIndex, `committed ${committed} <= last ${lastIndex}`);
  assert(committed >= firstIndex - 1, `committed ${committed} is in the log, which begins at ${firstIndex}`);
  assert(unstable.offset <= unstable.offsetInProgress, 'what is in progress is unstable');
  assert(unstable.offsetInProgress <= unstable.offset + unstable.count, 'what is in progress is in the log');
  let later = term;
  for (let index = lastIndex; index >= Math.max(firstIndex, lastIndex - CHECKED_TERMS); index--) {
    const own = log.knownTerm(index);
    assert(own > 0 && own <= later, `terms never fall along the log: ${own} at ${index}, then ${later}`);
    later = own;
  }
}

function assertRole(state: RaftState): void {
  const { role, id, vote, leader, term, log } = state;
  if (role === 'leader') {
    assert(leader === id, `a leader that follows ${leader}`);
    assert(log.lastTerm === term, 'a leader has an entry of its own term');
    assert(state.pendingConfigIndex <= log.lastIndex, 'a change that is pending is in the log');
    return;
  }
  assert(state.transferTarget === NO_NODE, `a ${role} hands nothing over`);
  assert(state.reads.pendingCount === 0 && state.parkedReads.length === 0, `a ${role} has reads that wait`);
  assert(state.uncommittedBytes === 0, `a ${role} has a quota in use`);
  if (role === 'candidate') assert(vote === id, `a candidate votes for itself, and not for ${vote}`);
  if (role !== 'follower') assert(leader === NO_NODE, `a ${role} follows ${leader}`);
}

function assertProgress(state: RaftState, id: NodeId, progress: Progress): void {
  const { match, next, state: mode, pendingSnapshot, inflights } = progress;
  assert(match < next, `match ${match} < next ${next} of ${id}`);
  assert((mode === 'snapshot') === pendingSnapshot > 0, `${mode} of ${id} with the snapshot ${pendingSnapshot}`);
  if (mode !== 'replicate') assert(inflights.count === 0, `${mode} of ${id} with appends on their way`);
  if (state.role !== 'leader') return;
  const { lastIndex }: { readonly lastIndex: LogIndex } = state.log;
  assert(match <= lastIndex, `match ${match} of ${id} is beyond the log, which ends at ${lastIndex}`);
  if (id !== state.id) return;
  assert(progress.isRecentlyActive, 'a leader is active itself');
  // What it had before its term was never counted alone, so that it may not be durable here.
  const isOwn = state.log.termOrZero(match) === state.term;
  assert(
    !isOwn || match < state.log.unstable.offsetInProgress,
    `a leader counts itself for ${match}, which nobody stores`,
  );
}
