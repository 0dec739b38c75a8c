/** Nodes with everything around them in memory: one clock, a network with cuts, storages and state machines that a test can stop. */

import { encodeUtf8 } from '@kayadb/codec';
import { seededRandom, testSeed, VirtualClock } from '@kayadb/testkit';

import type { PeerMessage, SnapshotRequest } from '../src/core/message.ts';
import type { NodeId } from '../src/core/types.ts';
import type { NodeEvent } from '../src/node/node-events.ts';
import type { NodeLimits } from '../src/node/node-options.ts';
import { bootstrapGroup } from '../src/node/node-start.ts';
import type { PeerRegistry } from '../src/node/origin-check.ts';
import type { SnapshotShipper } from '../src/node/peers.ts';
import { type ProposalResult, RaftNode } from '../src/node/raft-node.ts';
import { GatedStorage } from './gated-storage.ts';
import { ListMachine } from './list-machine.ts';

export interface Member {
  readonly id: NodeId;
  node: RaftNode<number>;
  storage: GatedStorage;
  machine: ListMachine;
  readonly events: NodeEvent[];
}

export type ClusterLimits = Partial<NodeLimits>;

const TICK_MS = 100;
/** Messages without time passing, after which the network is broken: two nodes would go on for ever. */
const MAX_MESSAGES_AT_ONCE = 10_000;

export class NodeCluster {
  readonly clock = new VirtualClock();
  readonly #members = new Map<NodeId, Member>();
  readonly #limits: ClusterLimits;
  readonly #random = seededRandom(testSeed());
  readonly #cut = new Set<NodeId>();
  readonly #crashed = new Set<NodeId>();
  #sinceMs = 0;
  #carriedAtMs = 0;
  /** What nodes that are started from now on know of each other. */
  peers: PeerRegistry | undefined;
  /** Sees each message on its way; one for which it gives false is lost. */
  passes: (message: PeerMessage) => boolean = () => true;
  /** How snapshots get to their node. */
  ship: (message: SnapshotRequest, signal: AbortSignal) => Promise<void> = async (message) => this.#carry(message);

  private constructor(limits: ClusterLimits) {
    this.#limits = limits;
  }

  /** Members `ids`, all voters from the beginning. */
  static async open(ids: readonly NodeId[], limits: ClusterLimits = {}): Promise<NodeCluster> {
    const cluster = new NodeCluster(limits);
    for (const id of ids) await cluster.start(id, ids);
    return cluster;
  }

  member(id: NodeId): Member {
    const member = this.#members.get(id);
    if (member === undefined) throw new RangeError(`there is no member ${id}`);
    return member;
  }

  node(id: NodeId): RaftNode<number> {
    return this.member(id).node;
  }

  /** Starts a node: with a group to begin with, or empty, to be added. */
  async start(id: NodeId, voters: readonly NodeId[] = []): Promise<Member> {
    let storage = new GatedStorage();
    const machine = new ListMachine();
    if (voters.length > 0) {
      const configuration = { voters, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
      await bootstrapGroup(storage, machine, configuration);
      storage = storage.crash();
    }
    const events: NodeEvent[] = [];
    const member = { id, node: await this.#open(id, storage, machine, events), storage, machine, events };
    this.#members.set(id, member);
    return member;
  }

  /** The process of a node ends, with everything that was not durable. */
  async crash(id: NodeId): Promise<void> {
    const member = this.member(id);
    const { machine, node } = member;
    member.machine = machine.crash();
    member.storage = member.storage.crash();
    this.#cut.add(id);
    this.#crashed.add(id);
    machine.release();
    // It would wait for writes that never end, and a process that is gone waits for nothing.
    void node.close();
    await this.settle();
  }

  async restart(id: NodeId): Promise<Member> {
    const member = this.member(id);
    member.node = await this.#open(id, member.storage, member.machine, member.events);
    this.#cut.delete(id);
    this.#crashed.delete(id);
    return member;
  }

  /** Nothing reaches `id`, and nothing comes from it. */
  isolate(id: NodeId): void {
    this.#cut.add(id);
  }

  heal(): void {
    this.#cut.clear();
  }

  async ticks(count: number): Promise<void> {
    await this.clock.advanceAsync(count * TICK_MS);
  }

  /** Everything that can happen without time passing has happened. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 5; turn++) await this.clock.advanceAsync(0);
  }

  /** Makes `id` the leader. */
  async elect(id: NodeId): Promise<Member> {
    this.node(id).campaign();
    await this.settle();
    if (this.node(id).status().role !== 'leader') throw new Error(`node ${id} was not elected`);
    return this.member(id);
  }

  /** Lets time pass until one of `ids` leads and the others follow it. */
  async waitForLeader(ids: readonly NodeId[], maxTicks = 100): Promise<Member> {
    for (let tick = 0; tick < maxTicks; tick++) {
      const leaders = new Set(ids.map((id) => this.node(id).status().leader));
      const [leader] = leaders;
      if (leaders.size === 1 && leader !== undefined && ids.includes(leader)) return this.member(leader);
      await this.ticks(1);
    }
    throw new Error(`no leader of ${ids.join(', ')} after ${maxTicks} ticks`);
  }

  propose(id: NodeId, text: string): Promise<ProposalResult<number>> {
    return this.node(id).propose(encodeUtf8(text));
  }

  eventsOf<Kind extends NodeEvent['kind']>(id: NodeId, kind: Kind): Extract<NodeEvent, { readonly kind: Kind }>[] {
    return this.member(id).events.filter(
      (event): event is Extract<NodeEvent, { readonly kind: Kind }> => event.kind === kind,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { id, node, machine, storage } of this.#members.values()) {
      if (this.#crashed.has(id)) continue;
      machine.release();
      storage.release();
      await node.close();
    }
  }

  #open(id: NodeId, storage: GatedStorage, machine: ListMachine, events: NodeEvent[]): Promise<RaftNode<number>> {
    const shipper: SnapshotShipper = { ship: (message, signal) => this.ship(message, signal) };
    const random = this.#random.fork(`node ${id}`);
    return RaftNode.open({
      ...this.#limits,
      id,
      storage,
      stateMachine: machine,
      sender: { send: (message) => this.#carry(message) },
      shipper,
      clock: this.clock,
      random: (limit) => random.int(limit),
      yieldTurn: () =>
        new Promise((resolve) => {
          setImmediate(resolve);
        }),
      onEvent: (event) => void events.push(event),
      tickMs: TICK_MS,
      checkInvariants: true,
      ...(this.peers === undefined ? {} : { peers: this.peers }),
    });
  }

  #carry(message: PeerMessage): void {
    this.#carriedAtMs = this.clock.now() === this.#sinceMs ? this.#carriedAtMs + 1 : 0;
    this.#sinceMs = this.clock.now();
    if (this.#carriedAtMs > MAX_MESSAGES_AT_ONCE) return;
    if (this.#cut.has(message.from) || this.#cut.has(message.to) || !this.passes(message)) return;
    queueMicrotask(() => {
      const node = this.#members.get(message.to)?.node;
      if (message.kind === 'snapshot') void node?.installSnapshot(message).catch(() => undefined);
      else node?.receive(message);
    });
  }
}

/** How a promise ended: the code of its error, or that it was kept. */
export async function endOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'kept';
  } catch (error) {
    return (error as { readonly code?: string }).code ?? String(error);
  }
}
