/**
 * What a node knows to be committed, as elections need it: whether a change of the configuration is among it that is not applied yet, and what is told in
 * requests for votes and in refusals. Why the telling is needed, and enough: docs/internals/raft.md, "Elections across a change".
 */

import type { RaftState } from './raft-state.ts';
import { becomeFollower } from './roles.ts';
import { type Entry, type KnownCommit, NO_COMMIT, NO_NODE } from './types.ts';

/** What to tell whom this node asks for a vote, or refuses its own. */
export function commitToTell({ settings, log }: RaftState): KnownCommit {
  if (!settings.tellCommitInVotes) return NO_COMMIT;
  return { commit: log.committed, commitTerm: log.knownTerm(log.committed) };
}

/**
 * Somebody else knows an entry to be committed. Where it is here, all up to it is what he has (log matching, paper section 5.3), and is committed. A leader
 * is not told: it finds out by itself.
 */
export function learnCommit(state: RaftState, { commit, commitTerm }: KnownCommit): void {
  const { log, role, term } = state;
  if (role === 'leader' || commit <= log.committed || !log.matches(commit, commitTerm)) return;
  log.commitTo(commit);
  state.emit({ kind: 'commit-learned', commit, term });
  // Votes are counted by the configuration in force, which is to be another one.
  if (role !== 'follower' && hasUnappliedChange(state)) becomeFollower(state, term, NO_NODE);
}

/** Among what is committed: with it this node may be no voter any more, or need other votes. */
export function hasUnappliedChange({ log, settings }: RaftState): boolean {
  if (log.applied >= log.committed) return false;
  return log.some(log.applied + 1, log.committed + 1, settings.maxCommittedBytesPerReady, isChange);
}

function isChange(entry: Entry): boolean {
  return entry.kind !== 'normal';
}
