/**
 * Where other nodes are. What the operator named with `--peer` is this node's own way to them and wins; then comes what the group has agreed on, then what
 * a node has said of itself, for nodes that the group knows no address of.
 *
 * Invariant: peers are told apart by their ids; an address is a way and never an identity.
 */

import type { Configuration, LogIndex, NodeId } from '@kayadb/raft';
import { type Endpoint, parseEndpoint } from '@kayadb/transport';

import type { Member } from '../machine/command.ts';
import type { MetPeer } from '../membership/group-access.ts';
import type { PeerSetting } from './peer-setting.ts';

export interface PeerBookOptions {
  readonly self: NodeId;
  readonly peers: readonly PeerSetting[];
}

export class PeerBook {
  readonly #self: NodeId;
  readonly #settings: ReadonlyMap<NodeId, PeerSetting>;
  /** Bound: nodes that were let in. */
  readonly #met = new Map<NodeId, { readonly peer: MetPeer; readonly index: LogIndex }>();

  constructor({ self, peers }: PeerBookOptions) {
    this.#self = self;
    this.#settings = new Map(peers.filter(({ node }) => node !== self).map((peer) => [peer.node, peer]));
  }

  /** Other nodes that this one was told of, ascending. */
  get configured(): readonly NodeId[] {
    return [...this.#settings.keys()].toSorted((a, b) => a - b);
  }

  setting(node: NodeId): PeerSetting | undefined {
    return this.#settings.get(node);
  }

  /** @param index - Of the last command that this node knew when it was said. */
  note(node: NodeId, peer: MetPeer, index: LogIndex): void {
    this.#met.set(node, { peer, index });
  }

  /** What a node has said of itself last, unless that was before `since`. */
  met(node: NodeId, since: LogIndex): MetPeer | undefined {
    const met = this.#met.get(node);
    return met !== undefined && met.index >= since ? met.peer : undefined;
  }

  /**
   * Whom to have links to: the members that `configuration` names; as long as it names nobody, those that this node was told of.
   *
   * @param senders - Who was let in: they are answered, whether `configuration` names them yet or not.
   */
  addresses(
    configuration: Configuration | undefined,
    members: readonly Member[],
    senders: readonly NodeId[] = [],
  ): ReadonlyMap<NodeId, Endpoint> {
    const named = configuration === undefined ? [] : nodesOf(configuration);
    const nodes = [...(named.length > 0 ? named : this.#settings.keys()), ...senders];
    const addresses = new Map<NodeId, Endpoint>();
    for (const node of [...new Set(nodes)].toSorted((a, b) => a - b)) {
      if (node === this.#self) continue;
      const address = this.addressOf(node, members);
      if (address !== undefined) addresses.set(node, address);
    }
    return addresses;
  }

  /** Where clients reach it, as far as this node knows. */
  clientAddress(node: NodeId, members: readonly Member[]): string | undefined {
    const row = members.find((member) => member.node === node)?.clientAddress;
    if (row !== undefined && row !== '') return row;
    return this.#met.get(node)?.peer.clientAddress ?? this.#settings.get(node)?.clientAddress;
  }

  /** Where nodes reach it, as far as this one knows. */
  addressOf(node: NodeId, members: readonly Member[]): Endpoint | undefined {
    return this.vouchedAddressOf(node, members) ?? parseEndpoint(this.#met.get(node)?.peer.peerAddress ?? '');
  }

  /** Where it is by the word of the operator or the group, and not by its own alone. */
  vouchedAddressOf(node: NodeId, members: readonly Member[]): Endpoint | undefined {
    const own = this.#settings.get(node)?.address;
    if (own !== undefined) return own;
    return parseEndpoint(members.find((member) => member.node === node)?.peerAddress ?? '');
  }
}

/** Everybody who votes, learns, or is on the way in or out; ascending. */
export function nodesOf({ voters, votersOutgoing, learners, learnersNext }: Configuration): readonly NodeId[] {
  return [...new Set([...voters, ...votersOutgoing, ...learners, ...learnersNext])].toSorted((a, b) => a - b);
}
