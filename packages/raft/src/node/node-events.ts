/** What a node tells of its own doing, beside the events of its core. Nothing depends on it. */

import type { RaftEvent } from '../core/events.ts';
import type { MessageKind } from '../core/message.ts';
import type { LogIndex, NodeId, Term } from '../core/types.ts';
import type { RefusalReason } from '../wire/transfer-message.ts';

/**
 * - `unknown-sender`: an answer of a node that is not in the configuration.
 * - `addressed-elsewhere`: to another node, or from this one.
 * - `local-kind`: of a kind that only a node's own threads and its host may send, or that nodes do not use among each other.
 * - `absurd-field`: a number that cannot be, or entries that do not follow each other.
 * - `beyond-log`: tells that this node has acknowledged what is not in its log. It has forgotten something, or the sender speaks of another group.
 * - `foreign-cluster`: over a connection of another cluster.
 * - `stale-incarnation`: over a connection of a directory that its node has no more, or that is not the one the group knows.
 * - `borrowed-name`: in the name of another node than that at the other end, though its kind is not passed on.
 * - `without-files`: a snapshot that did not come by `RaftNode.installSnapshot`, which whoever has its files calls.
 */
export type MessageRefusal =
  | 'unknown-sender'
  | 'addressed-elsewhere'
  | 'local-kind'
  | 'absurd-field'
  | 'beyond-log'
  | 'foreign-cluster'
  | 'stale-incarnation'
  | 'borrowed-name'
  | 'without-files';

/** Why a message was dropped that was sound. */
export type DropCause = 'inbox-full' | 'writes-full' | 'disk-full' | 'storage-stalled' | 'reads-full' | 'just-started';

/** `count` is how many of this kind there were in the node's life, with this one. */
export type HostEvent =
  | {
      readonly kind: 'message-refused';
      readonly from: NodeId;
      readonly message: MessageKind;
      readonly refusal: MessageRefusal;
      readonly what: string;
      readonly count: number;
    }
  | {
      readonly kind: 'message-dropped';
      readonly from: NodeId;
      readonly message: MessageKind;
      readonly cause: DropCause;
      readonly count: number;
    }
  /** Bytes of a peer that are no message, or none that this version knows. */
  | { readonly kind: 'frame-refused'; readonly from: NodeId; readonly code: string; readonly cause: unknown }
  | { readonly kind: 'ticks-missed'; readonly lateMs: number }
  /** A leader has gone silent, so that others may take over: its oldest write is `ageTicks` old. */
  | { readonly kind: 'storage-stalled'; readonly ageTicks: number }
  /** It is not silent any more: its disk has answered, or somebody else leads. */
  | { readonly kind: 'storage-recovered' }
  | { readonly kind: 'disk-full'; readonly cause: unknown }
  | { readonly kind: 'disk-has-room' }
  | { readonly kind: 'snapshot-made'; readonly index: LogIndex; readonly term: Term; readonly bytes: number }
  | { readonly kind: 'snapshot-not-made'; readonly index: LogIndex; readonly cause: unknown }
  | { readonly kind: 'log-compacted'; readonly index: LogIndex }
  | { readonly kind: 'log-not-compacted'; readonly cause: unknown }
  | { readonly kind: 'snapshot-installed'; readonly index: LogIndex; readonly term: Term }
  | {
      readonly kind: 'snapshot-shipping-failed';
      readonly to: NodeId;
      readonly index: LogIndex;
      readonly cause: unknown;
    }
  /** A snapshot that `from` was sending: what is wrong with it, or with the disk that it comes to. */
  | {
      readonly kind: 'snapshot-transfer-refused';
      readonly from: NodeId;
      readonly reason: RefusalReason;
      readonly cause: unknown;
    }
  /** A snapshot that had come in part has given way to a newer one, up to `index`. */
  | { readonly kind: 'snapshot-transfer-replaced'; readonly from: NodeId; readonly index: LogIndex }
  /** A snapshot has come whole, and was of no use, or could not be taken. */
  | {
      readonly kind: 'snapshot-not-installed';
      readonly from: NodeId;
      readonly index: LogIndex;
      readonly cause: unknown;
    }
  /** The node does nothing any more, and promises nothing. */
  | { readonly kind: 'node-failed'; readonly code: string; readonly cause: unknown };

export type NodeEvent = RaftEvent | HostEvent;

/** Must not throw and must not call the node. */
export type NodeEventSink = (event: NodeEvent) => void;
