import { describe, expect, test } from 'vitest';

import { entriesOf, snapshotOf, votersOf } from '../testing/entries.ts';
import { MemoryLogStorage } from '../testing/memory-log-storage.ts';
import { bytesOf } from '../testing/test-messages.ts';
import { type CoreConfig, normalizeConfig } from './config.ts';
import { assertStateInvariants } from './invariants.ts';
import { openRaftState } from './open-state.ts';
import type { RaftState } from './raft-state.ts';
import { becomeCandidate, becomeLeader } from './roles.ts';

const TIMES = { id: 1, electionTicks: 10, heartbeatTicks: 1, random: () => 0 };

/** A node of three, with entries 2 and 3 behind a snapshot of 1. */
function openState(options: Partial<CoreConfig> = {}): RaftState {
  const storage = new MemoryLogStorage();
  storage.applySnapshot(snapshotOf(1, 1, votersOf(1, 2, 3)));
  storage.append(entriesOf(2, 1, 1));
  storage.setHardState({ term: 1, vote: 0, commit: 1 });
  return openRaftState(normalizeConfig({ ...TIMES, ...options, storage }));
}

function openLeader(): RaftState {
  const state = openState();
  becomeCandidate(state);
  becomeLeader(state);
  return state;
}

/** Breaks a state in one way only. */
type Breakage = (state: RaftState) => void;

const CHANGES = entriesOf(4, 1, 1).map((entry) => ({ ...entry, kind: 'config' as const }));

const OF_FOLLOWERS: readonly (readonly [string, Breakage, string])[] = [
  ['half a term', (state) => (state.term = 1.5), 'term is 1.5'],
  ['a negative count', (state) => (state.electionElapsed = -1), 'electionElapsed is -1'],
  ['a term before that of its log', (state) => (state.term = 0), 'terms never fall'],
  ['a log whose terms fall', (state) => state.log.append(entriesOf(4, 5, 1)), 'terms never fall'],
  ['two changes that are not committed', (state) => state.log.append(CHANGES), 'changes 4 and 5 are in the log'],
  ['a transfer under way', (state) => (state.transferTarget = 2), 'hands nothing over'],
  ['a quota in use', (state) => (state.uncommittedBytes = 1), 'a quota in use'],
  ['reads that wait', (state) => state.reads.add(READ, 1), 'reads that wait'],
  ['reads that are parked', (state) => state.parkedReads.push(READ), 'reads that wait'],
];

const READ = { kind: 'read-index', from: 2, to: 1, context: bytesOf('a') } as const;

const OF_LEADERS: readonly (readonly [string, Breakage, string])[] = [
  ['somebody else to follow', (state) => (state.leader = 2), 'a leader that follows 2'],
  ['no entry of its term', (state) => (state.term += 1), 'an entry of its own term'],
  ['a change pending beyond its log', (state) => (state.pendingConfigIndex = 9), 'is in the log'],
  ['a follower whose log goes further', (state) => progressOf(state, 2).maybeUpdate(9), 'is beyond the log'],
  ['entries counted that nobody stores', (state) => progressOf(state, 1).maybeUpdate(4), 'which nobody stores'],
  ['silence about itself', (state) => (progressOf(state, 1).isRecentlyActive = false), 'is active itself'],
  [
    'a probe with appends on their way',
    (state) => progressOf(state, 2).inflights.add(3, 1),
    'with appends on their way',
  ],
];

function progressOf(state: RaftState, id: number) {
  return state.tracker.progress.get(id)!;
}

describe('assertStateInvariants', () => {
  test('lets states pass that come about', () => {
    expect(() => assertStateInvariants(openState())).not.toThrow();
    expect(() => assertStateInvariants(openLeader())).not.toThrow();
  });

  test('lets a second change pass behind one that is committed, and any where the host sees to that', () => {
    const state = openState();
    state.log.append(CHANGES);
    state.log.commitTo(4);

    expect(() => assertStateInvariants(state)).not.toThrow();
    const judged = openState({ disableConfigChangeValidation: true });
    judged.log.append(CHANGES);
    expect(() => assertStateInvariants(judged)).not.toThrow();
  });

  test('lets a node pass that begins with a snapshot of a term that it has not seen', () => {
    const storage = new MemoryLogStorage();
    storage.applySnapshot(snapshotOf(2, 1, votersOf(1, 2, 3)));

    const state = openRaftState(normalizeConfig({ ...TIMES, storage }));

    expect(state.term).toBe(0);
    expect(() => assertStateInvariants(state)).not.toThrow();
  });

  test.each(OF_FOLLOWERS)('does not let a follower pass with %s', (_, breakIt, message) => {
    const state = openState();

    breakIt(state);

    expect(() => assertStateInvariants(state)).toThrow(message);
  });

  test.each(OF_LEADERS)('does not let a leader pass with %s', (_, breakIt, message) => {
    const state = openLeader();

    breakIt(state);

    expect(() => assertStateInvariants(state)).toThrow(message);
  });

  test('does not let a candidate pass that votes for another, or follows one', () => {
    const voter = openState();
    becomeCandidate(voter);
    voter.vote = 2;
    const follower = openState();
    becomeCandidate(follower);
    follower.leader = 2;

    expect(() => assertStateInvariants(voter)).toThrow('a candidate votes for itself');
    expect(() => assertStateInvariants(follower)).toThrow('a candidate follows 2');
  });
});
