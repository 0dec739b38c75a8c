/**
 * What waits to be stepped, in order of arrival.
 *
 * Bound: messages of peers by count and by bytes. Answers of the node's own threads are always taken: there are no more of them than work was handed out.
 */

import type { Message, PeerMessage } from '../core/message.ts';
import { Fifo } from './fifo.ts';
import { messageBytes } from './message-bytes.ts';

export interface InboxLimits {
  readonly maxMessages: number;
  readonly maxBytes: number;
}

interface Waiting {
  readonly message: Message;
  /** `undefined` for what comes from the node itself. */
  readonly bytes: number | undefined;
}

export class Inbox {
  readonly #limits: InboxLimits;
  readonly #waiting = new Fifo<Waiting>();
  #count = 0;
  #bytes = 0;

  constructor(limits: InboxLimits) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** Of messages of peers. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @returns Whether there was room. A message larger than the limit fits when nothing else is there. */
  offer(message: PeerMessage): boolean {
    const bytes = messageBytes(message);
    if (this.#count >= this.#limits.maxMessages) return false;
    if (this.#count > 0 && this.#bytes + bytes > this.#limits.maxBytes) return false;
    this.#count++;
    this.#bytes += bytes;
    this.#waiting.push({ message, bytes });
    return true;
  }

  /** For what the node says to itself. */
  push(message: Message): void {
    this.#waiting.push({ message, bytes: undefined });
  }

  take(): { readonly message: Message; readonly isFromPeer: boolean } | undefined {
    const waiting = this.#waiting.take();
    if (waiting === undefined) return undefined;
    if (waiting.bytes !== undefined) {
      this.#count--;
      this.#bytes -= waiting.bytes;
    }
    return { message: waiting.message, isFromPeer: waiting.bytes !== undefined };
  }

  clear(): void {
    this.#waiting.takeAll();
    this.#count = 0;
    this.#bytes = 0;
  }
}
