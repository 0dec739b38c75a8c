/** Which version a cluster speaks: its first node that answers a HELLO decides. */

import { formatEndpoint } from '@kayadb/transport';

import { ClientError } from '../client-error.ts';
import type { RetryPolicy } from '../protocol-1/retry.ts';
import type { CallContext2 } from './call-2.ts';
import { decideRetry2 } from './decide-retry.ts';
import { judgeOutcome } from './judge-outcome.ts';
import type { LinkOpening } from './link.ts';

/**
 * Leaves a connection in the pool if that is 2.
 *
 * @param policy - That of version 1: nobody has ever answered, so there may be nobody, and who waits for the deadline should know that somebody is there.
 * @throws ClientError
 */
export async function negotiate(context: CallContext2, policy: RetryPolicy): Promise<1 | 2> {
  const { pool, clock, random, cancellation, timeoutMs, onEvent, onFailure } = context;
  for (let failures = 1; ; failures++) {
    const link = pool.pick();
    let opening: LinkOpening | undefined;
    await cancellation.race(link.opened.then((value) => void (opening = value)));
    if (cancellation.error !== undefined) throw cancellation.error;
    if (opening === undefined || opening.kind === 'up') return 2;
    if (opening.kind === 'version-1') return 1;
    const { cause } = opening;
    const verdict = judgeOutcome({ kind: 'unsent', cause }, formatEndpoint(link.endpoint), timeoutMs);
    const error = verdict.kind === 'answered' ? new ClientError('KAYA_UNAVAILABLE', 'no answer') : verdict.error;
    if (verdict.kind === 'refused') throw error;
    pool.noteFailure(link.endpoint);
    const delayMs = decideRetry2('failed', { failures, redirects: 0 }, policy, random());
    if (delayMs === undefined) throw error;
    onFailure?.(error);
    onEvent({ kind: 'retry', request: 'hello', delayMs, cause: error });
    await cancellation.sleep(clock, delayMs);
  }
}
