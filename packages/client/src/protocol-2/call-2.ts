/**
 * One request of version 2 from its first try to its end. The decisions are `judgeOutcome`'s and `decideRetry2`'s.
 *
 * Invariant: an error of a write says that its outcome is unknown if any try may have been done; with a session, such a try is said again as it was.
 */

import { assert, type Clock, type OkResponse2, type Request2, type RequestKind2, type Response2 } from '@kayadb/codec';
import { formatEndpoint } from '@kayadb/transport';

import type { Cancellation } from '../cancellation.ts';
import { ClientError, unknownOutcome } from '../client-error.ts';
import type { ClientEvent } from '../client-event.ts';
import type { ExchangeOutcome } from '../exchange.ts';
import { NODE_DEADLINE_SHARE } from '../limits.ts';
import type { Pool } from '../pool.ts';
import type { RetryPolicy } from '../protocol-1/retry.ts';
import { decideRetry2 } from './decide-retry.ts';
import { judgeOutcome, type Verdict } from './judge-outcome.ts';
import type { Exchange2, Link } from './link.ts';

/** What every call of a client shares. */
export interface CallContext2 {
  readonly pool: Pool<Link>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly retry: RetryPolicy;
  /** Bound: one try. */
  readonly timeoutMs: number;
  readonly cancellation: Cancellation;
  readonly onEvent: (event: ClientEvent) => void;
  /** Told of each try that failed and is to be repeated. */
  readonly onFailure?: ((cause: ClientError) => void) | undefined;
}

export interface Call2 {
  /** Asked again for each try, so that it says what is true by then. */
  readonly makeRequest: () => Request2;
  /** `leader`: where that is, as far as it is known. */
  readonly target: 'leader' | 'any';
  /**
   * - `read`: may be said any number of times.
   * - `settled-once`: a write that is done once however often it is said.
   * - `fragile`: not said again unless it is certain that it was not done.
   */
  readonly effect: 'read' | 'settled-once' | 'fragile';
}

export interface Answer2<Kind extends OkResponse2['kind']> {
  readonly response: Extract<OkResponse2, { readonly kind: Kind }>;
  /** Where it came from, and under which id. */
  readonly link: Link;
  readonly id: number;
}

/** @throws ClientError when nothing is left to try, the deadline is over, or the call is cancelled. */
export async function runCall2<Kind extends OkResponse2['kind']>(
  call: Call2,
  kind: Kind,
  context: CallContext2,
): Promise<Answer2<Kind>> {
  const { pool, cancellation, timeoutMs } = context;
  const progress = new Progress2(call, context);
  for (;;) {
    if (cancellation.error !== undefined) throw progress.cancelled(cancellation.error);
    const link = call.target === 'any' ? pool.pickAny() : pool.pick();
    const request = call.makeRequest();
    const exchange = link.start(request, nodeDeadlineMs(timeoutMs));
    const outcome = await awaitTry(exchange, link, context);
    const verdict = judgeOutcome(outcome, formatEndpoint(link.endpoint), timeoutMs);
    if (verdict.kind === 'answered') {
      const { response } = verdict;
      assert(response.kind === kind, `${request.kind} is answered by ${kind}`);
      pool.noteAnswer(link.endpoint);
      return { response: response as Answer2<Kind>['response'], link, id: exchange.id };
    }
    await progress.handleFailure(verdict, link, request.kind);
  }
}

export function nodeDeadlineMs(timeoutMs: number): number {
  return Number.isFinite(timeoutMs) ? Math.max(1, Math.floor(Math.min(timeoutMs, 2 ** 31) * NODE_DEADLINE_SHARE)) : 0;
}

/** Waits for an exchange, but not longer than one try may take. */
export async function awaitTry(
  exchange: Exchange2,
  link: Link,
  { clock, timeoutMs, cancellation }: Pick<CallContext2, 'clock' | 'timeoutMs' | 'cancellation'>,
): Promise<ExchangeOutcome<Response2>> {
  if (cancellation.error !== undefined) exchange.abandon();
  const timer = clock.setTimer(timeoutMs, () => link.giveUpLate(exchange));
  const stop = cancellation.onCancel(() => exchange.abandon());
  try {
    return await exchange.outcome;
  } finally {
    timer.cancel();
    stop();
  }
}

/** What a call has used up, and what follows from its next failure. */
class Progress2 {
  readonly #call: Call2;
  readonly #context: CallContext2;
  #failures = 0;
  #redirects = 0;
  #isUnknown = false;
  #last: ClientError | undefined;

  constructor(call: Call2, context: CallContext2) {
    this.#call = call;
    this.#context = context;
  }

  /** Tells the pool, and returns when it is time for the next try. @throws ClientError when there is none. */
  async handleFailure(
    verdict: Exclude<Verdict, { readonly kind: 'answered' }>,
    link: Link,
    request: RequestKind2,
  ): Promise<void> {
    const { cancellation, clock, random, retry, pool, onEvent, onFailure } = this.#context;
    if (verdict.isUnknown && this.#call.effect !== 'read') this.#isUnknown = true;
    if (cancellation.error !== undefined) throw this.cancelled(cancellation.error);
    this.#last = verdict.error;
    if (verdict.kind === 'refused') throw this.#final(verdict.error);

    if (verdict.kind === 'failed') {
      this.#failures++;
      this.#redirects = 0;
      if (verdict.isNodesFault) pool.noteFailure(link.endpoint);
    } else {
      this.#redirects++;
      const address =
        'leaderAddress' in verdict.error ? (verdict.error.leaderAddress as string | undefined) : undefined;
      pool.noteLeader(link.endpoint, address);
    }
    if (this.#isUnknown && this.#call.effect === 'fragile') throw this.#final(verdict.error);
    const delayMs = decideRetry2(verdict.kind, this.#state, retry, random());
    if (delayMs === undefined) throw this.#final(verdict.error);
    onFailure?.(verdict.error);
    onEvent({ kind: 'retry', request, delayMs, cause: verdict.error });
    await cancellation.sleep(clock, delayMs);
  }

  /** The deadline tells what it was waited for in vain; a caller's own end is its own. */
  cancelled(error: ClientError): ClientError {
    if (error.code !== 'KAYA_TIMEOUT') {
      return new ClientError(error.code, error.message, { cause: error.cause, isOutcomeUnknown: this.#isUnknown });
    }
    if (this.#isUnknown) return this.#unknown(this.#last ?? error);
    return this.#last ?? error;
  }

  get #state(): { readonly failures: number; readonly redirects: number } {
    return { failures: this.#failures, redirects: this.#redirects };
  }

  #unknown(cause: ClientError): ClientError {
    return unknownOutcome(cause, this.#call.effect === 'fragile' ? 'change' : 'write');
  }

  #final(error: ClientError): ClientError {
    if (!this.#isUnknown) return error;
    if (error.code !== 'KAYA_SESSION_EXPIRED') return this.#unknown(error);
    const message = `it is not known whether the write was done: it was sent, and its session is over since (${error.message}); read the key before writing it again`;
    return new ClientError('KAYA_SESSION_EXPIRED', message, { cause: error, isOutcomeUnknown: true });
  }
}
