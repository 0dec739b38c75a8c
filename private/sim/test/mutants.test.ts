/** Planted bugs: what the checks are worth. A few in CI, all in the long run; mutants-other-half.test.ts looks for the other half of either. */

import { sized } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { findStale } from '../src/mutants/mutant.ts';
import { mutants } from '../src/mutants/mutants.ts';
import { huntApart, missedOf } from '../src/mutants/run-apart.ts';

/** Of the checks, each finds one soon. */
const IN_CI = ['acknowledges-before-durable', 'vote-not-remembered', 'joint-commit-by-one-half'];

const RESULTS = new URL('../results/', import.meta.url).pathname;

describe('planted bugs', () => {
  test('still have the place that they change, once', () => {
    const stale = findStale(mutants);

    expect(stale).toEqual([]);
  });

  test('have names of their own, and are enough', () => {
    const names = new Set(mutants.map(({ name }) => name));

    expect(names.size).toBe(mutants.length);
    expect(mutants.length).toBeGreaterThanOrEqual(25);
  });

  test('are found by the checks that they name', { timeout: sized({ ci: 300_000, long: 0 }) }, async () => {
    const args = sized({
      ci: ['--seeds', '40', ...IN_CI],
      long: ['--seeds', '1000', '--part', '1/2', '--figures', `${RESULTS}mutants.json`],
    });

    const output = await huntApart(args);
    console.info(output);

    expect(missedOf(output)).toEqual([]);
  });
});
