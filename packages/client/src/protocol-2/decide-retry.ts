/**
 * Whether a request of version 2 is said again, and when: a pure decision. It may be said again for as long as its deadline allows, unless the caller set a
 * number of tries. Whether that is safe is decided before, in `judge-outcome.ts`.
 */

import { FREE_REDIRECTS } from '../limits.ts';
import type { RetryPolicy } from '../protocol-1/retry.ts';

/** What a request has used up, the try that has just failed included. */
export interface RetryState2 {
  /** Tries that failed, but for redirects. */
  readonly failures: number;
  /** Answers that another node leads, since the last other failure. */
  readonly redirects: number;
}

export type FailureKind2 = 'redirected' | 'leaderless' | 'failed';

/**
 * @param random - Uniform in [0, 1).
 * @returns The wait before the next try in milliseconds; undefined: there is none.
 */
export function decideRetry2(
  kind: FailureKind2,
  { failures, redirects }: RetryState2,
  policy: RetryPolicy,
  random: number,
): number | undefined {
  if (kind === 'failed') return failures >= policy.attempts ? undefined : backoffMs(failures, policy, random);
  if (redirects > policy.redirects) return undefined;
  if (kind === 'redirected' && redirects <= FREE_REDIRECTS) return 0;
  return backoffMs(redirects, policy, random);
}

/** Uniform in the upper half of a ceiling that doubles: never at once, since a group that elects a leader needs its time. */
function backoffMs(count: number, { backoffBaseMs, backoffCapMs }: RetryPolicy, random: number): number {
  const ceiling = Math.min(backoffCapMs, backoffBaseMs * 2 ** (count - 1));
  return (ceiling * (1 + random)) / 2;
}
