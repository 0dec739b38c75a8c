/** Pre-vote among nodes of different terms and settings, and changes that are committed and not applied (scenarios 109 to 116). */

import { describe, expect, test } from 'vitest';

import type { ConfigChange, ConfigChangeV1 } from '../src/core/config-change.ts';
import type { Message } from '../src/core/message.ts';
import { type Network, networkOf } from '../src/testing/network.ts';
import { heartbeat } from '../src/testing/test-messages.ts';
import { TestNode } from '../src/testing/test-node.ts';

/** Role and term of each. */
function rolesOf(network: Network): readonly string[] {
  return network.nodes.map(({ status: { role, term } }) => `${role} ${term}`);
}

describe('scenarios: pre-vote', () => {
  test('NodeWithSmallerTermCanCompleteElection: a node that comes back with an older term takes part in elections (thesis section 9.6)', () => {
    const network = networkOf(3, { preVote: true });
    network.cut(1, 3);
    network.cut(2, 3);
    network.campaign(1);
    network.campaign(3);
    network.campaign(2);
    const whileCut = rolesOf(network);
    network.recover();
    network.isolate(2);

    network.campaign(3);
    const afterFirst = rolesOf(network);
    network.campaign(1);

    expect(whileCut).toEqual(['follower 2', 'leader 2', 'pre-candidate 0']);
    expect(afterFirst).toEqual(['follower 2', 'leader 2', 'follower 2']);
    expect(rolesOf(network)).toEqual(['leader 3', 'leader 2', 'follower 3']);
    expect(network.status(3).lastIndex).toBe(network.status(1).lastIndex);
  });

  test('PreVoteWithSplitVote: after a split vote the next one to campaign wins (thesis section 9.6)', () => {
    const network = networkOf(3, { preVote: true });
    network.campaign(1);
    network.isolate(1);

    network.node(2).core.campaign();
    network.node(3).core.campaign();
    network.settle();
    const afterSplit = rolesOf(network);
    network.campaign(2);

    expect(afterSplit.slice(1)).toEqual(['candidate 2', 'candidate 2']);
    expect(rolesOf(network).slice(1)).toEqual(['leader 3', 'follower 3']);
  });

  test('PreVoteWithCheckQuorum: a pre-candidate has forgotten its leader, so that another one may win (thesis sections 4.2.3 and 9.6)', () => {
    const network = networkOf(3, { preVote: true, checkQuorum: true });
    network.campaign(1);
    network.isolate(1);

    network.campaign(3);
    const afterFirst = rolesOf(network);
    network.campaign(2);

    expect(afterFirst).toEqual(['leader 1', 'follower 1', 'pre-candidate 1']);
    expect(rolesOf(network)).toEqual(['leader 1', 'leader 2', 'follower 2']);
  });

  test('LearnerCampaign: a learner campaigns neither when asked to nor when its leader tells it to (thesis section 4.2.1)', () => {
    const network = networkOf(2, { learners: [2] });
    network.campaign(2);
    const afterAsking = network.status(2);
    network.campaign(1);

    network.send({ kind: 'timeout-now', from: 1, to: 2, term: 1 });

    expect(afterAsking).toMatchObject({ role: 'follower', term: 0 });
    expect(rolesOf(network)).toEqual(['leader 1', 'follower 1']);
    expect(network.node(2).eventsOf('campaign-refused-unpromotable')).toHaveLength(2);
  });
});

describe('scenarios: a group half of which has pre-vote', () => {
  /** Node 1 leads node 2. Node 3 was cut off, campaigned twice without pre-vote, lacks an entry, and has started again with pre-vote. */
  function migratingNetwork(): Network {
    const network = networkOf(3, { preVote: true, of: { 3: { preVote: false, voters: [1, 2, 3] } } });
    network.campaign(1);
    network.isolate(3);
    network.propose(1, 'some');
    network.campaign(3);
    network.campaign(3);
    const { storage } = network.node(3);
    expect(rolesOf(network)).toEqual(['leader 1', 'follower 1', 'candidate 3']);
    network.replace(new TestNode({ id: 3, storage, preVote: true }));
    network.recover();
    return network;
  }

  test('PreVoteMigrationCanCompleteElection: a node of a later term with less in its log does not keep others from winning (thesis section 9.6)', () => {
    const network = migratingNetwork();
    network.isolate(1);

    network.campaign(3);
    network.campaign(2);
    const afterFirst = rolesOf(network);
    network.campaign(3);
    network.campaign(2);

    expect(afterFirst[2]).toBe('pre-candidate 3');
    expect(rolesOf(network)).toEqual(['leader 1', 'leader 4', 'follower 4']);
    expect(network.node(3).appliedTexts).toEqual(['some']);
  });

  test('PreVoteMigrationWithFreeStuckPreCandidate: the leader’s next message frees a pre-candidate of a later term (thesis section 9.6)', () => {
    const network = migratingNetwork();
    network.campaign(3);
    const afterFirst = rolesOf(network);
    network.campaign(3);
    const afterSecond = rolesOf(network);

    network.send(heartbeat({ from: 1, to: 3, term: 1 }));
    const freed = rolesOf(network);
    network.campaign(1);

    expect(afterFirst).toEqual(['leader 1', 'follower 1', 'pre-candidate 3']);
    expect(afterSecond).toEqual(afterFirst);
    expect(freed[0]).toBe('follower 3');
    expect(rolesOf(network)).toEqual(['leader 4', 'follower 4', 'follower 4']);
  });
});

describe('scenarios: a change that is committed and not applied', () => {
  const context = new Uint8Array(0);
  const forms: readonly { readonly name: string; readonly change: ConfigChange | ConfigChangeV1 }[] = [
    { name: 'ConfChangeCheckBeforeCampaign', change: { step: { kind: 'remove', node: 3 }, context } },
    {
      name: 'ConfChangeV2CheckBeforeCampaign',
      change: { transition: 'auto', steps: [{ kind: 'remove', node: 3 }], context },
    },
  ];

  /** What of `messages` is for `node` comes there, and nothing is done about it yet: not stored, not applied, not answered. */
  function deliver(messages: readonly Message[], node: TestNode): void {
    for (const message of messages) if (message.to === node.id) node.step(message);
  }

  test.each(forms)(
    '$name: who knows of it campaigns neither by itself nor when told to, before it is applied (thesis section 4.1)',
    ({ change }) => {
      const network = networkOf(3);
      network.campaign(1);
      const [leader, second] = [network.node(1), network.node(2)];
      leader.core.proposeConfigChange(change);
      for (const message of leader.drain()) {
        // Both have the entry; then only the leader's word that it is committed goes to node 2.
        for (const answer of network.node(message.to).receive(message)) leader.step(answer);
      }
      deliver(leader.drain(), second);

      second.tick(second.status.randomizedElectionTicks);
      const afterTimeout = second.status;
      leader.core.transferLeader(2);
      deliver(leader.drain(), second);
      const afterTransfer = second.status;
      leader.tickAndDrain(10);
      second.drain();
      leader.core.transferLeader(2);
      deliver(leader.drain(), second);

      expect(afterTimeout).toMatchObject({ role: 'follower', term: 1, commit: 2, applied: 1 });
      expect(afterTransfer).toMatchObject({ role: 'follower', term: 1, applied: 1 });
      expect(second.eventsOf('campaign-refused-unapplied-change')).toHaveLength(2);
      expect(second.status).toMatchObject({
        role: 'candidate',
        term: 2,
        applied: 2,
        configuration: { voters: [1, 2] },
      });
    },
  );
});
