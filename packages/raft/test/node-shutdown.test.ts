/** A node that is closed, or fails, in the middle of something: everybody who waits has an answer, and nothing is sent, stored or applied any more. */

import { encodeUtf8 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import type { PeerMessage } from '../src/core/message.ts';
import { voteRequest } from '../src/testing/test-messages.ts';
import { endOf, NodeCluster } from './node-cluster.ts';

const IDS = [1, 2, 3];
const TIGHT = { snapshotBytes: 100, keepBytes: 0, keepForSlowBytes: 0 };

async function write(cluster: NodeCluster, count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    const done = cluster.propose(1, `value ${at}`);
    await cluster.ticks(1);
    await done;
  }
}

/** Sees to it that something is under way at node 1; what it gives lets it go on. */
type Middle = (cluster: NodeCluster) => Promise<() => void>;

const MIDDLES: readonly (readonly [what: string, middle: Middle])[] = [
  [
    'of a write',
    async (cluster) => {
      const { storage } = cluster.member(1);
      storage.hold();
      return () => storage.release();
    },
  ],
  [
    'of a row that waits for room on the disk',
    async (cluster) => {
      const { storage } = cluster.member(1);
      storage.isFull = true;
      return () => {
        storage.isFull = false;
      };
    },
  ],
  [
    'of applying',
    async (cluster) => {
      const { machine } = cluster.member(1);
      machine.hold();
      return () => machine.release();
    },
  ],
  [
    'of a snapshot that it makes',
    async (cluster) => {
      const { machine } = cluster.member(1);
      let finish: () => void = () => {};
      machine.snapshot = () =>
        new Promise((resolve) => {
          finish = () => resolve(encodeUtf8('[]'));
        });
      await write(cluster, 5);
      return () => finish();
    },
  ],
  [
    'of a snapshot that it sends',
    async (cluster) => {
      cluster.isolate(3);
      await write(cluster, 10);
      const carry = cluster.ship;
      let letGo: () => void = () => {};
      cluster.ship = () => {
        cluster.ship = carry;
        return new Promise((_resolve, reject) => {
          letGo = () => reject(new Error('let go'));
        });
      };
      cluster.heal();
      await cluster.ticks(5);
      return () => letGo();
    },
  ],
  [
    'of a snapshot that it takes over',
    async (cluster) => {
      const { node, machine } = cluster.member(1);
      await cluster.waitForLeader(IDS);
      cluster.isolate(1);
      machine.hold();
      const configuration = { voters: IDS, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
      const meta = { index: 50, term: 2, configuration };
      const snapshot = { meta, data: encodeUtf8('[]') };
      void endOf(node.installSnapshot({ kind: 'snapshot', from: 2, to: 1, term: 9, snapshot }));
      await cluster.settle();
      return () => machine.release();
    },
  ],
];

describe('a node that is closed in the middle', () => {
  test.each(MIDDLES)('%s answers everybody, and is done when that has ended', async (_what, middle) => {
    await using cluster = await NodeCluster.open(IDS, TIGHT);
    const { node, storage, machine } = await cluster.elect(1);
    const goOn = await middle(cluster);
    const waiting = [
      endOf(cluster.propose(1, 'a')),
      endOf(node.readIndex()),
      endOf(node.transferLeader(2)),
      endOf(cluster.propose(1, 'b')),
    ];
    await cluster.settle();
    waiting.push(endOf(cluster.propose(1, 'c')), endOf(node.readIndex()));

    const sent: PeerMessage[] = [];
    cluster.passes = (message) => message.from !== 1 || sent.push(message) === 0;
    const closing = Promise.all([node.close(), node.close()]);
    const ends = await Promise.all(waiting);
    const { writeCount } = storage;
    const callCount = machine.calls.length;
    goOn();
    await closing;
    await cluster.ticks(10);

    const allowed = /^(?:kept|KAYA_RAFT_(?:STOPPED|UNKNOWN_OUTCOME|DROPPED|NOT_LEADER))$/u;
    expect(ends.filter((end) => !allowed.test(end))).toEqual([]);
    expect(sent).toEqual([]);
    expect([storage.writeCount, machine.calls.length]).toEqual([writeCount, callCount]);
    expect(cluster.eventsOf(1, 'node-failed')).toEqual([]);
    expect(await endOf(node.propose(encodeUtf8('late')))).toBe('KAYA_RAFT_STOPPED');
    node.receive({ kind: 'timeout-now', from: 2, to: 1, term: 99 });
    node.campaign();
    await cluster.settle();
    expect(sent).toEqual([]);
  });

  test.each(MIDDLES)('%s starts again, and has everything that was acknowledged', async (what, middle) => {
    await using cluster = await NodeCluster.open(IDS, TIGHT);
    await cluster.elect(1);
    await write(cluster, 3);
    await middle(cluster);

    await cluster.crash(1);
    cluster.heal();
    await cluster.restart(1);
    await cluster.ticks(60);

    expect(cluster.eventsOf(1, 'node-failed')).toEqual([]);
    if (what.endsWith('takes over')) return;
    for (const id of IDS)
      expect(cluster.member(id).machine.list.slice(0, 3)).toEqual(['value 0', 'value 1', 'value 2']);
  });
});

describe('a node that fails in the middle', () => {
  test.each(MIDDLES)('%s answers everybody, and sends nothing more', async (_what, middle) => {
    await using cluster = await NodeCluster.open(IDS, TIGHT);
    const { node, storage } = await cluster.elect(1);
    const goOn = await middle(cluster);
    const waiting = [endOf(cluster.propose(1, 'a')), endOf(node.readIndex()), endOf(node.transferLeader(2))];

    storage.fail(new Error('the cable is loose'));
    const later = { term: 99, lastIndex: 99, lastTerm: 98, isTransfer: true };
    node.receive(voteRequest('vote', { from: 2, to: 1, ...later }));
    await cluster.ticks(15);
    const sent: PeerMessage[] = [];
    cluster.passes = (message) => message.from !== 1 || sent.push(message) === 0;
    goOn();
    await cluster.ticks(60);

    expect((await Promise.all(waiting)).every((end) => end === 'kept' || end.startsWith('KAYA_RAFT_'))).toBe(true);
    expect(cluster.eventsOf(1, 'node-failed')).toMatchObject([{ code: 'KAYA_RAFT_POISONED' }]);
    expect(sent).toEqual([]);
  });
});
