/** Who is in a group, and how that changes (scenarios 80 to 92). */

import { AssertionError } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import type { ConfigChange, ConfigStep, ConfigStepKind } from '../src/core/config-change.ts';
import type { Configuration, NodeId } from '../src/core/types.ts';
import { networkOf } from '../src/testing/network.ts';
import { appendResponse, bytesOf, configurationOf, ofKind, textOf } from '../src/testing/test-messages.ts';
import { TestNode } from '../src/testing/test-node.ts';
import { acknowledge, electLeader } from './elect.ts';

const NO_CONTEXT = new Uint8Array(0);

function changeOf(...steps: readonly ConfigStep[]): ConfigChange {
  return { transition: 'auto', steps, context: NO_CONTEXT };
}

function step(kind: ConfigStepKind, node: NodeId): ConfigStep {
  return { kind, node };
}

/** The change is in force at `node`, as if its entry had been applied there. */
function apply(node: TestNode, kind: ConfigStepKind, of: NodeId): Configuration {
  return node.core.applyConfigChange(changeOf(step(kind, of)));
}

describe('scenarios: changes in the log', () => {
  test.each([
    { form: 'of the newer form', entryKind: 'config', change: changeOf(step('add-voter', 3)) },
    { form: 'of the older form', entryKind: 'config-v1', change: { step: step('add-voter', 3), context: NO_CONTEXT } },
  ])('StepConfig: a change $form is appended, and counts as pending (thesis section 4.1)', ({ entryKind, change }) => {
    const leader = electLeader(new TestNode({ id: 1, voters: [1, 2] }));

    const outcome = leader.core.proposeConfigChange(change);
    leader.core.proposeConfigChange(change);
    leader.drain();

    expect(outcome).toEqual({ kind: 'appended', index: 2, term: 1 });
    expect(leader.storage.allEntries()[1]).toMatchObject({ index: 2, kind: entryKind });
    expect(leader.eventsOf('change-refused')).toMatchObject([{ refusal: { kind: 'pending', index: 2, applied: 0 } }]);
    expect(leader.status.configuration.voters).toEqual([1, 2]);
  });

  test('StepIgnoreConfig: a second change before the first is applied becomes an entry for nobody (thesis section 4.1)', () => {
    const leader = electLeader(new TestNode({ id: 1, voters: [1, 2] }));
    leader.core.proposeConfigChange(changeOf(step('add-voter', 3)));

    const outcome = leader.core.proposeConfigChange(changeOf(step('add-voter', 4)));
    leader.drain();
    acknowledge(leader, 2);

    expect(outcome).toEqual({ kind: 'appended', index: 3, term: 1 });
    expect(leader.storage.allEntries()[2]).toEqual({ term: 1, index: 3, kind: 'normal', data: NO_CONTEXT });
    expect(leader.status).toMatchObject({ commit: 3, configuration: { voters: [1, 2, 3] } });
  });

  test('NewLeaderPendingConfig: a new leader takes its uncommitted tail for one that may hold a change (thesis section 4.1)', () => {
    const withTail = electLeader(new TestNode({ id: 1, voters: [1, 2], terms: [1] }));
    const withoutTail = electLeader(new TestNode({ id: 1, voters: [1, 2] }));

    withTail.core.proposeConfigChange(changeOf(step('add-voter', 3)));
    withoutTail.core.proposeConfigChange(changeOf(step('add-voter', 3)));

    expect(withTail.eventsOf('change-refused')).toMatchObject([{ refusal: { kind: 'pending', index: 1, applied: 0 } }]);
    expect(withoutTail.eventsOf('change-refused')).toEqual([]);
    withTail.drain();
    acknowledge(withTail, 2);
    withTail.core.proposeConfigChange(changeOf(step('add-voter', 3)));
    withTail.drain();
    expect(withTail.eventsOf('change-refused')).toHaveLength(1);
    expect(withTail.storage.allEntries().at(-1)?.kind).toBe('config');
  });

  test('CommitAfterRemoveNode: what waited for the old quorum is committed when the smaller one is in force (thesis section 4.2)', () => {
    const leader = electLeader(new TestNode({ id: 1, voters: [1, 2] }));
    leader.core.proposeConfigChange(changeOf(step('remove', 2)));
    leader.drain();
    leader.core.propose([bytesOf('hello')]);
    leader.drain();
    const commitBefore = leader.status.commit;

    // The change is acknowledged, and what was proposed behind it is not.
    acknowledge(leader, 2, 2);

    expect(commitBefore).toBe(0);
    expect(leader.status).toMatchObject({ commit: 3, configuration: { voters: [1] } });
    expect(leader.appliedTexts).toEqual(['hello']);
  });
});

describe('scenarios: changes that come into force', () => {
  test('AddNode: the voters grow (thesis section 4.1)', () => {
    const node = new TestNode({ id: 1, voters: [1] });

    const configuration = apply(node, 'add-voter', 2);

    expect(configuration).toEqual(configurationOf([1, 2]));
    expect(node.status.configuration).toEqual(configuration);
  });

  test('AddLearner: learners are added and promoted, and a node may demote and promote itself (thesis section 4.2.1)', () => {
    const node = new TestNode({ id: 1, voters: [1] });

    const added = apply(node, 'add-learner', 2);
    const promoted = apply(node, 'add-voter', 2);
    const demotedSelf = apply(node, 'add-learner', 1);
    const isLearner = node.status.isLearner;
    const promotedSelf = apply(node, 'add-voter', 1);

    expect(added).toEqual(configurationOf([1], { learners: [2] }));
    expect(promoted).toEqual(configurationOf([1, 2]));
    expect(demotedSelf).toEqual(configurationOf([2], { learners: [1] }));
    expect(isLearner).toBe(true);
    expect(promotedSelf).toEqual(configurationOf([1, 2]));
    expect(node.status.isLearner).toBe(false);
  });

  test('AddNodeCheckQuorum: a fresh node counts as heard of at first, and no longer when it stays silent (thesis section 6.2)', () => {
    const node = new TestNode({ id: 1, voters: [1], checkQuorum: true });
    node.core.campaign();
    node.drain();
    node.tickAndDrain(9);

    apply(node, 'add-voter', 2);
    node.tickAndDrain();
    const roleAtFirst = node.status.role;
    node.tickAndDrain(10);

    expect(roleAtFirst).toBe('leader');
    expect(node.status).toMatchObject({ role: 'follower', leader: 0 });
    expect(node.eventsOf('quorum-inactive')).toHaveLength(1);
  });

  test('RemoveNode: the voters shrink, and to remove the last one is an error of the host (thesis section 4.1)', () => {
    const node = new TestNode({ id: 1, voters: [1, 2] });

    const configuration = apply(node, 'remove', 2);

    expect(configuration).toEqual(configurationOf([1]));
    expect(() => apply(node, 'remove', 1)).toThrow(AssertionError);
    expect(node.status.configuration).toEqual(configurationOf([1]));
  });

  test('RemoveLearner: the learners shrink, and the last voter stays (thesis section 4.2.1)', () => {
    const node = new TestNode({ id: 1, voters: [1], learners: [2] });

    const configuration = apply(node, 'remove', 2);

    expect(configuration).toEqual(configurationOf([1]));
    expect(() => apply(node, 'remove', 1)).toThrow(AssertionError);
  });

  test.each([
    { voters: [1], learners: [], isPromotable: true },
    { voters: [1, 2, 3], learners: [], isPromotable: true },
    { voters: [], learners: [], isPromotable: false },
    { voters: [2, 3], learners: [], isPromotable: false },
    { voters: [2, 3], learners: [1], isPromotable: false },
  ])(
    'Promotable: node 1 campaigns in voters $voters with learners $learners: $isPromotable (thesis section 4.2.2)',
    ({ voters, learners, isPromotable }) => {
      const asked = new TestNode({ id: 1, voters, learners });
      const waiting = new TestNode({ id: 1, voters, learners });

      asked.core.campaign();
      waiting.tick(30);

      expect(asked.eventsOf('campaign-refused-unpromotable')).toHaveLength(isPromotable ? 0 : 1);
      expect(asked.status.role === 'candidate').toBe(isPromotable);
      expect(waiting.status.role === 'candidate').toBe(isPromotable);
    },
  );

  test('RaftNodes: members are listed by ascending id, in whatever order they came (thesis section 4.1)', () => {
    const node = new TestNode({ id: 2, voters: [2] });
    node.core.campaign();
    node.drain();

    for (const id of [9, 3, 1]) apply(node, 'add-voter', id);
    for (const id of [8, 5]) apply(node, 'add-learner', id);

    expect(node.status.configuration).toEqual(configurationOf([1, 2, 3, 9], { learners: [5, 8] }));
    expect([...node.status.progress.keys()]).toEqual([1, 2, 3, 5, 8, 9]);
    expect(() => new TestNode({ id: 1, voters: [3, 2, 1] })).toThrow(RangeError);
  });
});

describe('scenarios: a leader that campaigns', () => {
  test.each([
    { name: 'CampaignWhileLeader', preVote: false },
    { name: 'PreCampaignWhileLeader', preVote: true },
  ])('$name: it stays leader in its term (paper section 5.2)', ({ preVote }) => {
    const network = networkOf(1, { preVote });
    network.campaign(1);
    const { term } = network.status(1);

    network.campaign(1);

    expect(network.status(1)).toMatchObject({ role: 'leader', term });
    expect(network.node(1).eventsOf('campaign-ignored-leader')).toHaveLength(1);
  });
});

describe('scenarios: a member that joins', () => {
  test('a fresh member gets the log from its beginning, and counts when it has it (thesis section 4.2.1)', () => {
    const network = networkOf(1);
    network.campaign(1);
    network.propose(1, 'before');
    network.replace(new TestNode({ id: 2, voters: [1] }));

    network.node(1).core.proposeConfigChange(changeOf(step('add-voter', 2)));
    network.settle();
    network.propose(1, 'after');

    expect(network.nodes.map(({ status }) => status.configuration)).toEqual([
      configurationOf([1, 2]),
      configurationOf([1, 2]),
    ]);
    expect(network.node(2).appliedTexts).toEqual(['before', 'after']);
    network.isolate(2);
    network.propose(1, 'alone');
    expect(network.node(1).appliedTexts).toEqual(['before', 'after']);
  });

  test('a leader that was removed sends no entries to whom it led, and takes none (thesis section 4.2.2)', () => {
    const leader = electLeader(new TestNode({ id: 1, voters: [1, 2, 3] }));
    leader.core.proposeConfigChange(changeOf(step('remove', 1)));
    leader.drain();
    acknowledge(leader, 2);
    const sent = acknowledge(leader, 3);

    const outcome = leader.core.propose([bytesOf('late')]);

    expect(outcome).toEqual({ kind: 'dropped', reason: 'not-member' });
    expect(leader.status).toMatchObject({ role: 'leader', configuration: { voters: [2, 3] } });
    expect(ofKind(sent, 'append').flatMap(({ entries }) => entries.map(({ data }) => textOf(data)))).toEqual([]);
    expect(leader.receive(appendResponse({ from: 2, to: 1, term: 1, index: 2 }))).toEqual([]);
  });
});
