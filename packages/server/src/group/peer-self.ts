/** What a node says of itself in a greeting. Format: docs/format/peer-handshake.md. */

import type { PeerSelf } from '@kayadb/transport';

import type { NodeIdentity } from '../directory/node-file.ts';
import { FEATURE_LEVEL } from '../machine/machine-format.ts';

/** Versions of the peer protocol that this program speaks. */
const PEER_VERSIONS = { lowest: 1, highest: 1 } as const;

export interface PeerState extends Pick<PeerSelf, 'start' | 'nodeAddress' | 'clientAddress'> {
  /** Of the log; undefined as long as it is not open. Then this node can not tell who belongs to its cluster, so it tells nobody of that. */
  readonly lastIndex: number | undefined;
}

export function peerSelfOf(identity: NodeIdentity, { lastIndex, ...state }: PeerState): PeerSelf {
  const { cluster, node, incarnation, boot } = identity;
  return {
    ...state,
    versions: PEER_VERSIONS,
    cluster: lastIndex === undefined ? undefined : cluster,
    node,
    incarnation,
    boot,
    lastIndex: lastIndex ?? 0,
    featureLevel: FEATURE_LEVEL,
  };
}
