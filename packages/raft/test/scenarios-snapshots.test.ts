/** A snapshot takes the place of a follower's log, and of its configuration (scenarios 69 to 75, and 78). */

import { describe, expect, test } from 'vitest';

import type { Configuration, NodeId } from '../src/core/types.ts';
import { snapshotOf, votersOf } from '../src/testing/entries.ts';
import { Network } from '../src/testing/network.ts';
import { appendResponse, configurationOf, snapshotRequest } from '../src/testing/test-messages.ts';
import { TestNode } from '../src/testing/test-node.ts';
import { restoredStorage } from './restored-storage.ts';

/** Node 2 sends `node` a snapshot up to entry 11 of term 11. What follows from it is not done yet. */
function offerSnapshot(node: TestNode, configuration: Configuration): void {
  const snapshot = snapshotOf(11, 11, configuration);
  node.step(snapshotRequest({ from: 2, to: node.id, term: 11, snapshot }));
}

/** Longer than any election timeout. */
function tickLong(node: TestNode): void {
  node.tick(3 * node.status.randomizedElectionTicks);
}

describe('scenarios: restoring snapshots', () => {
  test('Restore: log, commit index and configuration are the snapshot’s, and the same one again is ignored (paper section 7)', () => {
    const node = new TestNode({ id: 1, voters: [1, 2] });
    const configuration = votersOf(1, 2, 3);

    offerSnapshot(node, configuration);
    const restored = node.status;
    offerSnapshot(node, configuration);
    const sent = node.drain();

    expect(restored).toMatchObject({ firstIndex: 12, lastIndex: 11, lastTerm: 11, commit: 11, configuration });
    expect(node.eventsOf('snapshot-restored')).toHaveLength(1);
    expect(node.eventsOf('snapshot-ignored')).toHaveLength(1);
    expect(node.restored).toEqual([snapshotOf(11, 11, configuration)]);
    const answer = appendResponse({ from: 1, to: 2, term: 11, index: 11 });
    expect(sent).toEqual([answer, answer]);
  });

  test('a node that restores a snapshot does not campaign before it is stored and applied (paper section 7)', () => {
    const node = new TestNode({ id: 1, voters: [1, 2] });
    offerSnapshot(node, votersOf(1, 2, 3));

    tickLong(node);
    const rolesBefore = node.status.role;
    node.drain();
    tickLong(node);

    expect(rolesBefore).toBe('follower');
    expect(node.status).toMatchObject({ role: 'candidate' });
    expect(node.status.term).toBeGreaterThan(11);
  });

  test('RestoreWithLearner: learners in a snapshot are learners, the node itself too (thesis section 4.2.1)', () => {
    const node = new TestNode({ id: 3, voters: [1, 2], learners: [3] });
    const configuration = configurationOf([1, 2], { learners: [3] });

    offerSnapshot(node, configuration);
    offerSnapshot(node, configuration);
    node.drain();
    tickLong(node);

    expect(node.status).toMatchObject({ role: 'follower', isLearner: true, configuration, commit: 11 });
    expect(node.eventsOf('snapshot-restored')).toHaveLength(1);
  });

  test('RestoreWithVotersOutgoing: a joint configuration is restored as it is, and nobody campaigns before it is applied (thesis section 4.3)', () => {
    const node = new TestNode({ id: 1, voters: [1, 2] });
    const configuration = configurationOf([2, 3, 4], { votersOutgoing: [1, 2, 3] });

    offerSnapshot(node, configuration);
    offerSnapshot(node, configuration);
    tickLong(node);
    const roleBefore = node.status.role;
    node.drain();
    node.core.campaign();
    const sent = node.drain();

    expect(roleBefore).toBe('follower');
    expect(node.status.configuration).toEqual(configuration);
    expect(node.eventsOf('snapshot-restored')).toHaveLength(1);
    expect(sent.map(({ kind, to }) => `${kind} ${to}`)).toEqual(['vote 2', 'vote 3', 'vote 4']);
  });

  test('RestoreVoterToLearner: a voter takes a snapshot that makes it a learner, and campaigns no more (thesis section 4.2.1)', () => {
    const node = new TestNode({ id: 3, voters: [1, 2, 3] });

    offerSnapshot(node, configurationOf([1, 2], { learners: [3] }));
    node.drain();
    tickLong(node);

    expect(node.eventsOf('snapshot-restored')).toHaveLength(1);
    expect(node.status).toMatchObject({ isLearner: true, role: 'follower', term: 11 });
  });

  test('RestoreLearnerPromotion: a learner takes a snapshot that makes it a voter, and campaigns then (thesis section 4.2.1)', () => {
    const node = new TestNode({ id: 3, voters: [1, 2], learners: [3] });
    tickLong(node);
    const before = node.status;

    offerSnapshot(node, votersOf(1, 2, 3));
    node.drain();
    tickLong(node);

    expect(before).toMatchObject({ isLearner: true, role: 'follower' });
    expect(node.status).toMatchObject({ isLearner: false, role: 'candidate' });
  });

  test('LearnerReceiveSnapshot: a learner that has nothing catches up by a snapshot (thesis section 4.2.1)', () => {
    const configuration = configurationOf([1], { learners: [2] });
    const leader = new TestNode({ id: 1, storage: restoredStorage(11, 11, configuration) });
    const network = new Network([leader, new TestNode({ id: 2, voters: [1], learners: [2] })]);

    network.campaign(1);
    network.tick(1);

    const learner = network.node(2);
    expect(learner.restored).toEqual([snapshotOf(11, 11, configuration)]);
    expect(learner.status).toMatchObject({ commit: 12, lastIndex: 12, leader: 1, isLearner: true });
    expect(network.status(1).progress.get(2)).toMatchObject({ state: 'replicate', match: 12 });
  });

  test('RestoreIgnoreSnapshot: at or below the commit index it is ignored, and where the log has its last entry it only commits (paper section 7)', () => {
    const node = new TestNode({ id: 1, voters: [1, 2], terms: [1, 1, 1], hardState: { commit: 1 } });
    const offer = (index: number): unknown =>
      node.receive(snapshotRequest({ from: 2, to: 1, term: 1, snapshot: snapshotOf(index, 1, votersOf(1, 2)) }));

    const ignored = offer(1);
    const commitAfterFirst = node.status.commit;
    const forwarded = offer(2);

    expect(commitAfterFirst).toBe(1);
    expect(ignored).toEqual([appendResponse({ from: 1, to: 2, term: 1, index: 1 })]);
    expect(forwarded).toEqual([appendResponse({ from: 1, to: 2, term: 1, index: 2 })]);
    expect(node.status).toMatchObject({ commit: 2, firstIndex: 1, lastIndex: 3 });
    expect(node.eventsOf('snapshot-fast-forwarded')).toHaveLength(1);
    expect(node.restored).toEqual([]);
  });

  test.each<{ readonly role: string; readonly campaigns: boolean }>([
    { role: 'follower', campaigns: false },
    { role: 'candidate', campaigns: true },
  ])('RestoreFromSnapMsg: a $role takes the sender of a snapshot as its leader (paper section 7)', ({ campaigns }) => {
    const node = new TestNode({ id: 1, voters: [1, 2, 3], hardState: { term: 10 } });
    if (campaigns) node.core.campaign();
    node.drain();
    const sender: NodeId = 2;

    offerSnapshot(node, votersOf(1, 2, 3));

    expect(node.status).toMatchObject({ leader: sender, role: 'follower', term: 11, commit: 11 });
  });
});
