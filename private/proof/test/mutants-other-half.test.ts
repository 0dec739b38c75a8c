/** Runs beside mutants.test.ts, in the long run only. */

import { expect, test } from 'vitest';

import { findSurvivors } from '../src/mutants/mutant-suite.ts';
import { mutants } from '../src/mutants/mutants.ts';
import { proofSize, timeoutFor } from '../src/proof-size.ts';

const isLongRun = proofSize === 'long';

test.runIf(isLongRun)('the other half of the planted bugs is found', { timeout: timeoutFor(0) }, async () => {
  const otherHalf = mutants.filter((_, i) => i % 2 === 1);

  const survivors = await findSurvivors('mutants-other-half', otherHalf);

  expect(survivors).toEqual([]);
});
