/** Snapshots at a whole node: what becomes of one that is given to it, when it makes its own, and whom it stops sending them to. */

import { encodeUtf8 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import type { SnapshotRequest } from '../src/core/message.ts';
import { endOf, NodeCluster } from './node-cluster.ts';

const IDS = [1, 2, 3];
const TIGHT = { snapshotBytes: 100, keepBytes: 0, keepForSlowBytes: 0 };

/** What node 1, as the leader of term 2, sends node 3. */
function snapshotFor3(index: number, change: Partial<SnapshotRequest> = {}): SnapshotRequest {
  const configuration = { voters: IDS, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
  const snapshot = { meta: { index, term: 2, configuration }, data: encodeUtf8('["a","b"]') };
  return { kind: 'snapshot', from: 1, to: 3, term: 2, snapshot, ...change };
}

async function write(cluster: NodeCluster, id: number, count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    const done = cluster.propose(id, `value ${at}`);
    await cluster.ticks(1);
    await done;
  }
}

describe('a snapshot that is given to a node', () => {
  test('is installed, which is told when the state machine has it', async () => {
    await using cluster = await NodeCluster.open(IDS);
    const { node, machine } = cluster.member(3);
    machine.hold();

    const outcome = endOf(node.installSnapshot(snapshotFor3(10)));
    await cluster.settle();
    const early = machine.restoreCount;
    machine.release();

    expect(await outcome).toBe('kept');
    expect([early, machine.restoreCount, machine.list]).toEqual([0, 1, ['a', 'b']]);
  });

  test.each([
    ['of what it has', snapshotFor3(1)],
    [
      'of a group that it is not in',
      snapshotFor3(10, {
        snapshot: {
          ...snapshotFor3(10).snapshot,
          meta: {
            index: 10,
            term: 2,
            configuration: { voters: [1, 2], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false },
          },
        },
      }),
    ],
    ['that makes no sense', snapshotFor3(10, { term: 1 })],
  ])('%s is not needed, and its files may go', async (_what, request) => {
    await using cluster = await NodeCluster.open(IDS);
    const { node, machine } = cluster.member(3);

    const outcome = await node.installSnapshot(request);

    expect([outcome, machine.restoreCount]).toEqual(['not-needed', 0]);
  });

  test('of a leader of an earlier term is not needed', async () => {
    await using cluster = await NodeCluster.open(IDS);
    await cluster.elect(2);
    await write(cluster, 2, 1);

    expect(await cluster.node(3).installSnapshot(snapshotFor3(10, { term: 1, from: 1 }))).toBe('not-needed');
  });

  test('finds no room while the disk is full, and may be given again', async () => {
    await using cluster = await NodeCluster.open(IDS, { diskFullRetryTicks: 2 });
    const { node, storage } = cluster.member(3);
    storage.isFull = true;
    node.campaign();
    await cluster.settle();

    const full = await node.installSnapshot(snapshotFor3(10, { term: 9 }));
    storage.isFull = false;
    await cluster.ticks(3);
    const again = await node.installSnapshot(snapshotFor3(10, { term: 9 }));

    expect([full, again]).toEqual(['no-room', 'installed']);
  });

  test('finds no room in a full inbox, nor while another one is on its way', async () => {
    await using cluster = await NodeCluster.open(IDS, { maxInboxMessages: 1 });
    const { node, machine } = cluster.member(3);
    machine.hold();

    const first = node.installSnapshot(snapshotFor3(10));
    const second = await node.installSnapshot(snapshotFor3(20));
    machine.release();

    expect([await first, second]).toEqual(['installed', 'no-room']);
  });

  test('ends with the node, as that may ask for it when it starts again', async () => {
    await using cluster = await NodeCluster.open(IDS);
    const { node, machine } = cluster.member(3);
    machine.hold();
    const outcome = endOf(node.installSnapshot(snapshotFor3(10)));
    await cluster.settle();

    await cluster.crash(3);
    await cluster.restart(3);

    expect(await outcome).toBe('KAYA_RAFT_STOPPED');
    expect(cluster.member(3).machine.list).toEqual(['a', 'b']);
    expect(await endOf(cluster.node(3).installSnapshot(snapshotFor3(10)))).toBe('kept');
  });

  test('waits for the one that the node is making', async () => {
    await using cluster = await NodeCluster.open(IDS, TIGHT);
    await cluster.elect(1);
    const { node, machine } = cluster.member(3);
    const order: string[] = [];
    let finish: () => void = () => {};
    const making = new Promise<void>((resolve) => {
      finish = resolve;
    });
    machine.snapshot = async () => {
      await making;
      order.push('made');
      return encodeUtf8('[]');
    };
    const restore = machine.restore.bind(machine);
    machine.restore = async (snapshot) => {
      order.push('restore');
      await restore(snapshot);
    };
    await write(cluster, 1, 10);

    const outcome = node.installSnapshot(snapshotFor3(100));
    await cluster.settle();
    order.push('finish');
    finish();

    expect(await outcome).toBe('installed');
    expect(order).toEqual(['finish', 'made', 'restore']);
  });
});

describe('a node whose disk has failed beside its log', () => {
  test('ends at once, tells why, and answers whoever waits', async () => {
    await using cluster = await NodeCluster.open(IDS);
    const { node, machine } = cluster.member(3);
    machine.hold();
    const outcome = endOf(node.installSnapshot(snapshotFor3(10)));
    await cluster.settle();
    const cause = new Error('a sync failed');

    node.poison(cause);
    node.poison(new Error('another'));

    expect(await outcome).toBe('KAYA_RAFT_POISONED');
    expect(node.endError).toMatchObject({ code: 'KAYA_RAFT_POISONED', cause });
    expect(cluster.eventsOf(3, 'node-failed')).toEqual([{ kind: 'node-failed', code: 'KAYA_RAFT_POISONED', cause }]);
    machine.release();
  });
});

describe('the snapshots of a node', () => {
  test('are not sent twice, whatever is written while one is on its way, if it is worth keeping the log for it', async () => {
    await using cluster = await NodeCluster.open(IDS, { snapshotBytes: 100, keepBytes: 0, keepForSlowBytes: 100 });
    const { machine } = await cluster.elect(1);
    let worth = 100_000;
    machine.logWorthBytes = () => Promise.resolve(worth);
    const sent: number[] = [];
    let arrive: () => void = () => {};
    cluster.ship = async (message) => {
      sent.push(message.snapshot.meta.index);
      await new Promise<void>((resolve) => {
        arrive = resolve;
      });
      await cluster.node(message.to).installSnapshot(message);
    };
    const catchUp = async (): Promise<number> => {
      sent.length = 0;
      cluster.isolate(3);
      await write(cluster, 1, 30);
      cluster.heal();
      await cluster.ticks(20);
      await write(cluster, 1, 100);
      arrive();
      await cluster.ticks(20);
      return sent.length;
    };

    const once = await catchUp();
    const list = [...cluster.member(3).machine.list];
    worth = 0;
    const again = await catchUp();
    arrive();

    expect([once, again]).toEqual([1, 2]);
    expect(list).toEqual(cluster.member(1).machine.list.slice(0, 130));
  });

  test('are made however often it is started again between them', async () => {
    await using cluster = await NodeCluster.open([1], { snapshotBytes: 1000, keepBytes: 0, keepForSlowBytes: 0 });

    for (let life = 0; life < 8; life++) {
      await cluster.elect(1);
      await Promise.all(Array.from({ length: 5 }, (_, at) => cluster.propose(1, `value ${life} ${at}`)));
      await cluster.settle();
      await cluster.crash(1);
      await cluster.restart(1);
    }

    // Each life applies 200 bytes or so.
    expect(cluster.eventsOf(1, 'snapshot-made').length).toBeGreaterThan(0);
    expect(cluster.node(1).status().firstIndex).toBeGreaterThan(20);
  });

  test('are not sent on by a leader that leads no more, and the next leader sends its own', async () => {
    await using cluster = await NodeCluster.open(IDS, TIGHT);
    await cluster.elect(1);
    cluster.isolate(3);
    await write(cluster, 1, 10);
    const carry = cluster.ship;
    const aborted: unknown[] = [];
    cluster.ship = (_message, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted.push(signal.reason);
          reject(signal.reason as Error);
        });
      });
    cluster.heal();
    await cluster.ticks(5);
    const before = aborted.length;

    cluster.ship = carry;
    const transfer = cluster.node(1).transferLeader(2);
    await cluster.ticks(10);
    await transfer;

    expect(before).toBe(0);
    expect(aborted).toMatchObject([{ code: 'KAYA_RAFT_DROPPED' }]);
    expect(cluster.member(3).machine.list).toEqual(cluster.member(2).machine.list);
  });
});
