/** What the core hands to its host, and how much of it at once (those of etcd's rawnode_test and node_test that concern the core). */

import { describe, expect, test } from 'vitest';

import type { ConfigChange, ConfigChangeV1, ConfigStep, ConfigTransition } from '../src/core/config-change.ts';
import type { LogGap } from '../src/core/log-storage.ts';
import type { StorageApply } from '../src/core/message.ts';
import { RaftCore } from '../src/core/raft-core.ts';
import type { Ready } from '../src/core/ready.ts';
import type { Configuration, Entry, LogIndex, NodeId } from '../src/core/types.ts';
import { entryOf, votersOf } from '../src/testing/entries.ts';
import { MemoryLogStorage } from '../src/testing/memory-log-storage.ts';
import { Network } from '../src/testing/network.ts';
import { bytesOf, configurationOf, heartbeat } from '../src/testing/test-messages.ts';
import { TestNode } from '../src/testing/test-node.ts';
import { acknowledge, electLeader, nodeAs } from './elect.ts';

const context = new Uint8Array(0);
const leave: ConfigChange = { transition: 'auto', steps: [], context };

function changeOf(transition: ConfigTransition, ...steps: readonly ConfigStep[]): ConfigChange {
  return { transition, steps, context };
}

/** Node 1 leads alone; nodes 2 and 3 wait to be added. */
function networkOfOne(): Network {
  const network = new Network([1, 2, 3].map((id) => new TestNode({ id, voters: [1] })));
  network.campaign(1);
  return network;
}

/** The configurations that came into force at `node` since it started, one after the other. */
function switchesOf(node: TestNode): readonly Configuration[] {
  return node
    .eventsOf('configuration-switched')
    .slice(1)
    .map(({ configuration }) => configuration);
}

describe('scenarios: proposals of changes', () => {
  const voter2: ConfigStep = { kind: 'add-voter', node: 2 };
  const learner2: ConfigStep = { kind: 'add-learner', node: 2 };
  const demotion: readonly ConfigStep[] = [voter2, { kind: 'add-learner', node: 1 }, { kind: 'add-learner', node: 3 }];
  const demoting = { votersOutgoing: [1], learners: [3], learnersNext: [1] };
  const demoted = configurationOf([2], { learners: [1, 3] });
  const learning = configurationOf([1], { learners: [2] });
  const replacing = { votersOutgoing: [1] };

  const shapes: readonly {
    readonly what: string;
    readonly change: ConfigChange | ConfigChangeV1;
    readonly inForce: readonly Configuration[];
    /** What comes into force when a change without steps is proposed behind it. */
    readonly afterLeaving?: Configuration;
  }[] = [
    { what: 'a voter, in the older form', change: { step: voter2, context }, inForce: [configurationOf([1, 2])] },
    { what: 'a voter', change: changeOf('auto', voter2), inForce: [configurationOf([1, 2])] },
    { what: 'a learner, in the older form', change: { step: learner2, context }, inForce: [learning] },
    { what: 'a learner', change: changeOf('auto', learner2), inForce: [learning] },
    {
      what: 'a learner, to be left explicitly',
      change: changeOf('explicit', learner2),
      inForce: [configurationOf([1], { votersOutgoing: [1], learners: [2] })],
      afterLeaving: learning,
    },
    {
      what: 'a learner, to be left by itself',
      change: changeOf('implicit', learner2),
      inForce: [configurationOf([1], { votersOutgoing: [1], learners: [2], autoLeave: true }), learning],
    },
    {
      what: 'several steps, the leader’s own demotion among them',
      change: changeOf('auto', ...demotion),
      inForce: [configurationOf([2], { ...demoting, autoLeave: true }), demoted],
    },
    {
      what: 'the same, to be left explicitly',
      change: changeOf('explicit', ...demotion),
      inForce: [configurationOf([2], demoting)],
      afterLeaving: demoted,
    },
    {
      what: 'the same, to be left by itself',
      change: changeOf('implicit', ...demotion),
      inForce: [configurationOf([2], { ...demoting, autoLeave: true }), demoted],
    },
    {
      what: 'another voter in the place of the leader',
      change: changeOf('auto', voter2, { kind: 'remove', node: 1 }),
      inForce: [configurationOf([2], { ...replacing, autoLeave: true }), configurationOf([2])],
    },
    {
      what: 'a step that changes nothing in the core',
      change: changeOf('auto', { kind: 'update', node: 2 }),
      inForce: [configurationOf([1])],
    },
    {
      what: 'a step that the host has turned down',
      change: changeOf('auto', { kind: 'add-voter', node: 0 }),
      inForce: [configurationOf([1])],
    },
  ];

  test.each(shapes)('ProposeAndConfChange: $what (thesis sections 4.1 to 4.3)', ({ change, inForce, afterLeaving }) => {
    const network = networkOfOne();

    network.node(1).core.proposeConfigChange(change);
    network.settle();
    const before = switchesOf(network.node(1));
    if (afterLeaving !== undefined) {
      network.node(1).core.proposeConfigChange(leave);
      network.settle();
    }

    const all = [...inForce, ...(afterLeaving === undefined ? [] : [afterLeaving])];
    expect(before).toEqual(inForce);
    expect(switchesOf(network.node(1))).toEqual(all);
    expect(network.node(1).eventsOf('change-refused')).toEqual([]);
    const { voters, learners } = all.at(-1) ?? votersOf();
    for (const id of [...voters, ...learners]) expect(network.status(id).configuration).toEqual(all.at(-1));
  });

  test('a leader that took its own demotion goes on leading until another one is elected (thesis section 4.2.2)', () => {
    const network = networkOfOne();
    network.node(1).core.proposeConfigChange(changeOf('auto', ...demotion));
    network.settle();
    const before = network.status(1);

    network.campaign(2);
    network.propose(2, 'some');

    expect(before).toMatchObject({ role: 'leader', isLearner: true });
    expect(network.status(2)).toMatchObject({ role: 'leader', term: 2 });
    expect(network.nodes.map(({ appliedTexts }) => appliedTexts)).toEqual([['some'], ['some'], ['some']]);
  });

  test('JointAutoLeave: who lost the lead as the joint configuration came into force leaves it when it leads again (thesis section 4.3)', () => {
    const node = new TestNode({ id: 1, voters: [1] });
    node.core.campaign();
    node.drain();
    node.core.proposeConfigChange(changeOf('implicit', learner2));
    // It is stored, committed and applied; before the host says so, another one leads.
    const readies = [node.core.ready()];
    node.persist(readies[0] as Ready);
    node.core.advance();
    readies.push(node.core.ready());
    node.apply(readies[1] as Ready);
    node.step(heartbeat({ from: 2, to: 1, term: 5 }));
    node.core.advance();
    node.drain();
    const whileLed = node.status;
    const lengthWhileLed = node.storage.lastIndex;

    node.core.campaign();
    node.drain();

    expect(whileLed).toMatchObject({ role: 'follower', configuration: { autoLeave: true, votersOutgoing: [1] } });
    expect(lengthWhileLed).toBe(2);
    expect(node.status).toMatchObject({ role: 'leader', term: 6 });
    expect(node.status.configuration).toEqual(learning);
    expect(node.storage.allEntries().map(({ kind }) => kind)).toEqual(['normal', 'config', 'normal', 'config']);
  });

  test('a new leader leaves the joint configuration that another one entered (thesis section 4.3)', () => {
    const voters = [1, 2, 3];
    const network = new Network([1, 2, 3, 4].map((id) => new TestNode({ id, voters })));
    network.campaign(1);
    network.onMessage((message) => {
      const leaves =
        message.kind === 'append' && message.entries.some(({ kind, data }) => kind === 'config' && data.length === 0);
      return !(leaves && message.from === 1);
    });
    network
      .node(1)
      .core.proposeConfigChange(changeOf('implicit', { kind: 'add-voter', node: 4 }, { kind: 'remove', node: 1 }));
    network.settle();
    network.tick(1);
    const joint = network.status(2).configuration;
    network.isolate(1);

    network.campaign(2);

    expect(joint).toEqual(configurationOf([2, 3, 4], { votersOutgoing: [1, 2, 3], autoLeave: true }));
    expect(network.status(2)).toMatchObject({ role: 'leader', term: 2 });
    expect([2, 3, 4].map((id) => network.status(id).configuration)).toEqual(Array(3).fill(votersOf(2, 3, 4)));
  });
});

/** Gives all entries that are asked for, whatever they take. */
class GenerousStorage extends MemoryLogStorage {
  override entries(from: LogIndex, to: LogIndex): readonly Entry[] | LogGap {
    return super.entries(from, to, Number.MAX_SAFE_INTEGER);
  }
}

describe('scenarios: committed entries in pages', () => {
  test.each([
    { kind: 'keeps to the limit', storage: new MemoryLogStorage(), pages: [2, 2, 2, 2, 2] },
    { kind: 'gives more than it is asked for', storage: new GenerousStorage(), pages: [10] },
  ])(
    'CommitPaginationAfterRestart: no entry is left out with a storage that $kind (paper section 5.3)',
    ({ storage, pages }) => {
      storage.bootstrap(votersOf(1, 2, 3));
      storage.append(Array.from({ length: 11 }, (_, i) => entryOf(i + 1, 1, '0123456789')));
      storage.setHardState({ term: 1, vote: 1, commit: 10 });
      // Two entries, and not quite three.
      const node = new TestNode({ id: 1, storage, maxCommittedBytesPerReady: 3 * 34 - 1 });

      const counts: number[] = [];
      while (node.core.hasReady) {
        const ready = node.core.ready();
        counts.push(ready.committedEntries.length);
        node.persist(ready);
        node.apply(ready);
        node.core.advance();
      }
      node.receive(heartbeat({ from: 2, to: 1, term: 1, commit: 11 }));

      expect(counts).toEqual(pages);
      expect(node.applied.map(({ index }) => index)).toEqual(Array.from({ length: 11 }, (_, i) => i + 1));
    },
  );

  test('CommitPaginationWithAsyncStorageWrites: what is handed out and not yet applied stays within the bound (thesis section 10.2)', () => {
    const storage = new MemoryLogStorage();
    storage.bootstrap(votersOf(1));
    const core = new RaftCore({
      id: 1,
      electionTicks: 10,
      heartbeatTicks: 1,
      random: () => 0,
      storage,
      asyncStorageWrites: true,
      checkInvariants: true,
      maxCommittedBytesPerReady: 2048,
    });
    const payload = new Uint8Array(1000);
    const applies: StorageApply[] = [];
    /** The append thread works at once, the apply thread when `finishApply` is called. */
    const work = (): readonly (readonly LogIndex[])[] => {
      const before = applies.length;
      while (core.hasReady) {
        for (const message of core.ready().messages) {
          if (message.kind === 'storage-apply') applies.push(message);
          if (message.kind !== 'storage-append') continue;
          storage.append(message.entries);
          if (message.hardState !== undefined) storage.setHardState(message.hardState);
          for (const response of message.responses) core.step(response);
        }
      }
      return applies.slice(before).map(({ entries }) => entries.map(({ index }) => index));
    };
    let finished = 0;
    const finishApply = (): readonly (readonly LogIndex[])[] => {
      for (const response of applies[finished++]?.responses ?? []) core.step(response);
      return work();
    };
    core.campaign();

    const handed = [
      work(),
      finishApply(),
      ...Array.from({ length: 4 }, () => {
        core.propose([payload]);
        return work();
      }),
      finishApply(),
      finishApply(),
      finishApply(),
    ];

    // Of 1024 bytes each: two are within the bound, and a third one waits for the first to be applied.
    expect(handed).toEqual([[[1]], [], [[2]], [[3]], [], [], [[4]], [[5]], []]);
    expect(core.status()).toMatchObject({ applied: 4, applying: 5, commit: 5 });
  });
});

describe('scenarios: proposals that are not taken', () => {
  test('BoundedLogGrowthWithPartition: a leader that reaches nobody takes no more than its quota (thesis section 10.2)', () => {
    const payload = bytesOf('12345678');
    const leader = electLeader(new TestNode({ id: 1, voters: [1, 2, 3], maxUncommittedBytes: 16 * payload.length }));

    const outcomes = Array.from({ length: 1024 }, () => {
      const { kind } = leader.core.propose([payload]);
      leader.drain();
      return kind;
    });
    const whileAlone = leader.status;
    acknowledge(leader, 2);

    expect(outcomes.filter((kind) => kind === 'appended')).toHaveLength(16);
    expect(outcomes.filter((kind) => kind === 'dropped')).toHaveLength(1008);
    expect(whileAlone).toMatchObject({ uncommittedBytes: 16 * payload.length, lastIndex: 17, commit: 0 });
    expect(leader.status).toMatchObject({ uncommittedBytes: 0, commit: 17 });
    expect(leader.core.propose([payload])).toEqual({ kind: 'appended', index: 18, term: 1 });
  });

  test('a change that the quota refuses does not keep the next one waiting (thesis section 4.1)', () => {
    const leader = electLeader(new TestNode({ id: 1, voters: [1, 2], maxUncommittedBytes: 1 }));
    acknowledge(leader, 2);
    leader.core.propose([bytesOf('some')]);
    leader.drain();

    const refused = leader.core.proposeConfigChange(changeOf('auto', { kind: 'add-voter', node: 3 }));
    acknowledge(leader, 2);
    leader.core.proposeConfigChange(changeOf('auto', { kind: 'add-voter', node: 3 }));

    expect(refused).toEqual({ kind: 'dropped', reason: 'quota' });
    expect(leader.eventsOf('change-refused')).toEqual([]);
    expect(leader.drain()).toMatchObject([{ kind: 'append', entries: [{ index: 3, kind: 'config' }] }]);
  });

  const voters: readonly NodeId[] = [1, 2, 3];
  const big = new Uint8Array(100);

  test.each<{ readonly what: string; readonly reason: string; readonly open: () => TestNode }>([
    { what: 'a follower that knows of no leader', reason: 'no-leader', open: () => new TestNode({ id: 1, voters }) },
    { what: 'a candidate', reason: 'no-leader', open: () => nodeAs('candidate', { id: 1, voters }) },
    { what: 'a pre-candidate', reason: 'no-leader', open: () => nodeAs('pre-candidate', { id: 1, voters }) },
    {
      what: 'a follower that forwards nothing',
      reason: 'forwarding-disabled',
      open: () => nodeAs('follower', { id: 1, voters, disableProposalForwarding: true }),
    },
    {
      what: 'a leader whose quota is used up',
      reason: 'quota',
      open: () => {
        const leader = nodeAs('leader', { id: 1, voters, maxUncommittedBytes: 100 });
        leader.core.propose([big]);
        return leader;
      },
    },
    {
      what: 'a leader that hands over',
      reason: 'transferring',
      open: () => {
        const leader = nodeAs('leader', { id: 1, voters });
        leader.core.transferLeader(2);
        return leader;
      },
    },
    {
      what: 'a leader that was removed',
      reason: 'not-member',
      open: () => {
        const leader = nodeAs('leader', { id: 1, voters });
        leader.core.applyConfigChange(changeOf('auto', { kind: 'remove', node: 1 }));
        return leader;
      },
    },
  ])('ProposeDropped: $what says so at once, and keeps nothing of it (thesis section 6.2)', ({ open, reason }) => {
    const node = open();
    const { lastIndex } = node.status;

    const outcome = node.core.propose([big]);
    const ofChange = node.core.proposeConfigChange(changeOf('auto', { kind: 'add-voter', node: 9 }));

    expect(outcome).toEqual({ kind: 'dropped', reason });
    expect(ofChange).toEqual({ kind: 'dropped', reason });
    expect(node.status.lastIndex).toBe(lastIndex);
    expect(node.drain().filter(({ kind }) => kind === 'propose')).toEqual([]);
  });
});
