/**
 * What the versions of the protocol have in common, as two halves: a `ConnectionHandler` is the line, which moves bytes and holds to bounds; a
 * `Conversation` knows what frames mean and when they are answered. A connection begins with one of version 1, and may go over to one of version 2.
 */

import type { KayaError } from '@kayadb/codec';

import type { ConnectionContext } from './connection-context.ts';

/** The connection, as a conversation sees it. */
export interface Line {
  readonly context: ConnectionContext;
  /** Where the requests come from. */
  readonly address: string;
  /** Aborted when the connection has ended: nobody reads answers. */
  readonly gone: AbortSignal;
  /** Of a request that begins now. */
  nextCorrelationId(): string;
  /** Keeps `bytes`. */
  send(bytes: Uint8Array): void;
  /** Bytes of answers that the client has not taken. */
  readonly untakenBytes: number;
  /** Whether a large answer has room. When that turns true again, `startWaiting` is called. */
  hasRoom(): boolean;
  /** Whether more than an operator needs may be served: takes a slot when one is free. */
  holdsSlot(): boolean;
  /** The other side has shown a valid client credential. */
  trust(): void;
  /** Frames from the next one on are of version 2. Requires: nothing is unanswered, and the answer to the HELLO was sent. */
  goOver(): void;
  /** Begins nothing more. @param malformed - What was wrong with the bytes, if that is why. */
  end(malformed?: KayaError): void;
  /** Something was answered, or may begin by now. */
  changed(): void;
}

export interface Conversation {
  /** Requests that were begun and are not answered: the connection stays open for them. */
  readonly unanswered: number;
  /** Whether something was begun that will free bytes. */
  readonly isWorking: boolean;
  /** Whether nothing more may be begun for now. */
  readonly isFull: boolean;
  /** Bytes that are kept for requests, without those of answers. */
  readonly heldBytes: number;
  /** Bytes of answers that wait for others. */
  readonly waitingBytes: number;
  /** Begins what a frame asks for, in this turn. What is wrong with it is answered. */
  begin(frame: Uint8Array): void;
  /** Answers that the stream can not be read on. The line has begun to end. */
  refuseStream(error: unknown): void;
  /** Starts what has waited for room, and may start by now. */
  startWaiting(): void;
  /** The connection has ended, so `gone` is aborted: gives everything back. */
  close(): void;
}
