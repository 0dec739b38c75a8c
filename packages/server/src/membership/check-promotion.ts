/** Whether a learner has what the leader has, so that the group waits for nothing when it votes. Pure. */

import type { NodeId, NodeStatus } from '@kayadb/raft';

/** Bound: entries that a new voter may lack. They are there within a moment. */
export const MAX_PROMOTION_LAG = 1000;

/**
 * @param node - A learner.
 * @returns Why it is not to vote yet, in one sentence; undefined when it may.
 */
export function checkPromotion(
  { progress, lastIndex }: Pick<NodeStatus, 'progress' | 'lastIndex'>,
  node: NodeId,
  isAnswering: boolean,
): string | undefined {
  if (!isAnswering) return `node ${node} does not answer; start it, and promote it when it has caught up`;
  const { state, match } = progress.get(node)!;
  if (state !== 'replicate') {
    const what = state === 'snapshot' ? 'is being sent a snapshot' : 'does not follow the log yet';
    return `node ${node} ${what}; promote it when it has caught up`;
  }
  const lag = lastIndex - match;
  if (lag <= MAX_PROMOTION_LAG) return undefined;
  return `node ${node} is ${lag} entries behind: it has the log up to ${match} of ${lastIndex}, and may lack ${MAX_PROMOTION_LAG} to become a voter; promote it when it has caught up`;
}
