/** All planted bugs. */

import { damageMutants } from './damage-mutants.ts';
import { durabilityMutants } from './durability-mutants.ts';
import { logMutants } from './log-mutants.ts';
import type { Mutant } from './mutant.ts';
import { salvageMutants } from './salvage-mutants.ts';
import { versionMutants } from './version-mutants.ts';

export const mutants: readonly Mutant[] = [
  ...durabilityMutants,
  ...logMutants,
  ...versionMutants,
  ...damageMutants,
  ...salvageMutants,
];

/** Of each proof one that is found soon. */
const CI_NAMES = [
  'acknowledge-before-sync',
  'skip-segment-directory-sync',
  'drop-poison-check',
  'trust-block-checksum',
  'trust-header-checksum',
];

export const ciMutants: readonly Mutant[] = mutants.filter(({ name }) => CI_NAMES.includes(name));

/** Changes nothing, so that every proof has to pass: what finds this finds anything. */
export const control: Mutant = {
  name: 'control',
  file: 'packages/engine/src/write/poison.ts',
  find: 'The first unknown disk outcome, remembered for good.',
  replace: 'The first unknown disk outcome, remembered  for good.',
  proof: 'fuzz',
  test: "'file-header'",
  why: 'Nothing: a comment has one space more.',
};

/** The control for each proof: one that fails by itself would find every bug. */
export const controls: readonly Mutant[] = [...new Set(mutants.map(({ proof }) => proof))].map((proof) => {
  const { file, find, replace, why } = control;
  return { name: `control-${proof}`, file, find, replace, proof, why };
});
