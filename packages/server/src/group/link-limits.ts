/** Bounds of the links between nodes that depend on the times of the group. */

import { DEFAULT_PEER_LINK_LIMITS, type PeerLinkLimits } from '@kayadb/transport';

import type { GroupTiming } from '../node-options.ts';

/** Election timeouts that a peer may be silent for. */
const SILENT_ELECTIONS = 3;

/**
 * A link is given up for another one when its peer is silent for longer than an election takes, and not before: the end of a leader's connection has its followers campaign at once, so
 * where elections were given more time, since machines or networks are slow, links must have it too.
 */
export function linkLimitsOf({ electionMs }: Pick<GroupTiming, 'electionMs'>): Partial<PeerLinkLimits> {
  return { silenceMs: Math.max(DEFAULT_PEER_LINK_LIMITS.silenceMs, SILENT_ELECTIONS * electionMs) };
}
