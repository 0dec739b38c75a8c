/** Typed errors of this package. */

import { KayaError } from '@kayadb/codec';

import type { NodeId } from './core/types.ts';

export type RaftErrorCode =
  /** The proposal was not taken, and will not happen. */
  | 'KAYA_RAFT_DROPPED'
  /** This node does not lead; `leader` of the status may. */
  | 'KAYA_RAFT_NOT_LEADER'
  /** The proposal was taken, and whether it happened nobody here can say. */
  | 'KAYA_RAFT_UNKNOWN_OUTCOME'
  /** The node was stopped. */
  | 'KAYA_RAFT_STOPPED'
  /** Bytes from a peer are no message. */
  | 'KAYA_RAFT_MALFORMED'
  /** A file of the log, the hard state or a snapshot is not what was written. */
  | 'KAYA_RAFT_CORRUPTION'
  /** A file was written by a version that knows more. */
  | 'KAYA_RAFT_UNSUPPORTED'
  /** A file or a message belongs to another cluster, or to a former life of this node. */
  | 'KAYA_RAFT_FOREIGN'
  /** A write or sync failed and its outcome is unknown. */
  | 'KAYA_RAFT_POISONED';

export class RaftError extends KayaError<RaftErrorCode> {}

/** Names the file and the offset in it, in bytes. */
export class RaftCorruptionError extends RaftError {
  readonly file: string;
  readonly offset: number;

  constructor(file: string, offset: number, what: string, options?: { readonly cause?: unknown }) {
    super('KAYA_RAFT_CORRUPTION', `${file} is damaged at offset ${offset}: ${what}`, options);
    this.file = file;
    this.offset = offset;
  }
}

/** Names the node that leads as far as this one knows, `NO_NODE` when it knows of none: there it may be tried again. */
export class NotLeaderError extends RaftError {
  readonly leader: NodeId;

  constructor(leader: NodeId, what: string) {
    super('KAYA_RAFT_NOT_LEADER', what);
    this.leader = leader;
  }
}
