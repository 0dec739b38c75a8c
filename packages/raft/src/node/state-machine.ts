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
  /** The index up to which its state survives power loss without the log. At most `appliedIndex`. The log is not compacted beyond it. */
  readonly durableIndex: LogIndex;
  /**
   * Applies `entries`, all of kind `normal` and with data, and moves `appliedIndex` to `upTo`. Indexes between that are missing were entries for nobody,
   * or changes of the group; `entries` is empty when there was nothing else.
   *
   * Durability: none is asked for; the log has the entries.
   *
   * @returns One result for each entry, in order.
   */
  apply(entries: readonly Entry[], upTo: LogIndex): Promise<readonly Result[]>;
  /**
   * Captures the state as it is within the call, before it returns; the rest may take its time, beside calls of `apply`.
   *
   * Durability: what the data stands for is durable when it resolves.
   *
   * @param point - What the state stands for; `point.index` is `appliedIndex`.
   * @returns The data of a snapshot: the state itself where it is small, or what it takes to fetch it.
   */
  snapshot(point: AppliedPoint): Promise<Uint8Array>;
  /**
   * Takes the state of `snapshot` in the place of its own, all of it or nothing, and moves `appliedIndex` to its index.
   *
   * Durability: when it resolves, since the log below the snapshot is gone.
   */
  restore(snapshot: Snapshot): Promise<void>;
}
