/**
 * What nodes say to each other, what a node's threads say to it, and what its host says to it. Each kind has only the fields that it uses.
 * Encoded by wire/encode-peer-message.ts, as docs/format/raft-messages.md has it.
 */

import type { Entry, HardState, KnownCommit, LogIndex, NodeId, Snapshot, Term } from './types.ts';

interface Between {
  readonly from: NodeId;
  readonly to: NodeId;
}

interface InTerm extends Between {
  readonly term: Term;
}

/** Asks for a vote (paper section 5.2), or whether one would be given (`pre-vote`, thesis section 9.6: `term` is the one after the sender's). */
export interface VoteRequest extends InTerm, KnownCommit {
  readonly kind: 'vote' | 'pre-vote';
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  /** Whether the leader asked for this election, so that having heard of it is no reason to refuse (thesis section 3.10). */
  readonly isTransfer: boolean;
}

/** Only a refusal tells what is committed. */
export interface VoteResponse extends InTerm, KnownCommit {
  readonly kind: 'vote-response' | 'pre-vote-response';
  readonly isRejected: boolean;
}

/** Entries for a follower's log, none for a probe (paper section 5.3). */
export interface AppendRequest extends InTerm {
  readonly kind: 'append';
  readonly prevIndex: LogIndex;
  readonly prevTerm: Term;
  /** From `prevIndex + 1` on. */
  readonly entries: readonly Entry[];
  readonly commit: LogIndex;
}

export interface AppendResponse extends InTerm {
  readonly kind: 'append-response';
  /** The last index that matches; of a refusal the `prevIndex` that was refused. */
  readonly index: LogIndex;
  readonly isRejected: boolean;
  /** Of a refusal: the largest index at which the logs may agree, and the follower's term there. Otherwise 0. */
  readonly hintIndex: LogIndex;
  readonly hintTerm: Term;
}

export interface SnapshotRequest extends InTerm {
  readonly kind: 'snapshot';
  readonly snapshot: Snapshot;
}

export interface Heartbeat extends InTerm {
  readonly kind: 'heartbeat';
  readonly commit: LogIndex;
  /** Of the reads that its answer confirms; empty without any. */
  readonly context: Uint8Array;
}

export interface HeartbeatResponse extends InTerm {
  readonly kind: 'heartbeat-response';
  readonly context: Uint8Array;
}

/** A follower passes on what only a leader can do. Carries no term: whoever leads when it comes may do it. */
export interface ProposeRequest extends Between {
  readonly kind: 'propose';
  /** Index and term are 0: the leader gives them. */
  readonly entries: readonly Entry[];
}

export interface ReadIndexRequest extends Between {
  readonly kind: 'read-index';
  readonly context: Uint8Array;
}

export interface ReadIndexResponse extends InTerm {
  readonly kind: 'read-index-response';
  readonly index: LogIndex;
  readonly context: Uint8Array;
}

/** `from` is to lead. To the leader, or to a follower, which passes it on in its term; of the host's own wish `term` is 0. */
export interface TransferLeader extends InTerm {
  readonly kind: 'transfer-leader';
}

/** The leader wants the receiver to hold an election now. */
export interface TimeoutNow extends InTerm {
  readonly kind: 'timeout-now';
}

/** To the append thread: make this durable, in this order, then deliver the responses. Only with asynchronous storage writes. */
export interface StorageAppend extends Between {
  readonly kind: 'storage-append';
  readonly entries: readonly Entry[];
  /** All that is to be remembered, where it has changed. */
  readonly hardState: HardState | undefined;
  readonly snapshot: Snapshot | undefined;
  readonly responses: readonly Message[];
}

/** From the append thread: what was asked in `term` is durable. */
export interface StorageAppendResponse extends InTerm {
  readonly kind: 'storage-append-response';
  /** The last of the log when it was asked for; 0 for `index` when no entries were in it. */
  readonly index: LogIndex;
  readonly logTerm: Term;
  /** The snapshot that is durable now. */
  readonly snapshot: Snapshot | undefined;
}

/** To the apply thread. */
export interface StorageApply extends Between {
  readonly kind: 'storage-apply';
  readonly entries: readonly Entry[];
  readonly responses: readonly Message[];
}

/** From the apply thread: these are applied. */
export interface StorageApplyResponse extends Between {
  readonly kind: 'storage-apply-response';
  readonly entries: readonly Entry[];
}

/** From the host: time to campaign (`hup`), to send heartbeats (`beat`), to see who has answered (`check-quorum`). */
export interface LocalSignal extends Between {
  readonly kind: 'hup' | 'beat' | 'check-quorum';
}

/** To a follower: it is to forget its leader, so that it votes for others at once. */
export interface ForgetLeader extends Between {
  readonly kind: 'forget-leader';
}

/** From the host: `from` did not get the last message. */
export interface Unreachable extends Between {
  readonly kind: 'unreachable';
}

/** From the host: what became of the snapshot that was sent to `from`. */
export interface SnapshotStatus extends Between {
  readonly kind: 'snapshot-status';
  readonly isRejected: boolean;
}

/** Sent over the network. The others stay within a node. */
export type PeerMessage =
  | VoteRequest
  | VoteResponse
  | AppendRequest
  | AppendResponse
  | SnapshotRequest
  | Heartbeat
  | HeartbeatResponse
  | ProposeRequest
  | ReadIndexRequest
  | ReadIndexResponse
  | TransferLeader
  | TimeoutNow;

export type LocalMessage =
  | StorageAppend
  | StorageAppendResponse
  | StorageApply
  | StorageApplyResponse
  | LocalSignal
  | ForgetLeader
  | Unreachable
  | SnapshotStatus;

export type Message = PeerMessage | LocalMessage;
export type MessageKind = Message['kind'];
