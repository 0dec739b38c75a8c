/** Plants bugs one after another and asks the proofs for them. Test files that call it run side by side. */

import { testSeed } from '@kayadb/testkit';

import { publishFigures } from '../report.ts';
import type { Mutant } from './mutant.ts';
import type { ProofOutcome } from './proof-outcome.ts';
import { tryMutant } from './try-mutant.ts';

/**
 * Tries every mutant.
 *
 * @param name - Of the figures.
 * @returns What is wrong, in words: mutants that were not found, and what happened instead.
 */
export async function findSurvivors(name: string, mutants: readonly Mutant[]): Promise<readonly string[]> {
  const wrong: string[] = [];
  const found = new Map<string, number>();
  let seconds = 0;
  for (const mutant of mutants) {
    const outcome = await tryMutant(mutant, testSeed());
    seconds += outcome.seconds;
    console.info(`${mutant.name}: ${outcome.verdict} by ${mutant.proof} in ${outcome.seconds.toFixed(1)} s`);
    const survival = describeSurvival(mutant, outcome);
    if (survival === undefined) found.set(mutant.proof, 1 + (found.get(mutant.proof) ?? 0));
    else wrong.push(survival);
  }
  const byProof = [...found].map(([proof, count]) => [`by ${proof}`, count] as const);
  const figures = { mutants: mutants.length, found: mutants.length - wrong.length, ...Object.fromEntries(byProof) };
  publishFigures(name, { ...figures, seconds: Math.round(seconds) });
  return wrong;
}

function describeSurvival({ name, proof }: Mutant, outcome: ProofOutcome): string | undefined {
  if (outcome.isPlanted && outcome.verdict === 'found') return undefined;
  const what = outcome.isPlanted ? outcome.verdict : 'not planted, its file was not loaded';
  return `${name} in ${proof}: ${what}; ${outcome.message}`;
}
