/**
 * The loop of a node: drain, step, ready, hand out, in turns that nothing interrupts. The contract is docs/internals/raft.md, "The host's loop".
 *
 * Invariant: between turns the core has nothing ready. Only turns call the core, and the apply loop for a change of the group at its place.
 * After `end` nothing is sent, stored or applied any more, and everybody who waits has an answer.
 */

import type { Message, PeerMessage, SnapshotRequest } from '../core/message.ts';
import { RaftCore } from '../core/raft-core.ts';
import type { ReadState } from '../core/ready.ts';
import { RaftError, type RaftErrorCode } from '../errors.ts';
import type { RaftIdentity } from '../storage/raft-identity.ts';
import { DropGate, type GateVerdict } from './drop-gate.ts';
import { Inbox } from './inbox.ts';
import type { InstallOutcome } from './installs.ts';
import type { NodeEventSink } from './node-events.ts';
import type { NodeLimits, NodeWorld } from './node-options.ts';
import type { NodeStart } from './node-start.ts';
import { NodeWork } from './node-work.ts';
import { findOriginFlaw } from './origin-check.ts';
import { dropped, Proposals } from './proposals.ts';
import { Proposer } from './proposer.ts';
import { Reads } from './reads.ts';
import { StorageWatch } from './storage-watch.ts';
import { Transfers } from './transfers.ts';
import { Turns } from './turns.ts';

/** Inputs that one turn steps, so that it stays short. */
const MAX_INPUTS_PER_TURN = 512;
const MAX_RANDOM = 2 ** 32;

export interface LoopSettings {
  readonly limits: NodeLimits;
  readonly onEvent: NodeEventSink;
  readonly checkInvariants: boolean;
}

export class NodeLoop<Result> {
  readonly core: RaftCore;
  readonly proposals: Proposals<Result>;
  readonly reads: Reads;
  readonly transfers: Transfers;
  readonly inbox: Inbox;
  readonly gate: DropGate;
  readonly work: NodeWork<Result>;
  readonly #world: NodeWorld<Result>;
  readonly #onEvent: NodeEventSink;
  readonly #proposer: Proposer<Result>;
  readonly #watch: StorageWatch;
  readonly #turns: Turns;
  readonly #voteDelayTicks: number;
  /** What the host asked of the core, for the next turn. */
  #wishes: (() => void)[] = [];
  #tickIsDue = false;
  #tick = 0;
  #endError: RaftError | undefined;

  constructor(world: NodeWorld<Result>, start: NodeStart, { limits, onEvent, checkInvariants }: LoopSettings) {
    const { id, random } = world;
    this.#world = world;
    this.#onEvent = onEvent;
    this.#voteDelayTicks = limits.voteDelayTicks;
    this.core = new RaftCore({
      ...limits,
      id,
      storage: start.logStorage,
      applied: start.point.index,
      asyncStorageWrites: true,
      checkQuorum: true,
      preVote: true,
      disableProposalForwarding: true,
      stepDownOnRemoval: true,
      tellCommitInVotes: true,
      random,
      onEvent,
      checkInvariants,
    });
    this.proposals = new Proposals(limits);
    const incarnation = random(MAX_RANDOM);
    this.reads = new Reads({ id, incarnation, maxReads: limits.maxReads, retryTicks: limits.readRetryTicks });
    this.transfers = new Transfers();
    this.inbox = new Inbox({ maxMessages: limits.maxInboxMessages, maxBytes: limits.maxInboxBytes });
    this.gate = new DropGate(onEvent);
    this.#proposer = new Proposer(this.core, this.proposals, limits.maxMessageBytes);
    this.#watch = new StorageWatch(limits.storageStallTicks, onEvent);
    this.#turns = new Turns({ turn: () => this.#turn(), yieldTurn: () => world.yieldTurn() });
    const { core, proposals, reads } = this;
    this.work = new NodeWork({ world, start, limits, onEvent, core, proposals, reads, host: this.#workHost() });
  }

  /** Why nothing is done any more; undefined while the node lives. */
  get endError(): RaftError | undefined {
    return this.#endError;
  }

  /** The node's own time. */
  get now(): number {
    return this.#tick;
  }

  /** @param origin - Who is at the other end of the connection, if that is known. */
  receive(message: PeerMessage, origin: RaftIdentity | undefined): void {
    if (this.#endError !== undefined) return;
    if (message.kind === 'snapshot') {
      this.gate.refuse(message, { refusal: 'without-files', what: 'it was not given to installSnapshot' });
      return;
    }
    const { peers } = this.#world;
    const flaw = origin === undefined || peers === undefined ? undefined : findOriginFlaw(message, origin, peers);
    if (flaw === undefined) this.#offer(message);
    else this.gate.refuse(message, flaw);
  }

  /** @throws What ends the node, if that comes first. */
  install(message: SnapshotRequest): Promise<InstallOutcome> {
    if (this.#endError !== undefined) return Promise.reject(this.#endError);
    const { installs } = this.work;
    if (installs.isPending || !this.#offer(message)) return Promise.resolve('no-room');
    return installs.add(message);
  }

  /** `ask` calls the core in the next turn, unless the node ends before. */
  wish(ask: () => void): void {
    if (this.#endError !== undefined) return;
    this.#wishes.push(ask);
    this.schedule();
  }

  tick(): void {
    this.#tickIsDue = true;
    this.schedule();
  }

  /** There is something for a turn to do. */
  schedule(): void {
    this.#turns.schedule();
  }

  /** Why this leader takes no proposals. Others refuse them anyway, and say who leads. */
  findProposalRefusal(): RaftError | undefined {
    if (this.core.role !== 'leader') return undefined;
    if (this.work.lane.isDiskFull) return dropped('the disk of this node is full');
    return this.#watch.isStalled ? dropped('the disk of this node has stopped answering') : undefined;
  }

  /** Ends everything, at once. The first reason counts. */
  end(error: RaftError): void {
    if (this.#endError !== undefined) return;
    this.#endError = error;
    this.#turns.end();
    this.work.stop();
    this.inbox.clear();
    this.#wishes = [];
    this.proposals.endAll(error);
    this.reads.endAll(error);
    this.transfers.endAll(error);
    this.work.installs.endAll(error);
  }

  /** As `RaftNode.poison`. */
  poison(cause: unknown): void {
    this.#fail('its disk failed, and what is on it is not known', cause, 'KAYA_RAFT_POISONED');
  }

  /** Requires: `end` was called. Resolves when nobody of those whom this loop has called is at work any more. */
  join(): Promise<void> {
    return this.work.join();
  }

  /** @returns Whether there was room. */
  #offer(message: PeerMessage): boolean {
    const hasRoom = this.inbox.offer(message);
    if (hasRoom) this.schedule();
    else this.gate.drop(message, 'inbox-full');
    return hasRoom;
  }

  /** @returns Whether there is more than a turn takes. */
  #turn(): boolean {
    try {
      this.#drain();
      this.#handOut();
      this.work.turnEnded();
      if (this.transfers.isPending) this.transfers.observe(this.core.status());
    } catch (error) {
      this.#fail('the node broke a rule of its own', error, 'KAYA_RAFT_STOPPED');
    }
    return this.inbox.length > 0 || this.proposals.waitingCount > 0;
  }

  #drain(): void {
    const wishes = this.#wishes;
    this.#wishes = [];
    for (const ask of wishes) ask();
    for (let count = 0; count < MAX_INPUTS_PER_TURN; count++) {
      const taken = this.inbox.take();
      if (taken === undefined) break;
      if (taken.isFromPeer) this.#stepFromPeer(taken.message);
      else this.core.step(taken.message);
    }
    // Behind the messages: after a pause the leader's heartbeats count before the time that has passed.
    if (this.#tickIsDue) this.#passTick();
    this.#proposer.propose();
    if (this.#mayRead()) for (const context of this.reads.takeRequests(this.#tick)) this.core.readIndex(context);
  }

  /** Nobody can be elected in the place of the only voter, so it has nobody to go silent for; and its reads need no disk. */
  #mayRead(): boolean {
    if (!this.#watch.isStalled) return true;
    const { voters, votersOutgoing } = this.core.summary().configuration;
    return votersOutgoing.length === 0 && voters.length === 1 && voters[0] === this.#world.id;
  }

  #stepFromPeer(message: Message): void {
    const verdict = this.#judge(message);
    if (verdict === 'admitted') this.#stepAdmitted(message);
    if (message.kind !== 'snapshot') return;
    if (verdict === 'admitted') this.work.installs.stepped();
    else this.work.installs.turnedAway(verdict === 'dropped' ? 'no-room' : 'not-needed');
  }

  #judge(message: Message): GateVerdict {
    const { isFull, isOverfull, isDiskFull } = this.work.lane;
    const { isStalled } = this.#watch;
    const isWithholdingVotes = this.#tick < this.#voteDelayTicks;
    return this.gate.judge(message, this.core, { isFull, isOverfull, isDiskFull, isStalled, isWithholdingVotes });
  }

  #stepAdmitted(message: Message): void {
    const outcome = this.core.step(message);
    if (outcome.kind === 'unknown-peer') {
      this.gate.refuse(message, { refusal: 'unknown-sender', what: `node ${message.from} is no member` });
    } else if (outcome.kind === 'dropped' && outcome.reason === 'quota') {
      // Who asked will ask again, until its callers give up.
      this.gate.drop(message, 'reads-full');
    }
  }

  #passTick(): void {
    this.#tickIsDue = false;
    this.#tick++;
    const { lane } = this.work;
    lane.tick();
    this.proposals.expire(this.#tick);
    this.reads.expire(this.#tick);
    this.transfers.expire(this.#tick);
    this.#watch.observe(this.core.role === 'leader', lane.oldestAgeTicks);
    if (!this.#watch.isStalled) this.core.tick();
  }

  #handOut(): void {
    while (this.core.hasReady) {
      const { readStates, messages } = this.core.ready();
      for (const state of readStates) this.#confirmRead(state);
      for (const message of messages) this.work.carryOut(message);
    }
  }

  #confirmRead({ context, index }: ReadState): void {
    this.reads.confirm(context, index, this.work.appliedIndex);
  }

  #workHost(): ConstructorParameters<typeof NodeWork<Result>>[0]['host'] {
    return {
      deliver: (message) => {
        this.inbox.push(message);
        this.schedule();
      },
      wish: (ask) => this.wish(ask),
      schedule: () => this.schedule(),
      fail: (what, cause, code) => this.#fail(what, cause, code),
    };
  }

  #fail(what: string, cause: unknown, code: RaftErrorCode): void {
    if (this.#endError !== undefined) return;
    this.end(new RaftError(code, `node ${this.#world.id} has stopped: ${what}`, { cause }));
    // Errors of whatever is let go of now are of no interest beside this one.
    void this.join();
    this.#onEvent({ kind: 'node-failed', code, cause });
  }
}
