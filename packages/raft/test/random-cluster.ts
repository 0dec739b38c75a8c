/**
 * Cores, disks that are late and lose what they have not done when their node crashes, and a network that loses, doubles and reorders: all of it
 * moved on a step at a time by chance, in memory. What must never happen is checked as it goes (paper figure 3).
 */

import type { SeededRandom } from '@kayadb/testkit';
import { expect } from 'vitest';

import { configChangeOf } from '../src/core/config-change-encoding.ts';
import type { ConfigStepKind } from '../src/core/config-change.ts';
import { changeMembership, membersOf } from '../src/core/membership.ts';
import type { Message, StorageAppend, StorageApply } from '../src/core/message.ts';
import { majority } from '../src/core/quorum.ts';
import { RaftCore } from '../src/core/raft-core.ts';
import type { Configuration, Entry, LogIndex, NodeId } from '../src/core/types.ts';
import { MemoryLogStorage } from '../src/testing/memory-log-storage.ts';
import { bytesOf, configurationOf, textOf } from '../src/testing/test-messages.ts';

const IDS: readonly NodeId[] = [1, 2, 3, 4, 5];
const FIRST = configurationOf([1, 2, 3]);
/** The log begins behind a snapshot, so that whoever joins is sent one: no entry stands for the first configuration. */
const START = { index: 1, term: 1, configuration: FIRST };
const ELECTION_TICKS = 5;
/** Bound: of messages to and fro within a tick. More is a loop. */
const MAX_ROUNDS = 1000;
const STEP_KINDS: readonly ConfigStepKind[] = ['add-voter', 'add-learner', 'remove'];

export interface Counts {
  leaders: number;
  applied: number;
  snapshots: number;
  changes: number;
  joints: number;
  crashes: number;
  reads: number;
  /** Elections with some of the members cut off for good. */
  partial: number;
}

export const NO_COUNTS: Counts = {
  leaders: 0,
  applied: 0,
  snapshots: 0,
  changes: 0,
  joints: 0,
  crashes: 0,
  reads: 0,
  partial: 0,
};

interface Site {
  readonly id: NodeId;
  core: RaftCore;
  readonly storage: MemoryLogStorage;
  appends: StorageAppend[];
  applies: StorageApply[];
  applied: number;
}

export class RandomCluster {
  readonly counts: Counts = { ...NO_COUNTS };
  readonly #random: SeededRandom;
  readonly #sites: readonly Site[];
  #network: Message[] = [];
  /** Whoever is here hears and says nothing. */
  #cut = new Set<NodeId>();
  readonly #leaders = new Map<number, NodeId>();
  /** What is applied anywhere, by index. */
  readonly #committed: string[] = [];
  /** Every configuration that was in force, in order, with the index of its change. */
  readonly #configurations: { readonly index: LogIndex; readonly configuration: Configuration }[] = [
    { index: START.index, configuration: FIRST },
  ];
  /** By context: what was committed when it was asked for. */
  readonly #reads = new Map<string, number>();
  #payloads = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
    this.#sites = IDS.map((id) => {
      const storage = new MemoryLogStorage();
      const isFirst = FIRST.voters.includes(id);
      if (isFirst) {
        storage.applySnapshot({ meta: START, data: bytesOf('') });
        storage.setHardState({ term: START.term, vote: 0, commit: START.index });
      }
      const applied = isFirst ? START.index : 0;
      return { id, storage, core: this.#open(id, storage, applied), appends: [], applies: [], applied };
    });
  }

  step(): void {
    const site = this.#random.pick(this.#sites);
    const dice = this.#random.int(100);
    if (dice < 44) this.#deliver(this.#random.int(10) === 0);
    else if (dice < 58) this.#append(site);
    else if (dice < 68) this.#apply(site);
    else if (dice < 79) site.core.tick();
    else if (dice < 86) site.core.propose([bytesOf(`p${this.#payloads++}`)]);
    else if (dice < 89) this.#read(site);
    else if (dice < 92) this.#change(site);
    else if (dice < 94) this.#compact(site);
    else if (dice < 95) site.core.transferLeader(this.#random.pick(IDS));
    else if (dice < 96) this.#crash(site);
    else if (dice < 97) this.#lose();
    else if (dice < 98) site.core.reportUnreachable(this.#random.pick(IDS));
    else if (dice < 99) site.core.forgetLeader();
    else this.#cut = new Set(this.#random.chance(0.5) ? [] : [this.#random.pick(IDS)]);
    for (const one of this.#sites) this.#handleReady(one);
  }

  /**
   * Nothing is lost any more but what some say and hear who are cut off for good, as many as can be: the newest configuration that anybody else knows, and the one
   * before it, keep their majorities. Somebody leads in the end (docs/internals/raft.md, "Elections across a change").
   */
  electWithoutSome(): void {
    for (const site of this.#sites) this.#drainThreads(site);
    for (const message of this.#network) this.#report(message, false);
    this.#network = [];
    this.#cut = new Set();
    for (const { id } of this.#random.shuffle(this.#sites)) {
      this.#cut.add(id);
      if (!this.#mayElect()) this.#cut.delete(id);
    }
    const connected = this.#sites.filter(({ id }) => !this.#cut.has(id));
    const known = Math.max(...connected.map(({ core }) => core.status().commit));
    const electionsBefore = this.counts.leaders;
    let isLed = false;
    for (let tick = 0; tick < 20 * ELECTION_TICKS; tick++) {
      for (const site of connected) site.core.tick();
      this.#drain();
      // Not for ever, perhaps: what is committed may be a change after which there are too few.
      isLed ||= this.counts.leaders > electionsBefore || connected.some(({ core }) => core.status().commit > known);
      // Who led before and has no majority any more has noticed by then.
      isLed ||= tick > 2 * ELECTION_TICKS && connected.some(({ core }) => core.role === 'leader');
    }
    expect(isLed, `somebody leads without ${[...this.#cut].join(' ')}`).toBe(true);
    if (this.#cut.size > 0) this.counts.partial++;
  }

  /** Nothing is lost any more: there is a leader soon, and everybody in its configuration gets what is committed. */
  settle(): void {
    this.#cut = new Set();
    for (let tick = 0; tick < 20 * ELECTION_TICKS; tick++) {
      for (const site of this.#sites) site.core.tick();
      this.#drain();
      // One proposal, so that there is something to commit in the leader's term.
      if (tick === 10 * ELECTION_TICKS) this.#leader()?.core.propose([bytesOf('last')]);
    }
    const leader = this.#leader();
    expect(leader, 'nobody leads').toBeDefined();
    const members = membersOf(leader!.core.status().configuration);
    const last = leader!.core.lastIndex;
    const applied = this.#sites.filter(({ id }) => members.includes(id)).map((site) => site.applied);
    expect(applied).toEqual(members.map(() => last));
  }

  #open(id: NodeId, storage: MemoryLogStorage, applied: LogIndex): RaftCore {
    return new RaftCore({
      id,
      storage,
      applied,
      electionTicks: ELECTION_TICKS,
      heartbeatTicks: 1,
      asyncStorageWrites: true,
      maxMessageBytes: 100,
      maxCommittedBytesPerReady: 200,
      maxUncommittedBytes: 1000,
      maxInflightMessages: 4,
      checkQuorum: true,
      preVote: true,
      stepDownOnRemoval: true,
      tellCommitInVotes: true,
      random: (limit) => this.#random.int(limit),
      checkInvariants: true,
      onEvent: (event) => {
        if (event.kind !== 'role-changed' || event.role !== 'leader') return;
        expect(this.#leaders.get(event.term) ?? id, `two leaders in term ${event.term}`).toBe(id);
        this.#leaders.set(event.term, id);
        this.counts.leaders++;
      },
    });
  }

  #handleReady(site: Site): void {
    while (site.core.hasReady) {
      const ready = site.core.ready();
      for (const message of ready.messages) {
        if (message.kind === 'storage-append') site.appends.push(message);
        else if (message.kind === 'storage-apply') site.applies.push(message);
        else this.#network.push(message);
      }
      for (const { index, context } of ready.readStates) {
        // What was committed when the read was asked for is in what it sees (thesis section 6.4).
        expect(index).toBeGreaterThanOrEqual(this.#reads.get(textOf(context)) ?? Infinity);
        this.counts.reads++;
      }
    }
  }

  #deliver(isDoubled: boolean): void {
    if (this.#network.length === 0) return;
    const at = this.#random.int(Math.min(this.#network.length, 8));
    const message = this.#network[at]!;
    if (!isDoubled) this.#network.splice(at, 1);
    if (this.#cut.has(message.from) || this.#cut.has(message.to)) this.#report(message, false);
    else this.#arrive(message);
  }

  #arrive(message: Message): void {
    this.#site(message.to).core.step(message);
    this.#report(message, true);
  }

  /** The host of the sender tells it what became of a snapshot, as nothing else is sent meanwhile. */
  #report({ kind, from, to }: Message, hasArrived: boolean): void {
    if (kind === 'snapshot') this.#site(from).core.reportSnapshot(to, hasArrived);
  }

  #append(site: Site): void {
    const work = site.appends.shift();
    if (work === undefined) return;
    const { snapshot, entries, hardState, responses } = work;
    if (snapshot !== undefined) {
      site.storage.applySnapshot(snapshot);
      // What waits to be applied is in the snapshot.
      site.applied = Math.max(site.applied, snapshot.meta.index);
      this.counts.snapshots++;
    }
    site.storage.append(entries);
    if (hardState !== undefined) site.storage.setHardState(hardState);
    for (const response of responses) {
      if (response.to === site.id) site.core.step(response);
      else this.#network.push(response);
    }
  }

  #apply(site: Site): void {
    const work = site.applies.shift();
    if (work === undefined) return;
    for (const entry of work.entries) this.#applyEntry(site, entry);
    for (const response of work.responses) site.core.step(response);
  }

  #applyEntry(site: Site, entry: Entry): void {
    const { index, term, kind, data } = entry;
    if (index <= site.applied) return;
    expect(index).toBe(site.applied + 1);
    const text = `${term} ${kind} ${textOf(data)}`;
    expect(this.#committed[index] ?? text, `entry ${index} at ${site.id}`).toBe(text);
    this.#committed[index] = text;
    site.applied = index;
    this.counts.applied++;
    if (kind === 'normal') return;
    const change = configChangeOf(entry);
    if (changeMembership(site.core.status().configuration, change).kind === 'refused') return;
    const configuration = site.core.applyConfigChange(change);
    if (index > this.#configurations.at(-1)!.index) this.#configurations.push({ index, configuration });
    this.counts.changes++;
    if (configuration.votersOutgoing.length > 0) this.counts.joints++;
    // One from before the change is of no use to whoever was added by it, and would be sent again and again.
    this.#saveSnapshot(site);
  }

  #read(site: Site): void {
    const name = `read ${this.#reads.size}`;
    this.#reads.set(name, this.#committed.length - 1);
    site.core.readIndex(bytesOf(name));
  }

  #change(site: Site): void {
    const step = () => ({ kind: this.#random.pick(STEP_KINDS), node: this.#random.pick(IDS) });
    const steps = Array.from({ length: this.#random.int(3) }, step);
    const change = { transition: 'auto', steps, context: bytesOf('') } as const;
    const configuration: Configuration = site.core.status().configuration;
    if (changeMembership(configuration, change).kind === 'changed') site.core.proposeConfigChange(change);
  }

  #saveSnapshot({ storage, core, applied, appends }: Site): boolean {
    const newest = storage.snapshot();
    if (newest === 'unavailable' || applied <= newest.meta.index || typeof storage.term(applied) !== 'number')
      return false;
    if (appends.some(({ snapshot }) => snapshot !== undefined)) return false;
    storage.createSnapshot(applied, core.status().configuration, bytesOf(''));
    return true;
  }

  #compact(site: Site): void {
    this.#saveSnapshot(site);
    const newest = site.storage.snapshot();
    if (newest === 'unavailable') return;
    const { index } = newest.meta;
    if (index >= site.storage.firstIndex && index <= site.storage.lastIndex) site.storage.compact(index);
  }

  /** What its disk has not done is gone, and its state machine is that of its snapshot. */
  #crash(site: Site): void {
    if (this.#random.chance(0.7)) return;
    const snapshot = site.storage.snapshot();
    site.applied = snapshot === 'unavailable' ? 0 : snapshot.meta.index;
    site.appends = [];
    site.applies = [];
    this.counts.crashes++;
    site.core = this.#open(site.id, site.storage, site.applied);
  }

  #lose(): void {
    this.#network = this.#network.filter((message) => {
      const isKept = this.#random.chance(0.5);
      if (!isKept) this.#report(message, false);
      return isKept;
    });
  }

  #drain(): void {
    let isBusy = true;
    for (let round = 0; isBusy; round++) {
      if (round > MAX_ROUNDS) throw new Error(`not quiet after ${MAX_ROUNDS} rounds of messages`);
      for (const site of this.#sites) this.#drainThreads(site);
      const messages = this.#network;
      this.#network = [];
      for (const message of messages) {
        if (this.#cut.has(message.from) || this.#cut.has(message.to)) this.#report(message, false);
        else this.#arrive(message);
      }
      isBusy = messages.length > 0 || this.#sites.some(({ core }) => core.hasReady);
    }
  }

  #drainThreads(site: Site): void {
    this.#handleReady(site);
    while (site.appends.length + site.applies.length > 0) {
      while (site.appends.length > 0) this.#append(site);
      while (site.applies.length > 0) this.#apply(site);
      this.#handleReady(site);
    }
  }

  /** Whether those who are connected have majorities of the newest configuration that one of them knows, and of the one before. */
  #mayElect(): boolean {
    const isConnected = (id: NodeId): boolean => !this.#cut.has(id);
    const known = Math.max(0, ...this.#sites.filter(({ id }) => isConnected(id)).map(({ applied }) => applied));
    const newest = this.#configurations.findLastIndex(({ index }) => index <= known);
    if (newest < 0) return false;
    return this.#configurations.slice(Math.max(0, newest - 1), newest + 1).every(({ configuration }) => {
      const { voters, votersOutgoing } = configuration;
      return [voters, votersOutgoing].every(
        (half) => half.length === 0 || half.filter(isConnected).length >= majority(half.length),
      );
    });
  }

  #leader(): Site | undefined {
    return this.#sites.filter(({ core }) => core.role === 'leader').toSorted((a, b) => b.core.term - a.core.term)[0];
  }

  #site(id: NodeId): Site {
    const site = this.#sites[id - 1];
    if (site === undefined) throw new RangeError(`there is no node ${id}`);
    return site;
  }
}
