/** What happens to an error of one request: it is logged, slowed down or made fatal, and becomes an answer. */

import { AccessDeniedError } from '../server-error.ts';
import type { ConnectionContext } from './connection-context.ts';
import type { ErrorWeight } from './fault-sentence.ts';

export interface FailedRequest {
  /** Where the request came from. */
  readonly address: string;
  readonly correlationId: string;
  /** The connection has ended meanwhile: nobody reads the answer, and an abort is no fault. */
  readonly isGone: boolean;
}

/**
 * Resolves with the answer when it may be sent: at once, or after a while for whoever guesses tokens.
 *
 * @param mapped - What `error` is in the version of the protocol that the connection has.
 */
export async function settleError<Answer>(
  error: unknown,
  { response, weight }: { readonly response: Answer; readonly weight: ErrorWeight },
  context: ConnectionContext,
  request: FailedRequest,
): Promise<Answer> {
  if (error instanceof AccessDeniedError) await slowDown(error, context, request);
  if (weight === 'refusal' || request.isGone) return response;
  context.failures.write(error, { request: request.correlationId, address: request.address });
  if (weight === 'fatal') context.fail(error instanceof Error ? error : new Error(String(error)));
  return response;
}

/** The log line's fields are stable: programs that ban addresses read them. docs/reference/server.md, "Failed attempts". */
function slowDown(error: AccessDeniedError, context: ConnectionContext, request: FailedRequest): Promise<void> {
  const { attempts, clock, logger } = context;
  const { failures, delayMs } = attempts.record(request.address, clock.now());
  const { required, reason } = error;
  logger.warn(
    { event: 'auth.failed', address: request.address, credential: required, reason, failures },
    `refused a request from ${request.address}: ${error.message}`,
  );
  return new Promise((resolve) => {
    clock.setTimer(delayMs, resolve);
  });
}
