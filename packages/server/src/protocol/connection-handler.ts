/**
 * One client connection: bytes in, frames, a conversation, bytes out. docs/format/wire.md, docs/format/wire-2.md
 *
 * Invariant: a request that was begun is answered unless the connection breaks. Bound: `maxInFlightRequests` and
 * `maxInFlightBytes`; at either, and when the client does not take its answers, the connection is not read from, which
 * TCP passes on to the client.
 */

import { KayaError } from '@kayadb/codec';
import type { Connection } from '@kayadb/transport';

import type { MemoryAccount } from '../admission/memory-gate.ts';
import { drainedBytes } from '../limits.ts';
import type { LogFields } from '../logger.ts';
import { Conversation2 } from '../protocol-2/conversation-2.ts';
import { AccessDeniedError, ServerError } from '../server-error.ts';
import type { ConnectionContext } from './connection-context.ts';
import { Conversation1 } from './conversation-1.ts';
import type { Conversation, Line } from './conversation.ts';
import { FrameDeadline } from './frame-deadline.ts';
import { FrameIntake } from './frame-intake.ts';

export class ConnectionHandler {
  /** Resolves when the connection has ended and nothing of it is left. Never rejects. */
  readonly finished: Promise<void>;
  readonly #context: ConnectionContext;
  readonly #connection: Connection;
  /** Number of this connection since the node started; the first half of correlation ids. */
  readonly #id: number;
  readonly #intake: FrameIntake;
  readonly #line: Line;
  readonly #deadline: FrameDeadline;
  readonly #account: MemoryAccount;
  readonly #gone = new AbortController();
  #conversation: Conversation;
  #requestCount = 0;
  #hasSlot: boolean;
  #isReading = true;
  #isAwaitingDrain = false;
  /** Answers have reached their bound, and were not taken since. */
  #isPiledUp = false;
  /** No more requests are begun. What is in flight is answered, then the connection is closed. */
  #isEnding = false;
  #peerHasEnded = false;

  /** Takes the connection over. */
  constructor(context: ConnectionContext, connection: Connection, id: number) {
    this.#context = context;
    this.#connection = connection;
    this.#id = id;
    this.#hasSlot = context.slots.tryTake();
    this.#intake = new FrameIntake(context.limits, context.identifier);
    this.#line = this.#openLine();
    this.#conversation = new Conversation1(this.#line);
    this.#account = context.memory.open(() => this.#pump());
    this.#deadline = new FrameDeadline(context.clock, context.limits.frameMs, () => this.#handleFrameTimeout());
    this.finished = this.#finish();
    connection.onEnd(() => this.#handlePeerEnd());
    connection.onData((chunk) => this.#handleData(chunk));
  }

  /** Begins nothing more, answers what is in flight, then closes. Idempotent. */
  stop(): void {
    this.#isEnding = true;
    this.#pump();
  }

  /** Ends the connection at once; answers not yet taken are lost. */
  destroy(): void {
    this.#connection.destroy();
  }

  #openLine(): Line {
    const connection = this.#connection;
    return {
      context: this.#context,
      address: connection.remoteAddress.host,
      gone: this.#gone.signal,
      nextCorrelationId: () => `request ${this.#id}.${++this.#requestCount}`,
      send: (bytes) => connection.send(bytes),
      get untakenBytes() {
        return connection.bufferedBytes;
      },
      hasRoom: () => !this.#isOutputFull(),
      holdsSlot: () => (this.#hasSlot ||= this.#context.slots.tryTake()),
      trust: () => this.#intake.trust(),
      goOver: () => {
        this.#intake.goOver();
        this.#conversation = new Conversation2(this.#line, this.#context.operations2);
      },
      end: (malformed) => this.#end(malformed),
      changed: () => this.#pump(),
    };
  }

  #handleData(chunk: Uint8Array): void {
    this.#intake.push(chunk);
    this.#pump();
  }

  #handlePeerEnd(): void {
    this.#peerHasEnded = true;
    this.#pump();
  }

  /** Begins what may begin, then decides whether to read on. Called after everything that could change either. */
  #pump(): void {
    if (!this.#connection.isOpen) return;
    this.#watchDrain();
    this.#conversation.startWaiting();
    let hasBegun = false;
    let hasMore = true;
    while (hasMore && !this.#isEnding && !this.#isBusy()) {
      hasMore = this.#beginNext();
      hasBegun ||= hasMore;
    }
    // Some answers are sent in the turn of their request, and nothing else would look at them again.
    this.#watchDrain();
    const isFinished = this.#isEnding || (this.#peerHasEnded && !hasMore);
    if (isFinished && this.#conversation.unanswered === 0) this.#close();
    else this.#decideReading(hasBegun);
  }

  #isBusy(): boolean {
    return this.#conversation.isFull || this.#isOutputFull();
  }

  /** Answers weigh enough: those already begun may still add a few, but no read starts. */
  #isOutputFull(): boolean {
    return this.#isPiledUp || this.#outputBytes() >= this.#context.limits.maxInFlightBytes;
  }

  #outputBytes(): number {
    return this.#conversation.waitingBytes + this.#connection.bufferedBytes;
  }

  /** @returns Whether there was a frame. */
  #beginNext(): boolean {
    let frame: Uint8Array | undefined;
    try {
      frame = this.#intake.next();
    } catch (error) {
      this.#end(error instanceof KayaError && !(error instanceof AccessDeniedError) ? error : undefined);
      this.#conversation.refuseStream(error);
      return false;
    }
    if (frame === undefined) return false;
    this.#conversation.begin(frame);
    return true;
  }

  #end(malformed?: KayaError): void {
    this.#isEnding = true;
    if (malformed === undefined) return;
    this.#log('connection.malformed', { code: malformed.code }, 'closing a connection that sent a malformed frame');
  }

  #close(): void {
    this.#isEnding = true;
    this.#deadline.stop();
    const bytes = this.#intake.bufferedBytes;
    if (this.#peerHasEnded && bytes > 0) {
      this.#log('connection.cut', { bytes }, 'a connection ended in the middle of a frame');
    }
    void this.#connection.close();
  }

  #decideReading(hasBegun: boolean): void {
    const { heldBytes: requestBytes, isWorking } = this.#conversation;
    const heldBytes = this.#intake.bufferedBytes + requestBytes + this.#outputBytes();
    const advice = this.#account.update(heldBytes, isWorking);
    if (advice === 'close') {
      this.#log('connection.overload', { heldBytes }, 'closing a connection because the node holds too many bytes');
      this.#connection.destroy();
      return;
    }
    const mayRead = advice === 'read' && !this.#isBusy() && !this.#isEnding;
    if (mayRead !== this.#isReading) {
      this.#isReading = mayRead;
      if (mayRead) this.#connection.resume();
      else this.#connection.pause();
    }
    if (mayRead && this.#intake.bufferedBytes > 0 && !this.#peerHasEnded) this.#deadline.start(hasBegun);
    else this.#deadline.stop();
  }

  /** Bytes that the client takes are given back although nothing else happens on its connection. */
  #watchDrain(): void {
    const { limits } = this.#context;
    const { bufferedBytes } = this.#connection;
    if (bufferedBytes >= limits.maxInFlightBytes) this.#isPiledUp = true;
    if (bufferedBytes > drainedBytes(limits) && !this.#isAwaitingDrain) void this.#awaitDrain();
  }

  /** Waits until the client has taken most of its answers. */
  async #awaitDrain(): Promise<void> {
    this.#isAwaitingDrain = true;
    await this.#connection.drained();
    this.#isAwaitingDrain = false;
    this.#isPiledUp = false;
    this.#pump();
  }

  #handleFrameTimeout(): void {
    const { frameMs } = this.#context.limits;
    this.#log('connection.slow', { frameMs }, 'closing a connection that did not finish a frame in time');
    this.#end();
    const message = `the frame was not complete after ${frameMs} ms`;
    this.#conversation.refuseStream(new ServerError('KAYA_INVALID_ARGUMENT', message));
    this.#pump();
  }

  async #finish(): Promise<void> {
    const reason = await this.#connection.closed;
    this.#isEnding = true;
    this.#gone.abort();
    this.#conversation.close();
    this.#deadline.stop();
    this.#account.close();
    if (this.#hasSlot) this.#context.slots.release();
    this.#log('connection.closed', { code: reason?.code, requests: this.#requestCount }, 'a connection ended');
  }

  #log(event: string, fields: LogFields, message: string): void {
    const { host } = this.#connection.remoteAddress;
    this.#context.logger.debug({ event, connection: this.#id, address: host, ...fields }, message);
  }
}
