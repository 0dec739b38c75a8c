/**
 * Messages and snapshots between this node and the others: frames onto the links of the mesh, and frames from the others to the Raft node and the two ends of a transfer.
 *
 * Invariant: nothing that comes before `attach`, or after `detach`, reaches anybody; a connection of somebody who is no member any more is ended.
 */

import type { Clock } from '@kayadb/codec';
import {
  encodePeerMessage,
  encodeTransferMessage,
  isSenderMessage,
  type MessageKind,
  type NodeEventSink,
  type NodeId,
  PeerIntake,
  type PeerMessage,
  type PeerSender,
  type RaftIdentity,
  type RaftNode,
  type SnapshotInstaller,
  type TransferMessage,
  type TransferShipper,
} from '@kayadb/raft';
import {
  type Connection,
  type DialTls,
  type Endpoint,
  type FramePriority,
  type Greeting,
  type IncomingPeer,
  type Network,
  type PeerLinkLimits,
  PeerMesh,
  type PeerOrigin,
  type PeerPolicy,
  type PeerStream,
  TransportError,
} from '@kayadb/transport';

import type { Logger } from '../logger.ts';
import { LineRation } from './line-ration.ts';
import { TurnedAwayLog } from './turned-away-log.ts';

export interface PeerExchangeOptions {
  readonly clusterId: () => Uint8Array;
  readonly network: Network;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly policy: PeerPolicy;
  readonly logger: Logger;
  readonly linkLimits?: Partial<PeerLinkLimits>;
  /** TLS of the links to a node. */
  readonly tlsOf: (node: NodeId) => DialTls | undefined;
  /** A connection with a node has ended, by itself, in one direction or the other: a hint that the node may have. */
  readonly onGone: (node: NodeId) => void;
}

/** Who takes what comes. */
export interface ExchangeEnds {
  readonly node: Pick<RaftNode<unknown>, 'receive' | 'reportUnreachable'>;
  readonly shipper: Pick<TransferShipper, 'receive' | 'connected'>;
  readonly installer: Pick<SnapshotInstaller, 'receive'>;
  readonly onEvent: NodeEventSink;
}

/** What elections and leadership hang on goes in front of everything that waits; each says all that an older one of its kind said. */
const URGENT: ReadonlySet<MessageKind> = new Set<PeerMessage['kind']>([
  'vote',
  'vote-response',
  'pre-vote',
  'pre-vote-response',
  'heartbeat',
  'heartbeat-response',
  'timeout-now',
]);

export class PeerExchange implements PeerSender {
  readonly mesh: PeerMesh;
  readonly #options: PeerExchangeOptions;
  readonly #incoming = new Map<IncomingPeer, PeerIntake>();
  /** What was told last of each node that TLS is in the way of. Bound: nodes of the mesh, since the start. */
  readonly #untrusted = new Map<NodeId, string>();
  #ends: ExchangeEnds | undefined;

  constructor(options: PeerExchangeOptions) {
    this.#options = options;
    const { network, clock, random, policy, tlsOf, logger, linkLimits = {} } = options;
    const turnedAway = new TurnedAwayLog(logger, clock);
    const refusals = new LineRation(clock);
    this.mesh = new PeerMesh({
      network,
      clock,
      random,
      policy,
      linkLimits,
      tlsOf,
      events: {
        handleFrame: (peer, frame) => this.#handleFrame(peer, frame),
        handleIn: (peer) => this.#handleIn(peer),
        handleOut: (peer, reason) => this.#handleOut(peer, reason),
        handleUp: (node, stream, answer) => this.#handleUp(node, stream, answer),
        handleDown: (node, stream, reason) => {
          logger.info(
            { event: 'peer.down', peer: node, stream, code: reason.code },
            `the link to node ${node} is down`,
          );
          if (stream !== 'messages') return;
          this.#ends?.node.reportUnreachable(node);
          this.#options.onGone(node);
        },
        handleFailed: (node, stream, reason, answer) => {
          if (stream === 'snapshots') return;
          if (answer === undefined) {
            this.#tellUntrusted(node, reason);
            return;
          }
          const { verdict, reason: why } = answer;
          const fields = { event: 'peer.refused', peer: node, verdict, why, code: reason.code };
          const what = `node ${node} refused this one: ${why}`;
          // Whoever has no cluster yet is expected to say so.
          if (verdict === 'no-cluster') {
            logger.debug(fields, what);
            return;
          }
          // It is asked again every few seconds, for as long as it refuses.
          const admitted = refusals.admit(`${node} ${verdict}`);
          if (admitted !== undefined) logger.warn({ ...fields, ...admitted }, what);
        },
      },
      onTurnedAway: (error, origin, greeting, verdict) => turnedAway.write(error, origin, greeting, verdict),
    });
  }

  /** The `onConnection` of the listener for nodes. */
  accept(connection: Connection): void {
    this.mesh.accept(connection);
  }

  /** From now on there is somebody to take what comes. */
  attach(ends: ExchangeEnds): void {
    this.#ends = ends;
  }

  /** Nobody is there any more. Idempotent. */
  detach(): void {
    this.#ends = undefined;
  }

  /** Nodes whose messages come in. */
  get senders(): readonly NodeId[] {
    return [...this.#incoming.keys()].filter(({ stream }) => stream === 'messages').map(({ node }) => node);
  }

  /** Whether messages go to `node`, or come from it. */
  isConnected(node: NodeId): boolean {
    return this.mesh.link(node, 'messages')?.state === 'up' || this.senders.includes(node);
  }

  /** Whom to have links to. */
  setPeers(addresses: ReadonlyMap<NodeId, Endpoint>): void {
    this.mesh.setPeers(addresses);
  }

  /** Ends the connections of those who would not be let in any more: when they come again they are told why. */
  dismiss(isWelcome: (greeting: Greeting, origin: PeerOrigin) => boolean): void {
    for (const peer of this.#incoming.keys()) {
      if (isWelcome(peer.greeting, peer.origin)) continue;
      peer.destroy(
        new TransportError(
          'KAYA_PEER_REFUSED',
          `node ${peer.node} is to say anew who it is, since the group has changed`,
        ),
      );
    }
  }

  send(message: PeerMessage): void {
    const priority: FramePriority = URGENT.has(message.kind) ? 'urgent' : 'normal';
    this.mesh.send(message.to, 'messages', encodePeerMessage(message), priority);
  }

  /** For the two ends of a transfer. Chunks have a stream of their own, so that messages do not wait for them. */
  sendTransfer(message: TransferMessage): void {
    this.mesh.send(message.to, 'snapshots', encodeTransferMessage(message), 'normal');
  }

  async close(): Promise<void> {
    this.detach();
    await this.mesh.close();
  }

  #handleIn(peer: IncomingPeer): void {
    const { node, stream, greeting } = peer;
    const origin: RaftIdentity = {
      clusterId: this.#options.clusterId(),
      nodeId: node,
      incarnation: greeting.incarnation,
    };
    const intake = new PeerIntake({
      origin,
      node: { receive: (message, from) => this.#ends?.node.receive(message, from) },
      onTransfer: (message) => this.#takeTransfer(message, node),
      onEvent: (event) => this.#ends?.onEvent(event),
    });
    this.#incoming.set(peer, intake);
    this.#options.logger.info(
      { event: 'peer.in', peer: node, stream, boot: greeting.boot },
      `node ${node} has connected`,
    );
  }

  #handleFrame(peer: IncomingPeer, frame: Uint8Array): void {
    const intake = this.#incoming.get(peer);
    if (this.#ends === undefined || intake === undefined) return;
    if (intake.takeFrame(frame)) return;
    peer.destroy(new TransportError('KAYA_PEER_MALFORMED', `node ${peer.node} sent what is no message`));
  }

  #handleOut(peer: IncomingPeer, reason: TransportError | undefined): void {
    this.#incoming.delete(peer);
    if (peer.stream !== 'messages' || reason?.code === 'KAYA_PEER_REPLACED') return;
    const { node } = peer;
    this.#options.logger.info(
      { event: 'peer.out', peer: node, code: reason?.code },
      `the connection of node ${node} has ended`,
    );
    this.#options.onGone(node);
  }

  /** Once, until that node is reached or the reason is another: a node that is only down is told of as such, and a wrong certificate has to be seen. */
  #tellUntrusted(node: NodeId, { code, message }: TransportError): void {
    if (!code.startsWith('KAYA_TLS_') || this.#untrusted.get(node) === code) return;
    this.#untrusted.set(node, code);
    this.#options.logger.warn(
      { event: 'peer.untrusted', peer: node, code },
      `node ${node} can not be spoken to: ${message}`,
    );
  }

  #handleUp(node: NodeId, stream: PeerStream, answer: Greeting): void {
    this.#untrusted.delete(node);
    this.#options.logger.info(
      { event: 'peer.up', peer: node, stream, boot: answer.boot },
      `the link to node ${node} is up`,
    );
    if (stream === 'snapshots') this.#ends?.shipper.connected(node);
  }

  /** Nobody speaks for another about files. */
  #takeTransfer(message: TransferMessage, node: NodeId): void {
    if (this.#ends === undefined || message.from !== node) return;
    const { shipper, installer } = this.#ends;
    if (isSenderMessage(message)) void installer.receive(message);
    else void shipper.receive(message);
  }
}
