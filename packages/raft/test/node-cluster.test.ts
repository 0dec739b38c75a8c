import { describe, expect, test } from 'vitest';

import { endOf, NodeCluster } from './node-cluster.ts';

describe('three nodes', () => {
  test('elect a leader by themselves', async () => {
    await using cluster = await NodeCluster.open([1, 2, 3]);

    const leader = await cluster.waitForLeader([1, 2, 3]);

    expect(leader.node.status()).toMatchObject({ role: 'leader', leader: leader.id });
  });

  test('apply what is proposed, everywhere, and answer with index, term and result', async () => {
    await using cluster = await NodeCluster.open([1, 2, 3]);
    await cluster.elect(2);

    const results = Promise.all(['a', 'b', 'c'].map((text) => cluster.propose(2, text)));
    await cluster.settle();

    expect(await results).toEqual([
      { index: 3, term: 2, result: 0 },
      { index: 4, term: 2, result: 1 },
      { index: 5, term: 2, result: 2 },
    ]);
    for (const id of [1, 2, 3]) expect(cluster.member(id).machine.list).toEqual(['a', 'b', 'c']);
  });

  test('put proposals of one turn into one write', async () => {
    await using cluster = await NodeCluster.open([1, 2, 3]);
    const { storage } = await cluster.elect(1);
    const before = storage.writeCount;

    const results = Array.from({ length: 50 }, (_, at) => cluster.propose(1, `value ${at}`));
    await cluster.settle();

    await Promise.all(results);
    // One with the entries, one with the commit index.
    expect(storage.writeCount - before).toBeLessThanOrEqual(3);
  });

  test('refuse a proposal at a follower, and name the leader', async () => {
    await using cluster = await NodeCluster.open([1, 2, 3]);
    await cluster.elect(3);

    const refused = cluster.propose(1, 'a');

    await expect(refused).rejects.toMatchObject({ code: 'KAYA_RAFT_NOT_LEADER', leader: 3 });
  });

  test('refuse a proposal where nobody leads', async () => {
    await using cluster = await NodeCluster.open([1, 2, 3]);

    const refused = cluster.propose(1, 'a');

    await expect(refused).rejects.toMatchObject({ code: 'KAYA_RAFT_NOT_LEADER', leader: 0 });
  });

  test('go on without the leader, and keep what was acknowledged', async () => {
    await using cluster = await NodeCluster.open([1, 2, 3]);
    await cluster.elect(1);
    const first = cluster.propose(1, 'a');
    await cluster.settle();
    await first;
    await cluster.crash(1);

    const next = await cluster.waitForLeader([2, 3]);
    const second = cluster.propose(next.id, 'b');
    await cluster.ticks(3);

    await second;
    for (const id of [2, 3]) expect(cluster.member(id).machine.list).toEqual(['a', 'b']);
  });

  test('take back a node that starts again from its storage, without applying anything twice', async () => {
    await using cluster = await NodeCluster.open([1, 2, 3]);
    await cluster.elect(1);
    const first = cluster.propose(1, 'a');
    await cluster.settle();
    await first;

    await cluster.crash(2);
    const second = cluster.propose(1, 'b');
    await cluster.settle();
    await second;
    await cluster.restart(2);
    await cluster.ticks(3);

    expect(cluster.member(2).machine.list).toEqual(['a', 'b']);
    expect(cluster.member(2).machine.calls.map(({ upTo }) => upTo)).not.toContain(3);
  });

  test('apply again, after a restart, what the state machine had not made durable', async () => {
    await using cluster = await NodeCluster.open([1, 2, 3]);
    cluster.member(2).machine.isDurableAtOnce = false;
    await cluster.elect(1);
    const first = cluster.propose(1, 'a');
    await cluster.settle();
    await first;
    await cluster.ticks(2);

    await cluster.crash(2);
    await cluster.restart(2);
    const atStart = cluster.member(2).machine.list;
    await cluster.ticks(3);

    expect(atStart).toEqual([]);
    expect(cluster.member(2).machine.list).toEqual(['a']);
  });

  test('end proposals of a leader that was cut off when they learn that others took the place', async () => {
    await using cluster = await NodeCluster.open([1, 2, 3]);
    await cluster.elect(1);
    cluster.isolate(1);
    const lost = endOf(cluster.propose(1, 'lost'));
    await cluster.settle();

    const next = await cluster.waitForLeader([2, 3]);
    const kept = cluster.propose(next.id, 'kept');
    await cluster.ticks(2);
    cluster.heal();
    await cluster.ticks(5);

    expect(await endOf(kept)).toBe('kept');
    expect(await lost).toBe('KAYA_RAFT_DROPPED');
    expect(cluster.member(1).machine.list).toEqual(['kept']);
  });

  test('end a proposal as unknown when a snapshot passes over it', async () => {
    await using cluster = await NodeCluster.open([1, 2, 3], { snapshotBytes: 100, keepBytes: 0, keepForSlowBytes: 0 });
    await cluster.elect(1);
    // The entry gets to node 2, and its acknowledgement does not come back.
    cluster.passes = ({ to, kind }) => !(to === 1 && kind === 'append-response');
    const pending = endOf(cluster.propose(1, 'perhaps'));
    await cluster.settle();
    cluster.passes = () => true;
    cluster.isolate(1);

    const next = await cluster.waitForLeader([2, 3]);
    for (let round = 0; round < 20; round++) {
      const more = cluster.propose(next.id, `value ${round}`);
      await cluster.ticks(1);
      await more;
    }
    expect(cluster.eventsOf(next.id, 'log-compacted').length).toBeGreaterThan(0);
    cluster.heal();
    await cluster.ticks(10);

    expect(cluster.eventsOf(1, 'snapshot-installed')).toHaveLength(1);
    expect(await pending).toBe('KAYA_RAFT_UNKNOWN_OUTCOME');
    expect(cluster.member(1).machine.list).toEqual(cluster.member(next.id).machine.list);
    expect(cluster.member(1).machine.list[0]).toBe('perhaps');
  });

  test('end a proposal as unknown at its deadline', async () => {
    await using cluster = await NodeCluster.open([1, 2, 3], { proposalTicks: 20 });
    await cluster.elect(1);
    cluster.isolate(1);

    const pending = endOf(cluster.propose(1, 'perhaps'));
    await cluster.ticks(25);

    expect(await pending).toBe('KAYA_RAFT_UNKNOWN_OUTCOME');
  });
});

describe('a group of one', () => {
  test('elects itself and commits alone', async () => {
    await using cluster = await NodeCluster.open([7]);
    await cluster.waitForLeader([7]);

    const result = cluster.propose(7, 'a');
    await cluster.settle();

    expect(await result).toMatchObject({ result: 0 });
  });

  test('acknowledges nothing before it is durable', async () => {
    await using cluster = await NodeCluster.open([7]);
    const { storage, machine } = await cluster.elect(7);
    storage.hold();

    const pending = cluster.propose(7, 'a');
    await cluster.settle();
    const before = machine.list;
    storage.release();
    await cluster.settle();

    expect(before).toEqual([]);
    expect(await endOf(pending)).toBe('kept');
  });
});

describe('membership', () => {
  test('grows by a node that starts from nothing, and gets a snapshot', async () => {
    await using cluster = await NodeCluster.open([1, 2, 3]);
    await cluster.elect(1);
    const first = cluster.propose(1, 'a');
    await cluster.settle();
    await first;
    await cluster.start(4);

    const change = cluster.node(1).proposeConfigChange({
      transition: 'auto',
      steps: [{ kind: 'add-learner', node: 4 }],
      context: new Uint8Array(0),
    });
    await cluster.ticks(10);

    expect((await change).configuration).toMatchObject({ voters: [1, 2, 3], learners: [4] });
    expect(cluster.member(4).machine.list).toEqual(['a']);
    expect(cluster.node(4).status()).toMatchObject({ leader: 1, isLearner: true });
  });

  test('changes several voters at once, through a joint configuration that is left by itself', async () => {
    await using cluster = await NodeCluster.open([1, 2, 3]);
    await cluster.elect(1);
    await cluster.start(4);

    const change = cluster.node(1).proposeConfigChange({
      transition: 'auto',
      steps: [
        { kind: 'add-voter', node: 4 },
        { kind: 'remove', node: 3 },
      ],
      context: new Uint8Array(0),
    });
    await cluster.ticks(10);

    expect((await change).configuration).toMatchObject({ voters: [1, 2, 4], votersOutgoing: [1, 2, 3] });
    for (const id of [1, 2, 4]) {
      expect(cluster.node(id).status().configuration).toMatchObject({ voters: [1, 2, 4], votersOutgoing: [] });
    }
  });

  test('a leader that removes itself steps down when that is applied, and the others go on', async () => {
    await using cluster = await NodeCluster.open([1, 2, 3]);
    await cluster.elect(1);

    const change = cluster.node(1).proposeConfigChange({
      transition: 'auto',
      steps: [{ kind: 'remove', node: 1 }],
      context: new Uint8Array(0),
    });
    await cluster.settle();
    await change;

    expect(cluster.node(1).status().role).toBe('follower');
    const next = await cluster.waitForLeader([2, 3]);
    expect(next.node.status().configuration.voters).toEqual([2, 3]);
  });

  test('a change that does not fit is dropped', async () => {
    await using cluster = await NodeCluster.open([1, 2, 3]);
    await cluster.elect(1);

    const change = cluster.node(1).proposeConfigChange({
      transition: 'auto',
      steps: [1, 2, 3].map((node) => ({ kind: 'remove', node })),
      context: new Uint8Array(0),
    });

    expect(await endOf(change)).toBe('KAYA_RAFT_DROPPED');
  });

  test('of two changes at once, the second is dropped', async () => {
    await using cluster = await NodeCluster.open([1, 2, 3]);
    await cluster.elect(1);

    const [first, second] = [2, 3].map((node) =>
      endOf(
        cluster.node(1).proposeConfigChange({
          transition: 'auto',
          steps: [{ kind: 'add-learner', node }],
          context: new Uint8Array(0),
        }),
      ),
    );
    await cluster.ticks(3);

    expect(await first).toBe('kept');
    expect(await second).toBe('KAYA_RAFT_DROPPED');
  });

  test('is known after a restart although no snapshot has it', async () => {
    await using cluster = await NodeCluster.open([1, 2, 3]);
    await cluster.elect(1);
    const change = cluster.node(1).proposeConfigChange({
      transition: 'auto',
      steps: [{ kind: 'remove', node: 3 }],
      context: new Uint8Array(0),
    });
    await cluster.ticks(2);
    await change;

    await cluster.crash(2);
    await cluster.restart(2);

    expect(cluster.node(2).status().configuration.voters).toEqual([1, 2]);
  });
});

describe('leadership', () => {
  test('is handed over, and the promise says when', async () => {
    await using cluster = await NodeCluster.open([1, 2, 3]);
    await cluster.elect(1);

    const done = cluster.node(1).transferLeader(3);
    await cluster.settle();

    await done;
    expect(cluster.node(3).status().role).toBe('leader');
  });

  test('is not handed over to somebody who cannot be reached, and proposals are taken again', async () => {
    await using cluster = await NodeCluster.open([1, 2, 3]);
    await cluster.elect(1);
    cluster.isolate(3);

    const done = endOf(cluster.node(1).transferLeader(3));
    await cluster.settle();
    const during = endOf(cluster.propose(1, 'a'));
    await cluster.ticks(12);
    const after = cluster.propose(1, 'b');
    await cluster.settle();

    expect(await done).toBe('KAYA_RAFT_DROPPED');
    expect(await during).toBe('KAYA_RAFT_DROPPED');
    expect(await endOf(after)).toBe('kept');
  });

  test('cannot be handed over by a follower, nor to a stranger', async () => {
    await using cluster = await NodeCluster.open([1, 2, 3]);
    await cluster.elect(1);

    const byFollower = cluster.node(2).transferLeader(3);
    const toStranger = cluster.node(1).transferLeader(9);

    await expect(byFollower).rejects.toMatchObject({ code: 'KAYA_RAFT_NOT_LEADER', leader: 1 });
    await expect(toStranger).rejects.toMatchObject({ code: 'KAYA_RAFT_DROPPED' });
  });
});
