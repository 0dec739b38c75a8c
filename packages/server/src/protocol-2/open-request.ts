/**
 * One request of a connection in version 2, from its frame to its answer, and on until nothing is done for it any more: a write that was proposed goes
 * on after it was taken back.
 *
 * Invariant: it is answered once at most; its id is free behind the answer, its bytes and its room when its work has ended.
 */

import { encodeResponse2, type Response2 } from '@kayadb/codec';

import type { Attempt, FetchKind } from '../operations-2/attempt.ts';
import { ServerError } from '../server-error.ts';
import type { ReadRoom } from './read-room.ts';
import { refuse } from './refusals.ts';

export interface OpenRequestOptions {
  readonly id: number;
  /** Of its frame. */
  readonly bytes: number;
  readonly correlationId: string;
  readonly room: ReadRoom;
  /** The connection has ended. */
  readonly gone: AbortSignal;
  /** Called once, with the encoded answer. */
  readonly onAnswer: (request: OpenRequest, bytes: Uint8Array) => void;
}

/** Why a request is not waited for. */
const TAKEN_BACK = {
  KAYA_CANCELLED: 'the request was taken back',
  KAYA_DEADLINE: 'the deadline of the request has passed',
} as const;

export class OpenRequest implements Attempt {
  readonly id: number;
  readonly bytes: number;
  readonly correlationId: string;
  readonly #options: OpenRequestOptions;
  #isAnswered = false;
  #isProposed = false;
  #inside: FetchKind | undefined;

  constructor(options: OpenRequestOptions) {
    this.id = options.id;
    this.bytes = options.bytes;
    this.correlationId = options.correlationId;
    this.#options = options;
  }

  get isOver(): boolean {
    return this.#isAnswered || this.#options.gone.aborted;
  }

  get isProposed(): boolean {
    return this.#isProposed;
  }

  markProposed(): void {
    this.#isProposed = true;
  }

  async fetch<Result>(kind: FetchKind, task: () => Promise<Result>): Promise<Result> {
    if (this.#inside === undefined) {
      await this.#options.room.enter(kind);
      this.#inside = kind;
    }
    if (this.isOver) throw new ServerError('KAYA_CANCELLED', TAKEN_BACK.KAYA_CANCELLED);
    return task();
  }

  /**
   * @returns Whether anybody waited for it.
   * @throws ProtocolError, RangeError for what can not be encoded; it is unanswered then.
   */
  answer(response: Response2): boolean {
    if (this.isOver) return false;
    const bytes = encodeResponse2(this.id, response);
    this.#isAnswered = true;
    this.#options.onAnswer(this, bytes);
    return true;
  }

  /** Answers it before its work has ended. */
  takeBack(code: keyof typeof TAKEN_BACK): void {
    const [outcome, rest] = this.#isProposed
      ? (['unknown', ' after it was proposed: it may have been done, or may yet be'] as const)
      : (['not-done', ', and nothing was done'] as const);
    this.answer(refuse(code, `${TAKEN_BACK[code]}${rest}`, outcome));
  }

  /** Its work has ended. Call once. */
  end(): void {
    if (this.#inside !== undefined) this.#options.room.leave(this.#inside);
  }
}
