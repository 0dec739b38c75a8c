/** Reads without an entry in the log: from which index on an answer is linearizable (thesis section 6.4). */

import { describe, expect, test } from 'vitest';

import { normalizeConfig } from '../src/core/config.ts';
import type { Message } from '../src/core/message.ts';
import { openRaftState } from '../src/core/open-state.ts';
import type { ReadState } from '../src/core/ready.ts';
import { becomeCandidate, becomeLeader } from '../src/core/roles.ts';
import { stepMessage } from '../src/core/step.ts';
import { MemoryLogStorage } from '../src/testing/memory-log-storage.ts';
import { type Network, networkOf } from '../src/testing/network.ts';
import {
  appendResponse,
  bytesOf,
  configurationOf,
  heartbeatResponse,
  ofKind,
  textOf,
} from '../src/testing/test-messages.ts';
import type { TestNode } from '../src/testing/test-node.ts';

/** The reads that may be answered, as context and index. */
function readsOf(node: TestNode): readonly (readonly [string, number])[] {
  return node.takeReadStates().map(({ context, index }: ReadState) => [textOf(context), index] as const);
}

/** Proposes ten times, then reads at `id`, and so on. @returns What each read was told. */
function readAfterProposals(network: Network, ids: readonly number[]): readonly unknown[] {
  return ids.map((id, round) => {
    for (let i = 0; i < 10; i++) network.propose(1, 'some');
    network.readIndex(id, `read ${round}`);
    return readsOf(network.node(id));
  });
}

/** There is an entry of the term's beginning, and ten more before each read. */
function everythingBefore(count: number): readonly unknown[] {
  return Array.from({ length: count }, (_, round) => [[`read ${round}`, 1 + 10 * (round + 1)]]);
}

describe('reads that a quorum confirms (thesis section 6.4)', () => {
  test('ReadOnlyOptionSafe: a read at the leader or a follower sees all that was committed before', () => {
    const network = networkOf(3);
    network.campaign(1);

    const answers = readAfterProposals(network, [1, 2, 3, 1, 2, 3]);

    expect(answers).toEqual(everythingBefore(6));
  });

  test('ReadOnlyWithLearner: a read may be asked for at a learner (thesis section 4.2.1)', () => {
    const network = networkOf(2, { learners: [2] });
    network.campaign(1);

    const answers = readAfterProposals(network, [1, 2, 1, 2]);

    expect(answers).toEqual(everythingBefore(4));
  });

  test('a leader that reaches no quorum answers nothing, and one round of heartbeats answers all that wait', () => {
    const network = networkOf(3);
    network.campaign(1);
    network.ignore('heartbeat');

    for (const text of ['a', 'b', 'c']) network.readIndex(1, text);
    const alone = readsOf(network.node(1));
    network.recover();
    let heartbeats = 0;
    network.onMessage(({ kind }) => {
      if (kind === 'heartbeat') heartbeats++;
      return true;
    });
    network.tick(1);

    expect(alone).toEqual([]);
    expect(readsOf(network.node(1))).toEqual([
      ['a', 1],
      ['b', 1],
      ['c', 1],
    ]);
    expect(heartbeats).toBe(2);
  });

  test('ReadOnlyForNewLeader: a read is parked until an entry of the own term is committed', () => {
    const network = networkOf(3, { terms: [1, 1], hardState: { commit: 2 }, of: { 1: { hardState: { commit: 1 } } } });
    network.ignore('append');
    network.campaign(1);
    expect(network.status(1)).toMatchObject({ role: 'leader', term: 2, commit: 1 });

    network.readIndex(1, 'parked');
    const parked = readsOf(network.node(1));
    network.recover();
    network.tick(1);
    network.propose(1, 'some');
    const released = readsOf(network.node(1));
    network.readIndex(1, 'later');

    expect(parked).toEqual([]);
    expect(network.status(1)).toMatchObject({ lastTerm: 2, commit: 4 });
    expect(released).toEqual([['parked', 3]]);
    expect(readsOf(network.node(1))).toEqual([['later', 4]]);
  });

  test('ReadOnlyDuplicateRequest: a context that is asked for again is another read, which late answers do not confirm', () => {
    const network = networkOf(3);
    network.campaign(1);
    const late: Message[] = [];
    network.onMessage((message) => {
      if (message.kind !== 'heartbeat-response') return true;
      late.push(message);
      return false;
    });
    network.readIndex(1, 'same');
    network.readIndex(1, 'same');
    const first = late.splice(0);
    network.propose(1, 'some');
    network.readIndex(1, 'same');
    const before = readsOf(network.node(1));

    network.send(...first.slice(0, 2));
    const atFirst = readsOf(network.node(1));
    network.send(...first);
    const atSecond = readsOf(network.node(1));
    network.send(...late.slice(0, 1));

    expect(before).toEqual([]);
    expect(atFirst).toEqual([['same', 1]]);
    expect(atSecond).toEqual([['same', 1]]);
    expect(readsOf(network.node(1))).toEqual([['same', 2]]);
  });

  test('RaftFreesReadOnlyMem: a read that is confirmed is forgotten', () => {
    const storage = new MemoryLogStorage();
    storage.bootstrap(configurationOf([1, 2]));
    const config = { id: 1, electionTicks: 5, heartbeatTicks: 1, storage, random: () => 0 };
    const state = openRaftState(normalizeConfig(config));
    becomeCandidate(state);
    becomeLeader(state);
    for (const from of [1, 2]) stepMessage(state, appendResponse({ from, to: 1, term: 1, index: 1 }));
    state.outbox.clear();

    stepMessage(state, { kind: 'read-index', from: 2, to: 1, context: bytesOf('read') });
    const [heartbeat] = ofKind(state.outbox.messages, 'heartbeat');
    const waiting = state.reads.pendingCount;
    stepMessage(state, heartbeatResponse({ from: 2, to: 1, term: 1, context: heartbeat?.context ?? bytesOf('') }));

    expect(heartbeat?.context.length).toBeGreaterThan(0);
    expect(waiting).toBe(1);
    expect(state.reads.pendingCount).toBe(0);
    expect(ofKind(state.outbox.messages, 'read-index-response')).toMatchObject([{ to: 2, index: 1 }]);
  });
});

describe('reads in a lease (thesis section 6.4.1)', () => {
  test('ReadOnlyOptionLease: a read is answered without asking anybody, and sees all that was committed before', () => {
    const network = networkOf(3, { checkQuorum: true, readOnly: 'lease' });
    network.campaign(1);
    network.ignore('heartbeat');

    const answers = readAfterProposals(network, [1, 2, 3, 1, 2, 3]);

    expect(answers).toEqual(everythingBefore(6));
  });
});
