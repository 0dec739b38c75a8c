/**
 * Messages that wait to be handed out, in the order in which they were said. Two lists, because some of them promise durability: an answer to a
 * request for a vote or to an append leaves only after all that the node knew when it was said is durable (paper section 5, figure 2).
 * Votes and acknowledgements to oneself are such answers too.
 */

import { assert } from '@kayadb/codec';

import type { PeerMessage } from './message.ts';
import type { NodeId } from './types.ts';

const NONE: readonly PeerMessage[] = [];

export class Outbox {
  readonly #id: NodeId;
  #messages: PeerMessage[] = [];
  #afterStorage: PeerMessage[] = [];

  /** @param id - Of the node that speaks. */
  constructor(id: NodeId) {
    this.#id = id;
  }

  /** To be sent at once. An empty list stays empty whatever is said later, so that it can be handed out like any other. */
  get messages(): readonly PeerMessage[] {
    return this.#messages.length === 0 ? NONE : this.#messages;
  }

  /** To be sent when everything said to the storage so far is durable. An empty list stays empty, as above. */
  get afterStorage(): readonly PeerMessage[] {
    return this.#afterStorage.length === 0 ? NONE : this.#afterStorage;
  }

  get isEmpty(): boolean {
    return this.#messages.length === 0 && this.#afterStorage.length === 0;
  }

  send(message: PeerMessage): void {
    if (promisesDurability(message.kind)) {
      this.#afterStorage.push(message);
    } else {
      if (message.to === this.#id) assert(false, `${message.kind} is not for oneself`);
      this.#messages.push(message);
    }
  }

  /** Both lists were handed out. Whoever holds them keeps them. */
  clear(): void {
    if (this.#messages.length > 0) this.#messages = [];
    if (this.#afterStorage.length > 0) this.#afterStorage = [];
  }
}

/** Rejections too: they are rare, and it is one thing less to think about. */
function promisesDurability(kind: PeerMessage['kind']): boolean {
  return kind === 'append-response' || kind === 'vote-response' || kind === 'pre-vote-response';
}
