/** Logs among several nodes: what gets where, and from when on it is committed. */

import { describe, expect, test } from 'vitest';

import { normalizeConfig } from '../src/core/config.ts';
import { openRaftState } from '../src/core/open-state.ts';
import { maybeCommit } from '../src/core/replication.ts';
import type { Entry } from '../src/core/types.ts';
import { entriesOf } from '../src/testing/entries.ts';
import { MemoryLogStorage } from '../src/testing/memory-log-storage.ts';
import { type ClusterOptions, type Network, networkOf } from '../src/testing/network.ts';
import {
  appendRequest,
  appendResponse,
  bytesOf,
  configurationOf,
  heartbeat,
  heartbeatResponse,
  ofKind,
} from '../src/testing/test-messages.ts';
import { TestNode } from '../src/testing/test-node.ts';
import { acknowledge, electLeader } from './elect.ts';

function logsOf(network: Network): readonly (readonly number[])[] {
  return network.nodes.map(({ logTerms }) => logTerms);
}

function textsOf(network: Network): readonly (readonly string[])[] {
  return network.nodes.map(({ appliedTexts }) => appliedTexts);
}

function same<Value>(value: Value, count: number): readonly Value[] {
  return Array.from({ length: count }, () => value);
}

describe('replication (paper section 5.3)', () => {
  test.each([
    ['one leader', false],
    ['two leaders, one after the other', true],
  ])('LogReplication: what is proposed to %s is applied by all, in the same order', (_what, changesLeader) => {
    const network = networkOf(3);
    network.campaign(1);

    network.propose(1, 'some');
    if (changesLeader) {
      network.campaign(2);
      network.propose(2, 'more');
    }

    const commit = changesLeader ? 4 : 2;
    expect(network.nodes.map(({ status }) => status.commit)).toEqual(same(commit, 3));
    expect(textsOf(network)).toEqual(same(changesLeader ? ['some', 'more'] : ['some'], 3));
  });

  test('LearnerLogReplication: a learner gets and commits what is proposed, and is not counted (thesis section 4.2.1)', () => {
    const network = networkOf(2, { learners: [2] });
    network.campaign(1);

    network.propose(1, 'some');
    const together = network.nodes.map(({ status }) => status.commit);
    network.isolate(2);
    network.propose(1, 'more');

    expect(together).toEqual([2, 2]);
    expect(network.status(2)).toMatchObject({ isLearner: true, role: 'follower', commit: 2 });
    expect(network.node(1).progressOf(2)).toMatchObject({ isLearner: true, match: 2 });
    expect(network.status(1).commit).toBe(3);
  });

  test('SingleNodeCommit: a node that is alone commits what is proposed to it', () => {
    const network = networkOf(1);
    network.campaign(1);

    network.propose(1, 'some');
    network.propose(1, 'more');

    expect(network.status(1).commit).toBe(3);
    expect(network.node(1).appliedTexts).toEqual(['some', 'more']);
  });

  test('OldMessages: an append of an old leader is ignored', () => {
    const network = networkOf(3);
    for (const id of [1, 2, 1]) network.campaign(id);

    network.send(appendRequest({ from: 2, to: 1, term: 2, prevIndex: 2, prevTerm: 2, entries: entriesOf(3, 2) }));
    network.propose(1, 'some');

    expect(logsOf(network)).toEqual(same([1, 2, 3, 3], 3));
    expect(textsOf(network)).toEqual(same(['some'], 3));
  });

  test.each<[number, ClusterOptions, boolean]>([
    [3, {}, true],
    [3, { dead: [3] }, true],
    [3, { dead: [2, 3] }, false],
    [4, { dead: [2, 3] }, false],
    [5, { dead: [2, 3] }, true],
  ])('Proposal: of %i nodes with %j, a proposal is applied: %j', (size, options, succeeds) => {
    const network = networkOf(size, options);
    network.campaign(1);

    const { kind } = network.propose(1, 'some');

    expect(kind).toBe(succeeds ? 'appended' : 'dropped');
    expect(network.status(1).term).toBe(1);
    expect(textsOf(network)).toEqual(same(succeeds ? ['some'] : [], network.nodes.length));
  });

  test.each<[string, ClusterOptions]>([
    ['all nodes', {}],
    ['one dead', { dead: [3] }],
  ])('ProposalByProxy: with %s, what is proposed at a follower gets to the leader', (_what, options) => {
    const network = networkOf(3, options);
    network.campaign(1);

    const outcome = network.propose(2, 'some');

    expect(outcome).toEqual({ kind: 'forwarded', leader: 1 });
    expect(textsOf(network)).toEqual(same(['some'], network.nodes.length));
  });

  /** A follower of node 2 with entries of terms 1 and 2. */
  function appendTo(follower: TestNode, fields: Partial<Parameters<typeof appendRequest>[0]>) {
    return follower.receive(appendRequest({ from: 2, to: 1, term: 2, ...fields }));
  }

  const behind1 = { prevIndex: 1, prevTerm: 1 };
  const behind2 = { prevIndex: 2, prevTerm: 2 };

  test.each<[string, object, readonly Entry[], number, number, number]>([
    ['at the end of what matches', { ...behind1, commit: 1 }, [], 1, 2, 1],
    ['from the beginning on, replacing everything', { commit: 1 }, entriesOf(1, 2), 1, 1, 1],
    ['with less than is committed', { ...behind2, commit: 3 }, entriesOf(3, 2, 2), 4, 4, 3],
    ['with less than the commit index', { ...behind2, commit: 4 }, entriesOf(3, 2), 3, 3, 3],
    ['with an entry that is there', { ...behind1, commit: 4 }, entriesOf(2, 2), 2, 2, 2],
    ['without entries, which says nothing about later ones', { ...behind1, commit: 3 }, [], 1, 2, 1],
    ['with a commit index beyond it', { ...behind1, commit: 3 }, entriesOf(2, 2), 2, 2, 2],
    ['without entries at the end', { ...behind2, commit: 3 }, [], 2, 2, 2],
    ['without entries at the end, with a later commit index', { ...behind2, commit: 4 }, [], 2, 2, 2],
  ])('HandleMsgApp: an append %s', (_what, fields, entries, index, lastIndex, commit) => {
    const follower = new TestNode({ id: 1, voters: [1, 2], terms: [1, 2] });

    const answers = appendTo(follower, { ...fields, entries });

    expect(answers).toEqual([appendResponse({ from: 1, to: 2, term: 2, index })]);
    expect(follower.status).toMatchObject({ lastIndex, commit });
  });

  test.each([
    ['of another term', 2, 3, 1],
    ['that is not there', 3, 3, 2],
  ])('an append behind an entry %s is refused, and nothing changes', (_what, prevIndex, prevTerm, hintIndex) => {
    const follower = new TestNode({ id: 1, voters: [1, 2], terms: [1, 2], hardState: { term: 3 } });

    const answers = appendTo(follower, { term: 3, prevIndex, prevTerm, commit: 3 });

    expect(answers).toMatchObject([{ kind: 'append-response', index: prevIndex, isRejected: true }]);
    expect(ofKind(answers, 'append-response')[0]?.hintIndex).toBeGreaterThanOrEqual(hintIndex);
    expect(follower.status).toMatchObject({ lastIndex: 2, commit: 0 });
  });

  test.each([
    [3, 3],
    [1, 2],
  ])(
    'HandleHeartbeat: with the commit index %i it moves that of a follower from 2 to %i, never back',
    (commit, expected) => {
      const follower = new TestNode({ id: 1, voters: [1, 2], terms: [1, 2, 3], hardState: { commit: 2 } });

      const answers = follower.receive(heartbeat({ from: 2, to: 1, term: 3, commit }));

      expect(answers).toEqual([heartbeatResponse({ from: 1, to: 2, term: 3 })]);
      expect(follower.status.commit).toBe(expected);
    },
  );

  test('HandleHeartbeatResp: a follower that lacks entries is sent them, each time, and one that has them is not', () => {
    const leader = electLeader(new TestNode({ id: 1, voters: [1, 2], terms: [1, 2, 3] }));
    const answer = heartbeatResponse({ from: 2, to: 1, term: 4 });

    const first = leader.receive(answer);
    const second = leader.receive(answer);
    acknowledge(leader, 2);
    const third = leader.receive(answer);

    expect(ofKind(first, 'append')).toHaveLength(1);
    expect(ofKind(second, 'append')).toHaveLength(1);
    expect(third).toEqual([]);
  });

  test('MsgAppRespWaitReset: an acknowledgement ends the wait for that follower only', () => {
    const leader = electLeader(new TestNode({ id: 1, voters: [1, 2, 3] }));

    acknowledge(leader, 2, 1);
    leader.core.propose([bytesOf('some')]);
    const atProposal = leader.drain();
    const atAnswer = acknowledge(leader, 3, 1);

    expect(leader.status.commit).toBe(1);
    expect(ofKind(atProposal, 'append')).toMatchObject([{ to: 2, entries: [{ index: 2 }] }]);
    expect(ofKind(atAnswer, 'append')).toMatchObject([{ to: 3, entries: [{ index: 2 }] }]);
  });
});

describe('what is committed (paper section 5.4.2)', () => {
  /** Node 1 leads five, of which it reaches one other only; it has proposed twice. */
  function withUncommittedEntries(): Network {
    const network = networkOf(5);
    network.campaign(1);
    for (const id of [3, 4, 5]) network.cut(1, id);
    network.propose(1, 'some');
    network.propose(1, 'more');
    expect(network.status(1).commit).toBe(1);
    network.recover();
    return network;
  }

  test('CannotCommitWithoutNewTermEntry: entries of an older term stay uncommitted until one of the new term is', () => {
    const network = withUncommittedEntries();

    network.ignore('append');
    network.campaign(2);
    network.tick(2);
    expect(network.status(2)).toMatchObject({ role: 'leader', term: 2, lastIndex: 4, commit: 1 });
    network.recover();
    network.tick(2);
    network.propose(2, 'last');

    expect(network.nodes.map(({ status }) => status.commit)).toEqual(same(5, 5));
    expect(textsOf(network)).toEqual(same(['some', 'more', 'last'], 5));
  });

  test("CommitWithoutNewTermEntry: a new leader's first entry commits them, without any proposal", () => {
    const network = withUncommittedEntries();

    network.campaign(2);

    expect(network.nodes.map(({ status }) => status.commit)).toEqual(same(4, 5));
    expect(textsOf(network)).toEqual(same(['some', 'more'], 5));
  });

  test.each<[readonly number[], readonly number[], number, number]>([
    [[1], [1], 1, 1],
    [[1], [1], 2, 0],
    [[2], [1, 2], 2, 2],
    [[1], [2], 2, 1],
    [[2, 1, 1], [1, 2], 1, 1],
    [[2, 1, 1], [1, 1], 2, 0],
    [[2, 1, 2], [1, 2], 2, 2],
    [[2, 1, 2], [1, 1], 2, 0],
    [[2, 1, 1, 1], [1, 2], 1, 1],
    [[2, 1, 1, 1], [1, 1], 2, 0],
    [[2, 1, 1, 2], [1, 2], 1, 1],
    [[2, 1, 1, 2], [1, 1], 2, 0],
    [[2, 1, 2, 2], [1, 2], 2, 2],
    [[2, 1, 2, 2], [1, 1], 2, 0],
  ])('Commit: of logs that match up to %j, with terms %j, a leader of term %i commits up to %i', (...row) => {
    const [matches, terms, term, commit] = row;
    const storage = new MemoryLogStorage();
    storage.bootstrap(configurationOf(matches.map((_, i) => i + 1)));
    storage.append(entriesOf(1, ...terms));
    storage.setHardState({ term, vote: 0, commit: 0 });
    const config = { id: 1, electionTicks: 5, heartbeatTicks: 1, storage, random: () => 0 };
    const state = openRaftState(normalizeConfig(config));
    state.tracker.visit((id, progress) => progress.maybeUpdate(matches[id - 1] ?? 0));

    const isNews = maybeCommit(state);

    expect(state.log.committed).toBe(commit);
    expect(isNews).toBe(commit > 0);
  });
});
