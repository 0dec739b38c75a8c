/** The other half of the planted bugs, and sound sources, which no proof may call broken. */

import { sized, testSeed, timeoutFor } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { findSurvivors } from '../src/mutants/mutant-suite.ts';
import { ciMutants, control, controls, mutants } from '../src/mutants/mutants.ts';
import { tryMutant } from '../src/mutants/try-mutant.ts';

describe('the other half of the planted bugs', () => {
  test('is found by the proofs', { timeout: timeoutFor(300_000) }, async () => {
    const tried = sized({ ci: ciMutants, long: mutants }).filter((_, i) => i % 2 === 1);

    const survivors = await findSurvivors('mutants-other-half', tried);

    expect(survivors).toEqual([]);
  });
});

describe('sound sources', () => {
  test('are not taken for broken', { timeout: timeoutFor(120_000) }, async () => {
    const verdicts: string[] = [];

    for (const sound of sized({ ci: [control], long: controls })) {
      const { verdict, isPlanted, message } = await tryMutant(sound, testSeed());
      verdicts.push(`${sound.name}: ${verdict}, ${isPlanted ? 'loaded' : 'not loaded'}${message}`);
    }

    expect(verdicts.filter((verdict) => !verdict.endsWith(': survived, loaded'))).toEqual([]);
    expect(verdicts.length).toBeGreaterThan(0);
  });
});
