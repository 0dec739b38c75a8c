/** The words of the core: ids, terms, indexes, entries, what is durable about a node, and who is in a group. */

/**
 * A member of a group, 1 or more and below the two threads' ids. Ids are never used again for another node.
 */
export type NodeId = number;
/** The position of an entry in the log, from 1 on. An integer below 2^53, as every number here. */
export type LogIndex = number;
/** Elections begin terms, numbered from 1 on (paper section 5.1). */
export type Term = number;

/** Nobody: no vote, no leader. */
export const NO_NODE: NodeId = 0;
/** Addressee of messages to the thread that makes entries and hard states durable. */
export const APPEND_THREAD: NodeId = Number.MAX_SAFE_INTEGER;
/** Addressee of messages to the thread that applies committed entries. */
export const APPLY_THREAD: NodeId = Number.MAX_SAFE_INTEGER - 1;

/** Whether `id` is one of the node's own threads. */
export function isLocalThread(id: NodeId): boolean {
  return id >= APPLY_THREAD;
}

/**
 * - `normal`: for the state machine; empty ones are the first of a leader's term, and are for nobody.
 * - `config`: a membership change of any number of steps (config-change.ts). Empty data means: leave the joint configuration.
 * - `config-v1`: a membership change of a single step, in the older of the two encodings that the most deployed implementation has.
 */
export type EntryKind = 'normal' | 'config' | 'config-v1';

/** Immutable once it is in a log; two entries of one index and term are equal (log matching, paper section 5.3). */
export interface Entry {
  readonly term: Term;
  readonly index: LogIndex;
  readonly kind: EntryKind;
  /** Not to be changed by anybody. */
  readonly data: Uint8Array;
}

/** What a node must not forget. Of `commit` no more than came along with the entries that are there: what came later is learnt again. */
export interface HardState {
  readonly term: Term;
  /** Whom the node voted for in `term`. */
  readonly vote: NodeId;
  readonly commit: LogIndex;
}

export const EMPTY_HARD_STATE: HardState = { term: 0, vote: NO_NODE, commit: 0 };

/** The last entry that somebody knows to be committed. Both are 0 where that is not told, or there is none. */
export interface KnownCommit {
  readonly commit: LogIndex;
  readonly commitTerm: Term;
}

export const NO_COMMIT: KnownCommit = { commit: 0, commitTerm: 0 };

/** Who is in a group. Every list ascends and has nobody twice. */
export interface Configuration {
  readonly voters: readonly NodeId[];
  /** The voters before the change under way, not empty while the configuration is joint (thesis section 4.3). */
  readonly votersOutgoing: readonly NodeId[];
  readonly learners: readonly NodeId[];
  /** Voters of the outgoing half that become learners when the joint configuration is left. */
  readonly learnersNext: readonly NodeId[];
  /** Whether the joint configuration is left as soon as it is applied, without being asked. */
  readonly autoLeave: boolean;
}

export const EMPTY_CONFIGURATION: Configuration = {
  voters: [],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
};

/** What a snapshot stands for: the log up to and including `index`. */
export interface SnapshotMeta {
  readonly index: LogIndex;
  readonly term: Term;
  /** As applied at `index`. */
  readonly configuration: Configuration;
}

/** Bound: `Snapshot.data`, on disk as in a message: what cannot be sent must not take the place of entries. */
export const MAX_SNAPSHOT_DATA_BYTES = 16 * 1024 * 1024;

export interface Snapshot {
  readonly meta: SnapshotMeta;
  /** Opaque to the core: the state itself where it is small, or what it takes to fetch it. */
  readonly data: Uint8Array;
}
