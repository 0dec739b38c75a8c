import { AssertionError } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import { entriesOf, snapshotOf } from '../testing/entries.ts';
import {
  appendRequest,
  appendResponse,
  bytesOf,
  configurationOf,
  heartbeat,
  heartbeatResponse,
  ofKind,
  snapshotRequest,
  textOf,
  voteResponse,
} from '../testing/test-messages.ts';
import { TestNode } from '../testing/test-node.ts';
import type { Message } from './message.ts';
import { RaftCore } from './raft-core.ts';
import { APPEND_THREAD } from './types.ts';

/** Node 1 of three leads term 1, and its first entry is durable with it. Whether it is committed is for the test to say. */
function openLeader(options: Partial<ConstructorParameters<typeof TestNode>[0]> = {}): TestNode {
  const node = new TestNode({ id: 1, voters: [1, 2, 3], ...options });
  node.core.campaign();
  node.drain();
  node.step(voteResponse('vote-response', { from: 2, to: 1, term: node.core.term }));
  node.drain();
  return node;
}

function acknowledge(node: TestNode, from: number, index = node.core.lastIndex): readonly Message[] {
  return node.receive(appendResponse({ from, to: 1, term: node.core.term, index }));
}

function readTexts(node: TestNode): readonly string[] {
  return node.takeReadStates().map(({ index, context }) => `${textOf(context)}@${index}`);
}

describe('RaftCore.step', () => {
  test.each<Message>([
    { kind: 'hup', from: 2, to: 1 },
    { kind: 'unreachable', from: 2, to: 1 },
    { kind: 'snapshot-status', from: 2, to: 1, isRejected: false },
    { kind: 'storage-apply-response', from: 2, to: 1, entries: [] },
  ])('takes no $kind from another node', (message) => {
    const node = openLeader();

    expect(node.step(message)).toEqual({ kind: 'foreign-local-message' });
  });

  test('takes no answers from whoever is not in the configuration', () => {
    const node = openLeader();

    const outcome = node.step(appendResponse({ from: 9, to: 1, term: 1, index: 1 }));

    expect(outcome).toEqual({ kind: 'unknown-peer' });
  });

  test('ignores a snapshot whose configuration no change can lead to, and tells of it', () => {
    const node = new TestNode({ id: 1, voters: [1, 2, 3] });
    const broken = configurationOf([1, 2, 3], { learners: [3] });

    node.receive(snapshotRequest({ from: 2, to: 1, term: 2, snapshot: snapshotOf(9, 1, broken) }));

    expect(node.eventsOf('snapshot-restore-invalid')).toHaveLength(1);
    expect(node.status.lastIndex).toBe(0);
    expect(node.status.configuration.learners).toEqual([]);
  });

  test('refuses to forget: a commit index beyond its log says that it was cut', () => {
    const node = new TestNode({ id: 1, voters: [1, 2, 3], terms: [1] });

    expect(() => node.step(heartbeat({ from: 2, to: 1, term: 1, commit: 2 }))).toThrow(AssertionError);
  });

  test('puts an entry for nobody in the place of a change that is none', () => {
    const node = openLeader();
    acknowledge(node, 2);

    const entry = { term: 0, index: 0, kind: 'config', data: Uint8Array.of(255, 255) } as const;
    node.step({ kind: 'propose', from: 2, to: 1, entries: [entry] });

    expect(node.eventsOf('change-undecodable')).toHaveLength(1);
    expect(ofKind(node.drain(), 'append')[0]?.entries[0]).toMatchObject({ kind: 'normal', index: 2 });
  });
});

describe('RaftCore.propose', () => {
  test('tells where its entries are', () => {
    const node = openLeader();

    expect(node.core.propose([bytesOf('a'), bytesOf('b')])).toEqual({ kind: 'appended', index: 2, term: 1 });
    expect(node.core.propose([bytesOf('c')])).toEqual({ kind: 'appended', index: 4, term: 1 });
  });

  test('tells to whom they were passed on', () => {
    const node = new TestNode({ id: 1, voters: [1, 2, 3] });
    node.receive(heartbeat({ from: 2, to: 1, term: 1 }));

    expect(node.core.propose([bytesOf('a')])).toEqual({ kind: 'forwarded', leader: 2 });
    expect(ofKind(node.drain(), 'propose')).toMatchObject([{ from: 1, to: 2 }]);
  });

  test('tells why they were not taken', () => {
    const alone = new TestNode({ id: 1, voters: [1, 2, 3], disableProposalForwarding: true });
    expect(alone.core.propose([bytesOf('a')])).toEqual({ kind: 'dropped', reason: 'no-leader' });
    alone.receive(heartbeat({ from: 2, to: 1, term: 1 }));
    expect(alone.core.propose([bytesOf('a')])).toEqual({ kind: 'dropped', reason: 'forwarding-disabled' });

    const full = openLeader({ maxUncommittedBytes: 10 });
    full.core.propose([bytesOf('0123456789')]);
    expect(full.core.propose([bytesOf('a')])).toEqual({ kind: 'dropped', reason: 'quota' });

    const leaving = openLeader();
    leaving.core.transferLeader(2);
    expect(leaving.core.propose([bytesOf('a')])).toEqual({ kind: 'dropped', reason: 'transferring' });
  });

  test('needs something to propose', () => {
    expect(() => openLeader().core.propose([])).toThrow(RangeError);
  });
});

describe('RaftCore.ready', () => {
  test('leaves alone what it has handed out', () => {
    const node = openLeader();
    node.core.propose([bytesOf('a')]);
    const ready = node.core.ready();
    const before = JSON.stringify(ready);
    node.persist(ready);

    node.core.advance();
    node.core.propose([bytesOf('b')]);
    node.step(appendResponse({ from: 2, to: 1, term: 1, index: 2 }));
    node.core.readIndex(bytesOf('r'));

    expect(JSON.stringify(ready)).toBe(before);
  });

  test('hands out nothing before the last was advanced over', () => {
    const node = openLeader();
    node.core.propose([bytesOf('a')]);
    node.persist(node.core.ready());
    node.core.propose([bytesOf('b')]);

    expect(() => node.core.ready()).toThrow('was not advanced over');
  });

  test('asks for a sync when the term, the vote or the log have changed, and not for a commit index alone', () => {
    const node = new TestNode({ id: 1, voters: [1, 2, 3], terms: [1] });

    node.step(appendRequest({ from: 2, to: 1, term: 1, prevIndex: 1, prevTerm: 1, entries: entriesOf(2, 1) }));
    const stored = node.core.ready();
    node.persist(stored);
    node.core.advance();
    node.step(heartbeat({ from: 2, to: 1, term: 1, commit: 2 }));
    const committed = node.core.ready();
    node.core.advance();
    node.step(heartbeat({ from: 2, to: 1, term: 2 }));
    const termed = node.core.ready();

    expect([stored.mustSync, committed.mustSync, termed.mustSync]).toEqual([true, false, true]);
  });

  test('gives the append thread no answers but those that were said before', () => {
    const node = new RaftCore({
      id: 1,
      electionTicks: 10,
      heartbeatTicks: 1,
      storage: new TestNode({ id: 1, voters: [1, 2, 3] }).storage,
      random: () => 0,
      asyncStorageWrites: true,
      checkInvariants: true,
    });
    node.step(heartbeat({ from: 2, to: 1, term: 1 }));

    const append = node.ready().messages.find(({ to }) => to === APPEND_THREAD);
    node.step(appendRequest({ from: 2, to: 1, term: 1, entries: entriesOf(1, 1) }));

    expect(append).toMatchObject({ kind: 'storage-append', responses: [] });
  });
});

describe('RaftCore.readIndex', () => {
  test('does not trust a group of one before it has committed in its own term', () => {
    const node = new TestNode({ id: 1, voters: [1], terms: [1, 1], hardState: { term: 1, commit: 1 } });
    node.core.campaign();
    const vote = node.core.ready();
    node.persist(vote);
    node.core.advance();
    expect(node.core.role).toBe('leader');

    // What it has committed before it started again may be more than it remembers.
    node.core.readIndex(bytesOf('a'));
    expect(readTexts(node)).toEqual([]);
    node.drain();

    expect(readTexts(node)).toEqual(['a@3']);
  });

  test('answers by the lease at once, and asks a quorum as soon as another node was told to campaign', () => {
    const node = openLeader({ checkQuorum: true, readOnly: 'lease' });
    acknowledge(node, 2);
    node.core.readIndex(bytesOf('lease'));
    node.drain();
    expect(readTexts(node)).toEqual(['lease@1']);

    node.core.transferLeader(2);
    expect(ofKind(node.drain(), 'timeout-now')).toHaveLength(1);
    node.core.readIndex(bytesOf('later'));
    const sent = ofKind(node.drain(), 'heartbeat');
    expect(readTexts(node)).toEqual([]);
    node.receive(heartbeatResponse({ from: 3, to: 1, term: 1, context: sent[0]!.context }));

    expect(readTexts(node)).toEqual(['later@1']);
  });

  test('drops what is more than may wait', () => {
    const node = openLeader({ maxPendingReads: 2 });

    const outcomes = ['a', 'b', 'c'].map((name) => node.core.readIndex(bytesOf(name)).kind);

    expect(outcomes).toEqual(['handled', 'handled', 'dropped']);
  });

  test('is dropped where nobody is known to lead', () => {
    const node = new TestNode({ id: 1, voters: [1, 2, 3] });
    expect(node.core.readIndex(bytesOf('a'))).toEqual({ kind: 'dropped', reason: 'no-leader' });

    node.core.campaign();

    expect(node.core.readIndex(bytesOf('a'))).toEqual({ kind: 'dropped', reason: 'no-leader' });
  });

  test('is not answered by a leader that was removed from a group of one other voter', () => {
    const node = openLeader({ voters: [1, 2] });
    acknowledge(node, 2);
    const remove = (id: number) =>
      ({ transition: 'auto', steps: [{ kind: 'remove', node: id }], context: bytesOf('') }) as const;
    node.core.proposeConfigChange(remove(1));
    node.drain();
    acknowledge(node, 2);
    expect(node.status.configuration.voters).toEqual([2]);
    expect(node.core.role).toBe('leader');

    node.core.readIndex(bytesOf('a'));
    const sent = ofKind(node.drain(), 'heartbeat');
    expect(readTexts(node)).toEqual([]);
    node.receive(heartbeatResponse({ from: 2, to: 1, term: 1, context: sent[0]!.context }));

    expect(readTexts(node)).toEqual(['a@2']);
  });
});

describe('a new RaftCore', () => {
  const known = { term: 1, commit: 1 };

  test('takes what it has applied for committed, whatever its storage remembers of that', () => {
    const node = new TestNode({ id: 1, voters: [1, 2, 3], terms: [1, 1], hardState: known, applied: 2 });

    expect(node.status).toMatchObject({ commit: 2, applied: 2 });
  });

  test('takes what is in its snapshot only for committed, whatever its storage remembers of that', () => {
    const { storage } = new TestNode({ id: 1, voters: [1, 2, 3], terms: [1, 1], hardState: known });
    storage.createSnapshot(2, configurationOf([1, 2, 3]), bytesOf(''));
    storage.compact(2);

    const node = new TestNode({ id: 1, storage });

    expect(node.status).toMatchObject({ commit: 2, applied: 2, firstIndex: 3 });
  });

  test.each([
    ['has applied more than there is', { applied: 3, hardState: known }, 'applied is 3'],
    ['remembers a commit index beyond its log', { hardState: { ...known, commit: 3 } }, 'commit index is 3'],
    ['remembers half a term', { hardState: { ...known, term: 1.5 } }, 'term is 1.5'],
  ])('does not start where it %s', (_, options, message) => {
    const open = (): TestNode => new TestNode({ id: 1, voters: [1, 2, 3], terms: [1, 1], ...options });

    expect(open).toThrow(message);
  });
});
