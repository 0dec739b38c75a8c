/** The other half of the planted bugs of mutants.test.ts; nothing is looked for here in CI. */

import { describe, expect, test } from 'vitest';

import { huntApart, missedOf } from '../src/mutants/run-apart.ts';
import { sized } from '../src/proof-size.ts';

const RESULTS = new URL('../results/', import.meta.url).pathname;

describe('planted bugs, the other half', () => {
  test.runIf(sized({ ci: false, long: true }))('are found', { timeout: 0 }, async () => {
    const output = await huntApart([
      '--seeds',
      '1000',
      '--part',
      '2/2',
      '--figures',
      `${RESULTS}mutants-other-half.json`,
    ]);
    console.info(output);

    expect(missedOf(output)).toEqual([]);
  });
});
