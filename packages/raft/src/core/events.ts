/**
 * What a core tells of its own doing, for logs and tests: nothing depends on it. Each kind has a level of its own.
 * Invariant: an event has all that is needed to word it, but for the id of the node whose core it is.
 */

import type { ConfigChange } from './config-change.ts';
import type { MessageKind } from './message.ts';
import type { DropReason } from './outcome.ts';
import type { Role } from './ready.ts';
import type { ProgressView } from './status.ts';
import type { Configuration, EntryKind, LogIndex, NodeId, Term } from './types.ts';

export type EventLevel = 'debug' | 'info' | 'warning' | 'error';

/** The last entry of a log. */
interface EntryId {
  readonly index: LogIndex;
  readonly term: Term;
}

type VoteKind = 'vote' | 'pre-vote';
type VoteResponseKind = 'vote-response' | 'pre-vote-response';

/** What a node thinks of a request for its vote: its own log and vote, and the candidate's log. */
interface VoteJudgement {
  readonly message: VoteKind;
  readonly candidate: NodeId;
  readonly candidateLast: EntryId;
  readonly last: EntryId;
  readonly vote: NodeId;
  readonly term: Term;
}

export type LifeEvent =
  | {
      readonly kind: 'core-created';
      readonly voters: readonly NodeId[];
      readonly term: Term;
      readonly commit: LogIndex;
      readonly applied: LogIndex;
      readonly last: EntryId;
    }
  | { readonly kind: 'role-changed'; readonly role: Role; readonly term: Term }
  | { readonly kind: 'configuration-switched'; readonly configuration: Configuration };

export type ElectionEvent =
  | { readonly kind: 'campaign-ignored-leader' }
  | { readonly kind: 'campaign-refused-unpromotable' }
  /** The pre-vote was won after the node had left the voters. */
  | { readonly kind: 'campaign-unpromotable' }
  | { readonly kind: 'campaign-refused-unapplied-change'; readonly term: Term }
  | { readonly kind: 'election-started'; readonly term: Term }
  | {
      readonly kind: 'vote-requested';
      readonly message: VoteKind;
      readonly to: NodeId;
      readonly last: EntryId;
      readonly term: Term;
    }
  | {
      readonly kind: 'vote-received';
      readonly message: VoteResponseKind;
      readonly from: NodeId;
      readonly isRejected: boolean;
      readonly term: Term;
    }
  | {
      readonly kind: 'votes-counted';
      readonly message: VoteResponseKind;
      readonly granted: number;
      readonly rejected: number;
    }
  /** The lease of a leader that was heard of has not run out: neither vote nor term change. */
  | ({ readonly kind: 'vote-ignored-in-lease'; readonly remainingTicks: number } & VoteJudgement)
  | ({ readonly kind: 'vote-cast' } & VoteJudgement)
  | ({ readonly kind: 'vote-rejected' } & VoteJudgement)
  /** From a request for a vote that was refused, or from a refusal. */
  | { readonly kind: 'commit-learned'; readonly commit: LogIndex; readonly term: Term }
  | { readonly kind: 'quorum-inactive' };

export type TermEvent =
  | {
      readonly kind: 'higher-term-received';
      readonly message: MessageKind;
      readonly from: NodeId;
      readonly messageTerm: Term;
      readonly term: Term;
    }
  | {
      readonly kind: 'lower-term-ignored';
      readonly message: MessageKind;
      readonly from: NodeId;
      readonly messageTerm: Term;
      readonly term: Term;
    }
  /** What was appended in an older term may have been replaced since: it does not count as durable. */
  | { readonly kind: 'stale-append-ignored'; readonly messageTerm: Term; readonly term: Term };

export type LogEvent =
  | {
      readonly kind: 'log-conflict-found';
      readonly index: LogIndex;
      /** 0 when it is not known any more. */
      readonly existingTerm: Term;
      readonly conflictingTerm: Term;
    }
  | { readonly kind: 'unstable-replaced'; readonly from: LogIndex }
  | { readonly kind: 'unstable-truncated'; readonly from: LogIndex }
  | { readonly kind: 'stable-entry-missing'; readonly index: LogIndex }
  | { readonly kind: 'stable-entry-in-snapshot'; readonly index: LogIndex }
  | {
      readonly kind: 'stable-entry-mismatched';
      readonly index: LogIndex;
      readonly term: Term;
      readonly unstableTerm: Term;
    }
  | {
      readonly kind: 'log-restoring';
      readonly commit: LogIndex;
      readonly applied: LogIndex;
      readonly applying: LogIndex;
      readonly unstableOffset: LogIndex;
      readonly unstableOffsetInProgress: LogIndex;
      readonly unstableCount: number;
      readonly snapshot: EntryId;
    }
  | {
      readonly kind: 'append-rejected';
      readonly from: NodeId;
      readonly prev: EntryId;
      /** This node's term at the index of `prev`, 0 when it has no such entry. */
      readonly localTerm: Term;
    };

export type ReplicationEvent =
  | { readonly kind: 'progress-missing'; readonly from: NodeId }
  | {
      readonly kind: 'append-rejection-received';
      readonly from: NodeId;
      readonly index: LogIndex;
      readonly hint: EntryId;
    }
  | { readonly kind: 'progress-decreased'; readonly of: NodeId; readonly progress: ProgressView }
  | { readonly kind: 'peer-unreachable'; readonly peer: NodeId; readonly progress: ProgressView };

export type SnapshotEvent =
  | { readonly kind: 'snapshot-not-sent-inactive'; readonly to: NodeId }
  | { readonly kind: 'snapshot-not-sent-unavailable'; readonly to: NodeId }
  /** `progress` as it was before. */
  | {
      readonly kind: 'snapshot-sent';
      readonly to: NodeId;
      readonly firstIndex: LogIndex;
      readonly commit: LogIndex;
      readonly snapshot: EntryId;
      readonly progress: ProgressView;
    }
  | { readonly kind: 'replication-paused'; readonly to: NodeId; readonly progress: ProgressView }
  /** An append answer shows that the log goes on from where the node is now. `progress` as it was before. */
  | { readonly kind: 'snapshot-recovered'; readonly to: NodeId; readonly progress: ProgressView }
  | { readonly kind: 'snapshot-succeeded'; readonly to: NodeId; readonly progress: ProgressView }
  | { readonly kind: 'snapshot-failed'; readonly to: NodeId; readonly progress: ProgressView }
  | { readonly kind: 'snapshot-received'; readonly commit: LogIndex; readonly snapshot: EntryId }
  | { readonly kind: 'snapshot-ignored'; readonly commit: LogIndex; readonly snapshot: EntryId }
  | {
      readonly kind: 'snapshot-restored' | 'snapshot-fast-forwarded';
      readonly commit: LogIndex;
      readonly last: EntryId;
      readonly snapshot: EntryId;
    }
  | { readonly kind: 'snapshot-restore-not-follower' }
  /** No change can lead to its configuration. */
  | { readonly kind: 'snapshot-restore-invalid'; readonly configuration: Configuration; readonly reason: string }
  | { readonly kind: 'snapshot-restore-not-member'; readonly configuration: Configuration };

/** Why a change of the configuration became an entry for nobody. */
export type ChangeRefusal =
  | { readonly kind: 'pending'; readonly index: LogIndex; readonly applied: LogIndex }
  | { readonly kind: 'joint' }
  | { readonly kind: 'not-joint' };

export type ProposalEvent =
  | { readonly kind: 'proposal-dropped-no-leader'; readonly term: Term }
  | { readonly kind: 'proposal-not-forwarded'; readonly leader: NodeId; readonly term: Term }
  | { readonly kind: 'proposal-dropped-transferring'; readonly target: NodeId; readonly term: Term }
  | { readonly kind: 'proposal-dropped-quota' }
  | {
      readonly kind: 'change-refused';
      readonly change: ConfigChange;
      readonly entryKind: EntryKind;
      readonly configuration: Configuration;
      readonly refusal: ChangeRefusal;
    }
  /** Its data is no change that this version knows. */
  | { readonly kind: 'change-undecodable'; readonly entryKind: EntryKind }
  | { readonly kind: 'auto-leave-started'; readonly configuration: Configuration }
  | { readonly kind: 'auto-leave-dropped'; readonly configuration: Configuration; readonly reason: DropReason };

export type TransferEvent =
  | { readonly kind: 'transfer-dropped-no-leader'; readonly term: Term }
  | { readonly kind: 'transfer-ignored-learner' }
  | { readonly kind: 'transfer-ignored-self' }
  | { readonly kind: 'transfer-ignored-repeated'; readonly target: NodeId; readonly term: Term }
  | { readonly kind: 'transfer-aborted'; readonly target: NodeId; readonly term: Term }
  | { readonly kind: 'transfer-started'; readonly target: NodeId; readonly term: Term }
  | { readonly kind: 'timeout-now-sent-at-once'; readonly target: NodeId }
  | { readonly kind: 'timeout-now-sent-caught-up'; readonly target: NodeId }
  | { readonly kind: 'timeout-now-received'; readonly from: NodeId; readonly term: Term }
  | { readonly kind: 'timeout-now-ignored'; readonly from: NodeId; readonly role: Role; readonly term: Term };

export type ReadEvent = { readonly kind: 'read-dropped-no-leader'; readonly term: Term };

export type ForgetEvent =
  | { readonly kind: 'leader-forgotten'; readonly leader: NodeId; readonly term: Term }
  | { readonly kind: 'forget-leader-refused-lease' };

export type RaftEvent =
  | LifeEvent
  | ElectionEvent
  | TermEvent
  | LogEvent
  | ReplicationEvent
  | SnapshotEvent
  | ProposalEvent
  | TransferEvent
  | ReadEvent
  | ForgetEvent;

/** Where a core puts its events. Must not call the core. */
export type EventSink = (event: RaftEvent) => void;

/** Kinds that are of another level than `info`. */
const LEVELS: { readonly [Kind in RaftEvent['kind']]?: EventLevel } = {
  'append-rejected': 'debug',
  'append-rejection-received': 'debug',
  'auto-leave-dropped': 'debug',
  'campaign-ignored-leader': 'debug',
  'campaign-refused-unapplied-change': 'warning',
  'campaign-refused-unpromotable': 'warning',
  'campaign-unpromotable': 'warning',
  'change-undecodable': 'warning',
  'forget-leader-refused-lease': 'error',
  'peer-unreachable': 'debug',
  'progress-decreased': 'debug',
  'progress-missing': 'debug',
  'proposal-dropped-quota': 'warning',
  'proposal-dropped-transferring': 'debug',
  'quorum-inactive': 'warning',
  'replication-paused': 'debug',
  'snapshot-failed': 'debug',
  'snapshot-not-sent-inactive': 'debug',
  'snapshot-not-sent-unavailable': 'debug',
  'snapshot-recovered': 'debug',
  'snapshot-restore-invalid': 'error',
  'snapshot-restore-not-follower': 'warning',
  'snapshot-restore-not-member': 'warning',
  'snapshot-sent': 'debug',
  'snapshot-succeeded': 'debug',
  'timeout-now-ignored': 'debug',
  'transfer-ignored-learner': 'debug',
  'transfer-ignored-self': 'debug',
};

export function levelOf(event: RaftEvent): EventLevel {
  return LEVELS[event.kind] ?? 'info';
}
