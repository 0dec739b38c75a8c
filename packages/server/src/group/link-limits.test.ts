import { describe, expect, test } from 'vitest';

import { linkLimitsOf } from './link-limits.ts';

describe('linkLimitsOf', () => {
  test.each([
    ['three seconds with the default times', 500, 3_000],
    ['never less', 50, 3_000],
    ['three elections where these take longer', 10_000, 30_000],
  ])('lets a peer be silent for %s', (_what, electionMs, expected) => {
    expect(linkLimitsOf({ electionMs })).toEqual({ silenceMs: expected });
  });
});
