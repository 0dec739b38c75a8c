/** A running node as it can be seen: each property is looked up when it is read. */

import type { NodeId, NodeStatus, SnapshotSender } from '@kayadb/raft';
import { formatEndpoint, type PeerLink } from '@kayadb/transport';

import type { ClientDoor } from './client-door.ts';
import type { NodeDirectory } from './directory/node-directory.ts';
import type { Group } from './group/group.ts';
import { nodesOf } from './group/peer-book.ts';
import type { ServerLimits } from './limits.ts';
import type { GroupTiming, NodeOptions } from './node-options.ts';
import type { DoorView, MachineView, NodePhase, NodeView, StorageView, TlsView } from './node-view.ts';

export interface LiveNodeParts {
  readonly options: NodeOptions;
  readonly directory: NodeDirectory;
  readonly group: Group;
  readonly door: ClientDoor;
  readonly storage: StorageView;
  readonly timing: GroupTiming;
  readonly limits: ServerLimits;
  /** Whether the node was asked to. */
  readonly isStopping: () => boolean;
  /** What was told as the reason for which it can not go on. */
  readonly endError: () => Error | undefined;
}

export class LiveNodeView implements NodeView {
  readonly storage: StorageView;
  readonly #parts: LiveNodeParts;
  readonly #startedMs: number;

  constructor(parts: LiveNodeParts) {
    this.#parts = parts;
    this.storage = parts.storage;
    this.#startedMs = parts.options.clock.now();
  }

  get nodeId(): NodeId {
    return this.#parts.options.nodeId;
  }

  get version(): string {
    return this.#parts.options.version;
  }

  get cluster(): string | undefined {
    return this.#parts.directory.identity.cluster;
  }

  get incarnation(): number {
    return this.#parts.directory.identity.incarnation;
  }

  get boot(): number {
    return this.#parts.directory.identity.boot;
  }

  get uptimeMs(): number {
    return this.#parts.options.clock.now() - this.#startedMs;
  }

  get phase(): NodePhase {
    if (this.endError !== undefined) return 'ended';
    if (this.#parts.group.member !== undefined) return 'running';
    return this.cluster === undefined ? 'forming' : 'opening';
  }

  get isStopping(): boolean {
    return this.#parts.isStopping();
  }

  get endError(): Error | undefined {
    return this.#parts.endError() ?? this.#parts.group.endError;
  }

  get peerAddress(): string {
    return this.#parts.group.advertisedPeerAddress;
  }

  get clientAddress(): string {
    const { options, door } = this.#parts;
    return options.advertisedClientAddress ?? formatEndpoint(door.address);
  }

  get missing(): readonly NodeId[] {
    return this.#parts.group.missing;
  }

  get raft(): NodeStatus | undefined {
    return this.#parts.group.member?.node.status();
  }

  get machine(): MachineView | undefined {
    const machine = this.#parts.group.member?.machine;
    if (machine === undefined) return undefined;
    const { level, sessionCount, timeMs, diskState, members } = machine;
    return { level, sessionCount, timeMs, diskState, members, stats: () => machine.stats() };
  }

  get door(): DoorView {
    const { counts, heldBytes, failedAttempts, openScans } = this.#parts.door;
    return { counts, heldBytes, failedAttempts, openScans };
  }

  get tls(): TlsView {
    const { tls } = this.#parts.options;
    return { isOnForNodes: tls !== undefined, isOnForClients: tls !== undefined, own: tls?.identity.own };
  }

  get hasClientToken(): boolean {
    return this.#parts.options.clientToken !== undefined;
  }

  get hasOperatorToken(): boolean {
    return this.#parts.options.operatorToken !== undefined;
  }

  get keepsLeases(): boolean {
    return this.#parts.options.keepsLeases ?? false;
  }

  get timing(): GroupTiming {
    return this.#parts.timing;
  }

  get limits(): ServerLimits {
    return this.#parts.limits;
  }

  get links(): ReadonlyMap<NodeId, Pick<PeerLink, 'state' | 'counts'>> {
    const { mesh } = this.#parts.group.exchange;
    const raft = this.raft;
    const links = new Map<NodeId, Pick<PeerLink, 'state' | 'counts'>>();
    for (const node of raft === undefined ? [] : nodesOf(raft.configuration)) {
      const link = mesh.link(node, 'messages');
      if (link !== undefined) links.set(node, link);
    }
    return links;
  }

  get shipments(): ReadonlyMap<NodeId, SnapshotSender['progress']> {
    return this.#parts.group.member?.shipper.progress ?? new Map();
  }
}
