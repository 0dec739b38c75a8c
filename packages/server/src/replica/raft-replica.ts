/**
 * A member of the group: writes go through the log, reads come from its own state.
 *
 * Invariant: a write whose promise rejects with another code than KAYA_UNKNOWN_OUTCOME was not done and will not be.
 */

import { type Clock, type Freshness, type Row2, type Write, type WriteAnswer } from '@kayadb/codec';
import type { DiskState } from '@kayadb/engine';
import { NO_NODE, NotLeaderError, type NodeId, RaftError, type RaftNode } from '@kayadb/raft';

import type { CommandRefusal, CommandResult } from '../machine/command-result.ts';
import type { CommandBody } from '../machine/command.ts';
import { encodeCommand } from '../machine/encode-command.ts';
import type { KayaMachine } from '../machine/kaya-machine.ts';
import { DEFAULT_SESSION_EXPIRY_MS } from '../machine/machine-format.ts';
import { explainRaftError, notLeading } from './explain-raft-error.ts';
import { FreshReads } from './fresh-reads.ts';
import { LeaderWait } from './leader-wait.ts';
import { ReplicaError } from './replica-error.ts';
import type { ManyRows, Replica, RowScan, RowScanOptions, SessionGrant } from './replica.ts';

export interface RaftReplicaParts {
  readonly node: Pick<RaftNode<CommandResult>, 'id' | 'propose' | 'readIndex' | 'leaseTerm' | 'summary' | 'isDiskFull'>;
  readonly machine: Pick<KayaMachine, 'timeMs' | 'appliedIndex' | 'diskState' | 'get' | 'getMany' | 'scan'>;
  /** Where clients reach a node, `host:port`, as far as that is known. */
  readonly clientAddressOf: (node: NodeId) => string | undefined;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  /** See `FreshReadsOptions`. */
  readonly leaseMs: number;
}

/** States of the disk in which nothing is taken that takes room. */
const WITHOUT_ROOM: readonly DiskState[] = ['low', 'full'];

export class RaftReplica implements Replica {
  readonly #parts: RaftReplicaParts;
  readonly #reads: FreshReads;
  readonly #leaders: LeaderWait;

  constructor(parts: RaftReplicaParts) {
    this.#parts = parts;
    const { node, machine, clock, leaseMs } = parts;
    const source = {
      confirm: () => this.#confirm(),
      hasAppliedAll: () => machine.appliedIndex >= node.summary().commit,
      leaseTerm: () => node.leaseTerm,
    };
    this.#reads = new FreshReads({ source, clock, leaseMs });
    this.#leaders = new LeaderWait(() => !this.#isBetweenLeaders(), clock);
  }

  get nodeId(): number {
    return this.#parts.node.id;
  }

  async write(write: Write): Promise<WriteAnswer> {
    if (takesRoom(write)) this.#checkRoom();
    const result = await this.propose({ kind: 'write', write });
    if (result.kind !== 'written') throw new TypeError(`a write came to ${result.kind}`);
    return result.answer;
  }

  async openSession(expiryMs: number): Promise<SessionGrant> {
    const result = await this.propose({
      kind: 'open-session',
      expiryMs: expiryMs === 0 ? DEFAULT_SESSION_EXPIRY_MS : expiryMs,
    });
    if (result.kind !== 'session-opened') throw new TypeError(`opening a session came to ${result.kind}`);
    return { session: result.session, expiryMs: result.expiryMs };
  }

  async touchSession(session: number): Promise<void> {
    await this.propose({ kind: 'touch', session });
  }

  async closeSession(session: number): Promise<void> {
    await this.propose({ kind: 'close-session', session });
  }

  read<T>(freshness: Freshness, task: () => Promise<T>): Promise<T> {
    return this.#reads.run(freshness, task);
  }

  get(key: Uint8Array): Promise<Row2 | undefined> {
    return this.#parts.machine.get(key);
  }

  getMany(keys: readonly Uint8Array[], maxBytes: number): Promise<ManyRows> {
    return this.#parts.machine.getMany(keys, maxBytes);
  }

  scan(options: RowScanOptions): RowScan {
    return this.#parts.machine.scan(options);
  }

  /** Where clients reach the leader, as far as this node knows. */
  get leaderAddress(): string | undefined {
    const { leader } = this.#parts.node.summary();
    return leader === NO_NODE ? undefined : this.#parts.clientAddressOf(leader);
  }

  /**
   * Stamps a command and has the group agree on it.
   *
   * @returns What it came to when this node applied it; never a refusal.
   * @throws ReplicaError
   */
  async propose(body: CommandBody): Promise<Exclude<CommandResult, { kind: 'refused' }>> {
    const { node, machine, wallClock } = this.#parts;
    const timeMs = Math.max(machine.timeMs, Math.floor(wallClock()));
    let result: CommandResult;
    try {
      ({ result } = await node.propose(encodeCommand({ ...body, timeMs })));
    } catch (error) {
      if (node.isDiskFull && isDropped(error)) throw diskFullError();
      if (isForWantOfLeader(error) && this.#isBetweenLeaders()) throw await this.#refuseForNextLeader(error);
      throw this.#explain(error);
    }
    if (result.kind === 'refused') throw refusalError(result.refusal);
    return result;
  }

  async #confirm(): Promise<void> {
    try {
      await this.#parts.node.readIndex();
    } catch (error) {
      throw this.#explain(error, 'KAYA_NO_QUORUM');
    }
  }

  #leads(): boolean {
    const { node } = this.#parts;
    return node.summary().leader === node.id;
  }

  /** Nobody leads as far as this node knows, or it has told another to lead in its place. */
  #isBetweenLeaders(): boolean {
    const { node } = this.#parts;
    const { leader } = node.summary();
    return leader === NO_NODE || (leader === node.id && node.leaseTerm === undefined);
  }

  /** What was not taken is not proposed later: it would change places with what the same client asked for since. */
  async #refuseForNextLeader(error: unknown): Promise<unknown> {
    await this.#leaders.settled();
    if (this.#isBetweenLeaders()) return this.#explain(error);
    const { node, clientAddressOf } = this.#parts;
    return notLeading(node.summary().leader, { nodeId: this.nodeId, clientAddressOf }, error);
  }

  /** It is the leader's room that counts: a node that does not lead says who does, whatever its own disk is like. */
  #checkRoom(): void {
    if (!this.#leads() || !WITHOUT_ROOM.includes(this.#parts.machine.diskState)) return;
    const message = "the leader's disk is nearly full, so it takes deletes but no puts; free some space there";
    throw new ReplicaError('KAYA_DISK_FULL', message);
  }

  #explain(error: unknown, dropped?: 'KAYA_OVERLOADED' | 'KAYA_NO_QUORUM'): unknown {
    const { clientAddressOf } = this.#parts;
    return explainRaftError(error, { nodeId: this.nodeId, clientAddressOf }, dropped);
  }
}

function isDropped(error: unknown): boolean {
  return error instanceof RaftError && error.code === 'KAYA_RAFT_DROPPED';
}

function isForWantOfLeader(error: unknown): boolean {
  return isDropped(error) || error instanceof NotLeaderError;
}

function diskFullError(): ReplicaError {
  const message = "the leader's disk is full, so it takes nothing; free some space there, and it goes on by itself";
  return new ReplicaError('KAYA_DISK_FULL', message);
}

/** Whether it may put something, whichever way its conditions go. */
function takesRoom({ operations, otherwise }: Write): boolean {
  return [...operations, ...otherwise].some(({ kind }) => kind === 'put');
}

function refusalError(refusal: CommandRefusal): ReplicaError {
  switch (refusal) {
    case 'expired':
      return new ReplicaError(
        'KAYA_SESSION_EXPIRED',
        'there is no such session any more: what of it was not answered may have been done or not; open another one',
      );
    case 'stale':
      return new ReplicaError('KAYA_STALE_SERIAL', 'the session says that the answer to this write was heard already');
    case 'far':
      return new ReplicaError(
        'KAYA_OVERLOADED',
        'too many writes of the session are not settled; wait for some answers',
      );
    case 'level':
      return new ReplicaError('KAYA_OVERLOADED', 'a member of the group runs a program that does not know this level');
    case 'other-directory':
      return new ReplicaError('KAYA_OVERLOADED', 'the group knows the node with another directory; remove it first');
    case 'removed':
      return new ReplicaError('KAYA_OVERLOADED', 'the node was removed with this directory; it needs an empty one');
  }
}
