/**
 * The configuration in force, what the leader knows about each member, and the votes of an election.
 *
 * Invariant: there is a progress for each member of the configuration and for nobody else, in ascending order of ids.
 */

import { assert } from '@kayadb/codec';

import type { InflightLimits } from './inflights.ts';
import { isJoint, membersOf, type MembershipChange } from './membership.ts';
import { unionOfNodes } from './node-list.ts';
import { Progress } from './progress.ts';
import { committedIndex, type MatchSource, type VoteResult, voteResult } from './quorum.ts';
import { type Configuration, EMPTY_CONFIGURATION, type LogIndex, type NodeId } from './types.ts';

export interface VoteTally {
  /** Of voters in force. */
  readonly granted: number;
  /** Of voters in force. */
  readonly rejected: number;
  readonly result: VoteResult;
}

export class ProgressTracker implements MatchSource {
  readonly #inflightLimits: InflightLimits;
  readonly #votes = new Map<NodeId, boolean>();
  #configuration: Configuration = EMPTY_CONFIGURATION;
  /** Filled in ascending order of ids, so that it is iterated in that order. */
  #progress: ReadonlyMap<NodeId, Progress> = new Map();
  #voterNodes: readonly NodeId[] = [];

  constructor(inflightLimits: InflightLimits) {
    this.#inflightLimits = inflightLimits;
  }

  get configuration(): Configuration {
    return this.#configuration;
  }

  /** In ascending order of ids. */
  get progress(): ReadonlyMap<NodeId, Progress> {
    return this.#progress;
  }

  /** The voters of both halves, ascending. */
  get voterNodes(): readonly NodeId[] {
    return this.#voterNodes;
  }

  get learnerNodes(): readonly NodeId[] {
    return this.#configuration.learners;
  }

  /** Whether one voter decides alone. */
  get isSingleton(): boolean {
    return this.#configuration.voters.length === 1 && !isJoint(this.#configuration);
  }

  /** Whether `id` has a vote in either half. */
  isVoter(id: NodeId): boolean {
    return this.#voterNodes.includes(id);
  }

  /** The largest index that is on a quorum of logs; Infinity in an empty group. */
  get committed(): LogIndex {
    return committedIndex(this.#configuration.voters, this.#configuration.votersOutgoing, this);
  }

  matchOf(id: NodeId): LogIndex {
    return this.#progress.get(id)?.match ?? 0;
  }

  /** Puts `change` in force. Appends to fresh members begin at `lastIndex`: most likely they have what came before from elsewhere. */
  apply(change: MembershipChange, lastIndex: LogIndex): void {
    const { configuration, fresh } = change;
    const progress = new Map<NodeId, Progress>();
    for (const id of membersOf(configuration)) {
      const isLearner = configuration.learners.includes(id);
      const kept = fresh.includes(id) ? undefined : this.#progress.get(id);
      if (kept === undefined) assert(fresh.includes(id), `member ${id} has no progress and is not fresh`);
      else kept.isLearner = isLearner;
      progress.set(id, kept ?? this.#newProgress(Math.max(lastIndex, 1), 0, isLearner, true));
    }
    this.#configuration = configuration;
    this.#progress = progress;
    this.#voterNodes = unionOfNodes(configuration.voters, configuration.votersOutgoing);
  }

  /** Nothing is known about anybody any more, but that `self` has everything up to `lastIndex`: a term begins. */
  resetProgress(self: NodeId, lastIndex: LogIndex): void {
    const progress = new Map<NodeId, Progress>();
    for (const [id, { isLearner }] of this.#progress) {
      progress.set(id, this.#newProgress(lastIndex + 1, id === self ? lastIndex : 0, isLearner, false));
    }
    this.#progress = progress;
  }

  /** In ascending order of ids. */
  visit(visitor: (id: NodeId, progress: Progress) => void): void {
    for (const [id, progress] of this.#progress) visitor(id, progress);
  }

  /** Whether a quorum of voters was heard lately. */
  get isQuorumActive(): boolean {
    const active = new Map<NodeId, boolean>();
    for (const id of this.#voterNodes) active.set(id, this.#progress.get(id)!.isRecentlyActive);
    return this.#resultOf(active) === 'won';
  }

  /** The first vote of a node counts (paper section 5.2). */
  recordVote(id: NodeId, isGranted: boolean): void {
    if (!this.#votes.has(id)) this.#votes.set(id, isGranted);
  }

  resetVotes(): void {
    this.#votes.clear();
  }

  tallyVotes(): VoteTally {
    const counted = this.#voterNodes.map((id) => this.#votes.get(id));
    return {
      granted: counted.filter((vote) => vote === true).length,
      rejected: counted.filter((vote) => vote === false).length,
      result: this.#resultOf(this.#votes),
    };
  }

  #resultOf(votes: ReadonlyMap<NodeId, boolean>): VoteResult {
    return voteResult(this.#configuration.voters, this.#configuration.votersOutgoing, votes);
  }

  #newProgress(next: LogIndex, match: LogIndex, isLearner: boolean, isRecentlyActive: boolean): Progress {
    return new Progress({ next, match, isLearner, isRecentlyActive, inflightLimits: this.#inflightLimits });
  }
}
