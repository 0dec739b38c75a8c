/** What a leader makes of its members. Pure. */

import type { ProgressView, Status } from '../core/status.ts';
import { NO_NODE, type NodeId } from '../core/types.ts';
import type { MemberView } from './snapshot-policy.ts';

/** The voter that leadership is best given to: heard of lately, with the most complete log, the one with the smallest id among equals. `NO_NODE` when there is none. */
export function pickSuccessor({
  id,
  progress,
  configuration,
}: Pick<Status, 'id' | 'progress' | 'configuration'>): NodeId {
  let best: NodeId = NO_NODE;
  let bestMatch = -1;
  for (const [peer, view] of progress) {
    if (peer === id || !view.isRecentlyActive || !configuration.voters.includes(peer)) continue;
    if (view.match <= bestMatch) continue;
    best = peer;
    bestMatch = view.match;
  }
  return best;
}

/** The others, for the policy of snapshots. Empty of a node that does not lead. */
export function otherMembers({ id, progress }: Pick<Status, 'id' | 'progress'>): readonly MemberView[] {
  return [...progress].filter(([peer]) => peer !== id).map(([, view]) => memberOf(view));
}

function memberOf({ isRecentlyActive, match, pendingSnapshot }: ProgressView): MemberView {
  return { isAlive: isRecentlyActive, match, pendingSnapshot };
}
