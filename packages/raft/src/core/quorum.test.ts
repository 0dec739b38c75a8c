/** Quorums against their definition: some majority of each half has it. */

import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { committedIndex, majority, majorityIndex, type VoteResult, voteResult } from './quorum.ts';
import type { LogIndex, NodeId } from './types.ts';

const random = seededRandom(testSeed()).fork('quorum');
/** Bound: on a machine with much else to do. */
const TIMEOUT_MS = 60_000;

function someNodes(atMost: number): readonly NodeId[] {
  return random
    .shuffle([1, 2, 3, 4, 5, 6, 7, 8, 9])
    .slice(0, random.int(atMost + 1))
    .toSorted((a, b) => a - b);
}

/** All ways to choose a majority of `voters`. */
function majoritiesOf(voters: readonly NodeId[]): readonly (readonly NodeId[])[] {
  const subsets = Array.from({ length: 2 ** voters.length }, (_, bits) => voters.filter((_id, at) => bits & (1 << at)));
  return subsets.filter((subset) => 2 * subset.length > voters.length || voters.length === 0);
}

function expectedIndex(voters: readonly NodeId[], match: ReadonlyMap<NodeId, LogIndex>): LogIndex {
  return Math.max(...majoritiesOf(voters).map((ids) => Math.min(...ids.map((id) => match.get(id) ?? 0))));
}

function expectedVote(voters: readonly NodeId[], votes: ReadonlyMap<NodeId, boolean>): VoteResult {
  const majorities = majoritiesOf(voters);
  if (majorities.some((ids) => ids.every((id) => votes.get(id) === true))) return 'won';
  return majorities.some((ids) => ids.every((id) => votes.get(id) !== false)) ? 'pending' : 'lost';
}

function expectedJointVote(first: VoteResult, second: VoteResult): VoteResult {
  if (first === second) return first;
  return [first, second].includes('lost') ? 'lost' : 'pending';
}

describe('committedIndex', () => {
  test(`is the largest index that a majority of each half has (seed ${testSeed()})`, { timeout: TIMEOUT_MS }, () => {
    for (let round = 0; round < 3000; round++) {
      const voters = someNodes(7);
      const outgoing = someNodes(random.chance(0.5) ? 0 : 7);
      const match = new Map(someNodes(9).map((id) => [id, 1 + random.int(6)]));
      const source = { matchOf: (id: NodeId) => match.get(id) ?? 0 };

      const index = committedIndex(voters, outgoing, source);

      expect(index).toBe(Math.min(expectedIndex(voters, match), expectedIndex(outgoing, match)));
      expect(index).toBe(committedIndex(outgoing, voters, source));
    }
  });

  test('is unbounded without voters', () => {
    const index = committedIndex([], [], { matchOf: () => 0 });

    expect(index).toBe(Infinity);
  });

  test('does not remember voters of an earlier call', () => {
    majorityIndex([1, 2, 3, 4, 5], { matchOf: () => 900 });

    const index = majorityIndex([1, 2, 3], { matchOf: (id) => id });

    expect(index).toBe(2);
  });
});

describe('voteResult', () => {
  test(
    `is won by a majority of each half and lost where none is left (seed ${testSeed()})`,
    { timeout: TIMEOUT_MS },
    () => {
      for (let round = 0; round < 3000; round++) {
        const voters = someNodes(7);
        const outgoing = someNodes(random.chance(0.5) ? 0 : 7);
        const votes = new Map(someNodes(9).map((id) => [id, random.chance(0.5)]));

        const result = voteResult(voters, outgoing, votes);

        expect(result).toBe(expectedJointVote(expectedVote(voters, votes), expectedVote(outgoing, votes)));
      }
    },
  );
});

describe('majority', () => {
  test.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
  ])('of %i is %i', (count, needed) => {
    expect(majority(count)).toBe(needed);
  });
});
