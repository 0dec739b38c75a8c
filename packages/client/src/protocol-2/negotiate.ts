/** Which version a cluster speaks: its first node that answers a HELLO decides. */

import type { Timer } from '@kayadb/codec';
import { formatEndpoint } from '@kayadb/transport';

import { ClientError } from '../client-error.ts';
import { STAGGER_MS } from '../limits.ts';
import type { RetryPolicy } from '../protocol-1/retry.ts';
import type { CallContext2 } from './call-2.ts';
import { decideRetry2 } from './decide-retry.ts';
import { judgeOutcome } from './judge-outcome.ts';
import type { Link, LinkOpening } from './link.ts';

export interface NegotiationPlan {
  /** That of version 1: nobody has ever answered, so there may be nobody, and who waits for the deadline should know that somebody is there. */
  readonly policy: RetryPolicy;
  /** How many endpoints there are beside the first one. */
  readonly otherEndpoints: number;
}

/** Leaves a connection in the pool if that is 2. @throws ClientError */
export async function negotiate(context: CallContext2, { policy, otherEndpoints }: NegotiationPlan): Promise<1 | 2> {
  const { pool, clock, random, cancellation, timeoutMs, onEvent, onFailure } = context;
  let failures = 0;
  for (let left = otherEndpoints; ;) {
    const link = pool.pick();
    const opening = await awaitOpening(link, context, left > 0 ? STAGGER_MS : Infinity);
    if (cancellation.error !== undefined) throw cancellation.error;
    if (opening === undefined) {
      left--;
      pool.noteFailure(link.endpoint);
      continue;
    }
    if (opening.kind === 'up') return 2;
    if (opening.kind === 'version-1') return 1;
    const { cause } = opening;
    const verdict = judgeOutcome({ kind: 'unsent', cause }, formatEndpoint(link.endpoint), timeoutMs);
    const error = verdict.kind === 'answered' ? new ClientError('KAYA_UNAVAILABLE', 'no answer') : verdict.error;
    if (verdict.kind === 'refused') throw error;
    pool.noteFailure(link.endpoint);
    const delayMs = decideRetry2('failed', { failures: ++failures, redirects: 0 }, policy, random());
    if (delayMs === undefined) throw error;
    onFailure?.(error);
    onEvent({ kind: 'retry', request: 'hello', delayMs, cause: error });
    await cancellation.sleep(clock, delayMs);
  }
}

/** `undefined` when it takes longer, or the call is cancelled. */
async function awaitOpening(
  link: Link,
  { clock, cancellation }: CallContext2,
  patienceMs: number,
): Promise<LinkOpening | undefined> {
  let opening: LinkOpening | undefined;
  let timer: Timer | undefined;
  const patience = new Promise<void>((resolve) => {
    if (Number.isFinite(patienceMs)) timer = clock.setTimer(patienceMs, resolve);
  });
  const opened = link.opened.then((value) => void (opening = value));
  await cancellation.race(Promise.race([opened, patience]));
  timer?.cancel();
  return opening;
}
