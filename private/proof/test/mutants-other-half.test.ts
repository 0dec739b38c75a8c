import { expect, test } from 'vitest';

import { findSurvivors } from '../src/mutants/mutant-suite.ts';
import { mutants } from '../src/mutants/mutants.ts';
import { proofSize, timeoutFor } from '../src/proof-size.ts';

test.runIf(proofSize === 'long')(
  'the other half of the planted bugs is found',
  { timeout: timeoutFor(0) },
  async () => {
    const survivors = await findSurvivors(
      'mutants-other-half',
      mutants.filter((_, i) => i % 2 === 1),
    );

    expect(survivors).toEqual([]);
  },
);
