/** What a single node answers to requests for its vote, and which changes of role and term follow from messages. */

import { describe, expect, test } from 'vitest';

import { normalizeConfig } from '../src/core/config.ts';
import type { Message } from '../src/core/message.ts';
import { openRaftState } from '../src/core/open-state.ts';
import type { RaftState } from '../src/core/raft-state.ts';
import type { Role } from '../src/core/ready.ts';
import { becomeCandidate, becomeFollower, becomeLeader, becomePreCandidate } from '../src/core/roles.ts';
import { entriesOf, snapshotOf } from '../src/testing/entries.ts';
import { MemoryLogStorage } from '../src/testing/memory-log-storage.ts';
import { type Network, networkOf } from '../src/testing/network.ts';
import {
  appendRequest,
  appendResponse,
  bytesOf,
  configurationOf,
  heartbeat,
  heartbeatResponse,
  ofKind,
  voteRequest,
  voteResponse,
} from '../src/testing/test-messages.ts';
import { TestNode } from '../src/testing/test-node.ts';
import { electLeader, nodeAs } from './elect.ts';

const voters = [1, 2, 3];
const roles: readonly Role[] = ['follower', 'pre-candidate', 'candidate', 'leader'];

describe('requests for a vote (paper section 5.4.1)', () => {
  test.each(roles)('VoteFromAnyState: a %s gives its vote in a later term, and follows', (role) => {
    const node = nodeAs(role, { id: 1, voters });
    const term = node.status.term + 1;

    const answers = node.receive(voteRequest('vote', { from: 2, to: 1, term, lastIndex: 42, lastTerm: term }));

    expect(answers).toEqual([voteResponse('vote-response', { from: 1, to: 2, term })]);
    expect(node.status).toMatchObject({ role: 'follower', term, vote: 2, leader: 0 });
  });

  test.each(roles)(
    'PreVoteFromAnyState: a %s would vote in a later term, and nothing changes (thesis section 9.6)',
    (role) => {
      const node = nodeAs(role, { id: 1, voters });
      const before = node.status;
      const term = before.term + 1;

      const answers = node.receive(voteRequest('pre-vote', { from: 2, to: 1, term, lastIndex: 42, lastTerm: term }));

      expect(answers).toEqual([voteResponse('pre-vote-response', { from: 1, to: 2, term })]);
      expect(node.status).toEqual(before);
    },
  );

  interface VoteCase {
    readonly role: Role;
    readonly lastIndex: number;
    readonly lastTerm: number;
    readonly vote: number;
    readonly isRejected: boolean;
  }

  function voteCase([role, lastIndex, lastTerm, vote, isRejected]: readonly [
    Role,
    number,
    number,
    number,
    boolean,
  ]): VoteCase {
    return { role, lastIndex, lastTerm, vote, isRejected };
  }

  /** The voter's log ends with an entry of term 2 at index 2. */
  const voteCases: readonly VoteCase[] = (
    [
      ...[0, 1, 2, 3].map((lastIndex) => ['follower', lastIndex, 1, 0, true] as const),
      ['follower', 0, 2, 0, true],
      ['follower', 1, 2, 0, true],
      ['follower', 2, 2, 0, false],
      ['follower', 3, 2, 0, false],
      ...[0, 1, 2, 3].map((lastIndex) => ['follower', lastIndex, 3, 0, false] as const),
      ['follower', 3, 2, 2, false],
      ['follower', 3, 2, 1, true],
      ['leader', 3, 3, 1, true],
      ['pre-candidate', 3, 3, 1, true],
      ['candidate', 3, 3, 1, true],
    ] as const
  ).map(voteCase);

  /** A node that has voted as the case says, in the term that it is asked in. */
  function voterOf({ role, lastTerm, vote }: VoteCase): TestNode {
    const options = { id: 1, voters, terms: [2, 2] };
    const term = Math.max(lastTerm, 2);
    return role === 'follower'
      ? new TestNode({ ...options, hardState: { term, vote } })
      : nodeAs(role, { ...options, hardState: { vote } });
  }

  const title = 'a $role that voted for $vote refuses a log that ends with term $lastTerm at $lastIndex: $isRejected';

  test.each(voteCases)(`RecvMsgVote: ${title}`, (row) => {
    const node = voterOf(row);
    const { lastIndex, lastTerm, isRejected } = row;
    const { term } = node.status;

    const answers = node.receive(voteRequest('vote', { from: 2, to: 1, term, lastIndex, lastTerm }));

    expect(node.status.role).toBe(row.role);
    expect(answers).toEqual([voteResponse('vote-response', { from: 1, to: 2, term, isRejected })]);
  });

  test.each(voteCases)(`RecvMsgPreVote: ${title} (thesis section 9.6)`, (row) => {
    const node = voterOf(row);
    const { lastIndex, lastTerm, isRejected } = row;
    const { term, vote } = node.status;

    const answers = node.receive(voteRequest('pre-vote', { from: 2, to: 1, term, lastIndex, lastTerm }));

    expect(node.status).toMatchObject({ role: row.role, vote });
    expect(answers).toEqual([voteResponse('pre-vote-response', { from: 1, to: 2, term, isRejected })]);
  });

  test.each(['vote', 'pre-vote'] as const)('a follower that knows the leader of its term gives no %s in it', (kind) => {
    const node = nodeAs('follower', { id: 1, voters });
    expect(node.status).toMatchObject({ term: 1, vote: 0, leader: 2 });

    const answers = node.receive(voteRequest(kind, { from: 3, to: 1, term: 1 }));

    expect(answers).toEqual([voteResponse(`${kind}-response`, { from: 1, to: 3, term: 1, isRejected: true })]);
    expect(node.status.vote).toBe(0);
  });
});

describe('roles (paper figure 4)', () => {
  function stateIn(role: Role): RaftState {
    const storage = new MemoryLogStorage();
    storage.bootstrap(configurationOf([1]));
    const state = openRaftState(
      normalizeConfig({ id: 1, electionTicks: 10, heartbeatTicks: 1, storage, random: () => 0 }),
    );
    state.role = role;
    return state;
  }

  const become: Readonly<Record<Role, (state: RaftState) => void>> = {
    follower: (state) => {
      becomeFollower(state, state.term, 0);
    },
    'pre-candidate': becomePreCandidate,
    candidate: becomeCandidate,
    leader: becomeLeader,
  };

  test.each<[Role, Role, number]>([
    ['follower', 'follower', 0],
    ['follower', 'pre-candidate', 0],
    ['follower', 'candidate', 1],
    ['pre-candidate', 'follower', 0],
    ['pre-candidate', 'pre-candidate', 0],
    ['pre-candidate', 'candidate', 1],
    ['pre-candidate', 'leader', 0],
    ['candidate', 'follower', 0],
    ['candidate', 'pre-candidate', 0],
    ['candidate', 'candidate', 1],
    ['candidate', 'leader', 0],
    ['leader', 'follower', 0],
    ['leader', 'leader', 0],
  ])('StateTransition: a %s may become a %s, in term %i after term 0', (from, to, term) => {
    const state = stateIn(from);

    become[to](state);

    expect(state).toMatchObject({ role: to, term, leader: to === 'leader' ? 1 : 0 });
  });

  test.each<[Role, Role]>([
    ['follower', 'leader'],
    ['leader', 'pre-candidate'],
    ['leader', 'candidate'],
  ])('a %s may not become a %s', (from, to) => {
    const state = stateIn(from);

    expect(() => {
      become[to](state);
    }).toThrow(/a leader does not campaign|a follower does not lead/);
  });

  test.each(roles)('AllServerStepdown: a %s follows when it hears of a later term, and keeps its log', (role) => {
    const options = { id: 1, voters };
    const asked = nodeAs(role, options);
    const led = nodeAs(role, options);
    const { lastIndex } = asked.status;

    asked.receive(voteRequest('vote', { from: 2, to: 1, term: 3, lastIndex: 9, lastTerm: 3 }));
    led.receive(appendRequest({ from: 2, to: 1, term: 3, prevIndex: 9, prevTerm: 3 }));

    const fields = { role: 'follower', term: 3, lastIndex };
    expect(asked.status).toMatchObject({ ...fields, leader: 0 });
    expect(led.status).toMatchObject({ ...fields, leader: 2 });
    expect(lastIndex).toBe(role === 'leader' ? 1 : 0);
  });

  /** Node 3 was cut off while others led, and campaigned in vain. */
  function withStrayCandidate(): Network {
    const network = networkOf(3);
    network.campaign(1);
    network.isolate(3);
    network.campaign(2);
    network.campaign(1);
    network.tick(3, 10);
    expect(network.nodes.map(({ status }) => status.role)).toEqual(['leader', 'follower', 'candidate']);
    expect(network.nodes.map(({ status }) => status.term)).toEqual([3, 3, 2]);
    network.recover();
    return network;
  }

  test('CandidateResetTermMsgHeartbeat: a candidate that was cut off follows the leader that it hears a heartbeat of', () => {
    const network = withStrayCandidate();

    network.send(heartbeat({ from: 1, to: 3, term: 3 }));

    expect(network.status(3)).toMatchObject({ role: 'follower', term: 3, leader: 1 });
    expect(network.status(1)).toMatchObject({ role: 'leader', term: 3 });
  });

  test('CandidateResetTermMsgApp: a candidate that was cut off follows the leader that it gets an append of', () => {
    const network = withStrayCandidate();

    network.send(appendRequest({ from: 1, to: 3, term: 3, prevIndex: 3, prevTerm: 3 }));

    expect(network.status(3)).toMatchObject({ role: 'follower', term: 3, leader: 1 });
    expect(network.status(1)).toMatchObject({ role: 'leader', term: 3 });
  });

  const old = { from: 2, to: 1, term: 2 };

  test.each<Message>([
    appendRequest({ ...old, prevIndex: 1, prevTerm: 1, entries: entriesOf(2, 2, 2), commit: 2 }),
    appendResponse({ ...old, index: 3 }),
    heartbeat({ ...old, commit: 2 }),
    heartbeatResponse(old),
    voteResponse('vote-response', old),
    { kind: 'snapshot', ...old, snapshot: snapshotOf(9, 2, configurationOf(voters)) },
    { kind: 'timeout-now', ...old },
    { kind: 'read-index-response', ...old, index: 2, context: bytesOf('read') },
  ])('StepIgnoreOldTermMsg: a message of an old term, $kind, gets to no role', (message) => {
    const nodes = (['follower', 'candidate', 'leader'] as const).map((role) =>
      nodeAs(role, { id: 1, voters, terms: [1, 3] }),
    );
    const before = nodes.map(({ status }) => status);

    const answers = nodes.map((node) => node.receive(message));

    expect(answers).toEqual([[], [], []]);
    expect(nodes.map(({ status }) => status)).toEqual(before);
  });

  test.each([{ preVote: true }, { checkQuorum: true }])(
    'a leader of an old term is told the later one where its followers may refuse votes: %j (thesis section 9.6)',
    (option) => {
      const node = new TestNode({ id: 1, voters, terms: [1, 3], ...option });
      const before = node.status;

      const answers = [heartbeat(old), appendRequest(old)].map((message) => node.receive(message));

      const answer = appendResponse({ from: 1, to: 2, term: 3 });
      expect(answers).toEqual([[answer], [answer]]);
      expect(node.status).toEqual(before);
    },
  );
});

describe('votes and acknowledgements of oneself are messages that may come late (paper section 5.2)', () => {
  /** A node that campaigns hears of the leader of the same term before its own vote is durable. */
  function losesBeforeItsOwnVote(preVote: boolean): TestNode {
    const node = new TestNode({ id: 1, voters, preVote });
    node.core.campaign();
    const ready = node.core.ready();
    node.persist(ready);
    node.step(heartbeat({ from: 2, to: 1, term: node.status.term || 1 }));
    expect(node.status.role).toBe('follower');
    node.core.advance();
    node.drain();
    return node;
  }

  test('CandidateSelfVoteAfterLostElection: its own vote counts no more when the election is lost', () => {
    const node = losesBeforeItsOwnVote(false);

    expect(node.status).toMatchObject({ role: 'follower', term: 1, leader: 2 });
    expect(node.eventsOf('vote-received')).toEqual([]);
  });

  test('CandidateSelfVoteAfterLostElectionPreVote: nor does the answer to its own question', () => {
    const node = losesBeforeItsOwnVote(true);

    expect(node.status).toMatchObject({ role: 'follower', term: 1, leader: 2 });
    expect(node.eventsOf('vote-received')).toEqual([]);
  });

  test('CandidateDeliversPreCandidateSelfVoteAfterBecomingCandidate: a late answer to its own question is no vote', () => {
    const node = new TestNode({ id: 1, voters: [1, 2, 3, 4, 5], preVote: true });
    node.core.campaign();
    node.persist(node.core.ready());

    for (const from of [2, 3, 4]) node.step(voteResponse('pre-vote-response', { from, to: 1, term: 1 }));
    expect(node.status).toMatchObject({ role: 'candidate', term: 1 });
    node.core.advance();
    for (const from of [2, 3]) node.step(voteResponse('vote-response', { from, to: 1, term: 1 }));
    const withoutOwnVote = node.status.role;
    node.drain();

    expect(withoutOwnVote).toBe('candidate');
    expect(node.status).toMatchObject({ role: 'leader', term: 1 });
    expect(ofKind([...node.drain()], 'vote')).toEqual([]);
  });

  test('LeaderMsgAppSelfAckAfterTermChange: its own acknowledgement of an old term is ignored', () => {
    const node = electLeader(new TestNode({ id: 1, voters }));
    node.core.propose([new Uint8Array(4)]);
    node.persist(node.core.ready());

    node.step(heartbeat({ from: 2, to: 1, term: 2 }));
    node.core.advance();
    node.drain();

    expect(node.status).toMatchObject({ role: 'follower', term: 2, leader: 2, commit: 0, lastIndex: 2 });
    expect(node.eventsOf('lower-term-ignored')).toMatchObject([
      { message: 'append-response', from: 1, messageTerm: 1 },
    ]);
  });
});
