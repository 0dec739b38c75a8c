import { describe, expect, test } from 'vitest';

import { endOf, NodeCluster } from './node-cluster.ts';

const IDS = [1, 2, 3];

describe('a linearizable read', () => {
  test('at the leader sees what was acknowledged before, with one round of heartbeats for many callers', async () => {
    await using cluster = await NodeCluster.open(IDS);
    const { node } = await cluster.elect(1);
    const written = cluster.propose(1, 'a');
    await cluster.settle();
    const { index } = await written;
    let heartbeats = 0;
    cluster.passes = ({ kind, to }) => {
      if (kind === 'heartbeat' && to === 2) heartbeats++;
      return true;
    };

    const reads = await Promise.all(Array.from({ length: 50 }, () => node.readIndex()));

    expect(new Set(reads)).toEqual(new Set([index]));
    expect(heartbeats).toBe(1);
  });

  test('at a follower waits until it has applied what it must see', async () => {
    await using cluster = await NodeCluster.open(IDS);
    await cluster.elect(1);
    const { machine, node } = cluster.member(2);
    machine.hold();
    const written = cluster.propose(1, 'a');
    await cluster.settle();
    const { index } = await written;

    const read = node.readIndex();
    await cluster.settle();
    const before = node.status().readCount;
    machine.release();

    expect(before).toBe(1);
    expect(await read).toBe(index);
    expect(machine.list).toEqual(['a']);
  });

  test('at a leader that was cut off, while another leads, fails and never answers', async () => {
    await using cluster = await NodeCluster.open(IDS, { readTicks: 20 });
    await cluster.elect(1);
    cluster.isolate(1);

    const read = endOf(cluster.node(1).readIndex());
    const next = await cluster.waitForLeader([2, 3]);
    await endOf(Promise.race([cluster.propose(next.id, 'new'), cluster.ticks(3)]));
    await cluster.ticks(25);

    expect(await read).toBe('KAYA_RAFT_DROPPED');
  });

  test('that was lost on its way is asked for again', async () => {
    await using cluster = await NodeCluster.open(IDS, { readRetryTicks: 2 });
    await cluster.elect(1);
    let lost = 0;
    cluster.passes = ({ kind }) => kind !== 'read-index' || lost++ > 0;

    const read = cluster.node(2).readIndex();
    await cluster.ticks(5);

    expect(await endOf(read)).toBe('kept');
    expect(lost).toBe(2);
  });

  test('before anybody leads is answered when somebody does', async () => {
    await using cluster = await NodeCluster.open(IDS);

    const read = cluster.node(3).readIndex();
    await cluster.waitForLeader(IDS);
    await cluster.ticks(10);

    expect(await endOf(read)).toBe('kept');
  });

  test('of a leader that has just been elected waits for the first commit of its term', async () => {
    await using cluster = await NodeCluster.open(IDS);
    await cluster.elect(1);
    const written = cluster.propose(1, 'a');
    await cluster.settle();
    await written;
    cluster.passes = ({ kind }) => kind !== 'append';
    cluster.node(2).forgetLeader();
    cluster.node(3).forgetLeader();
    await cluster.elect(2);

    const read = cluster.node(2).readIndex();
    await cluster.settle();
    const before = cluster.node(2).status().readCount;
    cluster.passes = () => true;
    await cluster.ticks(3);

    expect(before).toBe(1);
    expect(await read).toBe(4);
  });

  test('for which its leader has no room is told there, and asked for again until it is answered', async () => {
    await using cluster = await NodeCluster.open(IDS, { maxPendingReads: 1, readRetryTicks: 2 });
    await cluster.elect(1);
    cluster.passes = ({ kind }) => kind !== 'heartbeat-response';
    const own = cluster.node(1).readIndex();
    await cluster.settle();

    const forwarded = cluster.node(2).readIndex();
    await cluster.settle();
    const dropped = cluster.eventsOf(1, 'message-dropped');
    cluster.passes = () => true;
    await cluster.ticks(5);

    expect(dropped).toMatchObject([{ from: 2, message: 'read-index', cause: 'reads-full' }]);
    expect([await endOf(own), await endOf(forwarded)]).toEqual(['kept', 'kept']);
  });

  test('for which its leader never has room fails in time, with a typed error', async () => {
    await using cluster = await NodeCluster.open(IDS, { maxPendingReads: 1, readRetryTicks: 2, readTicks: 8 });
    await cluster.elect(1);
    // The leader goes on leading, and confirms no read.
    cluster.passes = ({ kind, ...message }) =>
      kind !== 'heartbeat-response' || (message as { context: Uint8Array }).context.byteLength === 0;
    void endOf(cluster.node(1).readIndex());
    await cluster.settle();

    const forwarded = endOf(cluster.node(2).readIndex());
    await cluster.ticks(9);

    expect(await forwarded).toBe('KAYA_RAFT_DROPPED');
    expect(cluster.node(2).status().readCount).toBe(0);
  });
});

describe('the term that a lease may hang on', () => {
  test('is that of a leader, until it tells somebody to take over', async () => {
    await using cluster = await NodeCluster.open(IDS);
    await cluster.elect(1);
    const { node } = cluster.member(1);
    cluster.passes = ({ kind }) => kind !== 'timeout-now';

    const before = [node.leaseTerm, cluster.node(2).leaseTerm];
    const transfer = endOf(node.transferLeader(2));
    await cluster.settle();
    const during = node.leaseTerm;
    await cluster.ticks(12);

    // The hand-over was given up, but the other one may have been told, and campaigns whenever it hears of it.
    expect([before, during, node.leaseTerm]).toEqual([[2, undefined], undefined, undefined]);
    expect(await transfer).toBe('KAYA_RAFT_DROPPED');
    await node.close();
    expect(node.leaseTerm).toBeUndefined();
  });

  test('is not cut short by a follower that starts again and gives its vote to whoever asks', async () => {
    await using cluster = await NodeCluster.open(IDS, { voteDelayTicks: 10 });
    await cluster.ticks(10);
    await cluster.elect(1);
    // Node 3 hears only node 2, which hears the leader, and loses its process for a moment.
    cluster.passes = ({ from, to }) => !(from === 1 && to === 3) && !(from === 3 && to === 1);
    await cluster.ticks(9);
    const read = cluster.node(1).readIndex();
    await cluster.settle();
    await read;
    await cluster.crash(2);
    await cluster.restart(2);
    cluster.isolate(1);

    cluster.node(3).campaign();
    await cluster.ticks(8);
    const within = [cluster.node(1).leaseTerm, cluster.node(3).status().role === 'leader'];
    await cluster.waitForLeader([2, 3]);

    expect(within).toEqual([2, false]);
    expect(cluster.eventsOf(2, 'message-dropped')[0]).toMatchObject({ cause: 'just-started', message: 'pre-vote' });
  });
});
