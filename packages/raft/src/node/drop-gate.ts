/**
 * Which messages of peers come to the core: those that make sense, and for which there is room. What is turned away is counted and told; a dropped message is one
 * that the network might have lost.
 */

import type { Message } from '../core/message.ts';
import { findMessageFlaw, type MessageFlaw, type ReceiverView } from './message-check.ts';
import type { DropCause, NodeEventSink } from './node-events.ts';

/** What is known of the storage when a message comes. */
export interface StorageView {
  readonly isFull: boolean;
  readonly isOverfull: boolean;
  readonly isDiskFull: boolean;
  /** Whether a leader has gone silent for the sake of others. */
  readonly isStalled: boolean;
}

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
  admits(message: Message, receiver: ReceiverView, storage: StorageView): boolean {
    const flaw = findMessageFlaw(message, receiver);
    if (flaw !== undefined) {
      this.refuse(message, flaw);
      return false;
    }
    const cause = dropCauseOf(message, storage);
    if (cause !== undefined) this.drop(message, cause);
    return cause === undefined;
  }

  refuse({ from, kind: message }: Message, { refusal, what }: MessageFlaw): void {
    this.#onEvent({ kind: 'message-refused', from, message, refusal, what, count: ++this.#refused });
  }

  drop({ from, kind: message }: Message, cause: DropCause): void {
    this.#onEvent({ kind: 'message-dropped', from, message, cause, count: ++this.#dropped });
  }
}

/** Appends and snapshots are what fills a storage; heartbeats go on, so that a slow follower does not campaign. */
function dropCauseOf({ kind }: Message, storage: StorageView): DropCause | undefined {
  if (storage.isOverfull) return 'writes-full';
  if (kind === 'append' || kind === 'snapshot') {
    if (storage.isDiskFull) return 'disk-full';
    if (storage.isFull) return 'writes-full';
  }
  return kind === 'read-index' && storage.isStalled ? 'storage-stalled' : undefined;
}
