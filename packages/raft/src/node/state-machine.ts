/** What the log is for: the deterministic half of a node. Every replica gets the same entries in the same order. */

import type { Configuration, Entry, LogIndex, Snapshot, Term } from '../core/types.ts';

/** The last entry that is applied, and who was in the group then. */
export interface AppliedPoint {
  readonly index: LogIndex;
  readonly term: Term;
  readonly configuration: Configuration;
}

/**
 * Invariant: its state and `appliedIndex` change in one atomic step, also across a crash: an entry is never half applied, and never applied twice.
 * Calls of `apply` and `restore` do not overlap. What a call throws stops the node: a replica that could not apply an entry is no replica any more.
 */
export interface StateMachine<Result> {
  /** The index that its state stands for; 0 when nothing was ever applied. When it was opened: what survived. */
  readonly appliedIndex: LogIndex;
  /**
   * The term of the entry at `appliedIndex`, for state machines that keep it: a node does not start where its log has another entry there, as one of the two is then from elsewhere.
   * `undefined` when nothing was ever applied.
   */
  readonly appliedTerm?: Term | undefined;
  /** The index up to which its state survives power loss without the log. At most `appliedIndex`. The log is not compacted beyond it. */
  readonly durableIndex: LogIndex;
  /**
   * How many bytes of log are worth keeping for a member that is alive and behind, if that is more than the policy keeps anyway: about as many as it would be sent in their place, where
   * there is room for them. Asked for whenever the log is cut. Initially none.
   */
  logWorthBytes?(): Promise<number>;
  /**
   * Applies `entries`, all of kind `normal` and with data, and moves `appliedIndex` to `upTo`. Indexes between that are missing were entries for nobody,
   * or changes of the group; `entries` is empty when there was nothing else.
   *
   * Durability: none is asked for; the log has the entries.
   *
   * @param term - Of the entry at `upTo`.
   * @returns One result for each entry, in order.
   */
  apply(entries: readonly Entry[], upTo: LogIndex, term: Term): Promise<readonly Result[]>;
  /**
   * Makes a snapshot of the state as it is when it is called: nothing that a later call of `apply` does is in it. Takes its time, beside calls of `apply`; never beside `restore`.
   *
   * Durability: what the data stands for is durable when it resolves. It is to be kept until a newer snapshot is durable in the log's storage (`snapshotsInUse` of that tells)
   * and nobody is being sent it.
   *
   * @param point - What the state stands for; `point.index` is `appliedIndex`.
   * @returns The data of a snapshot: the state itself where it is small, or what it takes to find its files. Bound: 16 MiB.
   * @throws When it cannot be made, or came out as of another index: an event tells, and the node goes on with the one before.
   */
  snapshot(point: AppliedPoint): Promise<Uint8Array>;
  /**
   * Takes the state of `snapshot` in the place of its own, all of it or nothing, and moves `appliedIndex` to its index. After a crash in the middle of it, the node's next start calls it
   * again, before anything else; and it does so whenever the log does not reach back to `appliedIndex`. So the files of a snapshot stay where they are found until this has resolved.
   *
   * Durability: when it resolves, since the log below the snapshot is gone.
   */
  restore(snapshot: Snapshot): Promise<void>;
}
