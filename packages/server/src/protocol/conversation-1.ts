/**
 * A connection in version 1: answers in the order of requests. docs/format/wire.md
 *
 * Invariant: what the first request decides, the HELLO of version 2, was answered before a frame behind it is looked at.
 */

import {
  answerHello,
  decodeRequest,
  type DecodedRequest,
  encodeResponse,
  KayaError,
  PROTOCOL_VERSION_2,
  type Response,
} from '@kayadb/codec';

import { AccessDeniedError } from '../server-error.ts';
import type { Conversation, Line } from './conversation.ts';
import { CROWDED } from './crowded.ts';
import { dispatch, isForOperators, laneOf } from './dispatch.ts';
import { mapError } from './error-mapping.ts';
import { OrderedReplies } from './ordered-replies.ts';
import { type Lane, RequestLanes } from './request-lanes.ts';
import { settleError } from './settle-error.ts';

export class Conversation1 implements Conversation {
  readonly #line: Line;
  readonly #replies: OrderedReplies;
  readonly #lanes: RequestLanes;
  #isFirstRequest = true;
  /** Frames of requests that have not been answered. */
  #inFlightBytes = 0;

  constructor(line: Line) {
    this.#line = line;
    this.#replies = new OrderedReplies((bytes) => line.send(bytes));
    this.#lanes = new RequestLanes(() => line.hasRoom());
  }

  get unanswered(): number {
    return this.#replies.count;
  }

  get isWorking(): boolean {
    return this.#replies.count > 0;
  }

  get isFull(): boolean {
    const { maxInFlightRequests, maxInFlightBytes } = this.#line.context.limits;
    return this.#replies.count >= maxInFlightRequests || this.#inFlightBytes >= maxInFlightBytes;
  }

  get heldBytes(): number {
    return this.#inFlightBytes;
  }

  get waitingBytes(): number {
    return this.#replies.waitingBytes;
  }

  begin(frame: Uint8Array): void {
    let request: DecodedRequest;
    try {
      request = decodeRequest(frame);
    } catch (error) {
      this.#line.end(error instanceof KayaError ? error : undefined);
      this.refuseStream(error);
      return;
    }
    const isFirstRequest = this.#isFirstRequest;
    this.#isFirstRequest = false;
    if (request.kind === 'hello' && this.#maybeGoOver(request.version, isFirstRequest)) return;
    const { context } = this.#line;
    const identity = context.identifier.identify('credential' in request ? request.credential : undefined);
    if (identity.client === 'valid') this.#line.trust();
    if (!isForOperators(request) && !this.#line.holdsSlot()) {
      this.#line.end();
      this.#reply({ kind: 'error', message: CROWDED });
      return;
    }
    void this.#work(frame.length, laneOf(request, identity), async () =>
      request.kind === 'hello'
        ? answerHello(request.version, { isFirstRequest, highest: PROTOCOL_VERSION_2 }).response
        : dispatch(request, identity, context.operations, this.#line.gone),
    );
  }

  refuseStream(error: unknown): void {
    if (error instanceof KayaError && !(error instanceof AccessDeniedError)) {
      this.#reply({ kind: 'invalid-argument', message: error.message });
      return;
    }
    void this.#work(0, 'write', async () => {
      throw error;
    });
  }

  startWaiting(): void {
    this.#lanes.startWaiting();
  }

  close(): void {
    // What was begun ends by itself, and its answer is dropped by the connection.
  }

  /** Nothing is in flight in front of a first request, so its answer may be sent at once. */
  #maybeGoOver(version: number, isFirstRequest: boolean): boolean {
    const { response, next } = answerHello(version, { isFirstRequest, highest: PROTOCOL_VERSION_2 });
    if (next !== PROTOCOL_VERSION_2) return false;
    this.#line.nextCorrelationId();
    this.#line.send(encodeResponse(response));
    this.#line.goOver();
    return true;
  }

  #reply(response: Response): void {
    this.#replies.reserve()(encodeResponse(response));
  }

  /** Takes the next place in the order of answers, in this turn, and fills it when `task` has ended. */
  async #work(requestBytes: number, lane: Lane, task: () => Promise<Response>): Promise<void> {
    const correlationId = this.#line.nextCorrelationId();
    const reply = this.#replies.reserve();
    this.#inFlightBytes += requestBytes;
    await this.#lanes.run(lane, async () => {
      const bytes = await this.#answer(task, correlationId);
      this.#inFlightBytes -= requestBytes;
      // Inside the lane, so that the answer is counted before the next request starts.
      reply(bytes);
    });
    this.#line.changed();
  }

  /** Never rejects: whatever goes wrong becomes an answer. */
  async #answer(task: () => Promise<Response>, correlationId: string): Promise<Uint8Array> {
    try {
      return encodeResponse(await task());
    } catch (error) {
      const { context, address, gone } = this.#line;
      const failed = { address, correlationId, isGone: gone.aborted };
      const response = await settleError(error, mapError(error, correlationId), context, failed);
      return encodeResponse(response);
    }
  }
}
