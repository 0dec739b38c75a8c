/**
 * What a majority has acknowledged, and how a vote stands, in plain and in joint configurations (paper sections 5.2 and 5.3, thesis section 4.3).
 *
 * Invariant: a joint configuration decides what both of its halves decide; a half without voters agrees to everything.
 * `committedIndex` runs at every acknowledgement, so it sorts in one array that is kept from call to call.
 */

import type { LogIndex, NodeId } from './types.ts';

/** How far each node's log is known to match. */
export interface MatchSource {
  /** 0 for a node of which nothing is known. */
  matchOf(id: NodeId): LogIndex;
}

export type VoteResult = 'won' | 'lost' | 'pending';

/** How many of `count` voters are a majority. */
export function majority(count: number): number {
  return Math.floor(count / 2) + 1;
}

/**
 * The largest index that a majority of each half has acknowledged.
 *
 * @param outgoing - The other half of a joint configuration; empty otherwise.
 * @returns Infinity when both halves are empty.
 */
export function committedIndex(voters: readonly NodeId[], outgoing: readonly NodeId[], source: MatchSource): LogIndex {
  return Math.min(majorityIndex(voters, source), majorityIndex(outgoing, source));
}

/** The largest index that a majority of `voters` has acknowledged; Infinity without voters. */
export function majorityIndex(voters: readonly NodeId[], source: MatchSource): LogIndex {
  const count = voters.length;
  if (count === 0) return Infinity;
  for (let i = 0; i < count; i++) insertSorted(source.matchOf(voters[i]!), i);
  return scratch[count - majority(count)]!;
}

/** Ascends up to the number of voters looked at so far; what comes behind is of earlier calls. */
const scratch: LogIndex[] = [];

function insertSorted(index: LogIndex, count: number): void {
  let at = count;
  while (at > 0 && scratch[at - 1]! > index) {
    scratch[at] = scratch[at - 1]!;
    at--;
  }
  scratch[at] = index;
}

/** Lost as soon as one half has lost, won when both have won. Without any voters it is won. */
export function voteResult(
  voters: readonly NodeId[],
  outgoing: readonly NodeId[],
  votes: ReadonlyMap<NodeId, boolean>,
): VoteResult {
  const first = majorityVote(voters, votes);
  const second = majorityVote(outgoing, votes);
  if (first === 'lost' || second === 'lost') return 'lost';
  return first === 'won' && second === 'won' ? 'won' : 'pending';
}

/** How the vote stands among `voters`; votes of others do not count. */
export function majorityVote(voters: readonly NodeId[], votes: ReadonlyMap<NodeId, boolean>): VoteResult {
  if (voters.length === 0) return 'won';
  const needed = majority(voters.length);
  let granted = 0;
  let open = 0;
  for (const id of voters) {
    const vote = votes.get(id);
    if (vote === undefined) open++;
    else if (vote) granted++;
  }
  if (granted >= needed) return 'won';
  return granted + open >= needed ? 'pending' : 'lost';
}
