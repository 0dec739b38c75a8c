/**
 * Whether a message may come from where it comes from. The handshake of a connection settles that when the connection is made; the group may learn better
 * while it stands: a node was removed, or has come back with another directory. Pure.
 */

import { equalBytes } from '@kayadb/codec';

import type { MessageKind, PeerMessage } from '../core/message.ts';
import type { NodeId } from '../core/types.ts';
import type { RaftIdentity } from '../storage/raft-identity.ts';
import type { MessageFlaw } from './message-check.ts';

/** What a node knows of the others besides the group's configuration. */
export interface PeerRegistry {
  /** Of this node: 16 bytes. */
  readonly clusterId: Uint8Array;
  /** `undefined` while it is not known: then any is taken. */
  incarnationOf(node: NodeId): number | undefined;
}

/** What a node passes on in the name of the one that asked. */
const PASSED_ON: ReadonlySet<MessageKind> = new Set<PeerMessage['kind']>(['transfer-leader', 'read-index']);

/** @param origin - Who is at the other end, as its handshake has shown. */
export function findOriginFlaw(
  { kind, from }: PeerMessage,
  { clusterId, nodeId, incarnation }: RaftIdentity,
  registry: PeerRegistry,
): MessageFlaw | undefined {
  if (!equalBytes(clusterId, registry.clusterId)) {
    return { refusal: 'foreign-cluster', what: `node ${nodeId} is of another cluster` };
  }
  const known = registry.incarnationOf(nodeId);
  if (known !== undefined && known !== incarnation) {
    return {
      refusal: 'stale-incarnation',
      what: `it comes from incarnation ${incarnation} of node ${nodeId}, and the group knows ${known}`,
    };
  }
  if (from === nodeId || PASSED_ON.has(kind)) return undefined;
  return { refusal: 'borrowed-name', what: `node ${nodeId} says it in the name of node ${from}` };
}
