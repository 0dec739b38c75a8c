/** What a member does about its group: changes of it on request, the leader's duties unasked, and handing leadership over. */

import type { Clock } from '@kayadb/codec';
import type { NodeId } from '@kayadb/raft';

import type { Logger } from '../logger.ts';
import type { GroupAccess, MetPeer, NodeCard } from '../membership/group-access.ts';
import { GroupMembership } from '../membership/group-membership.ts';
import { handOver } from '../membership/hand-over.ts';
import type { SuccessorOrder } from '../membership/leader-view.ts';
import { Steward } from '../membership/steward.ts';
import type { RaftReplica } from '../replica/raft-replica.ts';
import type { GroupMember } from './group-member.ts';

export interface DutiesOptions {
  readonly member: Pick<GroupMember, 'node' | 'machine'>;
  readonly replica: Pick<RaftReplica, 'propose'>;
  readonly self: () => NodeCard;
  readonly met: (node: NodeId) => MetPeer | undefined;
  readonly isConnected: (node: NodeId) => boolean;
  readonly clientAddressOf: (node: NodeId) => string | undefined;
  readonly electionTicks: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class Duties {
  readonly membership: GroupMembership;
  readonly #access: GroupAccess;
  readonly #steward: Steward;
  readonly #clock: Clock;

  constructor(options: DutiesOptions) {
    const { member, replica, self, met, isConnected, clientAddressOf, electionTicks, clock, logger } = options;
    const { node, machine } = member;
    const access: GroupAccess = {
      nodeId: node.id,
      status: () => node.status(),
      proposeConfigChange: (change) => node.proposeConfigChange(change),
      transferLeader: (target) => node.transferLeader(target),
      propose: (body) => replica.propose(body),
      members: () => machine.members,
      self,
      met,
      isConnected,
      wasRemoved: (peer, incarnation) => machine.wasRemoved(peer, incarnation),
      clientAddressOf,
      level: () => machine.level,
    };
    this.#access = access;
    this.#steward = new Steward({ access, logger, electionTicks });
    const { hearing, lane } = this.#steward;
    this.membership = new GroupMembership({ access, hearing, lane });
    this.#clock = clock;
  }

  /** Time goes by: once in a tick of the Raft node. */
  tick(): void {
    this.#steward.tick();
  }

  /** Has another voter lead, if this node does. Never rejects. Bound: `limitMs`. */
  async handOver(limitMs: number, order?: SuccessorOrder): Promise<void> {
    await handOver({ access: this.#access, hearing: this.#steward.hearing, clock: this.#clock }, limitMs, order);
  }

  close(): void {
    this.#steward.close();
  }
}
