/** What a leader makes of its members. Pure. */

import type { Status } from '../core/status.ts';
import { NO_NODE, type NodeId } from '../core/types.ts';

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
