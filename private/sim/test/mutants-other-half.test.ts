/** The other half of the planted bugs of mutants.test.ts; nothing is looked for here in CI. */

import { describe, expect, test } from 'vitest';

import { huntApart, missedOf } from '../src/mutants/run-apart.ts';
import { sized } from '../src/proof-size.ts';

/** In CI the few of mutants.test.ts are all that are looked for. */
const isLong = sized({ ci: false, long: true });
const RESULTS = new URL('../results/', import.meta.url).pathname;

describe('planted bugs, the other half', () => {
  test.runIf(isLong)('are found', { timeout: 0 }, async () => {
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
