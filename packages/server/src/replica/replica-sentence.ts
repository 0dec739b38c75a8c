/**
 * What a client is told of an error of the replica. A sentence of its own is passed on; one that quotes what is underneath, which may name paths or
 * entries of the log, is replaced.
 */

import type { ReplicaError, ReplicaErrorCode } from './replica-error.ts';

const SENTENCES: Readonly<Record<ReplicaErrorCode, string>> = {
  KAYA_NOT_LEADER: 'this node does not lead the group; ask the leader',
  KAYA_UNKNOWN_OUTCOME:
    'it was proposed, and whether it was done can not be known here; it may have been, or may yet be',
  KAYA_OVERLOADED: 'the group takes nothing for the moment; try again after a while',
  KAYA_NO_QUORUM: 'no majority of the group has answered in time; try again after a while',
  KAYA_SESSION_EXPIRED: 'there is no such session any more; open another one',
  KAYA_STALE_SERIAL: 'the session says that the answer to this write was heard already',
  KAYA_DISK_FULL: "the leader's disk is nearly full, so it takes deletes but no puts; free some space there",
  KAYA_STOPPING: 'the node is stopping; ask another one',
  KAYA_REMOVED: 'the node was removed from its cluster; ask another one',
};

export const STATE_REPLACED =
  'the node has taken over a snapshot, and the state that the scan shows is gone; begin the scan again';

export function describeReplicaError(error: ReplicaError): string {
  return error.cause === undefined ? error.message : SENTENCES[error.code];
}
