/**
 * Changes of the group, as the front doors ask for them. docs/operating/membership.md tells what each is for.
 *
 * Invariant: every change was planned from what its leader knows in the turn in which it was proposed, and one at a time is under way. A node that was removed can be switched off for good when
 * the answer is there (docs/internals/raft.md, rule 19).
 */

import { NO_NODE, type NodeId, type NodeStatus, RaftError } from '@kayadb/raft';

import { explainRaftError, notLeading } from '../replica/explain-raft-error.ts';
import { ReplicaError } from '../replica/replica-error.ts';
import { ServerError } from '../server-error.ts';
import { type ChangeLane, changeUnderWay } from './change-lane.ts';
import { checkPromotion } from './check-promotion.ts';
import type { GroupAccess } from './group-access.ts';
import type { Hearing } from './hearing.ts';
import { listSuccessors, viewMembers } from './leader-view.ts';
import type { ChangeOptions, MembershipOperations, NewMember, PlannedChange } from './membership-operations.ts';
import { type ChangePlan, type MembershipChange, planChange } from './plan-change.ts';
import { stepOf } from './step-of.ts';

export interface GroupMembershipOptions {
  readonly access: GroupAccess;
  /** Those of the node's `Steward`. */
  readonly hearing: Hearing;
  readonly lane: ChangeLane;
}

/** The lowest level: nothing is known of a node that has not been met. */
const UNKNOWN_LEVEL = 1;

export class GroupMembership implements MembershipOperations {
  readonly #access: GroupAccess;
  readonly #hearing: Hearing;
  readonly #lane: ChangeLane;

  constructor({ access, hearing, lane }: GroupMembershipOptions) {
    this.#access = access;
    this.#hearing = hearing;
    this.#lane = lane;
  }

  add(member: NewMember, options: ChangeOptions): Promise<PlannedChange> {
    return this.#change({ kind: 'add', node: member.node }, options, () => this.#add(member));
  }

  promote(node: number, options: ChangeOptions): Promise<PlannedChange> {
    return this.#change({ kind: 'promote', node }, options, () => this.#promote(node));
  }

  remove(node: number, options: ChangeOptions): Promise<PlannedChange> {
    return this.#change({ kind: 'remove', node }, options, (status) =>
      node === this.#access.nodeId ? this.#leaveOffice(status) : this.#remove(node),
    );
  }

  async transfer(node: number): Promise<number> {
    const { leader } = this.#access.status();
    if (node !== NO_NODE && node === leader) return node;
    await this.#settled();
    return this.#lane.change(async () => {
      const status = this.#leading();
      return node === NO_NODE ? this.#transferToAny(status) : this.#transferTo(node, status);
    });
  }

  /** @param carryOut - Gives the index of the change. */
  async #change(
    change: MembershipChange,
    { isDryRun }: ChangeOptions,
    carryOut: (status: NodeStatus) => Promise<number>,
  ): Promise<PlannedChange> {
    this.#leading();
    if (isDryRun) return { plan: (await this.#plan(change)).plan, index: undefined };
    return this.#lane.change(async () => {
      const { status, plan } = await this.#plan(change);
      if (status.configuration.votersOutgoing.length > 0) throw changeUnderWay();
      if (plan.refusal !== undefined) return { plan, index: undefined };
      return { plan, index: await carryOut(status) };
    });
  }

  /** Only those count as answering who have answered since the call: one that has just died must not stand for a majority. */
  async #plan(change: MembershipChange): Promise<{ readonly status: NodeStatus; readonly plan: ChangePlan }> {
    for (;;) {
      const before = this.#leading();
      const answering = await this.#hearing.round(before);
      const status = this.#leading();
      // Who is elected anew has to hear the others anew.
      if (status.term === before.term) return { status, plan: this.#planFor(status, answering, change) };
    }
  }

  #planFor(status: NodeStatus, answering: ReadonlySet<NodeId>, change: MembershipChange): ChangePlan {
    const members = viewMembers(status, (each) => answering.has(each));
    const plan = planChange(members, change);
    const { kind, node } = change;
    const isMember = members.some((member) => member.node === node);
    if (kind === 'remove' && !isMember && this.#hasRow(node)) {
      const note = `node ${node} was removed before, and what is left of it goes`;
      return { ...plan, refusal: undefined, notes: [note] };
    }
    if (kind !== 'promote' || plan.refusal !== undefined) return plan;
    const refusal = checkPromotion(status, node, answering.has(node));
    return refusal === undefined ? plan : { ...plan, refusal, notes: [] };
  }

  /** The row first: whoever is let in by its address or its directory is found there. One that is left without its node, the steward removes. */
  async #add({ node, peerAddress, clientAddress, staysLearner }: NewMember): Promise<number> {
    const row = this.#access.members().find((member) => member.node === node);
    // Of an earlier directory of the node.
    if (row !== undefined && row.incarnation !== 0) await this.#access.propose({ kind: 'drop-member', node });
    const member = { node, incarnation: 0, level: UNKNOWN_LEVEL, isToBePromoted: !staysLearner };
    await this.#access.propose({ kind: 'put-member', member: { ...member, peerAddress, clientAddress } });
    return this.#reconfigure('add-learner', node);
  }

  /** A voter whose directory the group does not know could lose it and come back as itself. */
  async #promote(node: NodeId): Promise<number> {
    if (await this.#rememberDirectory(node)) return this.#reconfigure('add-voter', node);
    throw refused(`node ${node} has not told the leader yet which directory it has; try again in a moment`);
  }

  async #remove(node: NodeId): Promise<number> {
    await this.#rememberDirectory(node);
    const index = await this.#reconfigure('remove', node);
    try {
      await this.#access.propose({ kind: 'drop-member', node });
    } catch (error) {
      if (!(error instanceof ReplicaError)) throw error;
      const what = `node ${node} was removed at index ${index}, and whether the group can do without it for good is not known here`;
      throw new ReplicaError(
        'KAYA_UNKNOWN_OUTCOME',
        `${what}; ask for its removal once more before it is switched off`,
      );
    }
    return index;
  }

  /** Only a directory that the row knows is kept out later. @returns Whether the row knows it. */
  async #rememberDirectory(node: NodeId): Promise<boolean> {
    const row = this.#access.members().find((member) => member.node === node);
    if (row !== undefined && row.incarnation !== 0) return true;
    const met = this.#access.met(node);
    if (met === undefined) return false;
    const member = { node, isToBePromoted: false, ...met, ...row, incarnation: met.incarnation };
    await this.#access.propose({ kind: 'put-member', member });
    return true;
  }

  /** A leader that is to be removed hands over first; then its successor is to be asked. */
  async #leaveOffice(status: NodeStatus): Promise<never> {
    const leader = await this.#transferToAny(status);
    throw notLeading(leader, this.#context());
  }

  async #transferToAny(status: NodeStatus): Promise<NodeId> {
    const [best] = listSuccessors(status, this.#hearing);
    if (best === undefined) {
      throw refused(`there is no other voter that answers, so node ${status.id} goes on leading`);
    }
    try {
      return await this.#handOver(best);
    } catch (error) {
      const { leader } = this.#access.status();
      // Somebody else was elected meanwhile, which is what was asked for.
      if (leader !== NO_NODE && leader !== status.id) return leader;
      throw error;
    }
  }

  async #transferTo(node: NodeId, status: NodeStatus): Promise<NodeId> {
    const members = viewMembers(status, (each) => this.#hearing.isAnswering(each, status));
    const member = members.find((each) => each.node === node);
    if (member === undefined) {
      throw refused(`node ${node} is no member; the members are ${members.map((each) => each.node).join(', ')}`);
    }
    if (!member.isVoter) throw refused(`node ${node} is a learner, which can not lead; promote it first`);
    if (!member.isAnswering) throw refused(`node ${node} does not answer, so it can not take over; start it first`);
    return this.#handOver(node);
  }

  async #handOver(node: NodeId): Promise<NodeId> {
    try {
      await this.#access.transferLeader(node);
      return node;
    } catch (error) {
      if (error instanceof RaftError && error.code === 'KAYA_RAFT_DROPPED') throw refused(error.message);
      throw explainRaftError(error, this.#context());
    }
  }

  /** @returns The index of the change, when it is applied here. @throws ReplicaError */
  async #reconfigure(kind: 'add-learner' | 'add-voter' | 'remove', node: NodeId): Promise<number> {
    try {
      return (await this.#access.proposeConfigChange(stepOf(kind, node))).index;
    } catch (error) {
      throw explainRaftError(error, this.#context());
    }
  }

  /** A leader that was just elected has heard nobody yet. @throws As `#leading`. */
  async #settled(): Promise<void> {
    await this.#hearing.settled(this.#leading());
  }

  /** @throws ReplicaError KAYA_NOT_LEADER, KAYA_STOPPING */
  #leading(): NodeStatus {
    const status = this.#access.status();
    if (status.endError !== undefined) throw explainRaftError(status.endError, this.#context());
    if (status.role !== 'leader') throw notLeading(status.leader, this.#context());
    return status;
  }

  #hasRow(node: NodeId): boolean {
    return this.#access.members().some((member) => member.node === node);
  }

  #context(): Parameters<typeof explainRaftError>[1] {
    const { nodeId } = this.#access;
    return { nodeId, clientAddressOf: (node) => this.#access.clientAddressOf(node) };
  }
}

function refused(sentence: string): ServerError {
  return new ServerError('KAYA_MEMBERSHIP_REFUSED', sentence);
}
