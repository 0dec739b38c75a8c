import { afterEach, describe, expect, test, vi } from 'vitest';

import { DEFAULT_TEST_SEED, describeSeed, parseTestSeed, testSeed } from './test-seed.ts';

describe('testSeed', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  test('is fixed when nothing is set', () => {
    vi.stubEnv('KAYA_TEST_SEED', undefined);

    const seed = testSeed();

    expect(seed).toBe(DEFAULT_TEST_SEED);
  });

  test('follows KAYA_TEST_SEED', () => {
    vi.stubEnv('KAYA_TEST_SEED', '77');

    const seed = testSeed();

    expect(seed).toBe(77);
  });

  test.each(['x', '-1', '1.5', '4294967296', '1e3', ' 5'])('refuses the seed "%s" and names the variable', (text) => {
    const parse = (): number => parseTestSeed(text);

    expect(parse).toThrow(/KAYA_TEST_SEED must be an integer/);
  });

  test('tells how to replay', () => {
    expect(describeSeed(5)).toBe('replay with KAYA_TEST_SEED=5');
  });
});
