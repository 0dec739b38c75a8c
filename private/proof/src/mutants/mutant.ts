/** A bug to plant: a change to one place of a source file, made while the file is loaded. No file is ever changed on disk. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The proofs that may find a bug, by the name of their test file, `test/<proof>.test.ts`; of two halves, by that of the first. */
export type ProofName =
  | 'crash'
  | 'crash-segments'
  | 'crash-settings'
  | 'damage'
  | 'damage-misplaced'
  | 'damage-other-ends'
  | 'failed-sync'
  | 'faults'
  | 'full-disk'
  | 'fuzz'
  | 'lock'
  | 'salvage';

export interface Mutant {
  /** kebab-case, unique. */
  readonly name: string;
  /** From the root of the repository. */
  readonly file: string;
  /** Text that stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  /** The proof that has to find it. */
  readonly proof: ProofName;
  /** A part of the title of the test that finds it, where the whole proof takes longer than needed. */
  readonly test?: string;
  /** What would go wrong. */
  readonly why: string;
}

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** The absolute path of the file that a mutant changes. */
export function fileOf(mutant: Mutant): string {
  return `${ROOT}${mutant.file}`;
}

/** What is wrong with the list, in words: a place that is gone, or is not the only one of its kind. */
export function findStale(mutants: readonly Mutant[]): readonly string[] {
  return mutants.flatMap((mutant) => {
    const count = readFileSync(fileOf(mutant), 'utf8').split(mutant.find).length - 1;
    if (count !== 1) return [`${mutant.name}: ${mutant.file} has its text ${count} times`];
    return mutant.find === mutant.replace ? [`${mutant.name} changes nothing`] : [];
  });
}

/** The source with the bug in it. @throws Error when the place is gone, or is not the only one. */
export function plant(mutant: Mutant, source: string): string {
  const parts = source.split(mutant.find);
  if (parts.length !== 2)
    throw new Error(`${mutant.name}: its text stands ${parts.length - 1} times in ${mutant.file}`);
  return parts.join(mutant.replace);
}
