/** The four stores that everything is done to, and their strangers. */

import { sized } from '@kayadb/testkit';

import { buildDamagedStore, type DamagedStore, type StoreRecipe } from './damaged-store.ts';

/** Makes a store of at least 40 KB of content in CI, and of 200 KB in the long run. */
const KEY_COUNT = sized({ ci: 310, long: 1650 });
const SEED = 1;
const OTHER_SEED = 2;

export const ends: readonly Pick<StoreRecipe, 'log' | 'end'>[] = [
  { log: 'own', end: 'abandoned' },
  { log: 'own', end: 'closed' },
  { log: 'external', end: 'abandoned' },
  { log: 'external', end: 'closed' },
];

export function buildStore(end: Pick<StoreRecipe, 'log' | 'end'>, keyCount: number = KEY_COUNT): Promise<DamagedStore> {
  return buildDamagedStore({ ...end, keyCount, seed: SEED });
}

/** Another database that was written to in the same way, so that files of it have the same names. */
export function buildStranger({ recipe }: DamagedStore): Promise<DamagedStore> {
  return buildDamagedStore({ ...recipe, seed: OTHER_SEED });
}

/** Bytes up to the last of each file that is not zero. */
export function contentBytes({ contentEnds }: DamagedStore): number {
  return [...contentEnds.values()].reduce((sum, bytes) => sum + bytes, 0);
}
