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
});
