/** What those are told who ask a node that is in no group yet, or not any more. */

import { ReplicaError } from '../replica/replica-error.ts';
import { GroupError } from './group-error.ts';

export interface GrouplessNode {
  readonly node: number;
  readonly endError: Error | undefined;
  readonly isClosing: boolean;
  readonly hasCluster: boolean;
  readonly isJoining: boolean;
  /** Nodes that it waits for. */
  readonly missing: readonly number[];
}

export function refuseWithoutGroup(state: GrouplessNode): ReplicaError {
  const { node, endError, isClosing, hasCluster, isJoining, missing } = state;
  if (endError instanceof GroupError && endError.code === 'KAYA_REMOVED') {
    return new ReplicaError('KAYA_REMOVED', `node ${node} was removed from its cluster; ask another one`);
  }
  if (endError !== undefined || isClosing) {
    return new ReplicaError('KAYA_STOPPING', `node ${node} is stopping; ask another one`);
  }
  if (hasCluster) {
    return new ReplicaError('KAYA_NO_QUORUM', `node ${node} is opening its directory; try again after a while`);
  }
  const what = isJoining ? 'to be added to a cluster' : `for nodes ${missing.join(', ')}`;
  return new ReplicaError('KAYA_NO_QUORUM', `node ${node} has no cluster yet: it waits ${what}`);
}
