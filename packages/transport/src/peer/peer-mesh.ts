/**
 * A node among its peers: a link to each of them per stream, the connections that they have made, and what the one says about the other.
 *
 * Invariant: whatever comes from a node counts as hearing of it, for each link to it. A node that connects is dialed at once; one that
 * connects anew while its last connection had not ended is dialed anew, since then packets were lost, most likely both ways. Format:
 * docs/format/peer-handshake.md, "Links".
 */

import type { Clock } from '@kayadb/codec';

import type { Connection, DialTls, Endpoint, Network } from '../network.ts';
import { TransportError } from '../transport-error.ts';
import type { FramePriority } from './frame-queue.ts';
import { PEER_STREAM, type PeerStream } from './greeting-format.ts';
import type { Greeting } from './greeting.ts';
import type { IncomingPeer, PeerReceiver } from './incoming-peer.ts';
import { PeerAcceptor, type PeerAcceptorOptions } from './peer-acceptor.ts';
import { DEFAULT_PEER_LINK_LIMITS, type PeerAcceptorLimits, type PeerLinkLimits } from './peer-limits.ts';
import { PeerLink, type PeerLinkEvents } from './peer-link.ts';
import type { PeerPolicy } from './peer-policy.ts';

/** What the mesh reports. None of it is called from within `send`. They must not throw. */
export interface PeerMeshEvents {
  /** One frame without its length field; it may be kept. `peer.pause()` slows the node down. */
  handleFrame(peer: IncomingPeer, frame: Uint8Array): void;
  /** A node's connection to this one was let in. */
  handleIn?(peer: IncomingPeer): void;
  /** It is over: a hint that the node may be, unless the code is KAYA_PEER_REPLACED. */
  handleOut?(peer: IncomingPeer, reason: TransportError | undefined): void;
  /** This node's link to another is up: what was on its way before is lost. */
  handleUp?(node: number, stream: PeerStream, answer: Greeting): void;
  handleDown?(node: number, stream: PeerStream, reason: TransportError): void;
  /** An attempt came to nothing; `answer` is there when the node refused. */
  handleFailed?(node: number, stream: PeerStream, reason: TransportError, answer: Greeting | undefined): void;
  /** The policy said that this node is fenced or removed. */
  handleStopped?(node: number, reason: TransportError, answer: Greeting): void;
}

export interface PeerMeshOptions {
  readonly network: Network;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly policy: PeerPolicy;
  readonly events: PeerMeshEvents;
  /** TLS of the links to a node, asked anew at each attempt. */
  readonly tlsOf?: (node: number) => DialTls | undefined;
  readonly linkLimits?: Partial<PeerLinkLimits>;
  readonly acceptorLimits?: Partial<PeerAcceptorLimits>;
  readonly onTurnedAway?: PeerAcceptorOptions['onTurnedAway'];
}

const STREAMS = Object.keys(PEER_STREAM) as readonly PeerStream[];

type Links = Readonly<Record<PeerStream, PeerLink>>;

export class PeerMesh {
  readonly #options: PeerMeshOptions;
  readonly #acceptor: PeerAcceptor;
  readonly #links = new Map<number, Links>();
  /** Links that were taken out and still send what waits in them. */
  readonly #closing = new Set<Promise<void>>();
  #isClosed = false;

  constructor(options: PeerMeshOptions) {
    this.#options = options;
    const { clock, policy, acceptorLimits, onTurnedAway } = options;
    this.#acceptor = new PeerAcceptor({
      clock,
      policy,
      onPeer: (peer) => this.#receiverOf(peer),
      ...(acceptorLimits === undefined ? {} : { limits: acceptorLimits }),
      ...(onTurnedAway === undefined ? {} : { onTurnedAway }),
    });
  }

  /** Takes a connection over: the `onConnection` of the listener for nodes. */
  accept(connection: Connection): void {
    this.#acceptor.accept(connection);
  }

  /** Whom to have links to, and where they are: others get new ones, those that are not named lose theirs, addresses are changed. */
  setPeers(addresses: ReadonlyMap<number, Endpoint>): void {
    if (this.#isClosed) return;
    for (const [node, links] of this.#links) {
      if (addresses.has(node)) continue;
      this.#links.delete(node);
      this.#close(links);
    }
    for (const [node, address] of addresses) {
      const links = this.#links.get(node);
      if (links === undefined) this.#links.set(node, this.#open(node, address));
      else for (const stream of STREAMS) links[stream].setAddress(address);
    }
  }

  /** `undefined` for a node that there is no link to. */
  link(node: number, stream: PeerStream): PeerLink | undefined {
    return this.#links.get(node)?.[stream];
  }

  /** As `PeerLink.send`. @returns False also for a node that there is no link to. */
  send(node: number, stream: PeerStream, frame: Uint8Array, priority: FramePriority): boolean {
    return this.link(node, stream)?.send(frame, priority) ?? false;
  }

  /** Ends everything; links send what waits first. Idempotent. Bound: `closeMs` of the links, and of the listener. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const links of this.#links.values()) this.#close(links);
    this.#links.clear();
    await Promise.all([this.#acceptor.close(), ...this.#closing]);
  }

  #open(node: number, address: Endpoint): Links {
    const { network, clock, random, policy, tlsOf, linkLimits } = this.#options;
    const open = (stream: PeerStream): PeerLink =>
      new PeerLink({
        network,
        clock,
        random,
        policy,
        node,
        stream,
        address,
        // Read at each attempt: whose certificate it has to be may follow from where the node is.
        get tls() {
          return tlsOf?.(node);
        },
        events: this.#linkEvents(node, stream),
        ...(linkLimits === undefined ? {} : { limits: linkLimits }),
      });
    return { messages: open('messages'), snapshots: open('snapshots') };
  }

  #linkEvents(node: number, stream: PeerStream): PeerLinkEvents {
    const { events } = this.#options;
    return {
      handleUp: (answer) => events.handleUp?.(node, stream, answer),
      handleDown: (reason) => events.handleDown?.(node, stream, reason),
      handleFailed: (reason, answer) => events.handleFailed?.(node, stream, reason, answer),
      handleStopped: (reason, answer) => events.handleStopped?.(node, reason, answer),
    };
  }

  #close(links: Links): void {
    for (const stream of STREAMS) {
      const closing = links[stream].close().finally(() => this.#closing.delete(closing));
      this.#closing.add(closing);
    }
  }

  #receiverOf(peer: IncomingPeer): PeerReceiver {
    const { events } = this.#options;
    const { node } = peer;
    this.#noteHeard(node);
    for (const stream of STREAMS) this.link(node, stream)?.retryNow();
    events.handleIn?.(peer);
    return {
      handleFrame: (frame) => {
        this.#noteHeard(node);
        events.handleFrame(peer, frame);
      },
      handleClosed: (reason) => {
        events.handleOut?.(peer, reason);
        if (reason?.code === 'KAYA_PEER_REPLACED') this.#dialAnew(peer);
      },
    };
  }

  #noteHeard(node: number): void {
    for (const stream of STREAMS) this.link(node, stream)?.noteHeard();
  }

  /** A link that has just come up is no older than the trouble: without this two nodes could answer each other so for ever. */
  #dialAnew({ node, stream }: IncomingPeer): void {
    const link = this.link(node, stream);
    const { silenceMs = DEFAULT_PEER_LINK_LIMITS.silenceMs } = this.#options.linkLimits ?? {};
    if (link === undefined || link.upForMs < silenceMs) return;
    link.reconnect(new TransportError('KAYA_PEER_SILENT', `node ${node} connected anew although it had not left`));
  }
}
