/**
 * Nodes under random trouble: cuts, crashes, disks that hang or are full, slow state machines, members that come and go. What was kept is there once, what was refused is
 * not, everything ends, and when the trouble is over all are equal.
 */

import { seededRandom, type SeededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import type { ConfigStepKind } from '../src/core/config-change.ts';
import type { NodeId } from '../src/core/types.ts';
import type { GatedStorage } from './gated-storage.ts';
import type { ListMachine } from './list-machine.ts';
import { endOf, NodeCluster } from './node-cluster.ts';

const IDS: readonly NodeId[] = [1, 2, 3];
const ALL: readonly NodeId[] = [1, 2, 3, 4];
const STEPS = 150;
const LIMITS = {
  snapshotBytes: 400,
  keepBytes: 100,
  keepForSlowBytes: 300,
  maxMessageBytes: 200,
  maxInflightMessages: 4,
  maxInflightBytes: 400,
  maxCommittedBytesPerReady: 200,
  maxWrites: 8,
  storageStallTicks: 5,
  diskFullRetryTicks: 3,
  proposalTicks: 60,
};

class Trouble {
  readonly cluster: NodeCluster;
  readonly ends = new Map<string, string>();
  proposalCount = 0;
  crashCount = 0;
  readonly #random: SeededRandom;
  #down: NodeId | undefined;

  constructor(cluster: NodeCluster, random: SeededRandom) {
    this.cluster = cluster;
    this.#random = random;
  }

  async step(): Promise<void> {
    const id = this.#random.pick(ALL);
    const { storage, machine, node } = this.cluster.member(id);
    const kind = this.#random.int(20);
    if (kind < 7) this.#propose(this.#random.chance(0.7) ? this.#leader() : id);
    else if (kind < 12) await this.cluster.ticks(1 + this.#random.int(4));
    else if (kind === 12) this.cluster.isolate(id);
    else if (kind === 13) this.#heal();
    else if (kind === 14) await this.#crashOrRestart(id);
    else if (kind === 15) this.#breakDisk(storage);
    else if (kind === 16) this.#mendDisks();
    else if (kind === 17) this.#slowDown(machine);
    else if (kind === 18) void endOf(node.transferLeader(this.#random.pick(ALL)));
    else this.#changeGroup();
    for (const member of ALL) if (this.#random.chance(0.2)) this.cluster.member(member).machine.release();
  }

  /** All applied the same, as far as each has come. */
  checkLists(): void {
    const lists = ALL.map((id) => this.cluster.member(id).machine.list).toSorted((a, b) => a.length - b.length);
    for (let at = 1; at < lists.length; at++) {
      expect(lists[at]!.slice(0, lists[at - 1]!.length)).toEqual(lists[at - 1]);
    }
  }

  async end(): Promise<void> {
    if (this.#down !== undefined) await this.cluster.restart(this.#down);
    this.#down = undefined;
    this.#mendDisks();
    for (const id of ALL) this.cluster.member(id).machine.release();
    this.cluster.heal();
    await this.cluster.ticks(120);
  }

  #leader(): NodeId {
    return ALL.find((id) => this.cluster.node(id).status().role === 'leader') ?? 1;
  }

  #propose(id: NodeId): void {
    const text = `value ${this.proposalCount++}`;
    void this.#follow(text, this.cluster.propose(id, text));
  }

  async #follow(text: string, result: Promise<unknown>): Promise<void> {
    this.ends.set(text, await endOf(result));
  }

  #heal(): void {
    this.cluster.heal();
    if (this.#down !== undefined) this.cluster.isolate(this.#down);
  }

  async #crashOrRestart(id: NodeId): Promise<void> {
    if (this.#down === undefined) {
      this.#down = id;
      this.crashCount++;
      await this.cluster.crash(id);
    } else {
      await this.cluster.restart(this.#down);
      this.#down = undefined;
    }
  }

  #breakDisk(storage: GatedStorage): void {
    if (this.#random.chance(0.5)) storage.hold();
    else storage.isFull = true;
  }

  #slowDown(machine: ListMachine): void {
    if (this.#random.chance(0.5)) machine.hold();
    else machine.isDurableAtOnce = !machine.isDurableAtOnce;
  }

  #mendDisks(): void {
    for (const id of ALL) {
      const { storage } = this.cluster.member(id);
      storage.isFull = false;
      storage.release();
    }
  }

  #changeGroup(): void {
    const kind = this.#random.pick<ConfigStepKind>(['add-voter', 'add-learner', 'remove']);
    const steps = [{ kind, node: 4 }];
    if (this.#random.chance(0.3)) steps.push({ kind: this.#random.pick(['add-learner', 'add-voter']), node: 3 });
    const change = { transition: 'auto', steps, context: new Uint8Array(0) } as const;
    void endOf(this.cluster.node(this.#leader()).proposeConfigChange(change));
  }
}

/** How often each kind of thing happened in all runs: a test that nothing happens in shows nothing. */
const reached = new Map<string, number>();

function count(what: string, times = 1): void {
  reached.set(what, (reached.get(what) ?? 0) + times);
}

describe('nodes under random trouble', () => {
  test.each(Array.from({ length: 20 }, (_, at) => at))('keep what they promised, run %i', async (run) => {
    const random = seededRandom(testSeed()).fork(`trouble ${run}`);
    await using cluster = await NodeCluster.open(IDS, LIMITS);
    await cluster.start(4);
    await cluster.waitForLeader(IDS);
    const trouble = new Trouble(cluster, random);

    for (let step = 0; step < STEPS; step++) {
      await trouble.step();
      trouble.checkLists();
    }
    await trouble.end();

    for (const id of ALL) expect(cluster.eventsOf(id, 'node-failed')).toEqual([]);
    expect(trouble.ends.size).toBe(trouble.proposalCount);
    const { configuration } = cluster.node(1).status();
    const members = ALL.filter((id) => configuration.voters.includes(id) || configuration.learners.includes(id));
    const leader = await cluster.waitForLeader(members);
    await cluster.ticks(5);
    const { list } = leader.machine;
    for (const id of members) expect(cluster.member(id).machine.list).toEqual(list);
    expect(new Set(list).size).toBe(list.length);
    for (const id of ALL) {
      // Nobody lies here, so nobody is to be taken for a liar.
      const refusals = new Set(cluster.eventsOf(id, 'message-refused').map(({ refusal }) => refusal));
      expect([...refusals].filter((refusal) => refusal !== 'unknown-sender')).toEqual([]);
    }
    count('crash', trouble.crashCount);
    for (const id of ALL) for (const { kind } of cluster.member(id).events) count(kind);
    const textsOf = (wanted: (end: string) => boolean): readonly string[] =>
      [...trouble.ends].filter(([, end]) => wanted(end)).map(([text]) => text);
    const mayBeThere = (end: string): boolean => end === 'kept' || end === 'KAYA_RAFT_UNKNOWN_OUTCOME';
    const isThere = new Set(list);
    expect(textsOf((end) => end === 'kept').filter((text) => !isThere.has(text))).toEqual([]);
    expect(textsOf((end) => !mayBeThere(end)).filter((text) => isThere.has(text))).toEqual([]);
    for (const end of trouble.ends.values()) count(end);
  });

  test('met enough of it', () => {
    const enough = {
      kept: 200,
      KAYA_RAFT_UNKNOWN_OUTCOME: 3,
      crash: 40,
      'election-started': 50,
      'snapshot-installed': 8,
      'log-compacted': 40,
      'storage-stalled': 4,
      'disk-full': 10,
      'auto-leave-started': 5,
      'transfer-started': 8,
    };

    const missed = Object.entries(enough).filter(([what, least]) => (reached.get(what) ?? 0) < least);
    expect(missed).toEqual([]);
  });
});
