/** The other half of the planted bugs of mutants.test.ts. */

import { sized } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { huntApart, missedOf } from '../src/mutants/run-apart.ts';

const IN_CI = [
  'commits-earlier-terms-by-counting',
  'read-answered-before-applied',
  'transfer-never-given-up',
  'answers-not-loaded',
];

/** A little ahead of the first seed that finds the one that takes longest. */
const FIRST_SEED = '1016';

const RESULTS = new URL('../results/', import.meta.url).pathname;

describe('planted bugs, the other half', () => {
  test('are found by the checks that they name', { timeout: sized({ ci: 300_000, long: 0 }) }, async () => {
    const args = sized({
      ci: ['--seed', FIRST_SEED, '--seeds', '40', ...IN_CI],
      long: ['--seeds', '1000', '--part', '2/2', '--figures', `${RESULTS}mutants-other-half.json`],
    });

    const output = await huntApart(args);
    console.info(output);

    expect(missedOf(output)).toEqual([]);
  });
});
