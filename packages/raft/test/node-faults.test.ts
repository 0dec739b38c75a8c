import { encodeUtf8 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import type { PeerMessage, VoteRequest } from '../src/core/message.ts';
import type { NodeId, Term } from '../src/core/types.ts';
import { voteRequest } from '../src/testing/test-messages.ts';
import { endOf, NodeCluster } from './node-cluster.ts';

const IDS = [1, 2, 3];
const OTHERS = [2, 3];

function texts(count: number, prefix = 'value'): readonly string[] {
  return Array.from({ length: count }, (_, at) => `${prefix} ${at}`);
}

/** To node 2, from somebody whom the leader has asked to campaign. */
function transferVote(from: NodeId, term: Term): VoteRequest {
  return voteRequest('vote', { from, to: 2, term, lastIndex: 1, lastTerm: 1, isTransfer: true });
}

describe('a storage that fails', () => {
  test('stops the node for good, with an event, and nothing is promised any more', async () => {
    await using cluster = await NodeCluster.open(IDS);
    const { node, storage } = await cluster.elect(1);
    const pending = endOf(cluster.propose(1, 'a'));
    storage.fail(new Error('the cable is loose'));
    const sent: PeerMessage[] = [];
    cluster.passes = (message) => message.from !== 1 || sent.push(message) < 0;

    await cluster.ticks(2);
    const lateSent = sent.filter(({ kind }) => kind.endsWith('response'));
    await cluster.ticks(5);

    expect(await pending).toBe('KAYA_RAFT_UNKNOWN_OUTCOME');
    expect(cluster.eventsOf(1, 'node-failed')).toMatchObject([{ code: 'KAYA_RAFT_POISONED' }]);
    expect(lateSent).toEqual([]);
    expect(await endOf(node.propose(encodeUtf8('b')))).toBe('KAYA_RAFT_POISONED');
    expect(await endOf(node.readIndex())).toBe('KAYA_RAFT_POISONED');
    expect(await endOf(node.transferLeader(2))).toBe('KAYA_RAFT_POISONED');
  });

  test('gives no vote when the vote could not be stored', async () => {
    await using cluster = await NodeCluster.open(IDS);
    cluster.member(2).storage.fail(new Error('broken'));
    cluster.isolate(3);

    cluster.node(1).campaign();
    await cluster.ticks(5);

    expect(cluster.node(1).status().role).not.toBe('leader');
  });

  test('sends no vote while it is not durable', async () => {
    await using cluster = await NodeCluster.open(IDS);
    const votes: PeerMessage[] = [];
    cluster.passes = (message) => {
      if (message.kind === 'vote-response') votes.push(message);
      return true;
    };
    cluster.member(2).storage.hold();
    cluster.member(3).storage.hold();

    // In the way of a transfer, since the answer to the question before a vote waits for the storage too.
    cluster.node(2).receive(transferVote(1, 5));
    await cluster.settle();
    const before = votes.length;
    cluster.member(2).storage.release();
    await cluster.settle();

    expect(before).toBe(0);
    expect(votes).toMatchObject([{ from: 2, to: 1, term: 5, isRejected: false }]);
  });
});

describe('a full disk', () => {
  test('of a follower: the vote is not forgotten, and is given when there is room', async () => {
    await using cluster = await NodeCluster.open(IDS, { diskFullRetryTicks: 3 });
    const { storage } = cluster.member(2);
    storage.isFull = true;
    const votes: PeerMessage[] = [];
    cluster.passes = (message) => {
      if (message.kind === 'vote-response' && message.from === 2) votes.push(message);
      return false;
    };

    cluster.node(2).receive(transferVote(1, 9));
    await cluster.ticks(4);
    const meanwhile = votes.length;
    // Another candidate of the same term has come too late, also while nothing is durable.
    cluster.node(2).receive(transferVote(3, 9));
    await cluster.settle();
    storage.isFull = false;
    await cluster.ticks(4);

    expect(meanwhile).toBe(0);
    expect(cluster.eventsOf(2, 'disk-full')).toHaveLength(1);
    expect(cluster.eventsOf(2, 'disk-has-room')).toHaveLength(1);
    expect(storage.hardState).toMatchObject({ term: 9, vote: 1 });
    expect(votes).toMatchObject([
      { to: 1, isRejected: false },
      { to: 3, isRejected: true },
    ]);
  });

  test('of a group of one: proposals are refused, reads go on, and the row is written when there is room', async () => {
    await using cluster = await NodeCluster.open([1], { diskFullRetryTicks: 3 });
    const { node, storage } = await cluster.elect(1);
    storage.isFull = true;

    const inTheRow = endOf(cluster.propose(1, 'in the row'));
    await cluster.settle();
    const refused = await endOf(cluster.propose(1, 'refused'));
    const read = await endOf(node.readIndex());
    storage.isFull = false;
    await cluster.ticks(4);
    const after = await endOf(cluster.propose(1, 'after'));

    expect([refused, read, await inTheRow, after]).toEqual(['KAYA_RAFT_DROPPED', 'kept', 'kept', 'kept']);
    expect(cluster.member(1).machine.list).toEqual(['in the row', 'after']);
  });

  test('of the leader: it hands over at once, and is back when there is room', async () => {
    await using cluster = await NodeCluster.open(IDS);
    const { storage } = await cluster.elect(1);
    const first = cluster.propose(1, 'kept');
    await cluster.settle();
    await first;
    storage.isFull = true;

    const inTheRow = endOf(cluster.propose(1, 'in the row'));
    await cluster.settle();
    const next = await cluster.waitForLeader(OTHERS, 1);
    const refused = endOf(cluster.propose(1, 'refused'));
    const taken = cluster.propose(next.id, 'taken');
    await cluster.ticks(2);
    storage.isFull = false;
    await cluster.ticks(30);

    expect(await refused).toBe('KAYA_RAFT_NOT_LEADER');
    expect(await endOf(taken)).toBe('kept');
    expect(await inTheRow).toBe('kept');
    for (const id of IDS) expect(cluster.member(id).machine.list).toEqual(['kept', 'in the row', 'taken']);
  });

  test('of a follower: appends are dropped, counted, and repaired later', async () => {
    await using cluster = await NodeCluster.open(IDS);
    await cluster.elect(1);
    cluster.member(2).storage.isFull = true;

    for (const text of texts(5)) {
      const done = cluster.propose(1, text);
      await cluster.ticks(1);
      await done;
    }
    const behind = cluster.member(2).machine.list;
    cluster.member(2).storage.isFull = false;
    await cluster.ticks(25);

    expect(behind).toEqual([]);
    expect(cluster.eventsOf(2, 'message-dropped')[0]).toMatchObject({
      cause: 'disk-full',
      message: 'append',
      count: 1,
    });
    expect(cluster.member(2).machine.list).toEqual(texts(5));
  });
});

describe('a disk that does not answer', () => {
  test('of the leader: it goes silent, others take over, and no acknowledged write is lost', async () => {
    await using cluster = await NodeCluster.open(IDS, { storageStallTicks: 5 });
    const { storage } = await cluster.elect(1);
    const first = cluster.propose(1, 'before');
    await cluster.settle();
    await first;
    storage.hold();

    const during = endOf(cluster.propose(1, 'during'));
    await cluster.settle();
    const next = await cluster.waitForLeader(OTHERS);
    const late = endOf(cluster.propose(1, 'late'));
    const after = cluster.propose(next.id, 'after');
    await cluster.ticks(3);

    expect(cluster.eventsOf(1, 'storage-stalled')).toHaveLength(1);
    expect(await late).toMatch(/KAYA_RAFT_(?:DROPPED|NOT_LEADER)/);
    expect(await endOf(after)).toBe('kept');
    // Two disks of three had it, so it was committed; the node whose disk has stopped does not apply what it does not have.
    for (const id of OTHERS) expect(cluster.member(id).machine.list).toEqual(['before', 'during', 'after']);

    await cluster.crash(1);
    expect(await during).toBe('KAYA_RAFT_UNKNOWN_OUTCOME');
    await cluster.restart(1);
    await cluster.ticks(5);
    expect(cluster.member(1).machine.list).toEqual(['before', 'during', 'after']);
  });

  test('of a group of one: it reads on, and leads on when the disk is back', async () => {
    await using cluster = await NodeCluster.open([1], { storageStallTicks: 5 });
    const { storage } = await cluster.elect(1);
    const readable = cluster.node(1).status().appliedIndex;
    storage.hold();
    const pending = endOf(cluster.propose(1, 'a'));

    await cluster.ticks(20);
    const read = cluster.node(1).readIndex();
    await cluster.ticks(1);
    const index = await read;
    const { proposalCount } = cluster.node(1).status();
    storage.release();
    await cluster.ticks(2);

    expect({ index, proposalCount }).toEqual({ index: readable, proposalCount: 1 });
    expect(await pending).toBe('kept');
    expect(cluster.eventsOf(1, 'storage-recovered')).toHaveLength(1);
    expect(cluster.node(1).status().role).toBe('leader');
  });

  test('of a follower: it hears its leader on, and does not campaign', async () => {
    await using cluster = await NodeCluster.open(IDS, { maxWrites: 2 });
    await cluster.elect(1);
    cluster.member(2).storage.hold();

    for (const text of texts(10)) {
      const done = cluster.propose(1, text);
      await cluster.ticks(3);
      await done;
    }
    const { term } = cluster.node(1).status();
    cluster.member(2).storage.release();
    await cluster.ticks(5);

    expect(cluster.eventsOf(2, 'message-dropped')[0]).toMatchObject({ cause: 'writes-full' });
    expect(cluster.node(1).status().term).toBe(term);
    expect(cluster.member(2).machine.list).toEqual(texts(10));
  });
});

describe('a state machine', () => {
  test('that is slow holds up neither commits nor heartbeats', async () => {
    await using cluster = await NodeCluster.open(IDS);
    await cluster.elect(1);
    for (const id of IDS) cluster.member(id).machine.hold();

    const pending = texts(5).map((text) => cluster.propose(1, text));
    await cluster.ticks(30);
    const { term, commit, appliedIndex } = cluster.node(1).status();
    for (const id of IDS) cluster.member(id).machine.release();
    await cluster.ticks(2);
    await Promise.all(pending);

    expect(term).toBe(2);
    expect(commit).toBe(7);
    expect(appliedIndex).toBe(2);
    for (const id of IDS) expect(cluster.member(id).machine.list).toEqual(texts(5));
  });

  test('that throws stops its node, and no other', async () => {
    await using cluster = await NodeCluster.open(IDS);
    await cluster.elect(1);
    cluster.member(1).machine.failure = new Error('the tables are gone');

    const pending = endOf(cluster.propose(1, 'a'));
    await cluster.settle();
    const next = await cluster.waitForLeader(OTHERS);

    expect(await pending).toBe('KAYA_RAFT_UNKNOWN_OUTCOME');
    expect(cluster.eventsOf(1, 'node-failed')).toMatchObject([{ code: 'KAYA_RAFT_STOPPED' }]);
    expect(next.machine.list).toEqual(['a']);
  });

  test('gets many entries in one call', async () => {
    await using cluster = await NodeCluster.open([1]);
    const { machine } = await cluster.elect(1);
    machine.calls.length = 0;

    await Promise.all(texts(100).map((text) => cluster.propose(1, text)));

    expect(machine.calls).toEqual([{ count: 100, upTo: 102 }]);
  });
});

describe('bounds', () => {
  test('refuse proposals beyond their count, which then did not happen', async () => {
    await using cluster = await NodeCluster.open([1], { maxProposals: 10 });
    const { machine } = await cluster.elect(1);

    const ends = await Promise.all(texts(15).map((text) => endOf(cluster.propose(1, text))));

    expect(ends).toEqual([...Array<string>(10).fill('kept'), ...Array<string>(5).fill('KAYA_RAFT_DROPPED')]);
    expect(machine.list).toEqual(texts(10));
  });

  test('refuse a proposal that is empty or too large before it comes near the log', async () => {
    await using cluster = await NodeCluster.open([1], { maxEntryBytes: 100 });
    const { node } = await cluster.elect(1);

    const atLimit = node.propose(new Uint8Array(100));
    const beyond = node.propose(new Uint8Array(101));
    const empty = node.propose(new Uint8Array(0));
    const text = node.propose('text' as unknown as Uint8Array);

    await expect(text).rejects.toThrow(TypeError);
    await expect(beyond).rejects.toThrow(RangeError);
    await expect(empty).rejects.toThrow(RangeError);
    expect(await endOf(atLimit)).toBe('kept');
  });

  test('let single proposals of a batch in that is too much for the quota of the log', async () => {
    await using cluster = await NodeCluster.open([1], { maxUncommittedBytes: 100 });
    const { storage } = await cluster.elect(1);
    storage.hold();

    const first = endOf(cluster.node(1).propose(new Uint8Array(40)));
    await cluster.settle();
    const all = texts(3).map(() => endOf(cluster.node(1).propose(new Uint8Array(40))));
    await cluster.settle();
    storage.release();
    await cluster.settle();

    expect(await first).toBe('kept');
    expect(await Promise.all(all)).toEqual(['kept', 'KAYA_RAFT_DROPPED', 'KAYA_RAFT_DROPPED']);
  });

  test('let a turn take so many proposals, and the next ones the rest', async () => {
    await using cluster = await NodeCluster.open([1]);
    const { machine } = await cluster.elect(1);
    machine.calls.length = 0;

    const ends = await Promise.all(texts(2500).map((text) => endOf(cluster.propose(1, text))));

    expect(new Set(ends)).toEqual(new Set(['kept']));
    expect(machine.calls.map(({ count }) => count)).toEqual([1024, 1024, 452]);
  });

  test('refuse a change of the group that makes it larger than any message can tell, and what is no change', async () => {
    await using cluster = await NodeCluster.open([1]);
    const { node } = await cluster.elect(1);
    const change = (nodes: readonly number[], context = new Uint8Array(0)): Promise<string> =>
      endOf(
        node.proposeConfigChange({
          transition: 'auto',
          steps: nodes.map((id) => ({ kind: 'add-learner', node: id })),
          context,
        }),
      );

    const tooMany = await change(Array.from({ length: 1000 }, (_, at) => at + 2));
    const ends = await Promise.all([change([Infinity]), change([0]), change([2], new Uint8Array(2 * 1024 * 1024 + 1))]);
    const fits = await change([2, 3]);

    expect(tooMany).toBe('KAYA_RAFT_DROPPED');
    expect(ends.every((end) => end.startsWith('RangeError'))).toBe(true);
    expect(fits).toBe('kept');
  });

  test('drop messages that the inbox has no room for, counted, and go on', async () => {
    await using cluster = await NodeCluster.open(IDS, { maxInboxMessages: 4 });
    const { node } = await cluster.elect(1);
    const from2 = { kind: 'heartbeat-response', from: 2, to: 1, term: 2, context: new Uint8Array(0) } as const;

    for (let at = 0; at < 10; at++) node.receive(from2);
    const dropped = cluster.eventsOf(1, 'message-dropped');
    const after = cluster.propose(1, 'a');
    await cluster.ticks(3);

    expect(dropped).toHaveLength(6);
    expect(dropped.at(-1)).toMatchObject({ cause: 'inbox-full', message: 'heartbeat-response', from: 2, count: 6 });
    expect(await endOf(after)).toBe('kept');
  });

  test('refuse reads beyond their count', async () => {
    await using cluster = await NodeCluster.open([1], { maxReads: 3 });
    const { node } = await cluster.elect(1);

    const ends = await Promise.all(texts(4).map(() => endOf(node.readIndex())));

    expect(ends).toEqual(['kept', 'kept', 'kept', 'KAYA_RAFT_DROPPED']);
  });
});

describe('messages that make no sense', () => {
  const noContext = new Uint8Array(0);

  test.each([
    ['of a stranger', { kind: 'heartbeat-response', from: 9, to: 1, term: 2, context: noContext }, 'unknown-sender'],
    [
      'to another node',
      { kind: 'heartbeat', from: 2, to: 3, term: 2, commit: 0, context: noContext },
      'addressed-elsewhere',
    ],
    [
      'from itself',
      { kind: 'heartbeat', from: 1, to: 1, term: 2, commit: 0, context: noContext },
      'addressed-elsewhere',
    ],
    ['of a kind for itself', { kind: 'hup', from: 2, to: 1 }, 'local-kind'],
    ['of a proposal that was passed on', { kind: 'propose', from: 2, to: 1, entries: [] }, 'local-kind'],
    [
      'of a term that is none',
      { kind: 'heartbeat', from: 2, to: 1, term: 0.5, commit: 0, context: noContext },
      'absurd-field',
    ],
    [
      'of what this node never had',
      { kind: 'heartbeat', from: 2, to: 1, term: 3, commit: 99, context: noContext },
      'beyond-log',
    ],
  ])('%s are told, counted and dropped', async (_name, message, refusal) => {
    await using cluster = await NodeCluster.open(IDS);
    const { node } = await cluster.elect(1);

    node.receive(message as PeerMessage);
    await cluster.settle();

    expect(cluster.eventsOf(1, 'message-refused')).toMatchObject([{ refusal, count: 1, message: message.kind }]);
    expect(node.status()).toMatchObject({ role: 'leader', term: 2, refusedMessages: 1 });
  });
});

describe('stopping', () => {
  test('ends every proposal, read and transfer at once, and leaves nothing behind', async () => {
    await using cluster = await NodeCluster.open(IDS);
    const { node } = await cluster.elect(1);
    cluster.isolate(1);
    const appended = endOf(cluster.propose(1, 'a'));
    const read = endOf(node.readIndex());
    await cluster.settle();
    const transfer = endOf(node.transferLeader(2));
    const waiting = endOf(cluster.propose(1, 'b'));

    await node.close();

    expect(await appended).toBe('KAYA_RAFT_UNKNOWN_OUTCOME');
    expect(await read).toBe('KAYA_RAFT_STOPPED');
    expect(await transfer).toBe('KAYA_RAFT_STOPPED');
    expect(await waiting).toBe('KAYA_RAFT_STOPPED');
    expect(await endOf(cluster.propose(1, 'c'))).toBe('KAYA_RAFT_STOPPED');
    for (const id of OTHERS) await cluster.node(id).close();
    expect(cluster.clock.pendingTimers).toBe(0);
  });

  test('waits for the state machine, and tells it nothing more', async () => {
    await using cluster = await NodeCluster.open([1]);
    const { node, machine } = await cluster.elect(1);
    machine.hold();
    const pending = endOf(cluster.propose(1, 'a'));
    await cluster.settle();
    const order: string[] = [];

    const closing = (async () => {
      await node.close();
      order.push('closed');
    })();
    await cluster.settle();
    order.push('released');
    machine.release();
    await closing;

    expect(order).toEqual(['released', 'closed']);
    expect(await pending).toBe('KAYA_RAFT_UNKNOWN_OUTCOME');
  });
});

describe('snapshots', () => {
  test('are made while proposals go on, and the log goes behind them', async () => {
    await using cluster = await NodeCluster.open(IDS, { snapshotBytes: 500, keepBytes: 200, keepForSlowBytes: 1000 });
    await cluster.elect(1);

    for (let round = 0; round < 30; round++) {
      const all = texts(5, `round ${round}`).map((text) => cluster.propose(1, text));
      await cluster.ticks(1);
      await Promise.all(all);
    }

    for (const id of IDS) {
      expect(cluster.eventsOf(id, 'snapshot-made').length).toBeGreaterThan(3);
      expect(cluster.node(id).status().firstIndex).toBeGreaterThan(50);
      expect(cluster.member(id).machine.list).toHaveLength(150);
    }
  });

  test('that take long hold up no commit', async () => {
    await using cluster = await NodeCluster.open([1], { snapshotBytes: 100, keepBytes: 0, keepForSlowBytes: 0 });
    const { machine, storage } = await cluster.elect(1);
    let finish: () => void = () => {};
    const making = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const original = machine.snapshot.bind(machine);
    machine.snapshot = async (point) => {
      const data = await original(point);
      await making;
      return data;
    };

    const first = await Promise.all(texts(20).map((text) => cluster.propose(1, text)));
    const during = await endOf(cluster.propose(1, 'meanwhile'));
    const firstIndexBefore = storage.firstIndex;
    finish();
    await cluster.settle();

    expect(first).toHaveLength(20);
    expect(during).toBe('kept');
    expect(firstIndexBefore).toBe(2);
    expect(storage.snapshot()).toMatchObject({ meta: { index: 22 } });
    expect(storage.firstIndex).toBe(23);
  });

  test('that fail are told, and the node goes on', async () => {
    await using cluster = await NodeCluster.open([1], { snapshotBytes: 100, keepBytes: 0 });
    const { machine } = await cluster.elect(1);
    machine.snapshotFailure = new Error('no room for a checkpoint');

    await Promise.all(texts(20).map((text) => cluster.propose(1, text)));
    const after = await endOf(cluster.propose(1, 'after'));

    expect(after).toBe('kept');
    expect(cluster.eventsOf(1, 'snapshot-not-made').length).toBeGreaterThan(0);
  });

  test('let the log go only as far as the state machine has its data durable', async () => {
    await using cluster = await NodeCluster.open([1], { snapshotBytes: 100, keepBytes: 0, keepForSlowBytes: 0 });
    const { machine, storage } = await cluster.elect(1);
    machine.isDurableAtOnce = false;
    const durable = machine.durableIndex;

    await Promise.all(texts(20).map((text) => cluster.propose(1, text)));
    await cluster.settle();
    await cluster.crash(1);
    await cluster.restart(1);
    await cluster.elect(1);
    await cluster.settle();

    expect(cluster.eventsOf(1, 'snapshot-made').length).toBeGreaterThan(0);
    expect(storage.firstIndex).toBeLessThanOrEqual(durable + 1);
    expect(cluster.member(1).machine.list).toEqual(texts(20));
    expect(cluster.member(1).machine.restoreCount).toBe(0);
  });

  test('replace the state machine at the start where the log does not reach back to it', async () => {
    await using cluster = await NodeCluster.open(IDS, { snapshotBytes: 100, keepBytes: 0, keepForSlowBytes: 0 });
    await cluster.elect(1);
    cluster.isolate(3);
    for (const text of texts(10)) {
      const done = cluster.propose(1, text);
      await cluster.ticks(1);
      await done;
    }
    // The power goes when the snapshot of the leader is durable, and not yet in the state machine.
    const before = cluster.member(3).machine;
    before.hold();
    cluster.heal();
    await cluster.ticks(15);
    expect(cluster.member(3).storage.snapshot()).toMatchObject({ meta: { index: expect.any(Number) } });
    expect(before.restoreCount).toBe(0);

    await cluster.crash(3);
    await cluster.restart(3);
    await cluster.ticks(5);

    expect(cluster.member(3).machine.restoreCount).toBe(1);
    expect(cluster.member(3).machine.list).toEqual(texts(10));
  });

  test('bring a group that changes from before them do not change any more', async () => {
    await using cluster = await NodeCluster.open(IDS, { snapshotBytes: 100, keepBytes: 0, keepForSlowBytes: 0 });
    const { node } = await cluster.elect(1);
    const slow = cluster.member(3).machine;
    slow.hold();
    const addLearner = (id: number): Promise<string> =>
      endOf(
        node.proposeConfigChange({
          transition: 'auto',
          steps: [{ kind: 'add-learner', node: id }],
          context: new Uint8Array(0),
        }),
      );
    const first = addLearner(8);
    await cluster.ticks(2);
    cluster.isolate(3);
    const second = addLearner(9);
    await cluster.ticks(2);
    for (const text of texts(10)) {
      const done = cluster.propose(1, text);
      await cluster.ticks(1);
      await done;
    }

    // The core of node 3 has the group of the snapshot, while its state machine has yet to come to the first change.
    cluster.heal();
    await cluster.ticks(15);
    const during = { learners: cluster.node(3).status().configuration.learners, applied: slow.appliedIndex };
    slow.release();
    await cluster.ticks(5);

    expect([await first, await second]).toEqual(['kept', 'kept']);
    expect(during).toEqual({ learners: [8, 9], applied: 2 });
    expect(cluster.eventsOf(3, 'node-failed')).toEqual([]);
    expect(cluster.eventsOf(3, 'snapshot-installed')).toHaveLength(1);
    expect(cluster.node(3).status().configuration.learners).toEqual([8, 9]);
    expect(cluster.member(3).machine.list).toEqual(texts(10));
  });

  test('that do not arrive are sent again', async () => {
    await using cluster = await NodeCluster.open(IDS, { snapshotBytes: 100, keepBytes: 0, keepForSlowBytes: 0 });
    await cluster.elect(1);
    cluster.isolate(3);
    for (const text of texts(10)) {
      const done = cluster.propose(1, text);
      await cluster.ticks(1);
      await done;
    }
    const carry = cluster.ship;
    let attempts = 0;
    cluster.ship = async (message, signal) => {
      if (++attempts < 3) throw new Error('the connection was lost');
      await carry(message, signal);
    };

    cluster.heal();
    await cluster.ticks(20);

    expect(attempts).toBeGreaterThanOrEqual(3);
    expect(cluster.eventsOf(1, 'snapshot-shipping-failed')).toHaveLength(2);
    expect(cluster.member(3).machine.list).toEqual(texts(10));
  });
});
