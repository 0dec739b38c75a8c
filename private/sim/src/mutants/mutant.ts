/**
 * A known bug to put back: a change to one place of a source, made while it is loaded. No file is changed on disk.
 * What others have shipped has the number of its line in the table of bugs that the design keeps, as P4.
 */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import type { Finder } from '../checks/finder.ts';

export interface Mutant {
  /** kebab-case, unique. */
  readonly name: string;
  /** What is simulated, and whose source it is. Default `raft`. */
  readonly of?: 'raft' | 'server';
  /** Below `src` of that package. */
  readonly file: string;
  /** Text that stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  /** The checks that may come first, as one follows from the other. Who is found by another one is found by chance. */
  readonly foundBy: readonly Finder[];
  /** What goes wrong. */
  readonly why: string;
}

const PACKAGES = fileURLToPath(new URL('../../../../packages/', import.meta.url));

export function fileOf({ of = 'raft', file }: Mutant): string {
  return `${PACKAGES}${of}/src/${file}`;
}

/** The source with the bug in it. @throws RangeError when the place is gone, or is not the only one of its kind. */
export function plant(mutant: Mutant, source: string): string {
  const parts = source.split(mutant.find);
  if (parts.length !== 2) {
    throw new RangeError(`${mutant.name}: its text stands ${parts.length - 1} times in ${mutant.file}`);
  }
  return parts.join(mutant.replace);
}

/** Mutants whose place is gone, in words. */
export function findStale(mutants: readonly Mutant[]): readonly string[] {
  return mutants.flatMap((mutant) => {
    try {
      plant(mutant, readFileSync(fileOf(mutant), 'utf8'));
      return [];
    } catch (error) {
      return [String(error)];
    }
  });
}
