import { describe, expect, test } from 'vitest';

import { decideRetry2 } from './decide-retry.ts';

const endless = { attempts: Infinity, redirects: Infinity, backoffBaseMs: 50, backoffCapMs: 250 };

describe('decideRetry2', () => {
  test('waits longer each time, up to the cap, and never not at all', () => {
    const waits = [1, 2, 3, 4, 5, 100].map((failures) =>
      decideRetry2('failed', { failures, redirects: 0 }, endless, 0),
    );

    expect(waits).toEqual([25, 50, 100, 125, 125, 125]);
    expect(decideRetry2('failed', { failures: 3, redirects: 0 }, endless, 0.5)).toBe(150);
  });

  test('follows the first redirects at once, and nodes that point at each other slowly', () => {
    const waits = [1, 2, 3, 4, 5].map((redirects) =>
      decideRetry2('redirected', { failures: 0, redirects }, endless, 0),
    );

    expect(waits).toEqual([0, 0, 0, 125, 125]);
  });

  test('waits for a leader where there is none', () => {
    expect(decideRetry2('leaderless', { failures: 0, redirects: 1 }, endless, 0)).toBe(25);
  });

  test('gives up where the caller has set a bound', () => {
    const bounded = { ...endless, attempts: 2, redirects: 1 };

    expect(decideRetry2('failed', { failures: 1, redirects: 0 }, bounded, 0)).toBe(25);
    expect(decideRetry2('failed', { failures: 2, redirects: 0 }, bounded, 0)).toBeUndefined();
    expect(decideRetry2('redirected', { failures: 0, redirects: 1 }, bounded, 0)).toBe(0);
    expect(decideRetry2('redirected', { failures: 0, redirects: 2 }, bounded, 0)).toBeUndefined();
  });
});
