import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { type AttemptFailure, decideRetry, type RetryPolicy } from './retry.ts';

const policy: RetryPolicy = { attempts: 4, backoffBaseMs: 50, backoffCapMs: 2000, redirects: 3 };
const fresh = { attempts: 1, redirects: 0, isIdempotent: true };
const unsent: AttemptFailure = { kind: 'unsent' };
const unanswered: AttemptFailure = { kind: 'unanswered' };

describe('decideRetry', () => {
  test('gives up after the last attempt', () => {
    const decisions = [1, 2, 3, 4].map((attempts) => decideRetry(unsent, { ...fresh, attempts }, policy, 0).kind);

    expect(decisions).toEqual(['retry', 'retry', 'retry', 'give-up']);
  });

  test('doubles the ceiling of the wait up to the cap', () => {
    const generous = { ...policy, attempts: 100 };

    const ceilings = [1, 2, 3, 6, 7, 50].map((attempts) =>
      decideRetry(unanswered, { ...fresh, attempts }, generous, 1),
    );

    expect(ceilings).toEqual([50, 100, 200, 1600, 2000, 2000].map((delayMs) => ({ kind: 'retry', delayMs })));
  });

  test('spreads the wait over the whole range', () => {
    const random = seededRandom(testSeed());

    const delays = Array.from({ length: 1000 }, () => decideRetry(unsent, fresh, policy, random.next()))
      .map((decision) => (decision.kind === 'retry' ? decision.delayMs : -1))
      .toSorted((a, b) => a - b);

    expect(delays[0]).toBeLessThan(1);
    expect(delays[0]).toBeGreaterThanOrEqual(0);
    expect(delays[999]).toBeGreaterThan(49);
    expect(delays[999]).toBeLessThan(50);
  });

  test('does not send a request twice that must not be applied twice', () => {
    const once = { ...fresh, isIdempotent: false };

    expect(decideRetry(unanswered, once, policy, 0).kind).toBe('give-up');
    expect(decideRetry(unsent, once, policy, 0).kind).toBe('retry');
  });

  test('follows a named leader at once, as often as the redirects allow, whatever the attempts', () => {
    const named: AttemptFailure = { kind: 'not-leader', leaderAddress: 'n2:7379' };

    const decisions = [0, 1, 2, 3].map((redirects) =>
      decideRetry(named, { ...fresh, attempts: 4, redirects }, policy, 1),
    );

    expect(decisions).toEqual([
      { kind: 'redirect', delayMs: 0 },
      { kind: 'redirect', delayMs: 0 },
      { kind: 'redirect', delayMs: 0 },
      { kind: 'give-up' },
    ]);
  });

  test('waits before it asks again who leads', () => {
    const unnamed: AttemptFailure = { kind: 'not-leader', leaderAddress: undefined };

    const decisions = [0, 1].map((redirects) => decideRetry(unnamed, { ...fresh, redirects }, policy, 1));

    expect(decisions).toEqual([
      { kind: 'redirect', delayMs: 50 },
      { kind: 'redirect', delayMs: 100 },
    ]);
  });
});
