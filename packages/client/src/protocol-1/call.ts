/**
 * One request from its first try to its end: tries, redirects, waits, and what is known of a write when all fail.
 * The decisions are `decideRetry`'s.
 */

import { assertNever, type Clock, type RequestKind, type Response } from '@kayadb/codec';
import { type Endpoint, formatEndpoint } from '@kayadb/transport';

import type { Cancellation } from '../cancellation.ts';
import { ClientError, NotLeaderError, unknownOutcome } from '../client-error.ts';
import type { ExchangeOutcome as OutcomeOf } from '../exchange.ts';
import type { Pool } from '../pool.ts';
import type { Channel, Exchange1 } from './channel.ts';
import { type AttemptFailure, decideRetry, type RetryPolicy } from './retry.ts';

export type ExchangeOutcome = OutcomeOf<Response>;

/** What every call of a client shares. */
export interface CallContext {
  readonly pool: Pool<Channel>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number;
  readonly cancellation: Cancellation;
}

export interface EncodedRequest {
  readonly kind: RequestKind;
  readonly frame: Uint8Array;
}

export interface CallResult {
  readonly response: Response;
  /** An earlier try was sent and not answered. */
  readonly hadUnanswered: boolean;
}

/**
 * @returns The first answer that is not NOT_LEADER.
 * @throws ClientError when the tries or redirects are used up, the answer is malformed, or the call is cancelled.
 */
export async function runCall(request: EncodedRequest, context: CallContext): Promise<CallResult> {
  const progress = new Progress(context, isWrite(request.kind), isIdempotent(request.kind));
  for (;;) {
    const channel = context.pool.pick();
    const outcome = await awaitOutcome(channel.start(request.kind, request.frame), context);
    if (outcome.kind === 'answered' && outcome.response.kind !== 'not-leader') {
      return { response: outcome.response, hadUnanswered: progress.hadUnanswered };
    }
    await progress.handleFailure(outcome, channel.endpoint);
  }
}

/** Waits for an exchange, but not longer than one try may take. */
export async function awaitOutcome(exchange: Exchange1, context: CallContext): Promise<ExchangeOutcome> {
  const { clock, timeoutMs, cancellation } = context;
  if (cancellation.error !== undefined) exchange.abandon();
  const timer = clock.setTimer(timeoutMs, () => exchange.abandon());
  const stop = cancellation.onCancel(() => exchange.abandon());
  try {
    return await exchange.outcome;
  } finally {
    timer.cancel();
    stop();
  }
}

/** What a call has used up, and what follows from its next failure. */
export class Progress {
  readonly #context: CallContext;
  readonly #isWrite: boolean;
  readonly #isIdempotent: boolean;
  #attempts = 0;
  #redirects = 0;
  #hadUnanswered = false;

  constructor(context: CallContext, writes: boolean, idempotent: boolean) {
    this.#context = context;
    this.#isWrite = writes;
    this.#isIdempotent = idempotent;
  }

  get hadUnanswered(): boolean {
    return this.#hadUnanswered;
  }

  /** Part of the work is done for good: the tries count anew. */
  reset(): void {
    this.#attempts = 0;
    this.#redirects = 0;
    this.#hadUnanswered = false;
  }

  /**
   * Tells the pool, and returns when it is time for the next try.
   *
   * @throws ClientError when there is none.
   */
  async handleFailure(outcome: ExchangeOutcome, endpoint: Endpoint): Promise<void> {
    const { cancellation, clock, pool, random, retry, timeoutMs } = this.#context;
    const failure = failureOf(outcome);
    if (failure.kind === 'unanswered' && this.#isWrite) this.#hadUnanswered = true;
    if (cancellation.error !== undefined) throw this.#cancelled(cancellation.error);
    const error = describeFailure(outcome, endpoint, timeoutMs);
    if (outcome.kind === 'malformed') throw this.#final(error);

    if (failure.kind === 'not-leader') pool.noteLeader(endpoint, failure.leaderAddress);
    else {
      this.#attempts++;
      pool.noteFailure(endpoint);
    }
    const state = { attempts: this.#attempts, redirects: this.#redirects, isIdempotent: this.#isIdempotent };
    const decision = decideRetry(failure, state, retry, random());
    if (decision.kind === 'give-up') throw this.#final(error);
    if (decision.kind === 'redirect') this.#redirects++;
    await cancellation.sleep(clock, decision.delayMs);
    if (cancellation.error !== undefined) throw this.#cancelled(cancellation.error);
  }

  #final(error: ClientError): ClientError {
    return this.#hadUnanswered ? unknownOutcome(error, this.#isIdempotent ? 'write' : 'change') : error;
  }

  #cancelled(error: ClientError): ClientError {
    const options = { cause: error.cause, isOutcomeUnknown: this.#hadUnanswered };
    return new ClientError(error.code, error.message, options);
  }
}

function failureOf(outcome: ExchangeOutcome): AttemptFailure {
  switch (outcome.kind) {
    case 'answered': {
      const leaderAddress = outcome.response.kind === 'not-leader' ? outcome.response.leaderAddress : undefined;
      return { kind: 'not-leader', leaderAddress };
    }
    case 'unsent':
      return { kind: 'unsent' };
    case 'lost':
    case 'malformed':
      return { kind: 'unanswered' };
    case 'abandoned':
      return { kind: outcome.wasSent ? 'unanswered' : 'unsent' };
    default:
      return assertNever(outcome, 'outcome');
  }
}

function describeFailure(outcome: ExchangeOutcome, endpoint: Endpoint, timeoutMs: number): ClientError {
  const where = formatEndpoint(endpoint);
  switch (outcome.kind) {
    case 'answered': {
      const leader = outcome.response.kind === 'not-leader' ? outcome.response.leaderAddress : undefined;
      const hint = leader === undefined ? 'and knows none' : `and names ${leader}`;
      return new NotLeaderError(`${where} is not the leader ${hint}; the redirects are used up`, leader);
    }
    case 'unsent':
    case 'lost': {
      const reason = outcome.cause instanceof Error ? outcome.cause.message : String(outcome.cause);
      return new ClientError('KAYA_UNAVAILABLE', `no answer from ${where}: ${reason}`, { cause: outcome.cause });
    }
    case 'malformed': {
      const message = `${where} sent an answer that is not protocol v1; is it a KayaDB client port?`;
      return new ClientError('KAYA_PROTOCOL', message, { cause: outcome.cause });
    }
    case 'abandoned':
      return new ClientError('KAYA_TIMEOUT', `no answer from ${where} within ${timeoutMs} ms`);
    default:
      return assertNever(outcome, 'outcome');
  }
}

export function isWrite(kind: RequestKind): boolean {
  return kind === 'put' || kind === 'delete' || !isIdempotent(kind);
}

/** Applying a put or a delete twice is the same as once; proposing a membership change twice is not. */
function isIdempotent(kind: RequestKind): boolean {
  switch (kind) {
    case 'add-member':
    case 'remove-member':
    case 'transfer-leader':
    case 'promote-learner':
      return false;
    case 'hello':
    case 'put':
    case 'get':
    case 'delete':
    case 'scan':
    case 'health':
    case 'stats':
      return true;
    default:
      return assertNever(kind, 'request');
  }
}
