/**
 * What comes from outside and is not as it should be, at a whole node: it is told as a typed event, the process goes on, and no vote is forgotten.
 * What the core makes of bad messages by itself is in scenarios-bad-input.test.ts; full and failing disks are in node-faults.test.ts, too.
 */

import { concatBytes, encodeUtf8, writeU32 } from '@kayadb/codec';
import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import type { PeerMessage } from '../src/core/message.ts';
import type { NodeEvent } from '../src/node/node-events.ts';
import { PeerIntake } from '../src/node/peer-intake.ts';
import { SnapshotInstaller } from '../src/node/snapshot-installer.ts';
import { MemoryRaftStorage } from '../src/storage/memory-storage.ts';
import type { RaftIdentity } from '../src/storage/raft-identity.ts';
import {
  appendRequest,
  appendResponse,
  heartbeat,
  heartbeatResponse,
  voteRequest,
} from '../src/testing/test-messages.ts';
import { encodePeerMessage } from '../src/wire/encode-peer-message.ts';
import type { TransferMessage } from '../src/wire/transfer-message.ts';
import { GatedStorage } from './gated-storage.ts';
import { endOf, type Member, NodeCluster } from './node-cluster.ts';
import { CONTENTS, MemorySnapshot, openDisk, openReceiver, openSender, sentBy } from './transfer-world.ts';

const IDS = [1, 2, 3];
const CLUSTER = new Uint8Array(16).fill(1);
const OLD_CLUSTER = new Uint8Array(16).fill(2);

/** Node 2 as the group knows it. */
const NODE_2: RaftIdentity = { clusterId: CLUSTER, nodeId: 2, incarnation: 7 };

/** Three nodes that know node 2's incarnation, and no other's. */
async function openKnowing(incarnations: Map<number, number>): Promise<NodeCluster> {
  const cluster = await NodeCluster.open([]);
  cluster.peers = { clusterId: CLUSTER, incarnationOf: (id) => incarnations.get(id) };
  for (const id of IDS) await cluster.start(id, IDS);
  return cluster;
}

/** A candidate of term 9, whom a node that is asked like this does not pass over for its leader's sake. */
function askForVote(from: number): PeerMessage {
  return voteRequest('vote', { from, to: 1, term: 9, lastIndex: 99, lastTerm: 8, isTransfer: true });
}

function intakeOf({ node, events }: Member, origin = NODE_2): PeerIntake {
  return new PeerIntake({ origin, node, onTransfer: () => {}, onEvent: (event) => void events.push(event) });
}

describe('a message from an unknown node', () => {
  test('counts for nothing where it is an answer, and is told', async () => {
    await using cluster = await NodeCluster.open(IDS);
    const { node } = await cluster.elect(1);

    node.receive(appendResponse({ from: 9, to: 1, term: 2, index: 2 }));
    node.receive(heartbeatResponse({ from: 9, to: 1, term: 2 }));
    await cluster.settle();

    expect(cluster.eventsOf(1, 'message-refused')).toMatchObject([
      { from: 9, refusal: 'unknown-sender', message: 'append-response', count: 1 },
      { from: 9, refusal: 'unknown-sender', message: 'heartbeat-response', count: 2 },
    ]);
    expect(node.status()).toMatchObject({ role: 'leader', term: 2 });
  });
});

describe('a message from an older cluster', () => {
  test('is refused, whatever it says: its vote is not asked for, its leader not followed', async () => {
    await using cluster = await openKnowing(new Map([[2, 7]]));
    const { node } = await cluster.elect(1);
    const origin = { ...NODE_2, clusterId: OLD_CLUSTER };

    node.receive(askForVote(2), origin);
    node.receive(appendRequest({ from: 2, to: 1, term: 9 }), origin);
    node.receive(heartbeat({ from: 2, to: 1, term: 9 }), origin);
    await cluster.settle();

    expect(cluster.eventsOf(1, 'message-refused').map(({ refusal }) => refusal)).toEqual(
      Array<string>(3).fill('foreign-cluster'),
    );
    expect(node.status()).toMatchObject({ role: 'leader', term: 2, refusedMessages: 3 });
  });

  test('that claims entries which this node never had, without a handshake to know it by, is told and ends nothing', async () => {
    await using cluster = await NodeCluster.open(IDS);
    const { node } = await cluster.elect(1);

    node.receive(heartbeat({ from: 2, to: 1, term: 5, commit: 70 }));
    await cluster.settle();

    expect(cluster.eventsOf(1, 'message-refused')).toMatchObject([{ refusal: 'beyond-log' }]);
    expect(cluster.eventsOf(1, 'node-failed')).toEqual([]);
  });
});

describe('a message from a removed incarnation', () => {
  test('is refused, also over a connection that was made before the group knew the new one', async () => {
    const incarnations = new Map<number, number>();
    await using cluster = await openKnowing(incarnations);
    const { node } = await cluster.elect(1);
    const late = { ...NODE_2, incarnation: 6 };
    const before = node.status().refusedMessages;

    node.receive(heartbeatResponse({ from: 2, to: 1, term: 2 }), late);
    await cluster.settle();
    const taken = node.status().refusedMessages === before;
    incarnations.set(2, 7);
    node.receive(askForVote(2), late);
    node.receive(heartbeatResponse({ from: 2, to: 1, term: 2 }), NODE_2);
    await cluster.settle();

    expect(taken).toBe(true);
    expect(cluster.eventsOf(1, 'message-refused')).toMatchObject([{ refusal: 'stale-incarnation', message: 'vote' }]);
    expect(node.status()).toMatchObject({ role: 'leader', term: 2 });
  });

  test('does not count as a vote of the one that has its place', async () => {
    await using cluster = await openKnowing(new Map([[2, 7]]));
    const { node } = cluster.member(1);
    cluster.isolate(1);
    node.campaign();
    await cluster.settle();

    node.receive(
      { kind: 'pre-vote-response', from: 2, to: 1, term: 2, isRejected: false, commit: 0, commitTerm: 0 },
      { ...NODE_2, incarnation: 6 },
    );
    await cluster.settle();
    const fenced = node.status().role;
    node.receive(
      { kind: 'pre-vote-response', from: 2, to: 1, term: 2, isRejected: false, commit: 0, commitTerm: 0 },
      NODE_2,
    );
    await cluster.settle();

    expect([fenced, node.status().role]).toEqual(['pre-candidate', 'candidate']);
  });
});

describe('a message in the name of another node', () => {
  test('is refused, unless it is of a kind that is passed on', async () => {
    await using cluster = await openKnowing(new Map());
    const { node } = await cluster.elect(1);

    node.receive(heartbeatResponse({ from: 3, to: 1, term: 2 }), NODE_2);
    node.receive({ kind: 'transfer-leader', from: 3, to: 1, term: 2 }, NODE_2);
    await cluster.settle();

    expect(cluster.eventsOf(1, 'message-refused')).toMatchObject([{ refusal: 'borrowed-name', from: 3, count: 1 }]);
    expect(cluster.node(3).status().role).toBe('leader');
  });
});

describe('garbage bytes', () => {
  test('from a peer end its connection and nothing else, with an event that says why', async () => {
    await using cluster = await NodeCluster.open(IDS);
    const member = await cluster.elect(1);
    const random = seededRandom(testSeed());

    for (let round = 0; round < 200; round++) {
      const intake = intakeOf(member);
      const garbage = Uint8Array.from({ length: 200 }, () => random.int(256));
      // A length that can be, so that there is a frame to look at.
      writeU32(garbage, 0, 1 + random.int(150));
      expect(intake.push(garbage)).toBe(false);
      const sound = encodePeerMessage(heartbeat({ from: 2, to: 1, term: 9 }));
      expect([intake.push(sound), intake.takeFrame(sound.subarray(4))]).toEqual([false, false]);
    }
    const after = cluster.propose(1, 'after');
    await cluster.settle();

    const refused = cluster.eventsOf(1, 'frame-refused');
    expect(refused).toHaveLength(200);
    expect(new Set(refused.map(({ from, code }) => `${from} ${code}`))).toEqual(new Set(['2 KAYA_RAFT_MALFORMED']));
    expect(await endOf(after)).toBe('kept');
    expect(member.node.status()).toMatchObject({ role: 'leader', term: 2 });
  });

  test.each([
    ['an impossible length', Uint8Array.of(255, 255, 255, 255), 'KAYA_FRAME_TOO_LARGE'],
    ['an empty frame', Uint8Array.of(0, 0, 0, 0), 'KAYA_FRAME_EMPTY'],
  ])('that begin with %s are told as %s', async (_what, bytes, code) => {
    await using cluster = await NodeCluster.open(IDS);
    const intake = intakeOf(cluster.member(1));

    expect(intake.push(bytes)).toBe(false);

    expect(cluster.eventsOf(1, 'frame-refused')).toMatchObject([{ from: 2, code }]);
  });

  test('of a later version are told and passed over; what is behind them is read', async () => {
    await using cluster = await NodeCluster.open(IDS);
    const member = await cluster.elect(1);
    const intake = intakeOf(member);
    const unknown = Uint8Array.from(
      Buffer.from('2800000059e5f5e6010f00000000000000000000010000000000000003000000000000000500000000000000', 'hex'),
    );
    const known = encodePeerMessage(heartbeatResponse({ from: 9, to: 1, term: 2 }));

    const goesOn = [intake.push(concatBytes([unknown, known])), intake.takeFrame(unknown.subarray(4))];
    await cluster.settle();

    expect(goesOn).toEqual([true, true]);
    const unsupported = { code: 'KAYA_RAFT_UNSUPPORTED' };
    expect(cluster.eventsOf(1, 'frame-refused')).toMatchObject([unsupported, unsupported]);
    expect(cluster.eventsOf(1, 'message-refused')).toMatchObject([{ refusal: 'unknown-sender' }]);
  });
});

describe('a snapshot', () => {
  test('with a wrong checksum is refused with an event, and the node never hears of it', async () => {
    await using cluster = await NodeCluster.open(IDS);
    const { node, machine } = cluster.member(3);
    const events: NodeEvent[] = [];
    const sent: TransferMessage[] = [];
    const installer = new SnapshotInstaller({
      node,
      receiver: openReceiver(await openDisk()),
      target: { adopt: () => Promise.reject(new Error('never')), abandon: async () => {} },
      send: (message) => void sent.push(message),
      onEvent: (event) => void events.push(event),
    });
    const pinned = new MemorySnapshot();
    pinned.readFrom = (file) => CONTENTS[file]![1].map((byte) => byte ^ 1);
    const sender = openSender({ pinned });

    for (let effects = sender.offer(); effects.length > 0;) {
      for (const message of sentBy(effects)) {
        if (message.kind === 'snapshot-offer' || message.kind === 'snapshot-chunk') await installer.receive(message);
      }
      const answers = sent.splice(0) as Parameters<typeof sender.receive>[0][];
      effects = (await Promise.all(answers.map((answer) => sender.receive(answer)))).flat();
    }
    await cluster.settle();

    expect(events).toEqual([{ kind: 'snapshot-transfer-refused', from: 1, reason: 'checksum', cause: undefined }]);
    expect([machine.restoreCount, cluster.eventsOf(3, 'node-failed')]).toEqual([0, []]);
  });

  test('that comes without its files is refused, and the state machine is not asked to restore what it does not have', async () => {
    await using cluster = await NodeCluster.open(IDS);
    const { node, machine } = cluster.member(3);
    const configuration = { voters: IDS, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
    const snapshot = { meta: { index: 50, term: 3, configuration }, data: encodeUtf8('["a"]') };

    node.receive({ kind: 'snapshot', from: 1, to: 3, term: 4, snapshot });
    await cluster.settle();

    expect(cluster.eventsOf(3, 'message-refused')).toMatchObject([{ refusal: 'without-files' }]);
    expect([machine.restoreCount, node.status().lastIndex]).toEqual([0, 1]);
  });
});

describe('a full disk in the log', () => {
  test('forgets no vote, not even when the process is killed before there is room', async () => {
    await using cluster = await NodeCluster.open(IDS, { diskFullRetryTicks: 3 });
    cluster.member(1).storage.isFull = true;
    const votes: PeerMessage[] = [];
    cluster.passes = (message) => {
      if (message.kind === 'vote-response' && message.from === 1) votes.push(message);
      return false;
    };

    cluster.node(1).receive(askForVote(2));
    await cluster.ticks(2);
    await cluster.crash(1);
    await cluster.restart(1);
    cluster.node(1).receive(askForVote(3));
    await cluster.settle();

    // Nobody was told of the first vote, so the second is the only one.
    expect(votes).toMatchObject([{ to: 3, term: 9, isRejected: false }]);
    expect(cluster.eventsOf(1, 'disk-full')).toHaveLength(1);
    expect(cluster.eventsOf(1, 'node-failed')).toEqual([]);
  });
});

describe('a committed change of the group that cannot be read', () => {
  /** As a later version may write it. */
  const unreadable = { term: 1, index: 2, kind: 'config', data: Uint8Array.of(99) } as const;

  async function logWithIt(): Promise<GatedStorage> {
    const configuration = { voters: [1], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
    const snapshot = { meta: { index: 1, term: 1, configuration }, data: encodeUtf8('[]') };
    const inner = new MemoryRaftStorage({ snapshot, hardState: { term: 1, vote: 0, commit: 1 } });
    await inner.write({ entries: [unreadable], hardState: { term: 1, vote: 0, commit: 2 }, snapshot: undefined });
    return new GatedStorage(inner.reopen());
  }

  test('stops the node that applies it, by a typed error, and nothing is thrown into the process', async () => {
    await using cluster = await NodeCluster.open([]);
    await cluster.start(1, [1]);
    await cluster.crash(1);
    cluster.member(1).storage = await logWithIt();

    await cluster.restart(1);
    await cluster.ticks(2);

    expect(cluster.eventsOf(1, 'node-failed')).toMatchObject([
      { code: 'KAYA_RAFT_STOPPED', cause: { code: 'KAYA_RAFT_UNSUPPORTED' } },
    ]);
    expect(await endOf(cluster.propose(1, 'a'))).toBe('KAYA_RAFT_STOPPED');
  });

  test('keeps a node from starting that has applied it already, by the same error', async () => {
    await using cluster = await NodeCluster.open([]);
    const { machine } = await cluster.start(1, [1]);
    await machine.apply([], 2);
    await cluster.crash(1);
    cluster.member(1).storage = await logWithIt();

    await expect(cluster.restart(1)).rejects.toMatchObject({ code: 'KAYA_RAFT_UNSUPPORTED' });
  });
});
