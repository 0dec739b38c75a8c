/**
 * How far a log is committed for certain, beyond what is written down of it. Pure.
 *
 * A node whose vote is a majority by itself has every entry that it keeps committed: nobody is elected without that vote, which goes to no log that is worse (paper section 5.4.1). That holds up to
 * and with the next change of the group, which counts from where it is applied on (docs/internals/raft.md, "Elections across a change").
 */

import { isJoint } from '../core/membership.ts';
import type { Configuration, LogIndex, NodeId } from '../core/types.ts';

/** Who is in the group once everything up to `index` is applied, until the next one; `undefined`: the change there cannot be read. */
export interface ConfigurationStep {
  readonly index: LogIndex;
  readonly configuration: Configuration | undefined;
}

export interface CommitFacts {
  /** Whose log it is. */
  readonly node: NodeId;
  readonly lastIndex: LogIndex;
  /** Ascending; the first one at the snapshot, or at 0. Behind one that cannot be read there are none. */
  readonly steps: readonly ConfigurationStep[];
}

/** @param known - An entry that is committed, such as the last one that was applied. Not below the first of `steps`. @returns The last one that is, as far as that can be told from here. */
export function certainCommit({ node, lastIndex, steps }: CommitFacts, known: LogIndex): LogIndex {
  let commit = known;
  for (let at = steps.findLastIndex(({ index }) => index <= known); at >= 0 && at < steps.length; at++) {
    if (!decidesAlone(node, steps[at]?.configuration)) break;
    commit = steps[at + 1]?.index ?? lastIndex;
  }
  return Math.min(commit, lastIndex);
}

function decidesAlone(node: NodeId, configuration: Configuration | undefined): boolean {
  if (configuration === undefined || isJoint(configuration)) return false;
  return configuration.voters.length === 1 && configuration.voters[0] === node;
}
