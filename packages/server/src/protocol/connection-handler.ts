/**
 * One client connection: bytes in, frames, requests, answers in order, bytes out. docs/format/wire.md
 *
 * Invariant: a request that was begun is answered unless the connection breaks, and answers keep the order of requests.
 * Bound: `maxInFlightRequests` and `maxInFlightBytes`; at either, and when the client does not take its answers, the
 * connection is not read from, which TCP passes on to the client.
 */

import { decodeRequest, encodeResponse, KayaError, type Response } from '@kayadb/codec';
import type { Connection } from '@kayadb/transport';

import type { MemoryAccount } from '../admission/memory-gate.ts';
import type { LogFields } from '../logger.ts';
import type { Operations } from '../operations/operations.ts';
import { AccessDeniedError } from '../server-error.ts';
import type { ConnectionContext } from './connection-context.ts';
import { dispatch, isForOperators, laneOf } from './dispatch.ts';
import { FrameDeadline } from './frame-deadline.ts';
import { FrameIntake } from './frame-intake.ts';
import { OrderedReplies } from './ordered-replies.ts';
import { type Lane, RequestLanes } from './request-lanes.ts';
import { settleError } from './settle-error.ts';

export class ConnectionHandler {
  /** Resolves when the connection has ended and nothing of it is left. Never rejects. */
  readonly finished: Promise<void>;
  readonly #context: ConnectionContext;
  readonly #connection: Connection;
  /** Number of this connection since the node started; the first half of correlation ids. */
  readonly #id: number;
  readonly #intake: FrameIntake;
  readonly #replies: OrderedReplies;
  readonly #lanes: RequestLanes;
  readonly #deadline: FrameDeadline;
  readonly #account: MemoryAccount;
  readonly #gone = new AbortController();
  #requestCount = 0;
  /** Frames of requests that have not been answered. */
  #inFlightBytes = 0;
  #hasSlot: boolean;
  #isReading = true;
  #isAwaitingDrain = false;
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
    this.#replies = new OrderedReplies((bytes) => connection.send(bytes));
    this.#lanes = new RequestLanes(() => !this.#isOutputFull());
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
    this.#lanes.startWaiting();
    let hasBegun = false;
    let hasMore = true;
    while (hasMore && !this.#isEnding && !this.#isBusy()) {
      hasMore = this.#beginNext();
      hasBegun ||= hasMore;
    }
    const isFinished = this.#isEnding || (this.#peerHasEnded && !hasMore);
    if (isFinished && this.#replies.count === 0) this.#close();
    else this.#decideReading(hasBegun);
  }

  #isBusy(): boolean {
    const { maxInFlightRequests, maxInFlightBytes } = this.#context.limits;
    const isFull = this.#replies.count >= maxInFlightRequests || this.#inFlightBytes >= maxInFlightBytes;
    return isFull || this.#isOutputFull();
  }

  /** Answers weigh enough: those already begun may still add a few, but no read starts. */
  #isOutputFull(): boolean {
    return this.#isAwaitingDrain || this.#outputBytes() >= this.#context.limits.maxInFlightBytes;
  }

  #outputBytes(): number {
    return this.#replies.waitingBytes + this.#connection.bufferedBytes;
  }

  /** @returns Whether there was a frame. */
  #beginNext(): boolean {
    try {
      const frame = this.#intake.next();
      if (frame === undefined) return false;
      this.#begin(frame);
      return true;
    } catch (error) {
      this.#endWith(error);
      return false;
    }
  }

  /** @throws DecodeError */
  #begin(frame: Uint8Array): void {
    const request = decodeRequest(frame);
    const identity = this.#context.identifier.identify('credential' in request ? request.credential : undefined);
    if (identity.client === 'valid') this.#intake.trust();
    if (!isForOperators(request) && !this.#holdsSlot()) {
      this.#endWithResponse({ kind: 'error', message: CROWDED });
      return;
    }
    void this.#work(frame.length, laneOf(request, identity), (operations) =>
      dispatch(request, identity, operations, this.#gone.signal),
    );
  }

  #holdsSlot(): boolean {
    this.#hasSlot ||= this.#context.slots.tryTake();
    return this.#hasSlot;
  }

  /** Takes the next place in the order of answers, in this turn, and fills it when `task` has ended. */
  async #work(requestBytes: number, lane: Lane, task: (operations: Operations) => Promise<Response>): Promise<void> {
    const correlationId = `request ${this.#id}.${++this.#requestCount}`;
    const reply = this.#replies.reserve();
    this.#inFlightBytes += requestBytes;
    await this.#lanes.run(lane, async () => {
      const bytes = await this.#answer(task, correlationId);
      this.#inFlightBytes -= requestBytes;
      // Inside the lane, so that the answer is counted before the next request starts.
      reply(bytes);
    });
    this.#pump();
  }

  /** Never rejects: whatever goes wrong becomes an answer. */
  async #answer(task: (operations: Operations) => Promise<Response>, correlationId: string): Promise<Uint8Array> {
    try {
      return encodeResponse(await task(this.#context.operations));
    } catch (error) {
      const response = await settleError(error, this.#context, {
        address: this.#connection.remoteAddress.host,
        correlationId,
        isGone: this.#gone.signal.aborted,
      });
      return encodeResponse(response);
    }
  }

  /** The stream cannot be read on. */
  #endWith(error: unknown): void {
    if (error instanceof KayaError && !(error instanceof AccessDeniedError)) {
      this.#log('connection.malformed', { code: error.code }, 'closing a connection that sent a malformed frame');
      this.#endWithResponse({ kind: 'invalid-argument', message: error.message });
      return;
    }
    this.#isEnding = true;
    void this.#work(0, 'write', async () => {
      throw error;
    });
  }

  #endWithResponse(response: Response): void {
    this.#isEnding = true;
    this.#replies.reserve()(encodeResponse(response));
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
    const heldBytes = this.#intake.bufferedBytes + this.#inFlightBytes + this.#outputBytes();
    const advice = this.#account.update(heldBytes, this.#replies.count > 0);
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

  #watchDrain(): void {
    const isPilingUp = this.#connection.bufferedBytes >= this.#context.limits.maxInFlightBytes;
    if (isPilingUp && !this.#isAwaitingDrain) void this.#awaitDrain();
  }

  /** Waits until the client has taken most of its answers. */
  async #awaitDrain(): Promise<void> {
    this.#isAwaitingDrain = true;
    await this.#connection.drained();
    this.#isAwaitingDrain = false;
    this.#pump();
  }

  #handleFrameTimeout(): void {
    const { frameMs } = this.#context.limits;
    this.#log('connection.slow', { frameMs }, 'closing a connection that did not finish a frame in time');
    this.#endWithResponse({ kind: 'invalid-argument', message: `the frame was not complete after ${frameMs} ms` });
    this.#pump();
  }

  async #finish(): Promise<void> {
    const reason = await this.#connection.closed;
    this.#isEnding = true;
    this.#gone.abort();
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

const CROWDED =
  'too many connections: the last ones are kept for operators; close some, or raise --max-client-connections';
