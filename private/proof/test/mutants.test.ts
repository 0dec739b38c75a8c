/** Planted bugs: what the proofs are worth. A few in CI, all of them in the long run; half of either in mutants-other-half.test.ts, which runs beside this. */

import { sized, timeoutFor } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { findSurvivors } from '../src/mutants/mutant-suite.ts';
import { findStale } from '../src/mutants/mutant.ts';
import { ciMutants, control, mutants } from '../src/mutants/mutants.ts';

describe('planted bugs', () => {
  test('have their places in the sources', () => {
    expect(findStale([...mutants, control])).toEqual([]);
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
    expect(mutants.length).toBeGreaterThanOrEqual(60);
    expect(ciMutants).toHaveLength(5);
  });

  test('are found by the proofs', { timeout: timeoutFor(300_000) }, async () => {
    const tried = sized({ ci: ciMutants, long: mutants }).filter((_, i) => i % 2 === 0);

    const survivors = await findSurvivors('mutants', tried);

    expect(survivors).toEqual([]);
  });
});
