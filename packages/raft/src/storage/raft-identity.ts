/** Whose files these are. Stands in the header of every file, and takes part in every checksum. Format: docs/format/raft-log.md, "File header". */

import type { NodeId } from '../core/types.ts';

export const CLUSTER_ID_BYTES = 16;

export interface RaftIdentity {
  /** `CLUSTER_ID_BYTES` random bytes, the same for all nodes of a cluster. */
  readonly clusterId: Uint8Array;
  readonly nodeId: NodeId;
  /** Tells a node's directory from one that it had before: drawn when the directory is made. 0 or more. */
  readonly incarnation: number;
}

/** @throws RangeError when a part of it is none. */
export function checkIdentity({ clusterId, nodeId, incarnation }: RaftIdentity): void {
  if (clusterId.length !== CLUSTER_ID_BYTES) {
    throw new RangeError(`a cluster id has ${CLUSTER_ID_BYTES} bytes, not ${clusterId.length}`);
  }
  if (!Number.isSafeInteger(nodeId) || nodeId < 1) throw new RangeError(`${nodeId} is no node id`);
  if (!Number.isSafeInteger(incarnation) || incarnation < 0) {
    throw new RangeError(`an incarnation is a whole number of 0 or more, not ${incarnation}`);
  }
}
