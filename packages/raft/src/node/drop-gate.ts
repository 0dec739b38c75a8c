/**
 * Which messages of peers come to the core: those that make sense, and for which there is room. What is turned away is counted and told; a dropped message is one
 * that the network might have lost.
 */

import type { Message } from '../core/message.ts';
import { findMessageFlaw, type MessageFlaw, type ReceiverView } from './message-check.ts';
import type { DropCause, NodeEventSink } from './node-events.ts';

/** What is known of the node when a message comes. */
export interface GateView {
  readonly isFull: boolean;
  readonly isOverfull: boolean;
  readonly isDiskFull: boolean;
  /** Whether a leader has gone silent for the sake of others. */
  readonly isStalled: boolean;
  /** Whether the node gives nobody its vote yet. */
  readonly isWithholdingVotes: boolean;
}

/** `refused`: it makes no sense. `dropped`: there is no room for it. */
export type GateVerdict = 'admitted' | 'refused' | 'dropped';

export class DropGate {
  readonly #onEvent: NodeEventSink;
  #refused = 0;
  #dropped = 0;

  constructor(onEvent: NodeEventSink) {
    this.#onEvent = onEvent;
  }

  /** Messages that made no sense. */
  get refusedCount(): number {
    return this.#refused;
  }

  /** Messages for which there was no room. */
  get droppedCount(): number {
    return this.#dropped;
  }

  /** Whether `message` is to be stepped. */
  judge(message: Message, receiver: ReceiverView, view: GateView): GateVerdict {
    const flaw = findMessageFlaw(message, receiver);
    if (flaw !== undefined) {
      this.refuse(message, flaw);
      return 'refused';
    }
    const cause = dropCauseOf(message, view);
    if (cause === undefined) return 'admitted';
    this.drop(message, cause);
    return 'dropped';
  }

  refuse({ from, kind: message }: Message, { refusal, what }: MessageFlaw): void {
    this.#onEvent({ kind: 'message-refused', from, message, refusal, what, count: ++this.#refused });
  }

  drop({ from, kind: message }: Message, cause: DropCause): void {
    this.#onEvent({ kind: 'message-dropped', from, message, cause, count: ++this.#dropped });
  }
}

/** Appends and snapshots are what fills a storage; heartbeats go on, so that a slow follower does not campaign. */
function dropCauseOf(message: Message, view: GateView): DropCause | undefined {
  const { kind } = message;
  if (view.isOverfull) return 'writes-full';
  if (kind === 'append' || kind === 'snapshot') {
    if (view.isDiskFull) return 'disk-full';
    if (view.isFull) return 'writes-full';
  }
  if (kind === 'read-index' && view.isStalled) return 'storage-stalled';
  const asksForVote = kind === 'vote' || kind === 'pre-vote';
  return view.isWithholdingVotes && asksForVote && !message.isTransfer ? 'just-started' : undefined;
}
