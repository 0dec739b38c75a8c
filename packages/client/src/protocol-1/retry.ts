/**
 * Whether to try again, where and when: a pure decision. `Call` carries it out.
 *
 * Every v1 request but a membership change gives the same result when it is applied twice, so an unanswered one is
 * sent again. NOT_LEADER has a budget of its own and uses up no attempts.
 */

/** How one try ended without an answer that the caller can be given. */
export type AttemptFailure =
  | { readonly kind: 'not-leader'; readonly leaderAddress: string | undefined }
  /** Nothing was sent. */
  | { readonly kind: 'unsent' }
  /** Sent, and no answer came or will be waited for. */
  | { readonly kind: 'unanswered' };

export interface RetryPolicy {
  /** Tries in all, the first one included. */
  readonly attempts: number;
  readonly backoffBaseMs: number;
  readonly backoffCapMs: number;
  /** NOT_LEADER answers that are followed. */
  readonly redirects: number;
}

/** What a request has used up, the try that has just failed included. */
export interface RetryState {
  readonly attempts: number;
  readonly redirects: number;
  /** Whether applying the request twice does the same as once. */
  readonly isIdempotent: boolean;
}

export type RetryDecision =
  | { readonly kind: 'give-up' }
  | { readonly kind: 'retry'; readonly delayMs: number }
  | { readonly kind: 'redirect'; readonly delayMs: number };

const GIVE_UP: RetryDecision = { kind: 'give-up' };

/**
 * @param random - Uniform in [0, 1).
 * @returns `redirect` without a delay when the leader is known, after one when an election may be going on.
 */
export function decideRetry(
  failure: AttemptFailure,
  state: RetryState,
  policy: RetryPolicy,
  random: number,
): RetryDecision {
  if (failure.kind === 'not-leader') {
    if (state.redirects >= policy.redirects) return GIVE_UP;
    const isKnown = failure.leaderAddress !== undefined;
    return { kind: 'redirect', delayMs: isKnown ? 0 : backoffMs(state.redirects + 1, policy, random) };
  }
  if (failure.kind === 'unanswered' && !state.isIdempotent) return GIVE_UP;
  if (state.attempts >= policy.attempts) return GIVE_UP;
  return { kind: 'retry', delayMs: backoffMs(state.attempts, policy, random) };
}

/** Full jitter: uniform between 0 and a ceiling that doubles with each failure. */
function backoffMs(failures: number, policy: RetryPolicy, random: number): number {
  return random * Math.min(policy.backoffCapMs, policy.backoffBaseMs * 2 ** (failures - 1));
}
