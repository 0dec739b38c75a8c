/**
 * The seed of a random test: fixed, so that a plain run is repeatable, and replaced by `KAYA_TEST_SEED` for a hunt.
 * A test that fails after asking for its seed prints the line that replays it.
 */

import { onTestFailed, TestRunner } from 'vitest';

/** Any number serves; this one never changes, so that two runs of the same tree do the same. */
export const DEFAULT_TEST_SEED = 20_261_122;

/**
 * The seed for this run: `KAYA_TEST_SEED` when set, else `DEFAULT_TEST_SEED`.
 *
 * Inside a running test it also arranges for the seed to be printed if that test fails.
 *
 * @throws RangeError when the variable is not an integer from 0 to 2^32 - 1.
 */
export function testSeed(): number {
  const seed = parseTestSeed(process.env['KAYA_TEST_SEED']);
  if (TestRunner.getCurrentTest() !== undefined) {
    onTestFailed(() => {
      console.error(describeSeed(seed));
    });
  }
  return seed;
}

/** @throws RangeError when `text` is set and not an integer from 0 to 2^32 - 1. */
export function parseTestSeed(text: string | undefined): number {
  if (text === undefined || text === '') return DEFAULT_TEST_SEED;
  const seed = Number(text);
  if (!/^\d+$/.test(text) || seed > 0xffff_ffff) {
    throw new RangeError(`KAYA_TEST_SEED must be an integer from 0 to 4294967295, got "${text}"`);
  }
  return seed;
}

/** The line that tells a reader how to run the same again. */
export function describeSeed(seed: number): string {
  return `replay with KAYA_TEST_SEED=${seed}`;
}
