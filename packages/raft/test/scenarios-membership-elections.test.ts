/**
 * Elections while the group changes: nobody is kept from winning by not knowing what is committed (bug P25: etcd #12359). A change is in force where
 * it is applied, so who does not know of it counts by the configuration before. Why this is enough: docs/internals/raft.md, "Elections across a change".
 */

import { describe, expect, test } from 'vitest';

import { encodeConfigChange } from '../src/core/config-change-encoding.ts';
import type { ConfigChange } from '../src/core/config-change.ts';
import type { AppendRequest } from '../src/core/message.ts';
import type { Entry, LogIndex, NodeId, Term } from '../src/core/types.ts';
import { entryOf } from '../src/testing/entries.ts';
import { type Network, networkOf } from '../src/testing/network.ts';
import { appendRequest, bytesOf, configurationOf, voteRequest, voteResponse } from '../src/testing/test-messages.ts';
import { TestNode } from '../src/testing/test-node.ts';
import { electLeader } from './elect.ts';

const context = new Uint8Array(0);
const REMOVE_1: ConfigChange = { transition: 'auto', steps: [{ kind: 'remove', node: 1 }], context };
/** As the node has them. */
const OPTIONS = { checkQuorum: true, preVote: true, stepDownOnRemoval: true };

function hasChange({ entries }: AppendRequest): boolean {
  return entries.some(({ kind }) => kind !== 'normal');
}

/** Ticks of `ids` in turn, for ten election timeouts. @returns Who leads then. */
function leaderAfter(network: Network, ids: readonly NodeId[]): NodeId | undefined {
  for (let tick = 0; tick < 100; tick++) for (const id of ids) network.tick(id);
  return ids.find((id) => network.status(id).role === 'leader');
}

/** Node 1 leads (1 2), has removed itself, and steps down; nobody else knows that this is committed, and its log is the longer one. */
function groupAfterRemoval(tellCommitInVotes: boolean): Network {
  const network = networkOf(2, { ...OPTIONS, tellCommitInVotes });
  network.campaign(1);
  network.onMessage((message) => message.kind !== 'append' || hasChange(message));
  network.node(1).core.proposeConfigChange(REMOVE_1);
  network.node(1).core.propose([bytesOf('behind it')]);
  network.settle();
  network.onMessage(() => true);
  return network;
}

/**
 * Node 1 leads (1 2 3), 2 is cut off, and a change makes a voter of learner 4 and a learner of 3. It is committed with 3, who hears of that; 4 has more of the log,
 * and does not. Then 1 is gone and 2 is back.
 */
function groupAfterPromotion(tellCommitInVotes: boolean): Network {
  const network = networkOf(4, { ...OPTIONS, tellCommitInVotes, learners: [4] });
  network.campaign(1);
  network.isolate(2);
  network.onMessage((message) => {
    if (message.to === 3) return message.kind === 'heartbeat' || (message.kind === 'append' && hasChange(message));
    if (message.to === 4) return message.kind === 'append' && message.entries.length > 0 && message.commit < 2;
    return true;
  });
  network.node(1).core.proposeConfigChange({
    transition: 'explicit',
    steps: [
      { kind: 'add-voter', node: 4 },
      { kind: 'add-learner', node: 3 },
    ],
    context,
  });
  network.node(1).core.propose([bytesOf('behind it')]);
  network.settle();
  network.tick(1);
  network.recover();
  network.isolate(1);
  network.onMessage(() => true);
  return network;
}

describe('scenarios: elections across a change', () => {
  test('advance_commit_index_by_vote_response: a leader that knows alone of its removal refuses, and tells that it is committed (thesis section 4.2.2)', () => {
    const network = groupAfterRemoval(true);
    const before = [network.status(1), network.status(2)];

    const leader = leaderAfter(network, [1, 2]);

    expect(before[0]).toMatchObject({ role: 'follower', commit: 2, lastIndex: 3, configuration: { voters: [2] } });
    expect(before[1]).toMatchObject({ commit: 1, lastIndex: 2, configuration: { voters: [1, 2] } });
    expect(leader).toBe(2);
    expect(network.status(2).configuration).toEqual(configurationOf([2]));
    expect(network.node(2).eventsOf('commit-learned')).toMatchObject([{ commit: 2 }]);
  });

  test('advance_commit_index_by_vote_request: a voter that does not know of its promotion learns of it when it refuses, and wins (etcd #12359, example 1)', () => {
    const network = groupAfterPromotion(true);
    const before = [3, 4].map((id) => network.status(id));

    const leader = leaderAfter(network, [2, 3, 4]);

    expect(before[0]).toMatchObject({ commit: 2, lastIndex: 2, configuration: { voters: [1, 2, 4] } });
    expect(before[1]).toMatchObject({ commit: 1, lastIndex: 3, isLearner: true });
    expect(leader).toBe(4);
    expect(network.node(4).appliedTexts).toEqual(['behind it']);
  });

  test('where votes do not tell what is committed, nobody is ever elected in either case: that is what the option is for', () => {
    const removed = groupAfterRemoval(false);
    const promoted = groupAfterPromotion(false);

    const leaders = [leaderAfter(removed, [1, 2]), leaderAfter(promoted, [2, 3, 4])];

    expect(leaders).toEqual([undefined, undefined]);
  });
});

describe('scenarios: what votes tell', () => {
  const voters = [1, 2, 3];
  const change: Entry = { index: 2, term: 1, kind: 'config', data: encodeConfigChange(REMOVE_1) };

  /** A follower of term 1 with the entries 1 to 3, the second of them a change, that knows the first to be committed. */
  function follower(tellCommitInVotes: boolean): TestNode {
    const node = new TestNode({ id: 1, voters, preVote: true, tellCommitInVotes });
    const entries = [entryOf(1, 1), change, entryOf(3, 1)];
    node.receive(appendRequest({ from: 2, to: 1, term: 1, entries, commit: 1 }));
    return node;
  }

  test.each([
    { tellCommitInVotes: true, known: { commit: 1, commitTerm: 1 } },
    { tellCommitInVotes: false, known: { commit: 0, commitTerm: 0 } },
  ])(
    'with tellCommitInVotes $tellCommitInVotes, requests and refusals carry $known',
    ({ tellCommitInVotes, known }) => {
      const asking = follower(tellCommitInVotes);
      const asked = follower(tellCommitInVotes);

      asking.core.campaign();
      const requests = asking.drain();
      const refusals = asked.receive(voteRequest('pre-vote', { from: 3, to: 1, term: 2 }));
      const grants = asked.receive(voteRequest('pre-vote', { from: 3, to: 1, term: 2, lastIndex: 3, lastTerm: 1 }));

      const last = { lastIndex: 3, lastTerm: 1 };
      expect(requests).toEqual([
        voteRequest('pre-vote', { from: 1, to: 2, term: 2, ...last, ...known }),
        voteRequest('pre-vote', { from: 1, to: 3, term: 2, ...last, ...known }),
      ]);
      expect(refusals).toEqual([
        voteResponse('pre-vote-response', { from: 1, to: 3, term: 1, isRejected: true, ...known }),
      ]);
      expect(grants).toEqual([voteResponse('pre-vote-response', { from: 1, to: 3, term: 2 })]);
    },
  );

  test.each(['pre-candidate', 'candidate'] as const)(
    'a %s that learns of a change gives up, and applies it before it campaigns again',
    (role) => {
      const node = new TestNode({ id: 1, voters, preVote: role === 'pre-candidate', terms: [1] });
      node.receive(appendRequest({ from: 2, to: 1, term: 1, prevIndex: 1, prevTerm: 1, entries: [change] }));
      node.core.campaign();
      node.drain();
      const { role: roleBefore, term } = node.status;
      const kind = role === 'candidate' ? 'vote-response' : 'pre-vote-response';

      const refusal = { from: 3, to: 1, term, isRejected: true, commit: 2, commitTerm: 1 };
      node.step(voteResponse(kind, refusal));
      const asIs = node.status;
      node.core.campaign();
      node.drain();

      expect(roleBefore).toBe(role);
      expect(asIs).toMatchObject({ role: 'follower', term, commit: 2, applied: 0 });
      expect(node.eventsOf('campaign-refused-unapplied-change')).toHaveLength(1);
      expect(node.status.configuration).toEqual(configurationOf([2, 3]));
    },
  );

  test('what is learnt of entries alone does not end a campaign', () => {
    const node = new TestNode({ id: 1, voters, terms: [1, 1] });
    node.core.campaign();
    node.drain();

    const { term } = node.status;
    node.receive(voteResponse('vote-response', { from: 3, to: 1, term, isRejected: true, commit: 2, commitTerm: 1 }));
    node.receive(voteResponse('vote-response', { from: 2, to: 1, term }));

    expect(node.status).toMatchObject({ role: 'leader', commit: 2 });
  });

  test.each<{ readonly what: string; readonly commit: LogIndex; readonly commitTerm: Term }>([
    { what: 'of another term than the entry here', commit: 2, commitTerm: 2 },
    { what: 'beyond the log', commit: 5, commitTerm: 2 },
    { what: 'of nothing', commit: 0, commitTerm: 0 },
  ])('a commit $what tells nothing, in a request or in a refusal', ({ commit, commitTerm }) => {
    const node = new TestNode({ id: 1, voters, terms: [1, 1, 2] });

    node.receive(voteRequest('vote', { from: 2, to: 1, term: 3, commit, commitTerm }));
    node.receive(voteResponse('vote-response', { from: 2, to: 1, term: 3, isRejected: true, commit, commitTerm }));

    expect(node.status).toMatchObject({ term: 3, commit: 0 });
    expect(node.eventsOf('vote-rejected')).toHaveLength(1);
  });

  test('a leader is told nothing: it counts by itself', () => {
    const leader = electLeader(new TestNode({ id: 1, voters, terms: [1, 1] }));
    const { term } = leader.status;

    leader.receive(voteRequest('vote', { from: 3, to: 1, term, commit: 2, commitTerm: 1 }));

    expect(leader.status).toMatchObject({ role: 'leader', commit: 0, lastIndex: 3 });
  });
});
