/** Scenarios that raft-rs has and etcd has not, as far as they make sense of this core. */

import { describe, expect, test } from 'vitest';

import { entriesOf, entryOf, snapshotOf, votersOf } from '../src/testing/entries.ts';
import { networkOf } from '../src/testing/network.ts';
import { appendRequest, bytesOf, snapshotRequest, textOf } from '../src/testing/test-messages.ts';
import { TestNode } from '../src/testing/test-node.ts';
import { acknowledge, acknowledgeAll, electLeader, settledLeader } from './elect.ts';

const context = new Uint8Array(0);

describe('scenarios: the quota of uncommitted bytes after elections', () => {
  const voters = [1, 2, 3];
  const payload = bytesOf('0123456789');

  test('uncommitted_entries_after_leader_election: what a new leader has inherited does not count, also when it is applied', () => {
    const node = new TestNode({ id: 1, voters, maxUncommittedBytes: 20 });
    const inherited = Array.from({ length: 5 }, (_, i) => entryOf(i + 1, 1, '0123456789'));
    node.receive(appendRequest({ from: 2, to: 1, term: 1, entries: inherited }));
    electLeader(node);

    const atFirst = node.status.uncommittedBytes;
    const outcomes = [1, 2, 3].map(() => node.core.propose([payload]).kind);
    const full = node.status.uncommittedBytes;
    node.drain();
    acknowledge(node, 2);

    expect(atFirst).toBe(0);
    expect(outcomes).toEqual(['appended', 'appended', 'dropped']);
    expect(full).toBe(20);
    expect(node.status).toMatchObject({ commit: 8, applied: 8, uncommittedBytes: 0 });
    expect(node.core.propose([payload, payload]).kind).toBe('appended');
    expect(node.status.uncommittedBytes).toBe(20);
  });

  test('uncommitted_entry_size: who leads no more has no quota in use, and starts with an empty one when it leads again', () => {
    const node = electLeader(new TestNode({ id: 1, voters, maxUncommittedBytes: 20 }));
    node.core.propose([payload, payload]);
    node.drain();
    const whileLeading = node.status.uncommittedBytes;

    node.receive(appendRequest({ from: 2, to: 1, term: 2 }));
    const whileFollowing = node.status.uncommittedBytes;
    electLeader(node);
    const outcome = node.core.propose([payload, payload]);

    expect([whileLeading, whileFollowing]).toEqual([20, 0]);
    expect(outcome.kind).toBe('appended');
    expect(node.status.uncommittedBytes).toBe(20);
  });
});

describe('scenarios: reads and check-quorum', () => {
  test('read_when_quorum_becomes_less: a read is answered when those who are left have confirmed it (thesis section 6.4)', () => {
    const leader = settledLeader({ id: 1, voters: [1, 2] });
    leader.core.readIndex(bytesOf('read'));
    leader.drain();
    const before = leader.takeReadStates();

    leader.core.applyConfigChange({ transition: 'auto', steps: [{ kind: 'remove', node: 2 }], context });
    leader.drain();

    expect(before).toEqual([]);
    expect(leader.takeReadStates()).toEqual([{ index: 1, context: bytesOf('read') }]);
  });

  test('switching_check_quorum: a group is switched to check-quorum node by node, and keeps committing (thesis section 6.2)', () => {
    const network = networkOf(3);
    network.campaign(1);

    const terms: number[] = [];
    for (const id of [2, 3, 1]) {
      const { storage } = network.node(id);
      network.replace(new TestNode({ id, storage, checkQuorum: true }));
      if (id === 1) network.tick(2, 10);
      const leader = id === 1 ? 2 : 1;
      network.tick(leader, 3);
      network.propose(leader, `without ${id}`);
      terms.push(network.status(leader).term);
    }
    network.isolate(2);
    network.tick(2, 20);

    expect(terms).toEqual([1, 1, 2]);
    expect(network.node(3).appliedTexts).toEqual(['without 2', 'without 3', 'without 1']);
    expect(network.status(2)).toMatchObject({ role: 'follower', leader: 0 });
  });
});

describe('scenarios: what takes the place of what', () => {
  test('entries_after_snapshot: entries that come before the snapshot is stored follow it in one go, and are applied behind it (paper section 7)', () => {
    const node = new TestNode({ id: 1, voters: [1, 2] });
    const snapshot = snapshotOf(10, 1, votersOf(1, 2));
    node.step(snapshotRequest({ from: 2, to: 1, term: 1, snapshot }));
    node.step(
      appendRequest({ from: 2, to: 1, term: 1, prevIndex: 10, prevTerm: 1, entries: entriesOf(11, 1, 1), commit: 12 }),
    );

    const first = node.core.ready();
    node.persist(first);
    node.apply(first);
    node.core.advance();
    const second = node.core.ready();
    node.apply(second);
    node.core.advance();

    expect(first).toMatchObject({ snapshot, entries: [{ index: 11 }, { index: 12 }], committedEntries: [] });
    expect(first.hardState).toEqual({ term: 1, vote: 0, commit: 12 });
    expect(second.committedEntries.map(({ index }) => index)).toEqual([11, 12]);
    expect(node.status).toMatchObject({ applied: 12, firstIndex: 11, lastIndex: 12 });
  });

  test('overwrite_entries: a new leader’s entries take the place of unstored and of stored ones, and only they are applied (paper section 5.3)', () => {
    const node = new TestNode({ id: 1, voters: [1, 2, 3, 4, 5] });
    const old = [entryOf(1, 1, 'one'), entryOf(2, 1, 'two'), entryOf(3, 1, 'three')];
    node.receive(appendRequest({ from: 2, to: 1, term: 1, entries: old.slice(0, 2) }));
    node.step(appendRequest({ from: 2, to: 1, term: 1, prevIndex: 2, prevTerm: 1, entries: old.slice(2) }));

    const newer = [entryOf(2, 2, 'TWO'), entryOf(3, 2, 'THREE')];
    node.step(appendRequest({ from: 3, to: 1, term: 2, prevIndex: 1, prevTerm: 1, entries: newer, commit: 3 }));
    const ready = node.core.ready();
    node.persist(ready);
    node.apply(ready);
    node.core.advance();
    node.drain();

    expect(ready.entries).toEqual(newer);
    expect(node.logTerms).toEqual([1, 2, 2]);
    expect(node.applied.map(({ data }) => textOf(data))).toEqual(['one', 'TWO', 'THREE']);
  });

  test('a leader that comes back loses what it alone had, stored or not (paper section 5.3)', () => {
    const network = networkOf(3);
    network.campaign(1);
    network.isolate(1);
    network.propose(1, 'lost');
    network.propose(1, 'lost too');
    network.campaign(2);
    network.propose(2, 'kept');
    network.recover();

    network.tick(2, 2);

    expect(network.node(1).logTerms).toEqual([1, 2, 2]);
    expect(network.nodes.map(({ appliedTexts }) => appliedTexts)).toEqual([['kept'], ['kept'], ['kept']]);
    expect(network.status(1)).toMatchObject({ role: 'follower', leader: 2 });
  });

  test('a settled leader has nothing to do before something happens', () => {
    const leader = settledLeader({ id: 1, voters: [1, 2, 3] });

    acknowledgeAll(leader);

    expect(leader.core.hasReady).toBe(false);
  });
});
