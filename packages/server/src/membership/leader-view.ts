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

/** Voters that answer, whoever has the most of the log first, and of those the one with the smallest id. Requires: `status` is of a leader. */
export function listSuccessors(status: NodeStatus, hearing: Hearing): readonly NodeId[] {
  const { id, progress, configuration } = status;
  return [...progress]
    .filter(([node]) => node !== id && configuration.voters.includes(node) && hearing.isAnswering(node, status))
    .toSorted(([a, { match: aMatch }], [b, { match: bMatch }]) => bMatch - aMatch || a - b)
    .map(([node]) => node);
}
