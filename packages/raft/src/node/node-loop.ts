/**
 * The loop of a node: drain, step, ready, hand out, in turns that nothing interrupts. The contract is docs/internals/raft.md, "The host's loop".
 *
 * Invariant: between turns the core has nothing ready. Only turns call the core, and the apply loop for a change of the group at its place.
 * After `end` nothing is sent, stored or applied any more, and everybody who waits has an answer.
 */

import { assert } from '@kayadb/codec';

import type { ConfigChange } from '../core/config-change.ts';
import { describeConfiguration } from '../core/describe-configuration.ts';
import { changeMembership, membersOf } from '../core/membership.ts';
import type { Message, PeerMessage, SnapshotRequest, StorageAppend } from '../core/message.ts';
import { RaftCore } from '../core/raft-core.ts';
import type { ReadState } from '../core/ready.ts';
import {
  APPEND_THREAD,
  APPLY_THREAD,
  type Configuration,
  type Entry,
  type LogIndex,
  type Snapshot,
} from '../core/types.ts';
import { RaftError } from '../errors.ts';
import { AppendLane } from './append-lane.ts';
import { ApplyLoop } from './apply-loop.ts';
import { DropGate } from './drop-gate.ts';
import { Inbox } from './inbox.ts';
import type { NodeEventSink } from './node-events.ts';
import type { NodeLimits, NodeWorld } from './node-options.ts';
import type { NodeStart } from './node-start.ts';
import { dropped, type Proposal, Proposals } from './proposals.ts';
import { Reads } from './reads.ts';
import { Releases } from './releases.ts';
import { Shipments } from './shipments.ts';
import { Snapshots } from './snapshots.ts';
import { otherMembers, pickSuccessor } from './successor.ts';
import { Transfers } from './transfers.ts';

/** Inputs that one turn steps, so that it stays short. */
const MAX_INPUTS_PER_TURN = 512;
const MAX_RANDOM = 2 ** 32;
/** Whoever waits for it goes on when the work at hand is done. */
const TURN = Promise.resolve();

export interface LoopSettings {
  readonly limits: NodeLimits;
  readonly onEvent: NodeEventSink;
  readonly checkInvariants: boolean;
}

export class NodeLoop<Result> {
  readonly core: RaftCore;
  readonly proposals: Proposals<Result>;
  readonly reads: Reads;
  readonly transfers = new Transfers();
  readonly inbox: Inbox;
  readonly lane: AppendLane;
  readonly gate: DropGate;
  readonly #world: NodeWorld<Result>;
  readonly #limits: NodeLimits;
  readonly #onEvent: NodeEventSink;
  readonly #applyLoop: ApplyLoop<Result>;
  readonly #releases: Releases;
  readonly #shipments: Shipments;
  readonly #snapshots: Snapshots;
  /** What the host asked of the core, for the next turn. */
  #wishes: (() => void)[] = [];
  readonly #turnNow = (): void => this.#turn();
  #tickIsDue = false;
  #tick = 0;
  #isScheduled = false;
  #isStalled = false;
  /** Of the last snapshot of a leader: the configuration up to there came with it. */
  #snapshotIndex: LogIndex = 0;
  #endError: RaftError | undefined;

  constructor(world: NodeWorld<Result>, start: NodeStart, { limits, onEvent, checkInvariants }: LoopSettings) {
    const { id, storage, stateMachine, random } = world;
    this.#world = world;
    this.#limits = limits;
    this.#onEvent = onEvent;
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
    this.inbox = new Inbox({ maxMessages: limits.maxInboxMessages, maxBytes: limits.maxInboxBytes });
    this.gate = new DropGate(onEvent);
    this.lane = new AppendLane(this.#laneHost(), limits);
    this.#applyLoop = new ApplyLoop(stateMachine, start, this.#applyHost(), world);
    this.#releases = new Releases(id, {
      send: (message) => this.#send(message),
      deliver: (message) => this.#deliver(message),
      restore: (snapshot, done) => this.#applyLoop.restore(snapshot, done),
    });
    this.#shipments = new Shipments(world.shipper, {
      report: (to, hasArrived) => this.wish(() => this.core.reportSnapshot(to, hasArrived)),
      onFailed: (to, index, cause) => onEvent({ kind: 'snapshot-shipping-failed', to, index, cause }),
    });
    this.#snapshots = new Snapshots(limits, storage, stateMachine, {
      otherMembers: () => (this.core.role === 'leader' ? otherMembers(this.core.status()) : []),
      onEvent,
    });
  }

  /** Why nothing is done any more; undefined while the node lives. */
  get endError(): RaftError | undefined {
    return this.#endError;
  }

  /** The node's own time. */
  get now(): number {
    return this.#tick;
  }

  get appliedIndex(): LogIndex {
    return this.#applyLoop.point.index;
  }

  get isMakingSnapshot(): boolean {
    return this.#snapshots.isMaking;
  }

  receive(message: PeerMessage): void {
    if (this.#endError !== undefined) return;
    if (this.inbox.offer(message)) this.schedule();
    else this.gate.drop(message, 'inbox-full');
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
    if (this.#isScheduled || this.#endError !== undefined) return;
    this.#isScheduled = true;
    // Not `queueMicrotask`, which costs several times as much.
    void TURN.then(this.#turnNow);
  }

  /** Why this leader takes no proposals. Others refuse them anyway, and say who leads. */
  findProposalRefusal(): RaftError | undefined {
    if (this.core.role !== 'leader') return undefined;
    if (this.lane.isDiskFull) return dropped('the disk of this node is full');
    return this.#isStalled ? dropped('the disk of this node has stopped answering') : undefined;
  }

  /** Ends everything, at once. The first reason counts. */
  end(error: RaftError): void {
    if (this.#endError !== undefined) return;
    this.#endError = error;
    this.lane.stop();
    this.inbox.clear();
    this.#wishes = [];
    this.proposals.endAll(error);
    this.reads.endAll(error);
    this.transfers.endAll(error);
  }

  /** Requires: `end` was called. Resolves when nobody of those whom this loop has called is at work any more. */
  async join(): Promise<void> {
    await Promise.all([this.#applyLoop.stop(), this.#snapshots.stop(), this.#shipments.stop(), this.lane.idle()]);
  }

  #turn(): void {
    this.#isScheduled = false;
    if (this.#endError !== undefined) return;
    try {
      const hasMore = this.#drain();
      this.#handOut();
      this.#observe();
      if (hasMore) this.#scheduleLater();
    } catch (error) {
      this.#fail('the node broke a rule of its own', error);
    }
  }

  #scheduleLater(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#world.yieldTurn().then(this.#turnNow, this.#turnNow);
  }

  /** @returns Whether the inbox has more than a turn takes. */
  #drain(): boolean {
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
    this.#propose();
    if (!this.#isStalled) for (const context of this.reads.takeRequests(this.#tick)) this.core.readIndex(context);
    return this.inbox.length > 0;
  }

  #stepFromPeer(message: Message): void {
    const { isFull, isOverfull, isDiskFull } = this.lane;
    if (!this.gate.admits(message, this.core, { isFull, isOverfull, isDiskFull, isStalled: this.#isStalled })) return;
    const outcome = this.core.step(message);
    if (outcome.kind !== 'unknown-peer') return;
    this.gate.refuse(message, { refusal: 'unknown-sender', what: `node ${message.from} is no member` });
  }

  #passTick(): void {
    this.#tickIsDue = false;
    this.#tick++;
    this.lane.tick();
    this.proposals.expire(this.#tick);
    this.reads.expire(this.#tick);
    this.transfers.expire(this.#tick);
    this.#watchStorage();
    if (!this.#isStalled) this.core.tick();
  }

  /** A leader that cannot make anything durable goes silent, so that others elect one that can. */
  #watchStorage(): void {
    const ageTicks = this.lane.oldestAgeTicks;
    const isStalled = this.core.role === 'leader' && ageTicks > this.#limits.storageStallTicks;
    if (isStalled === this.#isStalled) return;
    this.#isStalled = isStalled;
    this.#onEvent(isStalled ? { kind: 'storage-stalled', ageTicks } : { kind: 'storage-recovered' });
  }

  #propose(): void {
    while (this.proposals.waitingCount > 0) {
      const batch = this.proposals.nextBatch(this.#limits.maxMessageBytes);
      const [first] = batch;
      assert(first !== undefined, 'a batch has a proposal');
      if (first.kind === 'config') {
        this.#proposeChange(first.change);
        continue;
      }
      const outcome = this.core.propose(batch.map(({ data }) => data));
      const isTooMuch = outcome.kind === 'dropped' && outcome.reason === 'quota' && batch.length > 1;
      if (isTooMuch) this.#proposeAlone(first);
      else this.proposals.proposed(batch.length, outcome, this.core.leader);
    }
  }

  #proposeAlone({ data }: Proposal): void {
    this.proposals.proposed(1, this.core.propose([data]), this.core.leader);
  }

  #proposeChange(change: ConfigChange): void {
    const membership = changeMembership(this.core.status().configuration, change);
    if (this.core.role === 'leader' && membership.kind === 'refused') {
      this.proposals.refuseNext(dropped(membership.reason));
    } else {
      this.proposals.proposed(1, this.core.proposeConfigChange(change), this.core.leader);
    }
  }

  #handOut(): void {
    while (this.core.hasReady) {
      const { readStates, messages } = this.core.ready();
      for (const state of readStates) this.#confirmRead(state);
      for (const message of messages) this.#route(message);
    }
  }

  #confirmRead({ context, index }: ReadState): void {
    this.reads.confirm(context, index, this.appliedIndex);
  }

  #route(message: Message): void {
    if (message.kind === 'storage-append') this.#store(message);
    else if (message.kind === 'storage-apply') this.#applyLoop.apply(message);
    else this.#send(message);
  }

  #store(work: StorageAppend): void {
    if (work.snapshot !== undefined) {
      this.#snapshotIndex = work.snapshot.meta.index;
      this.#snapshots.restoreBegins();
    }
    this.lane.push(work);
  }

  #send(message: Message): void {
    assert(message.to !== APPEND_THREAD && message.to !== APPLY_THREAD, `${message.kind} is not for a thread`);
    if (message.kind === 'snapshot') this.#ship(message);
    else this.#world.sender.send(message as PeerMessage);
  }

  /**
   * A new member would not take a snapshot from before it was one. So a newer one is made first, and the core, told that this one did not arrive, sends
   * that when it asks again.
   */
  #ship(message: SnapshotRequest): void {
    const { to, snapshot } = message;
    if (membersOf(snapshot.meta.configuration).includes(to)) {
      this.#shipments.ship(message);
      return;
    }
    this.#snapshots.demand(() => this.wish(() => this.core.reportSnapshot(to, false)));
    if (this.#applyLoop.isIdle) this.#snapshots.meetDemand(this.#applyLoop.point);
  }

  /** An answer of one of the node's threads. */
  #deliver(message: Message): void {
    this.inbox.push(message);
    this.schedule();
  }

  #observe(): void {
    if (!this.transfers.isPending) return;
    this.transfers.observe(this.core.status());
  }

  #laneHost(): ConstructorParameters<typeof AppendLane>[0] {
    return {
      write: (batch) => this.#world.storage.write(batch),
      onDurable: (work) => this.#releases.release(work),
      onDiskFull: (cause) => {
        this.#onEvent({ kind: 'disk-full', cause });
        this.proposals.refuseWaiting(dropped('the disk of this node is full'));
        this.wish(() => this.#handOver());
      },
      onRoom: () => this.#onEvent({ kind: 'disk-has-room' }),
      onFailed: (cause) =>
        this.#fail('its storage failed, and what is on disk is not known', cause, 'KAYA_RAFT_POISONED'),
    };
  }

  /** Somebody with room on the disk is to lead. */
  #handOver(): void {
    if (this.core.role !== 'leader') return;
    const successor = pickSuccessor(this.core.status());
    if (successor !== 0) this.core.transferLeader(successor);
  }

  #applyHost(): ConstructorParameters<typeof ApplyLoop<Result>>[2] {
    return {
      applyConfigChange: (entry, change, configuration) => this.#applyConfigChange(entry, change, configuration),
      onEntryApplied: (entry, outcome) => this.proposals.applied(entry, outcome),
      onPointMoved: (point, bytes) => {
        this.#snapshots.pointMoved(point, bytes);
        this.reads.applied(point.index);
      },
      onApplied: ({ responses }) => {
        for (const response of responses) this.#deliver(response);
      },
      onRestored: (snapshot) => this.#restored(snapshot),
      onIdle: () => this.#snapshots.meetDemand(this.#applyLoop.point),
      onFailed: (cause) => this.#fail('its state machine failed', cause),
    };
  }

  #applyConfigChange(entry: Entry, change: ConfigChange, configuration: Configuration): void {
    // The core took a snapshot over meanwhile, whose configuration is a later one.
    if (entry.index <= this.#snapshotIndex || this.#endError !== undefined) return;
    const inForce = describeConfiguration(this.core.applyConfigChange(change));
    const expected = describeConfiguration(configuration);
    assert(inForce === expected, `the group is ${inForce} to the core and ${expected} to the log`);
    this.schedule();
  }

  #restored({ meta: { index, term } }: Snapshot): void {
    this.#snapshots.restoreEnded();
    this.proposals.coveredBySnapshot(index, term);
    this.#onEvent({ kind: 'snapshot-installed', index, term });
  }

  #fail(what: string, cause: unknown, code: 'KAYA_RAFT_POISONED' | 'KAYA_RAFT_STOPPED' = 'KAYA_RAFT_STOPPED'): void {
    if (this.#endError !== undefined) return;
    this.end(new RaftError(code, `node ${this.#world.id} has stopped: ${what}`, { cause }));
    // Errors of whatever is let go of now are of no interest beside this one.
    void this.join();
    this.#onEvent({ kind: 'node-failed', code, cause });
  }
}
