/** Members of a group with real logs, machines and Raft nodes in memory, a clock that the test moves, and a network that it cuts. What is above them, greetings and doors, the test stands in for. */

import {
  bootstrapGroup,
  EMPTY_CONFIGURATION,
  type NodeId,
  openRaftStorage,
  type PeerMessage,
  RaftNode,
  type SnapshotRequest,
} from '@kayadb/raft';
import { seededRandom, testSeed, VirtualClock } from '@kayadb/testkit';
import { MemoryFileSystem } from '@kayadb/vfs/testing';

import type { LogFields, Logger } from '../../src/logger.ts';
import type { CommandResult } from '../../src/machine/command-result.ts';
import type { KayaMachine } from '../../src/machine/kaya-machine.ts';
import { decodeSnapshotData } from '../../src/machine/snapshot-data.ts';
import type { GroupAccess, MetPeer } from '../../src/membership/group-access.ts';
import { GroupMembership } from '../../src/membership/group-membership.ts';
import { Steward } from '../../src/membership/steward.ts';
import { RaftReplica } from '../../src/replica/raft-replica.ts';
import { GROUP, MachineWorld } from '../machine/machine-world.ts';

export const TICK_MS = 50;
const ELECTION_TICKS = 10;
const STAGED = '/staged';
const CLUSTER_ID = new Uint8Array(16).fill(7);

export class MembershipWorld {
  readonly clock = new VirtualClock();
  readonly #sites = new Map<NodeId, Site>();
  readonly #cut = new Set<NodeId>();
  /** Sees each message on its way; one for which it gives false is lost. */
  passes: (message: PeerMessage) => boolean = () => true;
  /** Whether duties are done, too. */
  readonly hasStewards: boolean;

  private constructor(hasStewards: boolean) {
    this.hasStewards = hasStewards;
  }

  /** Nodes that vote from the beginning, the first of which leads. */
  static async open(nodes: readonly NodeId[], hasStewards = true): Promise<MembershipWorld> {
    const world = new MembershipWorld(hasStewards);
    for (const node of nodes) await world.start(node, nodes);
    world.site(nodes[0]!).node.campaign();
    await world.until('the first node leads', () => world.leader()?.id === nodes[0]);
    return world;
  }

  site(node: NodeId): Site {
    const site = this.#sites.get(node);
    if (site === undefined) throw new RangeError(`there is no node ${node}`);
    return site;
  }

  /** Starts a node, that begins with a group or is to be added. */
  async start(node: NodeId, voters: readonly NodeId[] = []): Promise<Site> {
    const site = await Site.open(this, node, voters);
    this.#sites.set(node, site);
    this.#cut.delete(node);
    return site;
  }

  /** Who leads a majority, of those that are not cut off. */
  leader(): Site | undefined {
    const leading = [...this.#sites.values()].filter(
      ({ id, node }) => !this.#cut.has(id) && node.endError === undefined && node.summary().role === 'leader',
    );
    return leading.toSorted((a, b) => b.node.summary().term - a.node.summary().term)[0];
  }

  async newLeader(other: Site): Promise<Site> {
    await this.until('another node leads', () => this.leader() !== undefined && this.leader() !== other);
    return this.leader()!;
  }

  isolate(...nodes: readonly NodeId[]): void {
    for (const node of nodes) this.#cut.add(node);
  }

  /** Nodes that were killed stay away. */
  heal(): void {
    for (const node of this.#cut) if (!this.site(node).isClosed) this.#cut.delete(node);
  }

  /** Everybody has greeted everybody. */
  greet(): void {
    for (const site of this.#sites.values()) {
      for (const node of this.#sites.keys()) if (node !== site.id) site.meet(node);
    }
  }

  /** The process of `node` ends. */
  async kill(node: NodeId): Promise<void> {
    this.#cut.add(node);
    await this.site(node).close();
  }

  /** `node` leads, and has not heard what its followers answered. Until `passes` is set again. */
  async deafen(node: NodeId): Promise<void> {
    const answers: readonly PeerMessage['kind'][] = ['append-response', 'heartbeat-response'];
    this.passes = ({ kind, to }) => to !== node || !answers.includes(kind);
    await this.settle(this.leader()!.node.transferLeader(node));
    if (this.leader()?.id !== node) throw new Error(`node ${node} does not lead`);
  }

  async ticks(count: number): Promise<void> {
    await this.clock.advanceAsync(count * TICK_MS);
  }

  async until(what: string, isReached: () => boolean, limitTicks = 400): Promise<void> {
    for (let tick = 0; tick < limitTicks; tick++) {
      if (isReached()) return;
      await this.ticks(1);
    }
    throw new Error(`not within ${limitTicks} ticks: ${what}`);
  }

  /** Waits for `work` while time goes on. */
  async settle<T>(work: Promise<T>): Promise<T> {
    let isSettled = false;
    const done = work.finally(() => {
      isSettled = true;
    });
    done.catch(() => undefined);
    await this.until('a promise settles', () => isSettled);
    return done;
  }

  /** As `settle`. @returns Code and message of what it failed with. */
  async failure(
    work: Promise<unknown>,
  ): Promise<{ readonly code?: string; readonly message: string; readonly leaderAddress?: string }> {
    const failed = work.then(
      () => ({ message: 'it did not fail' }),
      (error: unknown) => error as { readonly message: string },
    );
    return this.settle(failed);
  }

  carry(message: PeerMessage): void {
    if (this.#cut.has(message.from) || this.#cut.has(message.to) || !this.passes(message)) return;
    queueMicrotask(() => this.#sites.get(message.to)?.node.receive(message));
  }

  /** The files of a snapshot, at once and whole. */
  async ship(from: Site, request: SnapshotRequest): Promise<void> {
    const target = this.#sites.get(request.to);
    const isOut = (): boolean => this.#cut.has(request.from) || this.#cut.has(request.to);
    if (target === undefined || isOut()) throw new Error('there is no way to it');
    await target.receiveSnapshot(request, from);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const site of this.#sites.values()) await site.close();
  }
}

export class Site {
  readonly id: NodeId;
  readonly node: RaftNode<CommandResult>;
  readonly machine: KayaMachine;
  readonly steward: Steward;
  readonly membership: GroupMembership;
  readonly access: GroupAccess;
  readonly log: LogFields[] = [];
  /** What others have said of themselves. */
  readonly met = new Map<NodeId, MetPeer>();
  /** Who is not there any more. */
  readonly parted = new Set<NodeId>();
  /** Comes in front of what is proposed. */
  intercept: (what: string) => Promise<void> = () => Promise.resolve();
  readonly #fs: MemoryFileSystem;
  #isClosed = false;

  private constructor(
    world: MembershipWorld,
    id: NodeId,
    fs: MemoryFileSystem,
    machine: KayaMachine,
    node: RaftNode<CommandResult>,
  ) {
    this.id = id;
    this.machine = machine;
    this.node = node;
    this.#fs = fs;
    const { clock } = world;
    const replica = new RaftReplica({
      node,
      machine,
      clientAddressOf,
      clock,
      wallClock: () => clock.now(),
      leaseMs: 0,
    });
    this.access = {
      nodeId: id,
      status: () => node.status(),
      proposeConfigChange: async (change) => {
        await this.intercept(change.steps.map(({ kind }) => kind).join(' '));
        return node.proposeConfigChange(change);
      },
      transferLeader: async (target) => {
        await this.intercept('transfer');
        return node.transferLeader(target);
      },
      propose: async (body) => {
        await this.intercept(body.kind);
        return replica.propose(body);
      },
      members: () => machine.members,
      self: () => ({ node: id, ...cardOf(id) }),
      met: (other) => this.met.get(other),
      isConnected: (other) => !this.parted.has(other),
      wasRemoved: (other, incarnation) => machine.wasRemoved(other, incarnation),
      clientAddressOf,
      level: () => machine.level,
    };
    const at = (level: string) => (fields: LogFields, message: string) =>
      void this.log.push({ ...fields, level, message });
    const logger: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
    this.steward = new Steward({ access: this.access, logger, electionTicks: ELECTION_TICKS });
    const { hearing, lane } = this.steward;
    this.membership = new GroupMembership({ access: this.access, hearing, lane });
    this.#tick(world);
  }

  static async open(world: MembershipWorld, id: NodeId, voters: readonly NodeId[]): Promise<Site> {
    const fs = new MemoryFileSystem();
    const machine = await (await MachineWorld.create(fs, { seed: id })).open();
    const identity = { clusterId: CLUSTER_ID, nodeId: id, incarnation: id * 10 };
    let storage = await openRaftStorage(`${GROUP}/raft`, { fs, identity });
    if (voters.length > 0) {
      await bootstrapGroup(storage, machine, { ...EMPTY_CONFIGURATION, voters });
      await storage.close();
      storage = await openRaftStorage(`${GROUP}/raft`, { fs, identity });
    }
    const random = seededRandom(testSeed()).fork(`node ${id}`);
    const node = await RaftNode.open<CommandResult>({
      id,
      storage,
      stateMachine: machine,
      sender: { send: (message) => world.carry(message) },
      shipper: { ship: (request) => world.ship(world.site(id), request) },
      clock: world.clock,
      random: (limit) => random.int(limit),
      yieldTurn: () => Promise.resolve(),
      tickMs: TICK_MS,
      electionTicks: ELECTION_TICKS,
      heartbeatTicks: 2,
      proposalTicks: 100,
    });
    return new Site(world, id, fs, machine, node);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Voters, and learners behind a plus. */
  get configuration(): string {
    const { voters, learners } = this.node.summary().configuration;
    return `${voters.join(' ')}${learners.length > 0 ? ` + ${learners.join(' ')}` : ''}`;
  }

  /** `node` has greeted this one. */
  meet(node: NodeId, changes: Partial<MetPeer> = {}): void {
    this.met.set(node, { ...cardOf(node), ...changes });
  }

  get rows(): readonly string[] {
    return this.machine.members.map(
      ({ node, incarnation, isToBePromoted }) => `${node}:${incarnation}${isToBePromoted ? ' to be promoted' : ''}`,
    );
  }

  async receiveSnapshot(request: SnapshotRequest, from: Site): Promise<void> {
    const { snapshot } = request;
    const pinned = await from.machine.pin(snapshot);
    await this.#fs.makeDirectory(STAGED);
    for (const [file, { name, bytes }] of pinned.files.entries()) {
      const buffer = new Uint8Array(Math.max(1, bytes));
      const read = await pinned.read(file, buffer, 0);
      const handle = await this.#fs.open(`${STAGED}/${name}`, 'create');
      await handle.write(buffer.subarray(0, read), 0);
      await handle.sync();
      await handle.close();
    }
    pinned.unpin();
    await this.machine.adopt(snapshot, STAGED, decodeSnapshotData(snapshot.data));
    await this.node.installSnapshot(request);
    for (const { name } of await this.#fs.readDirectory(STAGED)) await this.#fs.unlink(`${STAGED}/${name}`);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.steward.close();
    await this.node.close();
  }

  #tick(world: MembershipWorld): void {
    world.clock.setTimer(TICK_MS, () => {
      if (this.#isClosed) return;
      if (world.hasStewards) this.steward.tick();
      else this.steward.hearing.tick(this.node.status());
      this.#tick(world);
    });
  }
}

function clientAddressOf(node: NodeId): string {
  return `client-${node}`;
}

export function cardOf(node: NodeId): MetPeer {
  return { incarnation: node * 10, level: 1, peerAddress: `peer-${node}`, clientAddress: clientAddressOf(node) };
}
