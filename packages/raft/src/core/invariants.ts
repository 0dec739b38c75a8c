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
  assertBetweenLogChanges(state);
  assertEntries(state);
}

/** All that can break without a change of the log. The words of a breach are put together only when there is one: this runs after every input. */
export function assertBetweenLogChanges(state: RaftState): void {
  assertIntegers(state);
  assertLog(state);
  assertRole(state);
  for (const [id, progress] of state.tracker.progress) assertProgress(state, id, progress);
}

/** Bound: so many entries are looked at, from the end on. */
const CHECKED_ENTRIES = 64;

/** Of the log's entries. Nothing changes them but a change of its unstable part. */
export function assertEntries(state: RaftState): void {
  assertTerms(state);
  if (!state.settings.disableConfigChangeValidation) assertOneChange(state);
}

function assertTerms({ log, term }: RaftState): void {
  const { firstIndex, lastIndex } = log;
  let later = term;
  for (let index = lastIndex; index >= Math.max(firstIndex, lastIndex - CHECKED_ENTRIES); index--) {
    const own = log.knownTerm(index);
    if (own <= 0 || own > later) assert(false, `terms never fall along the log: ${own} at ${index}, then ${later}`);
    later = own;
  }
}

/**
 * Who has a change of the configuration in its log knows that the one before is committed: else an election could be by a configuration two behind
 * (docs/internals/raft.md, "Elections across a change").
 */
function assertOneChange({ log }: RaftState): void {
  const { committed, lastIndex } = log;
  const from = Math.max(committed, lastIndex - CHECKED_ENTRIES) + 1;
  const entries = log.entriesFrom(from, Number.MAX_SAFE_INTEGER);
  if (typeof entries === 'string') assert(false, `entries from ${from} on are ${entries}`);
  const changes = entries.filter(({ kind }) => kind !== 'normal');
  if (changes.length > 1) {
    assert(
      false,
      `changes ${changes.map(({ index }) => index).join(' and ')} are in the log, and only ${committed} is committed`,
    );
  }
}

function assertIntegers(state: RaftState): void {
  const { log } = state;
  assertCount('term', state.term);
  assertCount('vote', state.vote);
  assertCount('leader', state.leader);
  assertCount('committed', log.committed);
  assertCount('applied', log.applied);
  assertCount('applying', log.applying);
  assertCount('firstIndex', log.firstIndex);
  assertCount('lastIndex', log.lastIndex);
  assertCount('electionElapsed', state.electionElapsed);
  assertCount('heartbeatElapsed', state.heartbeatElapsed);
  assertCount('uncommittedBytes', state.uncommittedBytes);
}

function assertCount(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) assert(false, `${name} is ${value}`);
}

function assertLog({ log, term }: RaftState): void {
  const { committed, applied, applying, firstIndex, lastIndex, lastTerm, unstable } = log;
  if (applied > applying) assert(false, `applied ${applied} <= applying ${applying}`);
  if (applying > committed) assert(false, `applying ${applying} <= committed ${committed}`);
  if (committed > lastIndex) assert(false, `committed ${committed} <= last ${lastIndex}`);
  if (committed < firstIndex - 1) {
    assert(false, `committed ${committed} is in the log, which begins at ${firstIndex}`);
  }
  assert(unstable.offset <= unstable.offsetInProgress, 'what is in progress is unstable');
  assert(unstable.offsetInProgress <= unstable.offset + unstable.count, 'what is in progress is in the log');
  // A group may begin with a snapshot that somebody else has made, in a term that no node has seen.
  if (lastTerm > term && lastIndex >= firstIndex) {
    assert(false, `terms never fall along the log: ${lastTerm} at ${lastIndex}, then ${term}`);
  }
}

function assertRole(state: RaftState): void {
  const { role, id, vote, leader, term, log } = state;
  if (role === 'leader') {
    if (leader !== id) assert(false, `a leader that follows ${leader}`);
    assert(log.lastTerm === term, 'a leader has an entry of its own term');
    assert(state.pendingConfigIndex <= log.lastIndex, 'a change that is pending is in the log');
    return;
  }
  if (state.transferTarget !== NO_NODE) assert(false, `a ${role} hands nothing over`);
  if (state.reads.pendingCount > 0 || state.parkedReads.length > 0) assert(false, `a ${role} has reads that wait`);
  if (state.uncommittedBytes !== 0) assert(false, `a ${role} has a quota in use`);
  if (role === 'candidate' && vote !== id) assert(false, `a candidate votes for itself, and not for ${vote}`);
  if (role !== 'follower' && leader !== NO_NODE) assert(false, `a ${role} follows ${leader}`);
}

function assertProgress(state: RaftState, id: NodeId, progress: Progress): void {
  const { match, next, state: mode, pendingSnapshot, inflights } = progress;
  if (match >= next) assert(false, `match ${match} < next ${next} of ${id}`);
  if ((mode === 'snapshot') !== pendingSnapshot > 0) {
    assert(false, `${mode} of ${id} with the snapshot ${pendingSnapshot}`);
  }
  if (mode !== 'replicate' && inflights.count > 0) assert(false, `${mode} of ${id} with appends on their way`);
  if (state.role !== 'leader') return;
  const { lastIndex }: { readonly lastIndex: LogIndex } = state.log;
  if (match > lastIndex) assert(false, `match ${match} of ${id} is beyond the log, which ends at ${lastIndex}`);
  if (id !== state.id) return;
  assert(progress.isRecentlyActive, 'a leader is active itself');
  // What it had before its term was never counted alone, so that it may not be durable here.
  const isOwn = state.log.termOrZero(match) === state.term;
  if (isOwn && match >= state.log.unstable.offsetInProgress) {
    assert(false, `a leader counts itself for ${match}, which nobody stores`);
  }
}
