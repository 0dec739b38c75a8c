/** What a node tells of its own doing, beside the events of its core. Nothing depends on it. */

import type { RaftEvent } from '../core/events.ts';
import type { MessageKind } from '../core/message.ts';
import type { LogIndex, NodeId, Term } from '../core/types.ts';

/**
 * - `unknown-sender`: an answer of a node that is not in the configuration.
 * - `addressed-elsewhere`: to another node, or from this one.
 * - `local-kind`: of a kind that only a node's own threads and its host may send, or that nodes do not use among each other.
 * - `absurd-field`: a number that cannot be, or entries that do not follow each other.
 * - `beyond-log`: tells that this node has acknowledged what is not in its log. It has forgotten something, or the sender speaks of another group.
 */
export type MessageRefusal = 'unknown-sender' | 'addressed-elsewhere' | 'local-kind' | 'absurd-field' | 'beyond-log';

/** Why a message was dropped that was sound. */
export type DropCause = 'inbox-full' | 'writes-full' | 'disk-full' | 'storage-stalled';

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
  | { readonly kind: 'snapshot-installed'; readonly index: LogIndex; readonly term: Term }
  | {
      readonly kind: 'snapshot-shipping-failed';
      readonly to: NodeId;
      readonly index: LogIndex;
      readonly cause: unknown;
    }
  /** The node does nothing any more, and promises nothing. */
  | { readonly kind: 'node-failed'; readonly code: string; readonly cause: unknown };

export type NodeEvent = RaftEvent | HostEvent;

/** Must not throw and must not call the node. */
export type NodeEventSink = (event: NodeEvent) => void;
