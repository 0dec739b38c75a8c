/** Who is in a group. */

import type { Configuration } from '@kayadb/raft';

/** Everybody who votes, learns, or is on the way in or out; ascending. */
export function nodesIn({ voters, votersOutgoing, learners, learnersNext }: Configuration): readonly number[] {
  return [...new Set([...voters, ...votersOutgoing, ...learners, ...learnersNext])].toSorted((a, b) => a - b);
}
