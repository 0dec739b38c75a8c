/** Claims of the Raft paper about terms and elections, one test for each. */

import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import type { Message } from '../src/core/message.ts';
import type { Role } from '../src/core/ready.ts';
import { entriesOf } from '../src/testing/entries.ts';
import { appendRequest, heartbeat, ofKind, voteRequest, voteResponse } from '../src/testing/test-messages.ts';
import { TestNode } from '../src/testing/test-node.ts';
import { nodeAs } from './elect.ts';

const voters = [1, 2, 3];
const electionTicks = 10;

describe('terms (paper section 5.1)', () => {
  function afterAppendOfTerm2(role: Role): TestNode {
    const node = nodeAs(role, { id: 1, voters });
    expect(node.status).toMatchObject({ role, term: 1 });
    node.receive(appendRequest({ from: 2, to: 1, term: 2 }));
    return node;
  }

  test('FollowerUpdateTermFromMessage: a follower takes over a higher term', () => {
    const node = afterAppendOfTerm2('follower');

    expect(node.status).toMatchObject({ role: 'follower', term: 2, leader: 2, vote: 0 });
    expect(node.storage.initialState().hardState.term).toBe(2);
  });

  test('CandidateUpdateTermFromMessage: a candidate takes over a higher term and follows', () => {
    const node = afterAppendOfTerm2('candidate');

    expect(node.status).toMatchObject({ role: 'follower', term: 2, leader: 2, vote: 0 });
  });

  test('LeaderUpdateTermFromMessage: a leader takes over a higher term and follows', () => {
    const node = afterAppendOfTerm2('leader');

    expect(node.status).toMatchObject({ role: 'follower', term: 2, leader: 2, vote: 0 });
  });

  test.each<Role>(['follower', 'candidate', 'leader'])(
    'RejectStaleTermMessage: a message of a lower term changes nothing in a %s',
    (role) => {
      const node = nodeAs(role, { id: 1, voters, terms: [2] });
      node.tick();
      node.drain();
      const before = node.status;

      const { term } = before;
      const answers = node.receive(
        appendRequest({ from: 3, to: 1, term: term - 1, entries: entriesOf(1, 1), commit: 1 }),
      );

      expect(node.status).toEqual(before);
      expect(answers).toEqual([]);
      expect(node.eventsOf('lower-term-ignored')).toHaveLength(1);
    },
  );
});

describe('elections (paper section 5.2)', () => {
  test('StartAsFollower: a node begins as a follower', () => {
    const node = new TestNode({ id: 1, voters });

    expect(node.status).toMatchObject({ role: 'follower', term: 0, leader: 0 });
  });

  test('LeaderBcastBeat: a leader sends an empty heartbeat to each follower at every heartbeat tick, and not before', () => {
    const node = nodeAs('leader', { id: 1, voters, heartbeatTicks: 3 });
    node.core.propose([new Uint8Array(1)]);
    node.drain();

    const early = node.tickAndDrain(2);
    const messages = node.tickAndDrain();

    const fields = { kind: 'heartbeat', from: 1, term: 1, commit: 0, context: new Uint8Array(0) };
    expect(early).toEqual([]);
    expect(messages).toEqual([
      { ...fields, to: 2 },
      { ...fields, to: 3 },
    ]);
  });

  test.each<[string, boolean, Message]>([
    ['an append of its leader', true, appendRequest({ from: 2, to: 1, term: 2 })],
    ['a heartbeat of its leader', true, heartbeat({ from: 2, to: 1, term: 2 })],
    ['a request for its vote that it grants', true, voteRequest('vote', { from: 3, to: 1, term: 3 })],
    ['a question before an election', false, voteRequest('pre-vote', { from: 3, to: 1, term: 3 })],
    ['an append of an old leader', false, appendRequest({ from: 3, to: 1, term: 1 })],
  ])('the time until a follower campaigns begins anew with %s: %j', (_what, beginsAnew, message) => {
    const node = nodeAs('follower', { id: 1, voters, electionTicks, hardState: { term: 2 } });
    node.tickAndDrain(electionTicks - 1);

    node.receive(message);
    node.tickAndDrain();

    expect(node.status.role).toBe(beginsAnew ? 'follower' : 'candidate');
    expect(node.status.electionElapsedTicks).toBe(beginsAnew ? 1 : 0);
  });

  test('the time until a node campaigns begins anew with its vote in the term that it is in already', () => {
    const node = new TestNode({ id: 1, voters, electionTicks, hardState: { term: 2 } });
    node.tickAndDrain(electionTicks - 1);

    node.receive(voteRequest('vote', { from: 3, to: 1, term: 2 }));
    node.tickAndDrain();

    expect(node.status).toMatchObject({ role: 'follower', vote: 3, electionElapsedTicks: 1 });
  });

  /** Ticks without a word from anybody, until just before the end and then once more. */
  function startsElection(node: TestNode, term: number): void {
    const before = ofKind(node.tickAndDrain(electionTicks - 1), 'vote');
    const requests = node.tickAndDrain();

    expect(before).toEqual([]);
    expect(requests).toEqual([
      voteRequest('vote', { from: 1, to: 2, term: term + 1 }),
      voteRequest('vote', { from: 1, to: 3, term: term + 1 }),
    ]);
    expect(node.status).toMatchObject({ role: 'candidate', term: term + 1, vote: 1, leader: 0 });
    expect(node.storage.initialState().hardState).toMatchObject({ term: term + 1, vote: 1 });
    expect(node.eventsOf('vote-received').at(-1)).toMatchObject({ from: 1, isRejected: false });
  }

  test('FollowerStartElection: a follower that hears nothing begins a term, votes for itself and asks all others', () => {
    const node = nodeAs('follower', { id: 1, voters, electionTicks });

    startsElection(node, 1);
    expect(node.eventsOf('election-started')).toHaveLength(1);
  });

  test('CandidateStartNewElection: a candidate that hears nothing does so again', () => {
    const node = nodeAs('candidate', { id: 1, voters, electionTicks });

    startsElection(node, 1);
    startsElection(node, 2);
    expect(node.eventsOf('election-started')).toHaveLength(3);
  });

  test.each<[number, readonly boolean[], Role]>([
    [1, [], 'leader'],
    [3, [true, true], 'leader'],
    [3, [true], 'leader'],
    [5, [true, true, true, true], 'leader'],
    [5, [true, true, true], 'leader'],
    [5, [true, true], 'leader'],
    [3, [false, false], 'follower'],
    [5, [false, false, false, false], 'follower'],
    [5, [true, false, false, false], 'follower'],
    [3, [], 'candidate'],
    [5, [true], 'candidate'],
    [5, [false, false], 'candidate'],
    [5, [], 'candidate'],
  ])('LeaderElectionInOneRoundRPC: of %i nodes the others answer %j, which makes a %s', (size, answers, role) => {
    const node = new TestNode({ id: 1, voters: Array.from({ length: size }, (_, i) => i + 1) });

    node.core.campaign();
    node.drain();
    answers.forEach((isGranted, i) => {
      node.receive(voteResponse('vote-response', { from: i + 2, to: 1, term: 1, isRejected: !isGranted }));
    });

    expect(node.status).toMatchObject({ role, term: 1 });
  });

  test.each([
    [0, 2, false],
    [0, 3, false],
    [2, 2, false],
    [3, 3, false],
    [2, 3, true],
    [3, 2, true],
  ])('FollowerVote: who has voted for %i answers %i with a refusal: %j', (vote, candidate, isRejected) => {
    const node = new TestNode({ id: 1, voters, hardState: { term: 1, vote } });

    const answers = node.receive(voteRequest('vote', { from: candidate, to: 1, term: 1 }));

    expect(answers).toEqual([voteResponse('vote-response', { from: 1, to: candidate, term: 1, isRejected })]);
    expect(node.storage.initialState().hardState.vote).toBe(isRejected ? vote : candidate);
  });

  test.each([1, 2])('CandidateFallback: a candidate of term 1 follows whoever leads term %i', (term) => {
    const node = nodeAs('candidate', { id: 1, voters });

    node.receive(appendRequest({ from: 2, to: 1, term }));

    expect(node.status).toMatchObject({ role: 'follower', term, leader: 2 });
  });

  /** Puts `node` into `role` anew, so that it draws another timeout. */
  function begin(node: TestNode, role: 'follower' | 'candidate'): void {
    if (role === 'candidate') node.core.campaign();
    else node.step(appendRequest({ from: 6, to: node.id, term: node.status.term + 1 }));
    node.drain();
  }

  function randomNodes(count: number): readonly TestNode[] {
    const random = seededRandom(testSeed());
    const ids = Array.from({ length: count }, (_, i) => i + 1);
    const options = { voters: [1, 2, 3, 4, 5], electionTicks, checkInvariants: false };
    return ids.map((id) => new TestNode({ id, ...options, random: (limit) => random.int(limit) }));
  }

  /** Nothing but an election can be ready at a tick of one who does not lead. */
  function timesOut(node: TestNode): boolean {
    node.tick();
    return node.core.hasReady;
  }

  /** How often `tick` is called until it says that it is enough. @throws Error when that takes too long. */
  function ticksUntil(tick: () => boolean): number {
    for (let ticks = 1; ticks <= 3 * electionTicks; ticks++) {
      if (tick()) return ticks;
    }
    throw new Error('nobody campaigns');
  }

  function timeoutsSeen(role: 'follower' | 'candidate'): readonly number[] {
    const timeouts = new Set<number>();
    for (const node of randomNodes(1)) {
      for (let round = 0; round < 50 * electionTicks; round++) {
        begin(node, role);
        timeouts.add(ticksUntil(() => timesOut(node)));
      }
    }
    return [...timeouts].toSorted((a, b) => a - b);
  }

  /** From the least timeout to just below twice that. */
  const everyTimeout = Array.from({ length: electionTicks }, (_, i) => electionTicks + i);

  test('FollowerElectionTimeoutRandomized: a follower campaigns after any of the times in the range', () => {
    expect(timeoutsSeen('follower')).toEqual(everyTimeout);
  });

  test('CandidateElectionTimeoutRandomized: a candidate campaigns again after any of the times in the range', () => {
    expect(timeoutsSeen('candidate')).toEqual(everyTimeout);
  });

  /** The part of the rounds in which the first timeout was that of several nodes. */
  function conflictRate(role: 'follower' | 'candidate'): number {
    const rounds = 1000;
    const nodes = randomNodes(5);
    let conflicts = 0;
    for (let round = 0; round < rounds; round++) {
      for (const node of nodes) begin(node, role);
      let timeouts = 0;
      ticksUntil(() => (timeouts = nodes.filter(timesOut).length) > 0);
      if (timeouts > 1) conflicts++;
    }
    return conflicts / rounds;
  }

  test('FollowersElectionTimeoutNonconflict: of five followers two seldom time out together', () => {
    expect(conflictRate('follower')).toBeLessThan(0.3);
  });

  test('CandidatesElectionTimeoutNonconflict: of five candidates two seldom time out together', () => {
    expect(conflictRate('candidate')).toBeLessThan(0.3);
  });
});

describe('who may be elected (paper section 5.4.1)', () => {
  test.each([
    [[1], 2],
    [[1, 2], 3],
  ])('VoteRequest: after entries of terms %j all are asked in term %i, and told the last entry', (terms, term) => {
    const node = new TestNode({ id: 1, voters, electionTicks });
    node.receive(appendRequest({ from: 2, to: 1, term: term - 1, entries: entriesOf(1, ...terms) }));

    const messages = node.tickAndDrain(electionTicks);

    const fields = { from: 1, term, lastIndex: terms.length, lastTerm: terms.at(-1) ?? 0 };
    expect(messages).toEqual([voteRequest('vote', { ...fields, to: 2 }), voteRequest('vote', { ...fields, to: 3 })]);
  });

  test.each([
    [[1], 1, 1, false],
    [[1], 1, 2, false],
    [[1, 1], 1, 1, true],
    [[1], 2, 1, false],
    [[1], 2, 2, false],
    [[1, 1], 2, 1, false],
    [[2], 1, 1, true],
    [[2], 1, 2, true],
    [[1, 2], 1, 1, true],
  ])('Voter: with entries of terms %j, a candidate whose last is of term %i at %i is refused: %j', (...row) => {
    const [terms, lastTerm, lastIndex, isRejected] = row;
    const node = new TestNode({ id: 1, voters, terms });

    const answers = node.receive(voteRequest('vote', { from: 2, to: 1, term: 3, lastIndex, lastTerm }));

    expect(answers).toEqual([voteResponse('vote-response', { from: 1, to: 2, term: 3, isRejected })]);
  });
});
