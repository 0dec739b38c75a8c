/**
 * A connection in version 2: requests are begun in the order in which they came and answered in any. docs/format/wire-2.md
 *
 * Invariant: of requests that are not answered and scans that have not ended no two have the same id. What was taken back is answered at once, but counts
 * for the bounds until nothing is done for it any more.
 */

import {
  decodeRequest2,
  type DecodedRequest2,
  decodeRequestHeader2,
  encodeResponse2,
  KayaError,
  type Request2,
  type RequestHeader2,
  type Response2,
} from '@kayadb/codec';

import { authorize, type Identity } from '../access/authorize.ts';
import type { NodeOperations } from '../operations-2/node-operations.ts';
import type { Conversation, Line } from '../protocol/conversation.ts';
import { CROWDED } from '../protocol/crowded.ts';
import { settleError } from '../protocol/settle-error.ts';
import { AccessDeniedError, ServerError } from '../server-error.ts';
import { DeadlineWatch } from './deadline-watch.ts';
import { dispatch2, isForOperators2, mayBeGuess } from './dispatch-2.ts';
import { OpenRequest } from './open-request.ts';
import { type OpenScan, OpenScans } from './open-scans.ts';
import { ReadRoom } from './read-room.ts';
import { mapRefusal, refuse } from './refusals.ts';

type AuthRequest = Extract<Request2, { readonly kind: 'auth' }>;
type AboutScan = Extract<Request2, { readonly kind: 'scan' | 'more' | 'end-scan' }>;
type ServedRequest = Exclude<DecodedRequest2, { readonly kind: 'cancel' }>;

/** Of an answer to a frame whose own can not be read. */
const UNKNOWN_ID = 0;

export class Conversation2 implements Conversation {
  readonly #line: Line;
  readonly #operations: NodeOperations;
  readonly #requests = new Map<number, OpenRequest>();
  readonly #room: ReadRoom;
  readonly #deadlines: DeadlineWatch<OpenRequest>;
  readonly #scans: OpenScans;
  #identity: Identity;
  /** Requests for which something is being done, answered or not, and the bytes of their frames. */
  #working = 0;
  #workingBytes = 0;
  /** Requests that may be guesses of a token: nothing begins behind them. */
  #guesses = 0;

  /** Requires: the node speaks version 2. */
  constructor(line: Line, operations: NodeOperations) {
    const { clock, limits, scanSlots, identifier } = line.context;
    this.#line = line;
    this.#operations = operations;
    this.#identity = identifier.identify(undefined);
    this.#room = new ReadRoom(() => line.hasRoom());
    this.#deadlines = new DeadlineWatch(clock, (request) => this.#handleDeadline(request));
    this.#scans = new OpenScans({
      limits,
      slots: scanSlots,
      idle: new DeadlineWatch(clock, (scan) => this.#handleIdle(scan)),
      isQuiet: () => line.untakenBytes === 0 && !this.isFull,
      pull: (cursor, request, take) => operations.nextPage(this.#identity, cursor, request, take),
      onCloseFailed: (error) => this.#log(error, line.nextCorrelationId()),
    });
  }

  get unanswered(): number {
    return this.#requests.size;
  }

  get isWorking(): boolean {
    return this.#working > 0;
  }

  get isFull(): boolean {
    const { maxInFlightRequests, maxInFlightBytes } = this.#line.context.limits;
    return this.#guesses > 0 || this.#working >= maxInFlightRequests || this.#workingBytes >= maxInFlightBytes;
  }

  get heldBytes(): number {
    return this.#workingBytes + this.#scans.keptBytes;
  }

  get waitingBytes(): number {
    return 0;
  }

  begin(frame: Uint8Array): void {
    let header: RequestHeader2 | undefined;
    let request: DecodedRequest2;
    try {
      header = decodeRequestHeader2(frame);
      this.#checkId(header.id);
      request = decodeRequest2(frame);
    } catch (error) {
      this.#line.end(error instanceof KayaError ? error : undefined);
      this.#refuseFrame(header?.id ?? UNKNOWN_ID, error);
      return;
    }
    if (request.kind === 'cancel') {
      this.#cancel(request.target);
      this.#send(header.id, { kind: 'done' });
    } else if (!isForOperators2(request) && !this.#line.holdsSlot()) {
      this.#line.end();
      this.#send(header.id, refuse('KAYA_TOO_MANY_CONNECTIONS', CROWDED));
    } else {
      void this.#serve(this.#open(header, frame.length), request);
    }
  }

  refuseStream(error: unknown): void {
    this.#refuseFrame(UNKNOWN_ID, error);
  }

  startWaiting(): void {
    this.#room.startWaiting();
  }

  close(): void {
    this.#deadlines.stop();
    this.#scans.close();
    this.#room.close();
  }

  #checkId(id: number): void {
    if (!this.#requests.has(id) && !this.#scans.has(id)) return;
    throw new ServerError(
      'KAYA_PROTOCOL',
      `the id ${id} is that of a request that is not answered, or of an open scan`,
    );
  }

  #open({ id, deadlineMs }: RequestHeader2, bytes: number): OpenRequest {
    const request = new OpenRequest({
      id,
      bytes,
      correlationId: this.#line.nextCorrelationId(),
      room: this.#room,
      gone: this.#line.gone,
      onAnswer: (answered, answer) => this.#handleAnswer(answered, answer),
    });
    this.#requests.set(id, request);
    if (deadlineMs > 0) this.#deadlines.set(request, deadlineMs);
    this.#working++;
    this.#workingBytes += bytes;
    return request;
  }

  #handleAnswer(request: OpenRequest, bytes: Uint8Array): void {
    this.#requests.delete(request.id);
    this.#deadlines.delete(request);
    this.#line.send(bytes);
  }

  /** Begins in this turn. Never rejects: whatever goes wrong becomes an answer. */
  async #serve(request: OpenRequest, decoded: ServedRequest): Promise<void> {
    const guesses = mayBeGuess(decoded, this.#identity) ? 1 : 0;
    this.#guesses += guesses;
    try {
      await this.#answer(request, decoded);
    } catch (error) {
      await this.#fail(request, error);
    }
    this.#guesses -= guesses;
    this.#working--;
    this.#workingBytes -= request.bytes;
    request.end();
    this.#line.changed();
  }

  async #answer(request: OpenRequest, decoded: ServedRequest): Promise<void> {
    const { kind } = decoded;
    if (kind === 'scan' || kind === 'more' || kind === 'end-scan') return this.#answerScan(request, decoded);
    if (kind === 'auth') this.#authenticate(decoded);
    const response: Response2 =
      kind === 'auth' ? { kind: 'done' } : await dispatch2(decoded, this.#identity, this.#operations, request);
    request.answer(response);
  }

  async #answerScan(request: OpenRequest, decoded: AboutScan): Promise<void> {
    authorize(this.#identity, 'scan');
    if (decoded.kind === 'scan') {
      await this.#scans.begin(request, () => this.#operations.scan(this.#identity, decoded));
    } else if (decoded.kind === 'more') {
      await this.#scans.more(decoded.scan, request);
    } else {
      this.#scans.end(decoded.scan);
      request.answer({ kind: 'done' });
    }
  }

  /** A credential that was shown before stays. @throws AccessDeniedError */
  #authenticate({ role, token }: AuthRequest): void {
    const shown = this.#line.context.identifier.identify({ kind: role, token })[role];
    if (shown === 'wrong' || shown === 'missing') throw new AccessDeniedError(role, shown);
    this.#identity = { ...this.#identity, [role]: shown };
    if (role === 'client') this.#line.trust();
  }

  async #fail(request: OpenRequest, error: unknown): Promise<void> {
    // A refusal may come late on purpose.
    this.#deadlines.delete(request);
    if (!request.isOver) this.#scans.end(request.id);
    const { context, address, gone } = this.#line;
    const { correlationId } = request;
    const failed = { address, correlationId, isGone: gone.aborted };
    request.answer(await settleError(error, mapRefusal(error, request), context, failed));
  }

  #cancel(id: number): void {
    const request = this.#requests.get(id);
    if (request !== undefined) this.#takeBack(request, 'KAYA_CANCELLED');
  }

  #takeBack(request: OpenRequest, code: 'KAYA_CANCELLED' | 'KAYA_DEADLINE'): void {
    request.takeBack(code);
    // A scan that has not given its first page.
    this.#scans.end(request.id);
  }

  #handleDeadline(request: OpenRequest): void {
    this.#takeBack(request, 'KAYA_DEADLINE');
    this.#line.changed();
  }

  #handleIdle(scan: OpenScan): void {
    this.#scans.handleIdle(scan);
    this.#line.changed();
  }

  /** Whoever uses an id twice can not tell the answers apart, so it must not take this one for a promise about the first. */
  #refuseFrame(id: number, error: unknown): void {
    if (error instanceof KayaError) {
      this.#send(id, refuse('KAYA_PROTOCOL', error.message, this.#requests.has(id) ? 'unknown' : 'not-done'));
      return;
    }
    const correlationId = this.#line.nextCorrelationId();
    this.#log(error, correlationId);
    this.#send(id, mapRefusal(error, { correlationId, isProposed: false }).response);
  }

  #send(id: number, response: Response2): void {
    this.#line.send(encodeResponse2(id, response));
  }

  #log(error: unknown, request: string): void {
    this.#line.context.failures.write(error, { request, address: this.#line.address });
  }
}
