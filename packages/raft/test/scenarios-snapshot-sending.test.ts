/** What a leader does for a follower whose entries it has no more (scenarios 76, 77 and 79, and those of etcd's raft_snap_test). */

import { describe, expect, test } from 'vitest';

import { snapshotOf, votersOf } from '../src/testing/entries.ts';
import { networkOf } from '../src/testing/network.ts';
import { appendResponse, bytesOf, heartbeatResponse, ofKind, snapshotRequest } from '../src/testing/test-messages.ts';
import { TestNode } from '../src/testing/test-node.ts';
import { acknowledge, electLeader } from './elect.ts';
import { restoredStorage } from './restored-storage.ts';

/** Leads in term 12 behind a snapshot of entry 11; its first entry is 12. */
function leaderBehindSnapshot(): TestNode {
  return electLeader(new TestNode({ id: 1, storage: restoredStorage(11, 11, votersOf(1, 2)) }));
}

/** Follower 2 has nothing of what comes before entry 12, which it was probed with. */
function refuse(leader: TestNode): ReturnType<TestNode['receive']> {
  return leader.receive(appendResponse({ from: 2, to: 1, term: 12, index: 11, isRejected: true }));
}

/** A snapshot is on its way to follower 2. */
function leaderSendingSnapshot(): TestNode {
  const leader = leaderBehindSnapshot();
  refuse(leader);
  return leader;
}

describe('scenarios: sending snapshots', () => {
  test('ProvideSnap: a follower that is behind the first entry is sent the snapshot (paper section 7)', () => {
    const leader = leaderBehindSnapshot();

    const sent = refuse(leader);

    expect(sent).toEqual([snapshotRequest({ from: 1, to: 2, term: 12, snapshot: snapshotOf(11, 11, votersOf(1, 2)) })]);
  });

  test('IgnoreProvidingSnap: a follower that was not heard of is not sent one, before it is heard of again (paper section 7)', () => {
    const leader = electLeader(new TestNode({ id: 1, voters: [1, 2, 3], checkQuorum: true }));
    acknowledge(leader, 2);
    leader.core.propose([bytesOf('some')]);
    leader.drain();
    acknowledge(leader, 3);
    leader.compact();
    leader.tickAndDrain(10);
    leader.core.reportUnreachable(2);

    leader.core.propose([bytesOf('more')]);
    const unheard = leader.drain();
    const heard = leader.receive(heartbeatResponse({ from: 2, to: 1, term: 1 }));

    expect(unheard.filter(({ to }) => to === 2)).toEqual([]);
    expect(leader.eventsOf('snapshot-not-sent-inactive')).toMatchObject([{ to: 2 }]);
    expect(heard).toMatchObject([{ kind: 'snapshot', to: 2, snapshot: { meta: { index: 2 } } }]);
  });

  test('SlowNodeRestore: a node that comes back after its entries are gone catches up by a snapshot, and then by appends (paper section 7)', () => {
    const network = networkOf(3);
    network.campaign(1);
    network.isolate(3);
    for (let i = 0; i < 100; i++) network.propose(1, `write ${i}`);
    network.node(1).compact();
    network.recover();

    network.tick(1, 2);
    const commitBehindSnapshot = network.status(3).commit;
    network.propose(1, 'after');

    expect(commitBehindSnapshot).toBe(101);
    expect(network.node(3).restored).toHaveLength(1);
    expect(network.node(3).appliedTexts).toEqual(['after']);
    expect(network.status(3)).toMatchObject({ commit: 102, firstIndex: 102 });
    expect(network.status(1).progress.get(3)).toMatchObject({ state: 'replicate', match: 102 });
  });
});

describe('scenarios: a snapshot that is on its way', () => {
  test('SetPendingSnapshot: it is noted which one (thesis section 5.3)', () => {
    const leader = leaderBehindSnapshot();

    refuse(leader);

    expect(leader.progressOf(2)).toMatchObject({ state: 'snapshot', pendingSnapshot: 11, match: 0, next: 12 });
  });

  test('PauseReplication: nothing that is proposed meanwhile is sent (thesis section 5.3)', () => {
    const leader = leaderSendingSnapshot();

    leader.core.propose([bytesOf('some')]);

    expect(leader.drain()).toEqual([]);
  });

  test('Failure: the follower is probed from where it was, after the next heartbeat that it answers (thesis section 5.3)', () => {
    const leader = leaderSendingSnapshot();

    leader.core.reportSnapshot(2, false);

    expect(leader.progressOf(2)).toMatchObject({ state: 'probe', pendingSnapshot: 0, next: 1, isPaused: true });
    expect(leader.drain()).toEqual([]);
    expect(leader.receive(heartbeatResponse({ from: 2, to: 1, term: 12 }))).toMatchObject([{ kind: 'snapshot' }]);
  });

  test('Succeed: the follower is probed behind the snapshot, after the next heartbeat that it answers (thesis section 5.3)', () => {
    const leader = leaderSendingSnapshot();

    leader.core.reportSnapshot(2, true);

    expect(leader.progressOf(2)).toMatchObject({ state: 'probe', pendingSnapshot: 0, next: 12, isPaused: true });
    expect(leader.drain()).toEqual([]);
    expect(leader.receive(heartbeatResponse({ from: 2, to: 1, term: 12 }))).toMatchObject([
      { kind: 'append', prevIndex: 11, prevTerm: 11, entries: [{ index: 12 }] },
    ]);
  });

  test('Abort: an answer to an append that shows the follower to be there ends the waiting, whatever becomes of the snapshot (thesis section 5.3)', () => {
    const leader = leaderSendingSnapshot();

    const sent = acknowledge(leader, 2, 11);
    leader.core.reportSnapshot(2, false);

    expect(ofKind(sent, 'append')).toMatchObject([{ prevIndex: 11, entries: [{ index: 12 }] }]);
    expect(leader.progressOf(2)).toMatchObject({
      state: 'replicate',
      pendingSnapshot: 0,
      match: 11,
      next: 13,
      inflightCount: 1,
    });
  });

  test('an answer from before the snapshot does not end the waiting (thesis section 5.3)', () => {
    const leader = leaderSendingSnapshot();

    const sent = acknowledge(leader, 2, 10);

    expect(sent).toEqual([]);
    expect(leader.progressOf(2)).toMatchObject({ state: 'snapshot', pendingSnapshot: 11, match: 10 });
  });
});
