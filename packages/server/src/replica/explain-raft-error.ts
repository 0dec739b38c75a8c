/** What the Raft node's errors mean to whoever asked the group for something. */

import { NO_NODE, NotLeaderError, type NodeId, RaftError } from '@kayadb/raft';

import { ReplicaError } from './replica-error.ts';

export interface RaftErrorContext {
  readonly nodeId: NodeId;
  /** Where clients reach a node, `host:port`, as far as that is known. */
  readonly clientAddressOf: (node: NodeId) => string | undefined;
}

/**
 * @param dropped - The code for what was not taken.
 * @returns What to throw in its place; `error` itself when it tells of this node's own state.
 */
export function explainRaftError(
  error: unknown,
  { nodeId, clientAddressOf }: RaftErrorContext,
  dropped: 'KAYA_OVERLOADED' | 'KAYA_NO_QUORUM' = 'KAYA_OVERLOADED',
): unknown {
  if (!(error instanceof RaftError)) return error;
  switch (error.code) {
    case 'KAYA_RAFT_NOT_LEADER': {
      const leader = error instanceof NotLeaderError ? error.leader : NO_NODE;
      return notLeading(leader, { nodeId, clientAddressOf }, error);
    }
    case 'KAYA_RAFT_DROPPED':
      return new ReplicaError(dropped, `the group did not take it: ${error.message}`, { cause: error });
    case 'KAYA_RAFT_UNKNOWN_OUTCOME': {
      const message = `it may have been done, or may yet be: ${error.message}`;
      return new ReplicaError('KAYA_UNKNOWN_OUTCOME', message, { cause: error });
    }
    case 'KAYA_RAFT_STOPPED':
    case 'KAYA_RAFT_POISONED':
      return new ReplicaError('KAYA_STOPPING', `node ${nodeId} is stopping; ask another one`, { cause: error });
    case 'KAYA_RAFT_CORRUPTION':
    case 'KAYA_RAFT_FOREIGN':
    case 'KAYA_RAFT_MALFORMED':
    case 'KAYA_RAFT_UNSUPPORTED':
      return error;
  }
}

/** @param leader - As far as is known; `NO_NODE`: nobody. */
export function notLeading(
  leader: NodeId,
  { nodeId, clientAddressOf }: RaftErrorContext,
  cause?: unknown,
): ReplicaError {
  const leaderAddress = leader === NO_NODE ? undefined : clientAddressOf(leader);
  const who = leader === NO_NODE ? 'it knows of none' : `that is node ${leader}`;
  return new ReplicaError('KAYA_NOT_LEADER', `node ${nodeId} is not the leader; ${who}`, { cause, leaderAddress });
}
