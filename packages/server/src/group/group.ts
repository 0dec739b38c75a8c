/**
 * A node and its group: it finds or founds the cluster, is a member of it, and ends when it has no business in it any more. A reader of this folder starts here.
 *
 * Invariant: the node says nothing to anybody before its directory has a boot that it never had; nothing of another cluster, and no directory that the group does not know,
 * comes in; what ends the node is told once, by `onEnd`, and nothing is served after that.
 */

import type { Timer } from '@kayadb/codec';
import type { EngineEvent } from '@kayadb/engine';
import { NO_NODE, type NodeEvent, type NodeId, type RaftIdentity } from '@kayadb/raft';
import {
  type Endpoint,
  formatEndpoint,
  type Greeting,
  type Listener,
  PEER_LISTENER_LIMITS,
  type PeerSelf,
} from '@kayadb/transport';

import type { Member } from '../machine/command.ts';
import type { NodeCard } from '../membership/group-access.ts';
import type { SuccessorOrder } from '../membership/leader-view.ts';
import { RaftReplica } from '../replica/raft-replica.ts';
import type { ReplicaError } from '../replica/replica-error.ts';
import { catchesUp } from './catches-up.ts';
import { Duties } from './duties.ts';
import { EarlyCampaign } from './early-campaign.ts';
import { Formation, type Formed, formedBefore } from './formation.ts';
import { type EndVerdict, endErrorOf } from './group-error.ts';
import { electionTicksOf, GroupMember, tickMsOf } from './group-member.ts';
import type { GroupOptions } from './group-options.ts';
import { HeldLogs } from './held-logs.ts';
import { LateMembership } from './late-membership.ts';
import { LateReplica } from './late-replica.ts';
import { linkLimitsOf } from './link-limits.ts';
import { memberOptionsOf } from './member-options.ts';
import { NodeEventLog } from './node-event-log.ts';
import { nodesOf, PeerBook } from './peer-book.ts';
import { PeerDoor } from './peer-door.ts';
import { PeerExchange } from './peer-exchange.ts';
import { peerSelfOf } from './peer-self.ts';
import { PeerTls } from './peer-tls.ts';
import { refuseWithoutGroup } from './refuse-without-group.ts';

/** Part of the time in which nobody is elected, for which a leader goes by its own clock: clocks differ, and so do the moments at which they were looked at. */
const LEASE_SHARE = 0.75;

export class Group {
  /** Refuses as long as there is no member, and again when there is none any more. */
  readonly replica: LateReplica;
  readonly membership: LateMembership;
  /** Resolves when the node is a member and knows a leader. */
  readonly ready: Promise<void>;
  readonly #options: GroupOptions;
  readonly #nodeId: NodeId;
  readonly #book: PeerBook;
  readonly #tls: PeerTls | undefined;
  readonly #door: PeerDoor;
  readonly #held = new HeldLogs();
  readonly #events: NodeEventLog;
  /** Tells this start from another one with the same boot. */
  readonly #start: number;
  readonly #exchange: PeerExchange;
  readonly #tickMs: number;
  #resolveReady: () => void = () => {};
  #requestClose: () => void = () => {};
  readonly #closeRequested: Promise<undefined>;
  #listener: Listener | undefined;
  #formation: Formation | undefined;
  #member: GroupMember | undefined;
  /** Settles when the node has become a member, or will not any more. Never rejects. */
  #becoming: Promise<void> = Promise.resolve();
  #ticks: Timer | undefined;
  #duties: Duties | undefined;
  #earlyCampaign: EarlyCampaign | undefined;
  #endError: Error | undefined;
  /** Settles when nothing more comes of having left. Never rejects. */
  #leaving: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: GroupOptions) {
    const { directory, peers, timing, network, clock, random, logger, tls } = options;
    this.#options = options;
    this.#nodeId = directory.identity.node;
    this.#tickMs = tickMsOf(timing);
    this.#events = new NodeEventLog(logger, clock);
    this.#start = random.integer(2 ** 32) * 2 ** 20 + random.integer(2 ** 20);
    this.#book = new PeerBook({ self: this.#nodeId, peers });
    this.#tls = tls === undefined ? undefined : new PeerTls(tls, this.#book, () => this.members);
    this.replica = new LateReplica(this.#nodeId, () => this.#refusal());
    this.membership = new LateMembership(() => this.#refusal());
    this.ready = new Promise((resolve) => {
      this.#resolveReady = resolve;
    });
    this.#closeRequested = new Promise((resolve) => {
      this.#requestClose = () => resolve(undefined);
    });
    this.#door = new PeerDoor({
      knowledge: {
        self: () => this.#self(),
        members: () => this.members,
        isMember: (node) => this.#nodes().includes(node),
        isConfigured: (node) => this.#book.configured.includes(node),
        wasRemoved: (node, incarnation) => this.#wasRemoved(node, incarnation),
        groupLevel: () => this.#member?.machine.level ?? 1,
        knowsGroup: () => this.#member?.isUpToDate ?? false,
        catchUp: () => catchesUp(this.replica, clock),
        heldBy: (node, incarnation) => this.#held.heldBy(node, incarnation),
      },
      events: {
        handleMet: (greeting) => this.#handleMet(greeting),
        handleEnd: (verdict) => this.#leave(verdict),
      },
      identityOf: (node) => this.#tls?.identityOf(node),
    });
    this.#exchange = new PeerExchange({
      clusterId: () => this.#raftIdentity().clusterId,
      network,
      clock,
      random: random.fraction,
      policy: this.#door,
      logger,
      linkLimits: linkLimitsOf(timing),
      tlsOf: (node) => this.#tls?.dial(node),
      onGone: (node) => this.#earlyCampaign?.handleGone(node),
    });
  }

  /** Where nodes reach this one: with the real port, once it listens. */
  get peerAddress(): Endpoint {
    return this.#listener?.address ?? this.#options.peerAddress;
  }

  /** As others are told. */
  get advertisedPeerAddress(): string {
    return this.#options.advertisedPeerAddress ?? formatEndpoint(this.peerAddress);
  }

  /** Undefined as long as there is no cluster, and when the node has ended. */
  get member(): GroupMember | undefined {
    return this.#member;
  }

  get endError(): Error | undefined {
    return this.#endError;
  }

  /** Nodes that it waits for, while it has no cluster. */
  get missing(): readonly NodeId[] {
    return this.#formation?.missing ?? [];
  }

  /** The rows of members; none before the node is one. */
  get members(): readonly Member[] {
    return this.#member?.machine.members ?? [];
  }

  get exchange(): PeerExchange {
    return this.#exchange;
  }

  /** Where clients reach `node`, as far as this one knows. */
  clientAddressOf(node: NodeId): string | undefined {
    return node === this.#nodeId ? this.#options.clientAddress() : this.#book.clientAddress(node, this.members);
  }

  /** @throws TransportError KAYA_LISTEN_FAILED */
  async listen(): Promise<void> {
    const { network, peerAddress } = this.#options;
    this.#listener = await network.listen({
      ...peerAddress,
      limits: PEER_LISTENER_LIMITS,
      tls: this.#tls?.listen,
      onConnection: (connection) => this.#exchange.accept(connection),
    });
    this.#becoming = this.#become();
  }

  /** Has another voter lead, if this node does. Never rejects. Bound: `limitMs`. */
  async handOver(limitMs: number, order?: SuccessorOrder): Promise<void> {
    await this.#duties?.handOver(limitMs, order);
  }

  /** Nothing is served or said any more. Idempotent. @throws What the store's or the log's close fails with. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #become(): Promise<void> {
    try {
      const formed = await this.#findCluster();
      if (formed === undefined) return;
      const { directory, logger } = this.#options;
      await directory.joinCluster(formed.cluster);
      const member = await this.#openMember(formed);
      if (member.node.summary().lastIndex > 0) await directory.markBegun();
      else if (formed.doubt !== undefined) logger.warn({ event: 'group.doubt', cluster: formed.cluster }, formed.doubt);
      this.#member = member;
      // Told meanwhile that it has no place in its group, or to close: then `close` sees to the rest.
      if (this.#endError !== undefined || this.#closing !== undefined) return await member.node.close();
      this.#serve(member);
      logger.info({ event: 'group.member', cluster: formed.cluster, node: this.#nodeId }, 'a member of the group');
    } catch (error) {
      this.#end(error instanceof Error ? error : new Error(String(error), { cause: error }));
    }
  }

  /** @returns `undefined` when the node is closed before it has one. */
  async #findCluster(): Promise<Formed | undefined> {
    const { directory, peers, isJoining, clock, random, logger } = this.#options;
    const nodes = [this.#nodeId, ...peers.map(({ node }) => node)];
    const { cluster } = directory.identity;
    if (cluster !== undefined) return formedBefore(cluster, nodes, isJoining);
    const formation = new Formation({ node: this.#nodeId, nodes, isJoining, clock, randomBytes: random.bytes });
    this.#formation = formation;
    this.#exchange.setPeers(this.#book.addresses(undefined, []));
    if (nodes.length > 1)
      logger.info({ event: 'group.forming', missing: formation.missing }, 'waiting for other nodes');
    const formed = await Promise.race([formation.formed, this.#closeRequested]);
    formation.close();
    this.#formation = undefined;
    return formed;
  }

  #openMember(formed: Formed): Promise<GroupMember> {
    const options = memberOptionsOf(this.#options, {
      formed,
      identity: this.#raftIdentity(),
      exchange: this.#exchange,
      incarnationOf: (node) => this.#door.speakerOf(node),
      onEngineEvent: (event) => this.#handleEngineEvent(event),
      onEvent: (event) => this.#handleRaftEvent(event),
    });
    return GroupMember.open(options);
  }

  #serve(member: GroupMember): void {
    const { clock, wallClock, random, timing, keepsLeases, logger } = this.#options;
    const { node, machine, shipper, installer } = member;
    this.#exchange.attach({ node, shipper, installer, onEvent: (event) => this.#handleRaftEvent(event) });
    const leaseMs = keepsLeases ? timing.electionMs * LEASE_SHARE : 0;
    const clientAddressOf = (peer: NodeId): string | undefined => this.clientAddressOf(peer);
    const replica = new RaftReplica({ node, machine, clientAddressOf, clock, wallClock, leaseMs });
    this.replica.set(replica);
    this.#duties = new Duties({
      member,
      replica,
      self: () => this.#card(),
      met: (peer) => this.#book.met(peer, machine.addedAt(peer)),
      isConnected: (peer) => this.#exchange.isConnected(peer),
      clientAddressOf,
      electionTicks: electionTicksOf(timing),
      clock,
      logger,
    });
    this.membership.set(this.#duties.membership);
    const { voters, votersOutgoing } = node.summary().configuration;
    if (!keepsLeases) {
      const turnMs = timing.heartbeatMs;
      this.#earlyCampaign = new EarlyCampaign({ node, clock, random: random.fraction, turnMs });
    }
    // Nobody else can be elected, so nobody is waited for.
    if (!keepsLeases && voters.length === 1 && votersOutgoing.length === 0 && voters[0] === this.#nodeId)
      node.campaign();
    this.#tick();
  }

  #tick(): void {
    const { clock, directory } = this.#options;
    this.#ticks = clock.setTimer(this.#tickMs, () => this.#tick());
    const member = this.#member;
    if (member === undefined) return;
    const { leader, configuration, lastIndex } = member.node.summary();
    if (this.#wasRemoved(this.#nodeId, directory.identity.incarnation)) return this.#leave('removed');
    // Of a node that has joined; what fails is tried again.
    if (lastIndex > 0 && !directory.identity.hasBegun) directory.markBegun().catch(() => undefined);
    member.tick();
    this.#held.observe(member.node.status(), this.members);
    this.#duties?.tick();
    this.#exchange.setPeers(this.#book.addresses(configuration, this.members, this.#exchange.senders));
    // Who was there before its row waited for a directory says once more which one it has.
    const isCurrent = (node: NodeId): boolean => this.#book.met(node, member.machine.addedAt(node)) !== undefined;
    this.#exchange.dismiss((greeting, origin) => this.#door.isWelcome(greeting, origin) && isCurrent(greeting.sender));
    if (leader !== NO_NODE) this.#resolveReady();
  }

  #handleMet({ sender, cluster, incarnation, lastIndex, featureLevel, nodeAddress, clientAddress }: Greeting): void {
    // Who is in no cluster yet may come with another directory.
    if (cluster !== undefined && cluster === this.#options.directory.identity.cluster) {
      const said = { incarnation, level: featureLevel, peerAddress: nodeAddress, clientAddress };
      this.#book.note(sender, said, this.#member?.machine.commandIndex ?? 0);
    }
    const problem = this.#formation?.hear({ sender, cluster, hasHistory: lastIndex > 1 });
    if (problem !== undefined) this.#options.logger.warn({ event: 'group.mismatch', peer: sender }, problem);
  }

  #handleEngineEvent(event: EngineEvent): void {
    this.#options.engine?.onEvent?.(event);
    if (event.kind === 'poisoned') this.#end(event.cause);
  }

  #handleRaftEvent(event: NodeEvent): void {
    this.#events.write(event);
    if (event.kind !== 'node-failed') return;
    this.#end(event.cause instanceof Error ? event.cause : new Error(event.code, { cause: event.cause }));
  }

  #wasRemoved(node: NodeId, incarnation: number): boolean {
    return this.#member?.machine.wasRemoved(node, incarnation) ?? false;
  }

  /** The group does not want this node any more: it takes no part from now on, for it may have forgotten what it promised. */
  #leave(verdict: EndVerdict): void {
    if (this.#closing !== undefined) return;
    this.#ticks?.cancel();
    this.#exchange.detach();
    this.#leaving ??= this.#finishLeaving(verdict);
    this.#end(endErrorOf(verdict, this.#nodeId, this.#options.directory.path));
  }

  async #finishLeaving(verdict: EndVerdict): Promise<void> {
    await this.#member?.node.close();
    // A start that comes before this is durable is told again.
    if (verdict === 'removed') await this.#options.directory.markRemoved().catch(() => undefined);
  }

  #end(cause: Error): void {
    if (this.#endError !== undefined || this.#closing !== undefined) return;
    this.#endError = cause;
    this.#formation?.close();
    this.#stopServing();
    this.#options.onEnd(cause);
  }

  #stopServing(): void {
    this.replica.set(undefined);
    this.membership.set(undefined);
    this.#duties?.close();
  }

  async #close(): Promise<void> {
    this.#stopServing();
    this.#requestClose();
    this.#ticks?.cancel();
    this.#earlyCampaign?.close();
    this.#exchange.detach();
    // The ports do not wait for the disk: behind one that stays open, others take this node for one that only says nothing.
    const closing = [this.#closeMember(), this.#exchange.close(), this.#listener?.close() ?? Promise.resolve()];
    for (const part of await Promise.allSettled(closing)) if (part.status === 'rejected') throw part.reason;
  }

  async #closeMember(): Promise<void> {
    await this.#becoming;
    await this.#leaving;
    const member = this.#member;
    this.#member = undefined;
    await member?.close();
  }

  #refusal(): ReplicaError {
    const { directory, isJoining } = this.#options;
    return refuseWithoutGroup({
      node: this.#nodeId,
      endError: this.#endError,
      isClosing: this.#closing !== undefined,
      hasCluster: directory.identity.cluster !== undefined,
      isJoining,
      missing: this.missing,
    });
  }

  #self(): PeerSelf {
    return peerSelfOf(this.#options.directory.identity, {
      start: this.#start,
      lastIndex: this.#member?.node.summary().lastIndex,
      nodeAddress: this.advertisedPeerAddress,
      clientAddress: this.#options.clientAddress(),
    });
  }

  /** What the group is to know of this node. */
  #card(): NodeCard {
    const { node, incarnation, featureLevel: level, nodeAddress: peerAddress, clientAddress } = this.#self();
    return { node, incarnation, level, peerAddress, clientAddress };
  }

  #raftIdentity(): RaftIdentity {
    const { cluster = '', node, incarnation } = this.#options.directory.identity;
    return { clusterId: Buffer.from(cluster, 'hex'), nodeId: node, incarnation };
  }

  /** Everybody in the group, as this node knows it. */
  #nodes(): readonly NodeId[] {
    const configuration = this.#member?.node.summary().configuration;
    return configuration === undefined ? [] : nodesOf(configuration);
  }
}
