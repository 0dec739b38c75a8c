/** Planted bugs of what is claimed of a damaged store. */

import type { Mutant } from './mutant.ts';

export const salvageMutants: readonly Mutant[] = [
  {
    name: 'salvage-without-doubt',
    file: 'packages/engine/src/recover/plan/damaged-place.ts',
    find: '(place.lastSequence ?? Infinity) > sequence',
    replace: '(place.lastSequence ?? 0) < sequence',
    proof: 'salvage',
    why: 'Values that were overwritten or deleted in a damaged place come back as proved.',
  },
  {
    name: 'salvage-behind-a-gap',
    file: 'packages/engine/src/recover/plan/log-evidence.ts',
    find: 'if (!this.#isBroken && follows) {',
    replace: 'if (this.#isBroken || follows) {',
    proof: 'salvage',
    why: 'Writes behind a hole in the log are taken for a state of the store.',
  },
  {
    name: 'salvage-forgets-range-deletes-of-the-log',
    file: 'packages/engine/src/recover/plan/store-evidence.ts',
    find: '[...fromState, ...rangeDeletesOf(prefix)]',
    replace: '[...fromState]',
    proof: 'salvage',
    why: 'What a range delete in the log removed comes back.',
  },
];
