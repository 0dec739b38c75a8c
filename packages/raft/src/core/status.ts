/** What can be seen of a core from outside: copies, so that nothing of it changes when it is looked at. */

import type { Progress, ProgressState } from './progress.ts';
import type { Role } from './ready.ts';
import type { Configuration, LogIndex, NodeId, Term } from './types.ts';

/** What a leader knows of one node's log. */
export interface ProgressView {
  readonly state: ProgressState;
  readonly match: LogIndex;
  readonly next: LogIndex;
  readonly isLearner: boolean;
  /** Whether no append may be sent to it now. */
  readonly isPaused: boolean;
  /** Index of the snapshot that is on its way, 0 when none is. */
  readonly pendingSnapshot: LogIndex;
  /** Whether it was heard of since the last check of the quorum. */
  readonly isRecentlyActive: boolean;
  /** Answers that this leader has had from it, to appends and heartbeats: whoever looks again sees whether it was heard in between. 0 again when leadership or the membership of the node begins anew. */
  readonly answerCount: number;
  /** Appends that are not answered yet. */
  readonly inflightCount: number;
  readonly isInflightFull: boolean;
}

export interface Status {
  readonly id: NodeId;
  readonly term: Term;
  readonly vote: NodeId;
  readonly role: Role;
  readonly leader: NodeId;
  /** Whether the configuration in force has this node as a learner. */
  readonly isLearner: boolean;
  /** To whom leadership is being handed over, `NO_NODE` when to nobody. */
  readonly transferTarget: NodeId;
  readonly commit: LogIndex;
  /** The last entry handed out to be applied. */
  readonly applying: LogIndex;
  readonly applied: LogIndex;
  readonly firstIndex: LogIndex;
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  readonly configuration: Configuration;
  /** Of a leader: every node it sends to, itself too, by ascending id. Otherwise empty. */
  readonly progress: ReadonlyMap<NodeId, ProgressView>;
  readonly electionElapsedTicks: number;
  readonly randomizedElectionTicks: number;
  /** Bytes of payload in the log of a leader that are not applied yet. */
  readonly uncommittedBytes: number;
}

/** What changes most often, and nothing that has to be copied. */
export type StatusSummary = Pick<
  Status,
  'id' | 'term' | 'vote' | 'role' | 'leader' | 'commit' | 'applying' | 'applied' | 'lastIndex' | 'configuration'
>;

export function viewProgress(progress: Progress): ProgressView {
  const { state, match, next, isLearner, isPaused, pendingSnapshot, isRecentlyActive, answerCount, inflights } =
    progress;
  return {
    state,
    match,
    next,
    isLearner,
    isPaused,
    pendingSnapshot,
    isRecentlyActive,
    answerCount,
    inflightCount: inflights.count,
    isInflightFull: inflights.isFull,
  };
}
