/** What a leader's status says of the others, as plans and hand-overs need it. Pure, but for whom the leader hears. */

import type { NodeId, NodeStatus } from '@kayadb/raft';

import type { Hearing } from './hearing.ts';
import type { MemberView } from './plan-change.ts';

/** By node, ascending. Requires: `status` is of a leader. */
export function viewMembers(status: NodeStatus, isAnswering: (node: NodeId) => boolean): readonly MemberView[] {
  const { voters } = status.configuration;
  return [...status.progress.keys()].map((node) => ({
    node,
    isVoter: voters.includes(node),
    isAnswering: isAnswering(node),
  }));
}

/**
 * - `log`: whoever has the most of the log first, and of those the one with the smallest id: it takes over soonest.
 * - `round`: by id, the one after this node first and the smallest after the largest: if each hands over to its first, all have had their turn.
 */
export type SuccessorOrder = 'log' | 'round';

/** Voters that answer. Requires: `status` is of a leader. */
export function listSuccessors(status: NodeStatus, hearing: Hearing, order: SuccessorOrder = 'log'): readonly NodeId[] {
  const { id, progress, configuration } = status;
  const found = [...progress].filter(
    ([node]) => node !== id && configuration.voters.includes(node) && hearing.isAnswering(node, status),
  );
  const sorted =
    order === 'log'
      ? found.toSorted(([a, { match: aMatch }], [b, { match: bMatch }]) => bMatch - aMatch || a - b)
      : found.toSorted(([a], [b]) => Number(a < id) - Number(b < id) || a - b);
  return sorted.map(([node]) => node);
}
