/**
 * What can be seen of a node from inside, at any moment of its life: reports, metrics and readiness are made of it, and change nothing.
 * Whoever makes a report calls these within one turn, so that it is of one moment.
 */

import type { DiskState, EngineStats } from '@kayadb/engine';
import type { NodeId, NodeStatus, SnapshotSender } from '@kayadb/raft';
import type { ListenerCounts, PeerIdentity, PeerLink } from '@kayadb/transport';

import type { ServerLimits } from './limits.ts';
import type { Member } from './machine/command.ts';
import type { GroupTiming } from './node-options.ts';

/**
 * - `forming`: it has no cluster yet, and waits for other nodes.
 * - `opening`: it has one, and its log and store are not open yet, or not any more.
 * - `running`: it is a member, or is waiting to be sent the log.
 * - `ended`: it can not go on; `NodeView.endError` says why.
 */
export type NodePhase = 'forming' | 'opening' | 'running' | 'ended';

export interface MachineView {
  readonly level: number;
  readonly sessionCount: number;
  /** By the clocks of leaders: the largest time of an applied command. */
  readonly timeMs: number;
  readonly diskState: DiskState;
  /** By node, ascending. */
  readonly members: readonly Member[];
  /** Walks over the tables; not for every request. */
  readonly stats: () => EngineStats;
}

export interface DoorView {
  readonly counts: ListenerCounts;
  readonly heldBytes: number;
  readonly failedAttempts: number;
  readonly openScans: number;
}

export interface StorageView {
  /** How long the oldest sync that is under way takes already, or another change of the disk that a sync waits for; 0 when none is. */
  readonly oldestSyncMs: number;
  /** Of syncs that have ended, since the start. */
  readonly syncCount: number;
  readonly syncTotalMs: number;
  readonly syncMaxMs: number;
}

export interface TlsView {
  readonly isOnForNodes: boolean;
  readonly isOnForClients: boolean;
  /** Of this node's certificate; undefined without one. */
  readonly own: PeerIdentity | undefined;
}

export interface NodeView {
  readonly nodeId: NodeId;
  readonly version: string;
  /** 32 hex digits; undefined: none yet. */
  readonly cluster: string | undefined;
  readonly incarnation: number;
  readonly boot: number;
  readonly uptimeMs: number;
  readonly phase: NodePhase;
  readonly isStopping: boolean;
  readonly endError: Error | undefined;
  /** `host:port` as others are told. */
  readonly peerAddress: string;
  readonly clientAddress: string;
  /** While forming: nodes that it waits for. */
  readonly missing: readonly NodeId[];
  /** Undefined while its log and store are not open. */
  readonly raft: NodeStatus | undefined;
  /** Undefined while its log and store are not open. */
  readonly machine: MachineView | undefined;
  readonly door: DoorView;
  readonly storage: StorageView;
  readonly tls: TlsView;
  readonly hasClientToken: boolean;
  readonly hasOperatorToken: boolean;
  /** Whether it answers reads of level `lease` by its clock while it leads. */
  readonly keepsLeases: boolean;
  readonly timing: GroupTiming;
  readonly limits: ServerLimits;
  /** Of each other node that this one has links to, ascending: that for messages. */
  readonly links: ReadonlyMap<NodeId, Pick<PeerLink, 'state' | 'counts'>>;
  /** Snapshots that are being sent. */
  readonly shipments: ReadonlyMap<NodeId, SnapshotSender['progress']>;
}
