/** What changes of the group are made with, and the leader's duties done: the node underneath, what its rows say, and whom it has met. */

import type { ConfigChange, ConfigChangeResult, NodeId, NodeStatus } from '@kayadb/raft';

import type { CommandBody, Member } from '../machine/command.ts';

/** What a node says of itself. */
export type NodeCard = Omit<Member, 'isToBePromoted'>;

/** What a node said of itself when it was last let in, or let this one in. */
export type MetPeer = Omit<NodeCard, 'node'>;

export interface GroupAccess {
  readonly nodeId: NodeId;
  status(): NodeStatus;
  /** @throws RaftError, as `RaftNode.proposeConfigChange`. */
  proposeConfigChange(change: ConfigChange): Promise<ConfigChangeResult>;
  /** @throws RaftError, as `RaftNode.transferLeader`. */
  transferLeader(target: NodeId): Promise<void>;
  /** Stamps a command and has the group agree on it. @throws ReplicaError */
  propose(body: CommandBody): Promise<unknown>;
  /** The rows of members, by node. */
  members(): readonly Member[];
  /** What this node's row is to say. */
  self(): NodeCard;
  /** Of a node whose row waits for a directory, only what it has said since. Bound: nodes that were let in since this process began. */
  met(node: NodeId): MetPeer | undefined;
  /** Whether `node` is there now, so that what it said last is still so. */
  isConnected(node: NodeId): boolean;
  /** Whether `node` was a member with this directory, and was removed. */
  wasRemoved(node: NodeId, incarnation: number): boolean;
  /** Where clients reach `node`, `host:port`, as far as this one knows. */
  clientAddressOf(node: NodeId): string | undefined;
  /** The feature level of the group. */
  level(): number;
}
