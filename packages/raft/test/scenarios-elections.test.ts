/** Elections among several nodes: who wins, in which term, and what becomes of the logs. */

import { describe, expect, test } from 'vitest';

import type { Role } from '../src/core/ready.ts';
import { type ClusterOptions, type Network, networkOf } from '../src/testing/network.ts';
import { voteRequest, voteResponse } from '../src/testing/test-messages.ts';
import { TestNode } from '../src/testing/test-node.ts';

const electionTicks = 10;

function rolesIn(network: Network): readonly Role[] {
  return network.nodes.map(({ status }) => status.role);
}

function termsIn(network: Network): readonly number[] {
  return network.nodes.map(({ status }) => status.term);
}

describe('outcomes (paper section 5.2)', () => {
  interface Outcome {
    readonly size: number;
    readonly options: ClusterOptions;
    /** Of node 1, which campaigns. Undecided without one. */
    readonly role?: Role;
  }

  /** The nodes with a log are in term 1, so that they refuse, and do not take over a later term. */
  const longerLogs: ClusterOptions = { of: { 2: { terms: [1] }, 3: { terms: [1] }, 4: { terms: [1, 1] } } };

  const outcomes: readonly (readonly [string, Outcome])[] = [
    ['all of three', { size: 3, options: {}, role: 'leader' }],
    ['two of three', { size: 3, options: { dead: [3] }, role: 'leader' }],
    ['one of three', { size: 3, options: { dead: [2, 3] } }],
    ['two of four', { size: 4, options: { dead: [2, 3] } }],
    ['three of five', { size: 5, options: { dead: [2, 3] }, role: 'leader' }],
    ['five, three of them with more in their logs', { size: 5, options: longerLogs, role: 'follower' }],
  ];

  test.each(outcomes)('LeaderElection: with %s', (_what, { size, options, role = 'candidate' }) => {
    const network = networkOf(size, options);

    network.campaign(1);

    expect(network.status(1)).toMatchObject({ role, term: 1 });
  });

  test.each(outcomes)(
    'LeaderElectionPreVote: with %s, where a term begins only for who can win (thesis section 9.6)',
    (_what, { size, options, role = 'pre-candidate' }) => {
      const network = networkOf(size, { ...options, preVote: true });

      network.campaign(1);

      // Who is refused learns the term of those who refuse.
      expect(network.status(1)).toMatchObject({ role, term: role === 'pre-candidate' ? 0 : 1 });
    },
  );

  function everybodyLeadsInTurn(preVote: boolean): void {
    const network = networkOf(3, { preVote });
    for (const id of [1, 2, 3]) {
      network.campaign(id);

      expect(rolesIn(network)).toEqual([1, 2, 3].map((each) => (each === id ? 'leader' : 'follower')));
      expect(network.status(id).term).toBe(id);
    }
  }

  test('LeaderCycle: every node can lead in turn', () => {
    everybodyLeadsInTurn(false);
    expect.assertions(6);
  });

  test('LeaderCyclePreVote: every node can lead in turn, asking before', () => {
    everybodyLeadsInTurn(true);
    expect.assertions(6);
  });

  function aloneWinsAtOnce(preVote: boolean): void {
    const network = networkOf(1, { preVote });

    network.campaign(1);

    expect(network.status(1)).toMatchObject({ role: 'leader', term: 1, commit: 1 });
  }

  test('SingleNodeCandidate: a node that is alone elects itself at once', () => {
    aloneWinsAtOnce(false);
    expect.assertions(1);
  });

  test('SingleNodePreCandidate: a node that is alone elects itself at once, asking itself before', () => {
    aloneWinsAtOnce(true);
    expect.assertions(1);
  });

  test.each([
    [5, 0],
    [10, 1],
    [13, 4],
    [15, 6],
    [18, 9],
    [20, 10],
  ])('PastElectionTimeout: after %i ticks, %i of the ten timeouts that may be drawn are over', (elapsed, count) => {
    const draws = Array.from({ length: electionTicks }, (_, i) => i);

    const nodes = draws.map((draw) => new TestNode({ id: 1, voters: [1, 2], electionTicks, random: () => draw }));
    for (const node of nodes) node.tickAndDrain(elapsed);

    expect(nodes.filter(({ status }) => status.role === 'candidate')).toHaveLength(count);
  });
});

describe('learners (thesis section 4.2.1)', () => {
  test("LearnerElectionTimeout: a learner's timeout starts nothing", () => {
    const learner = new TestNode({ id: 2, voters: [1], learners: [2], electionTicks });

    const messages = learner.tickAndDrain(3 * electionTicks);

    expect(messages).toEqual([]);
    expect(learner.status).toMatchObject({ role: 'follower', term: 0, isLearner: true });
  });

  test('LearnerPromotion: a learner that was promoted can win', () => {
    const network = networkOf(2, { learners: [2], electionTicks });
    network.tick(1, electionTicks);
    expect(rolesIn(network)).toEqual(['leader', 'follower']);

    network.node(1).core.proposeConfigChange({ step: { kind: 'add-voter', node: 2 }, context: new Uint8Array(0) });
    network.settle();
    network.tick(1);
    expect(network.status(2)).toMatchObject({ isLearner: false, configuration: { voters: [1, 2], learners: [] } });
    network.tick(2, electionTicks);

    expect(rolesIn(network)).toEqual(['follower', 'leader']);
    expect(network.status(2).term).toBe(2);
  });

  test('LearnerCanVote: a learner gives its vote, as it may have been promoted without knowing it', () => {
    const learner = new TestNode({ id: 2, voters: [1], learners: [2] });

    const answers = learner.receive(voteRequest('vote', { from: 1, to: 2, term: 2, lastIndex: 11, lastTerm: 11 }));

    expect(answers).toEqual([voteResponse('vote-response', { from: 2, to: 1, term: 2 })]);
    expect(learner.status.vote).toBe(1);
  });
});

describe('logs and who may be elected (paper section 5.4.1)', () => {
  /**
   * Nodes 1 and 2 have an entry of the first term, node 3 one of the second, in which 4 and 5 voted for it without getting it.
   * Node 1 may win: with 2, 4 and 5.
   */
  function overwritesNewerEntries(preVote: boolean): void {
    const voted = { hardState: { term: 2, vote: 3 } };
    const of = { 1: { terms: [1] }, 2: { terms: [1] }, 3: { terms: [2] }, 4: voted, 5: voted };
    const network = networkOf(5, { preVote, of });

    network.campaign(1);
    const first = network.status(1);
    network.campaign(1);

    // The first time it learns of term 2 only.
    expect(first).toMatchObject({ role: 'follower', term: 2 });
    expect(network.status(1)).toMatchObject({ role: 'leader', term: 3 });
    expect(network.nodes.map(({ logTerms }) => logTerms)).toEqual([1, 2, 3, 4, 5].map(() => [1, 3]));
  }

  test('LeaderElectionOverwriteNewerLogs: a winner with entries of an older term replaces newer ones that are not committed', () => {
    overwritesNewerEntries(false);
    expect.assertions(3);
  });

  test('LeaderElectionOverwriteNewerLogsPreVote: the same where it is asked before', () => {
    overwritesNewerEntries(true);
    expect.assertions(3);
  });

  test('DuelingCandidates: of two candidates the one without the entries loses in the end, though it ends the term', () => {
    const network = networkOf(3);
    network.cut(1, 3);

    network.campaign(1);
    network.campaign(3);
    const split = rolesIn(network);
    network.recover();
    network.campaign(3);

    expect(split).toEqual(['leader', 'follower', 'candidate']);
    expect(rolesIn(network)).toEqual(['follower', 'follower', 'follower']);
    expect(termsIn(network)).toEqual([2, 2, 2]);
    expect(network.nodes.map(({ logTerms }) => logTerms)).toEqual([[1], [1], []]);
  });

  test('DuelingPreCandidates: the one without the entries loses, and disturbs nobody (thesis section 9.6)', () => {
    const network = networkOf(3, { preVote: true });
    network.cut(1, 3);

    network.campaign(1);
    network.campaign(3);
    const split = rolesIn(network);
    network.recover();
    network.campaign(3);

    expect(split).toEqual(['leader', 'follower', 'follower']);
    expect(rolesIn(network)).toEqual(['leader', 'follower', 'follower']);
    expect(termsIn(network)).toEqual([1, 1, 1]);
    expect(network.nodes.map(({ logTerms }) => logTerms)).toEqual([[1], [1], []]);
  });

  test('CandidateConcede: a heartbeat of the leader of the same term ends a candidacy, and the log follows', () => {
    const network = networkOf(3);
    network.isolate(1);
    network.campaign(1);
    network.campaign(3);
    expect(rolesIn(network)).toEqual(['candidate', 'follower', 'leader']);

    network.recover();
    network.tick(3);
    network.propose(3, 'force follower');
    network.tick(3);

    expect(network.status(1)).toMatchObject({ role: 'follower', term: 1, leader: 3 });
    expect(network.nodes.map(({ appliedTexts }) => appliedTexts)).toEqual([1, 2, 3].map(() => ['force follower']));
    expect(network.nodes.map(({ logTerms }) => logTerms)).toEqual([1, 2, 3].map(() => [1, 1]));
  });
});
