/** Planted bugs: what the proofs are worth. A few in CI; in the long run all of them, the other half in mutants-other-half.test.ts. */

import { describe, expect, test } from 'vitest';

import { findSurvivors } from '../src/mutants/mutant-suite.ts';
import { findStale } from '../src/mutants/mutant.ts';
import { ciMutants, control, controls, mutants } from '../src/mutants/mutants.ts';
import { tryMutant } from '../src/mutants/try-mutant.ts';
import { sized, timeoutFor } from '../src/proof-size.ts';

describe('planted bugs', () => {
  test('have their places in the sources', () => {
    expect(findStale([...mutants, control])).toEqual([]);
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
    expect(mutants.length).toBeGreaterThanOrEqual(60);
    expect(ciMutants).toHaveLength(5);
  });

  test('are found by the proofs', { timeout: timeoutFor(300_000) }, async () => {
    const tried = sized({ ci: ciMutants, long: mutants.filter((_, i) => i % 2 === 0) });

    const survivors = await findSurvivors('mutants', tried);

    expect(survivors).toEqual([]);
  });

  test('are not found where there is none', { timeout: timeoutFor(120_000) }, async () => {
    const verdicts: string[] = [];

    for (const sound of sized({ ci: [control], long: controls })) {
      const { verdict, isPlanted, message } = await tryMutant(sound);
      verdicts.push(`${sound.name}: ${verdict}, ${isPlanted ? 'loaded' : 'not loaded'}${message}`);
    }

    expect(verdicts.filter((verdict) => !verdict.endsWith(': survived, loaded'))).toEqual([]);
    expect(verdicts.length).toBeGreaterThan(0);
  });
});
