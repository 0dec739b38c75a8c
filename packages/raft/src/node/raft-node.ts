/**
 * One member of a group: a core, its log, its state machine, and their loop (docs/internals/raft.md, "The node").
 * Everything here validates and passes on; the loop is in node-loop.ts.
 */

import { encodeConfigChange } from '../core/config-change-encoding.ts';
import type { ConfigChange } from '../core/config-change.ts';
import type { PeerMessage, SnapshotRequest } from '../core/message.ts';
import type { Status, StatusSummary } from '../core/status.ts';
import type { Configuration, LogIndex, NodeId, Term } from '../core/types.ts';
import { NotLeaderError, RaftError } from '../errors.ts';
import type { RaftIdentity } from '../storage/raft-identity.ts';
import { checkConfigChange } from './change-check.ts';
import type { InstallOutcome } from './installs.ts';
import type { NodeEventSink } from './node-events.ts';
import { NodeLoop } from './node-loop.ts';
import { type NodeLimits, normalizeLimits, type RaftNodeOptions } from './node-options.ts';
import { prepareStart } from './node-start.ts';
import type { CommittedEntry, Proposal } from './proposals.ts';
import { Ticker } from './ticker.ts';

export interface ProposalResult<Result> {
  readonly index: LogIndex;
  readonly term: Term;
  /** What the state machine answered. */
  readonly result: Result;
}

export interface ConfigChangeResult {
  readonly index: LogIndex;
  readonly term: Term;
  /** In force now. A joint one that is left by itself is not left yet. */
  readonly configuration: Configuration;
}

export interface NodeStatus extends Status {
  /** What the state machine stands for; `applied` is what the core knows of it. */
  readonly appliedIndex: LogIndex;
  readonly proposalCount: number;
  readonly readCount: number;
  readonly inboxLength: number;
  /** Writes that are not durable. */
  readonly writeCount: number;
  readonly isDiskFull: boolean;
  readonly isMakingSnapshot: boolean;
  /** Messages that made no sense, and those for which there was no room. */
  readonly refusedMessages: number;
  readonly droppedMessages: number;
  /** Why the node has stopped; undefined while it lives. */
  readonly endError: RaftError | undefined;
}

export class RaftNode<Result> {
  readonly #id: NodeId;
  readonly #limits: NodeLimits;
  readonly #loop: NodeLoop<Result>;
  readonly #ticker: Ticker;

  private constructor(id: NodeId, limits: NodeLimits, loop: NodeLoop<Result>, ticker: Ticker) {
    this.#id = id;
    this.#limits = limits;
    this.#loop = loop;
    this.#ticker = ticker;
  }

  /**
   * Starts a node from what storage and state machine remember, as a follower.
   *
   * @throws RangeError for options that make no sense.
   * @throws RaftError KAYA_RAFT_FOREIGN when storage and state machine do not belong together.
   * @throws RaftError KAYA_RAFT_UNSUPPORTED when the log changes the group in a way that this version cannot read.
   */
  static async open<Result>(options: RaftNodeOptions<Result>): Promise<RaftNode<Result>> {
    const limits = normalizeLimits(options);
    const onEvent: NodeEventSink = options.onEvent ?? (() => {});
    const start = await prepareStart(options.storage, options.stateMachine);
    const { checkInvariants = false } = options;
    const loop = new NodeLoop(options, start, { limits, onEvent, checkInvariants });
    const ticker = new Ticker(options.clock, limits.tickMs, {
      tick: () => (loop.endError === undefined ? loop.tick() : ticker.stop()),
      onMissed: (lateMs) => onEvent({ kind: 'ticks-missed', lateMs }),
    });
    ticker.start();
    loop.schedule();
    return new RaftNode(options.id, limits, loop, ticker);
  }

  get id(): NodeId {
    return this.#id;
  }

  /**
   * Takes a message of a peer, but no snapshot: those come by `installSnapshot`. Never throws for what the message says: what makes no sense is counted, told and
   * dropped. Keeps the message.
   *
   * @param origin - Who is at the other end, as the connection's handshake has shown: is judged by `NodeWorld.peers`, each time anew. Without it the host
   * answers for it that this is a member of the cluster, and the incarnation of it that the group knows.
   */
  receive(message: PeerMessage, origin?: RaftIdentity): void {
    this.#loop.receive(message, origin);
  }

  /**
   * Takes a snapshot whose files the state machine finds when it is asked to restore it. Keeps `request`.
   *
   * @returns What became of it; one at a time, others meet `no-room`. Until then its files have to stay.
   * @throws RaftError KAYA_RAFT_STOPPED or KAYA_RAFT_POISONED when the node stops before. Then it may be in the log's storage already, and the next start asks for it.
   */
  installSnapshot(request: SnapshotRequest): Promise<InstallOutcome> {
    return this.#loop.install(request);
  }

  /** `peer` did not get the last message. */
  reportUnreachable(peer: NodeId): void {
    this.#loop.wish(() => this.#loop.core.reportUnreachable(peer));
  }

  /**
   * Proposes an entry for the state machine. Keeps `data`, which must not change any more.
   *
   * Durability: of a majority of the voters, when it resolves.
   *
   * @param data - 1 to `maxEntryBytes` bytes.
   * @returns When it is committed and applied here.
   * @throws RaftError KAYA_RAFT_DROPPED: it will not happen.
   * @throws NotLeaderError KAYA_RAFT_NOT_LEADER: it will not happen; it may be proposed to `leader`.
   * @throws RaftError KAYA_RAFT_UNKNOWN_OUTCOME: it may happen, or may have happened.
   * @throws RaftError KAYA_RAFT_STOPPED or KAYA_RAFT_POISONED: it will not happen, for the node was stopped before.
   */
  async propose(data: Uint8Array): Promise<ProposalResult<Result>> {
    if (!(data instanceof Uint8Array)) throw new TypeError('a proposal is a Uint8Array');
    this.#checkSize(data, 1);
    const { index, term, outcome } = await this.#propose({ kind: 'normal', data });
    if (outcome.kind !== 'result') throw new TypeError(`entry ${index} has no result`);
    return { index, term, result: outcome.result };
  }

  /**
   * Proposes a change of the group. One at a time: while another is under way it ends as dropped.
   *
   * @returns When it is applied here, with the configuration that it led to.
   * @throws As `propose`. @throws TypeError, RangeError for what is no change.
   */
  async proposeConfigChange(change: ConfigChange): Promise<ConfigChangeResult> {
    checkConfigChange(change);
    const proposal: Proposal = { kind: 'config', change, data: encodeConfigChange(change) };
    this.#checkSize(proposal.data, 0);
    const { index, term, outcome } = await this.#propose(proposal);
    if (outcome.kind !== 'configuration') throw new TypeError(`entry ${index} has no configuration`);
    return { index, term, configuration: outcome.configuration };
  }

  /**
   * A linearizable read, at any member that reaches the leader.
   *
   * @returns When the state machine has applied everything that was acknowledged to anybody before the call; with the index up to which that is.
   * @throws RaftError KAYA_RAFT_DROPPED when there is no room for it, or no answer within `readTicks`.
   */
  readIndex(): Promise<LogIndex> {
    const loop = this.#loop;
    if (loop.endError !== undefined) return Promise.reject(loop.endError);
    loop.schedule();
    return loop.reads.add(loop.now + this.#limits.readTicks);
  }

  /**
   * Hands leadership over to the voter `target`. No proposals are taken meanwhile.
   *
   * @returns When `target` is known to lead.
   * @throws NotLeaderError when this node does not lead.
   * @throws RaftError KAYA_RAFT_DROPPED when it was given up; KAYA_RAFT_UNKNOWN_OUTCOME when nobody was heard to lead in time.
   */
  transferLeader(target: NodeId): Promise<void> {
    const loop = this.#loop;
    if (loop.endError !== undefined) return Promise.reject(loop.endError);
    const { role, leader } = loop.core;
    if (role !== 'leader') {
      return Promise.reject(new NotLeaderError(leader, `node ${this.#id} does not lead, and cannot hand over`));
    }
    loop.wish(() => loop.core.transferLeader(target));
    return loop.transfers.add(target, loop.now + this.#limits.electionTicks * 2);
  }

  /** Holds an election at once, where this node may. Not where leases are kept: see `leaseTerm`. */
  campaign(): void {
    this.#loop.wish(() => this.#loop.core.campaign());
  }

  /** A follower forgets who leads, so that it votes for others at once: for hosts that know that the leader is gone. Not where leases are kept: see `leaseTerm`. */
  forgetLeader(): void {
    this.#loop.wish(() => this.#loop.core.forgetLeader());
  }

  /** A copy of what there is to see. */
  status(): NodeStatus {
    const { core, proposals, reads, inbox, gate, work, endError } = this.#loop;
    const { lane, appliedIndex, isMakingSnapshot } = work;
    return {
      ...core.status(),
      appliedIndex,
      proposalCount: proposals.count,
      readCount: reads.count,
      inboxLength: inbox.length,
      writeCount: lane.count,
      isDiskFull: lane.isDiskFull,
      isMakingSnapshot,
      refusedMessages: gate.refusedCount,
      droppedMessages: gate.droppedCount,
      endError,
    };
  }

  /** The part of `status` that costs next to nothing, for whoever looks often. */
  summary(): StatusSummary {
    return this.#loop.core.summary();
  }

  /**
   * The term in which this node leads and has told nobody to take over; undefined otherwise. For hosts that keep leases by their own clock: a `readIndex` that was begun and answered in one such term
   * vouches for the leader until its followers may vote for another, which they do not for `electionTicks` of theirs after they heard of it. That needs `voteDelayTicks` of as many, and
   * nobody who calls `campaign` or `forgetLeader`.
   */
  get leaseTerm(): Term | undefined {
    const { core, endError } = this.#loop;
    return endError === undefined ? core.leaseTerm : undefined;
  }

  /** Whether the log had no room when it was last written to: nothing that is proposed is taken until it has. */
  get isDiskFull(): boolean {
    return this.#loop.work.lane.isDiskFull;
  }

  /** Why the node has stopped; undefined while it lives. */
  get endError(): RaftError | undefined {
    return this.#loop.endError;
  }

  /**
   * Ends the node, as a failure of its storage does: a sync of something else in its directory has failed, and nobody knows what is on disk. Told by the event `node-failed`.
   */
  poison(cause: unknown): void {
    this.#loop.poison(cause);
  }

  /**
   * Stops the node: everybody who waits gets an answer at once. Idempotent. Leaves storage and state machine open, and untouched from when it resolves on.
   *
   * @returns When nothing that the node has called is at work any more.
   */
  async close(): Promise<void> {
    this.#ticker.stop();
    this.#loop.end(new RaftError('KAYA_RAFT_STOPPED', `node ${this.#id} was closed`));
    await this.#loop.join();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #checkSize({ byteLength }: Uint8Array, min: number): void {
    const { maxEntryBytes } = this.#limits;
    if (byteLength >= min && byteLength <= maxEntryBytes) return;
    throw new RangeError(`a proposal has ${byteLength} bytes; it must have ${min} to ${maxEntryBytes}`);
  }

  #propose(proposal: Proposal): Promise<CommittedEntry<Result>> {
    const loop = this.#loop;
    const refusal = loop.endError ?? loop.findProposalRefusal();
    if (refusal !== undefined) return Promise.reject(refusal);
    loop.schedule();
    return loop.proposals.add(proposal, loop.now + this.#limits.proposalTicks);
  }
}
