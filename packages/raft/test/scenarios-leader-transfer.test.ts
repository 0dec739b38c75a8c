/** Leadership is handed over (thesis section 3.10; scenarios 93 to 108). */

import { describe, expect, test } from 'vitest';

import type { Message } from '../src/core/message.ts';
import { NO_NODE, type NodeId } from '../src/core/types.ts';
import { votersOf } from '../src/testing/entries.ts';
import { type Network, networkOf } from '../src/testing/network.ts';
import { ofKind, voteResponse } from '../src/testing/test-messages.ts';
import { TestNode } from '../src/testing/test-node.ts';
import { acknowledge, electLeader } from './elect.ts';

/** Node 1 leads `size` nodes that have its first entry. */
function ledNetwork(size = 3, options: Parameters<typeof networkOf>[1] = {}): Network {
  const network = networkOf(size, options);
  network.campaign(1);
  return network;
}

/** Who leads, as each node has it. */
function leadersOf(network: Network): readonly NodeId[] {
  return network.nodes.map(({ status }) => status.leader);
}

/** Node 1 is handing over to node 3, which it can not reach. */
function transferringToLostNode(options: Parameters<typeof networkOf>[1] = {}): Network {
  const network = ledNetwork(3, options);
  network.isolate(3);
  network.transferLeader(1, 3);
  return network;
}

describe('scenarios: leadership transfer to who can lead', () => {
  test('LeaderTransferToUpToDateNode: a target that has everything is told to campaign at once (thesis section 3.10)', () => {
    const network = ledNetwork();

    network.transferLeader(1, 2);
    const afterFirst = leadersOf(network);
    network.propose(1, 'some');
    network.transferLeader(2, 1);

    expect(afterFirst).toEqual([2, 2, 2]);
    expect(leadersOf(network)).toEqual([1, 1, 1]);
    expect(network.node(1).eventsOf('timeout-now-sent-at-once')).toMatchObject([{ target: 2 }]);
    expect(network.node(2).eventsOf('timeout-now-sent-at-once')).toMatchObject([{ target: 1 }]);
  });

  test('LeaderTransferToUpToDateNodeFromFollower: a follower passes the wish on to its leader (thesis section 3.10)', () => {
    const network = ledNetwork();

    network.transferLeader(2, 2);
    const afterFirst = leadersOf(network);
    network.propose(1, 'some');
    network.transferLeader(1, 1);

    expect(afterFirst).toEqual([2, 2, 2]);
    expect(leadersOf(network)).toEqual([1, 1, 1]);
  });

  test('LeaderTransferWithCheckQuorum: the election that the leader asked for passes over leases (thesis sections 3.10 and 4.2.3)', () => {
    const network = ledNetwork(3, { checkQuorum: true, preVote: true });
    network.tick(1, 3);

    network.campaign(2);
    const withoutTransfer = network.status(1);
    network.tick(1);
    network.transferLeader(1, 3);
    const afterFirst = leadersOf(network);
    network.transferLeader(3, 1);

    expect(withoutTransfer).toMatchObject({ role: 'leader', term: 1 });
    expect(afterFirst).toEqual([3, 3, 3]);
    expect(leadersOf(network)).toEqual([1, 1, 1]);
  });

  test('LeaderTransferToSlowFollower: a target that lags is brought up to date first (thesis section 3.10)', () => {
    const network = ledNetwork();
    network.isolate(3);
    network.propose(1, 'some');
    network.recover();
    const matchBefore = network.node(1).progressOf(3).match;

    network.transferLeader(1, 3);

    expect(matchBefore).toBe(1);
    expect(leadersOf(network)).toEqual([3, 3, 3]);
    expect(network.node(1).eventsOf('timeout-now-sent-caught-up')).toMatchObject([{ target: 3 }]);
    expect(network.node(3).appliedTexts).toEqual(['some']);
  });

  test('a target that has a part of what it lacks is not told to campaign yet (thesis section 3.10)', () => {
    const leader = electLeader(new TestNode({ id: 1, voters: [1, 2, 3], terms: [1, 1, 1] }));
    leader.core.transferLeader(2);
    leader.drain();

    const afterPart = acknowledge(leader, 2, 2);
    const afterAll = acknowledge(leader, 2);

    expect(ofKind(afterPart, 'timeout-now')).toEqual([]);
    expect(ofKind(afterAll, 'timeout-now')).toEqual([{ kind: 'timeout-now', from: 1, to: 2, term: 2 }]);
  });

  test('LeaderTransferAfterSnapshot: a target that needs a snapshot leads when it has said that it has it (thesis section 3.10)', () => {
    const network = ledNetwork();
    network.isolate(3);
    network.propose(1, 'some');
    network.node(1).compact();
    network.recover();
    const held: Message[] = [];
    network.onMessage((message) => {
      const isHeld = message.kind === 'append-response' && message.from === 3 && !message.isRejected;
      if (isHeld) held.push(message);
      return !isHeld;
    });

    network.transferLeader(1, 3);
    network.tick(1);
    const before = leadersOf(network);
    network.onMessage(() => true);
    network.send(...held);

    expect(network.node(3).restored).toHaveLength(1);
    expect(before).toEqual([1, 1, 1]);
    expect(held).toMatchObject([{ index: 2 }]);
    expect(leadersOf(network)).toEqual([3, 3, 3]);
  });
});

describe('scenarios: leadership transfer that is nothing', () => {
  test.each([
    { name: 'LeaderTransferToSelf', target: 1, event: 'transfer-ignored-self' as const },
    { name: 'LeaderTransferToNonExistingNode', target: 4, event: 'progress-missing' as const },
  ])('$name: a transfer to node $target changes nothing (thesis section 3.10)', ({ target, event }) => {
    const network = ledNetwork();

    network.transferLeader(1, target);

    expect(leadersOf(network)).toEqual([1, 1, 1]);
    expect(network.status(1)).toMatchObject({ transferTarget: NO_NODE, term: 1 });
    expect(network.node(1).eventsOf(event)).toHaveLength(1);
    expect(network.propose(1, 'some')).toMatchObject({ kind: 'appended' });
  });

  test('leader_transfer_to_learner: a learner is not handed to, neither asked at the leader nor at the learner (thesis section 4.2.1)', () => {
    const network = ledNetwork(3, { learners: [3] });

    network.transferLeader(1, 3);
    network.transferLeader(3, 3);

    expect(network.status(1)).toMatchObject({ role: 'leader', term: 1, transferTarget: NO_NODE });
    expect(network.node(1).eventsOf('transfer-ignored-learner')).toHaveLength(2);
  });

  test('TransferNonMember: who is told to campaign and is no member does nothing, whoever votes for it (thesis section 4.2.2)', () => {
    const node = new TestNode({ id: 1, configuration: votersOf(2, 3, 4) });

    const sent = [
      ...node.receive({ kind: 'timeout-now', from: 2, to: 1, term: 1 }),
      ...node.receive(voteResponse('vote-response', { from: 2, to: 1, term: 1 })),
      ...node.receive(voteResponse('vote-response', { from: 3, to: 1, term: 1 })),
    ];

    expect(sent).toEqual([]);
    expect(node.status).toMatchObject({ role: 'follower', term: 1, vote: NO_NODE });
  });
});

describe('scenarios: leadership transfer that ends', () => {
  test('LeaderTransferTimeout: it is given up after an election timeout, and proposals are taken again (thesis section 3.10)', () => {
    const network = ledNetwork();
    network.isolate(3);
    network.tick(1, 4);
    network.transferLeader(1, 3);

    network.tick(1, 9);
    const targetBefore = network.status(1).transferTarget;
    network.tick(1);

    expect(targetBefore).toBe(3);
    expect(network.status(1)).toMatchObject({ role: 'leader', term: 1, transferTarget: NO_NODE });
    expect(network.propose(1, 'some')).toEqual({ kind: 'appended', index: 2, term: 1 });
    expect(network.node(2).appliedTexts).toEqual(['some']);
  });

  test('LeaderTransferIgnoreProposal: proposals are refused meanwhile, also those that a follower passes on (thesis section 3.10)', () => {
    const network = transferringToLostNode();

    const outcome = network.propose(1, 'some');
    network.propose(2, 'more');

    expect(outcome).toEqual({ kind: 'dropped', reason: 'transferring' });
    expect(network.status(1)).toMatchObject({ transferTarget: 3, lastIndex: 1 });
    expect(network.node(1).progressOf(2).match).toBe(1);
  });

  test('LeaderTransferReceiveHigherTermVote: it ends when somebody else is elected (paper section 5.1)', () => {
    const network = transferringToLostNode();

    network.campaign(2);

    expect(network.status(1)).toMatchObject({ role: 'follower', leader: 2, transferTarget: NO_NODE });
    expect(network.status(2)).toMatchObject({ role: 'leader', term: 2 });
  });

  test('LeaderTransferRemoveNode: it ends when the target is removed (thesis section 4.2.2)', () => {
    const network = ledNetwork(4);
    network.ignore('timeout-now');
    network.transferLeader(1, 3);
    const targetBefore = network.status(1).transferTarget;

    network.node(1).core.applyConfigChange({
      transition: 'auto',
      steps: [{ kind: 'remove', node: 3 }],
      context: new Uint8Array(0),
    });

    expect(targetBefore).toBe(3);
    expect(network.status(1)).toMatchObject({ role: 'leader', transferTarget: NO_NODE });
  });

  test('LeaderTransferDemoteNode: it ends when the target is a learner, and not while it has a vote in the outgoing half (thesis section 4.3)', () => {
    const context = new Uint8Array(0);
    const network = ledNetwork(3);
    network.ignore('timeout-now');
    network.transferLeader(1, 3);
    const { core } = network.node(1);

    core.applyConfigChange({
      transition: 'auto',
      steps: [
        { kind: 'remove', node: 3 },
        { kind: 'add-learner', node: 3 },
      ],
      context,
    });
    const whileJoint = network.status(1);
    core.applyConfigChange({ transition: 'auto', steps: [], context });

    expect(whileJoint).toMatchObject({ transferTarget: 3, configuration: { learnersNext: [3] } });
    expect(network.status(1)).toMatchObject({
      role: 'leader',
      transferTarget: NO_NODE,
      configuration: { voters: [1, 2], learners: [3] },
    });
  });

  test('LeaderTransferBack: a transfer to the leader itself takes back the one that is on (thesis section 3.10)', () => {
    const network = transferringToLostNode();

    network.transferLeader(1, 1);

    expect(network.status(1)).toMatchObject({ role: 'leader', term: 1, transferTarget: NO_NODE });
    expect(network.node(1).eventsOf('transfer-aborted')).toMatchObject([{ target: 3 }]);
    expect(network.propose(1, 'some')).toMatchObject({ kind: 'appended' });
  });

  test('LeaderTransferSecondTransferToAnotherNode: it takes the place of the first (thesis section 3.10)', () => {
    const network = transferringToLostNode();

    network.transferLeader(1, 2);

    expect(network.status(1)).toMatchObject({ role: 'follower', leader: 2 });
    expect(network.status(2)).toMatchObject({ role: 'leader', term: 2 });
  });

  test('LeaderTransferSecondTransferToSameNode: to ask again gives no more time (thesis section 3.10)', () => {
    const network = transferringToLostNode();
    network.tick(1, 4);

    network.transferLeader(1, 3);
    network.tick(1, 5);
    const targetBefore = network.status(1).transferTarget;
    network.tick(1);

    expect(targetBefore).toBe(3);
    expect(network.status(1)).toMatchObject({ role: 'leader', transferTarget: NO_NODE });
    expect(network.node(1).eventsOf('transfer-ignored-repeated')).toHaveLength(1);
  });
});
