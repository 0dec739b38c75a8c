/**
 * This node's ways to the others: a link for messages to each, and one for the files of snapshots to whom they are sent.
 *
 * Invariant: peers are told apart by node id; where one is reached is this node's own affair, and an address that was given to it wins over the one that the group knows.
 */

import type { Clock } from '@kayadb/codec';
import {
  encodePeerMessage,
  encodeTransferMessage,
  isSenderMessage,
  type MessageKind,
  type NodeId,
  type PeerMessage,
  type PeerSender,
  type TransferMessage,
} from '@kayadb/raft';
import {
  type DialTls,
  type Endpoint,
  type FramePriority,
  type Network,
  PeerLink,
  type PeerLinkEvents,
  type PeerLinkLimits,
  type PeerLinkState,
  type PeerPolicy,
  type PeerStream,
} from '@kayadb/transport';

export interface GroupLinksOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly policy: PeerPolicy;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly tls?: DialTls | undefined;
  readonly limits?: Partial<PeerLinkLimits> | undefined;
  /** Of this node. */
  readonly node: NodeId;
  /** Where this node is to look for others, whatever the group says. */
  readonly ownAddresses: ReadonlyMap<NodeId, Endpoint>;
  /** A message did not leave. Not called from within `send`. */
  readonly onUnreachable: (node: NodeId) => void;
  /** What is on its way to the node over its link for snapshots is lost, if anything was: there is a new connection. */
  readonly onSnapshotLinkUp: (node: NodeId) => void;
  /** For logs. */
  readonly eventsOf?: (node: NodeId, stream: PeerStream) => PeerLinkEvents;
}

/** Must not wait behind appends: an election or a lease may hang on it. */
const URGENT: ReadonlySet<MessageKind> = new Set<PeerMessage['kind']>([
  'heartbeat',
  'heartbeat-response',
  'vote',
  'vote-response',
  'pre-vote',
  'pre-vote-response',
  'timeout-now',
  'transfer-leader',
  'read-index',
  'read-index-response',
]);

export class GroupLinks implements PeerSender {
  readonly #options: GroupLinksOptions;
  readonly #messages = new Map<NodeId, PeerLink>();
  readonly #snapshots = new Map<NodeId, PeerLink>();
  /** Where the group says that its members are. */
  #members: ReadonlyMap<NodeId, Endpoint> = new Map();
  #isClosed = false;

  constructor(options: GroupLinksOptions) {
    this.#options = options;
    this.#connectAll();
  }

  /** For whom there is a link, and how it stands. Ascending. */
  get states(): ReadonlyMap<NodeId, PeerLinkState> {
    return new Map([...this.#messages].toSorted(([a], [b]) => a - b).map(([node, { state }]) => [node, state]));
  }

  /** Links follow: new members are dialed, those that are gone are left, those that moved are dialed anew. */
  setMembers(members: ReadonlyMap<NodeId, Endpoint>): void {
    this.#members = members;
    this.#connectAll();
  }

  send(message: PeerMessage): void {
    const link = this.#messages.get(message.to);
    const priority: FramePriority = URGENT.has(message.kind) ? 'urgent' : 'normal';
    if (link?.send(encodePeerMessage(message), priority) === true) return;
    // The node must not be called while it sends.
    queueMicrotask(() => this.#options.onUnreachable(message.to));
  }

  /** What does not leave is said again, by the rules of the transfer. */
  sendTransfer(message: TransferMessage): void {
    const frame = encodeTransferMessage(message);
    if (isSenderMessage(message)) this.#snapshotLinkTo(message.to)?.send(frame, 'normal');
    else this.#messages.get(message.to)?.send(frame, 'normal');
  }

  /** Something came from `node`, on whatever way. */
  noteHeard(node: NodeId): void {
    this.#messages.get(node)?.noteHeard();
    this.#snapshots.get(node)?.noteHeard();
  }

  /** `node` has greeted: what waits to be tried again is tried now. */
  noteGreeted(node: NodeId): void {
    this.#messages.get(node)?.retryNow();
    this.#snapshots.get(node)?.retryNow();
  }

  /** Sends what waits, within a bound, then ends all links. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#messages.values(), ...this.#snapshots.values()].map((link) => link.close()));
  }

  #connectAll(): void {
    if (this.#isClosed) return;
    const wanted = new Map([...this.#members, ...this.#options.ownAddresses]);
    wanted.delete(this.#options.node);
    for (const links of [this.#messages, this.#snapshots]) {
      for (const [node, link] of links) {
        const address = wanted.get(node);
        if (address !== undefined) {
          link.setAddress(address);
          continue;
        }
        links.delete(node);
        void link.close();
      }
    }
    for (const [node, address] of wanted) {
      if (!this.#messages.has(node)) this.#messages.set(node, this.#open(node, 'messages', address));
    }
  }

  /** Made when there is something to send. */
  #snapshotLinkTo(node: NodeId): PeerLink | undefined {
    const link = this.#snapshots.get(node);
    const address = this.#messages.get(node)?.address;
    if (link !== undefined || address === undefined || this.#isClosed) return link;
    const opened = this.#open(node, 'snapshots', address);
    this.#snapshots.set(node, opened);
    return opened;
  }

  #open(node: NodeId, stream: PeerStream, address: Endpoint): PeerLink {
    const { network, clock, policy, random, tls, limits, eventsOf, onSnapshotLinkUp } = this.#options;
    const told = eventsOf?.(node, stream);
    return new PeerLink({
      network,
      clock,
      policy,
      random,
      tls,
      node,
      stream,
      address,
      ...(limits !== undefined && { limits }),
      events: {
        ...told,
        handleUp: (answer, version) => {
          told?.handleUp?.(answer, version);
          if (stream === 'snapshots') onSnapshotLinkUp(node);
        },
      },
    });
  }
}
