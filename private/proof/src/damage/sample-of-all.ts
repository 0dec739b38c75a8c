/** Some of everything that can happen to a store, in few looks: what finds most planted bugs at once. */

import type { SeededRandom } from '@kayadb/testkit';

import { extended, flip, shifted, zeroedPages } from './bit-rot.ts';
import type { Damage } from './damage.ts';
import type { DamagedStore } from './damaged-store.ts';
import { cuts, doubled, exchanged, foreign, missing, stale, swaps } from './misplaced.ts';
import { buildStranger } from './stores.ts';

export async function* sampleOfAll(store: DamagedStore, random: SeededRandom): AsyncGenerator<Damage> {
  const kinds: readonly (readonly [count: number, damages: Iterable<Damage>])[] = [
    [30, zeroedPages(store)],
    [15, shifted(store, random, 2)],
    [15, extended(store, random)],
    [30, cuts(store, () => random.chance(0.01))],
    [40, swaps(store, random, 40)],
    [20, wholeFiles(stale(store, random, 0))],
    [20, stale(store, random, 5)],
    [30, wholeFiles(foreign(store, await buildStranger(store)))],
    [15, foreign(store, await buildStranger(store))],
    [10, exchanged(store)],
    [30, missing(store)],
    [10, doubled(store)],
  ];
  for (const [count, damages] of kinds) yield* random.shuffle([...damages]).slice(0, count);
  for (const file of store.files.keys()) {
    for (let i = 0; i < 8; i++) {
      yield flip(store, file, random.int(Math.max(1, store.contentEnds.get(file)!)), 1 << random.int(8));
    }
  }
}

function* wholeFiles(damages: Iterable<Damage>): Generator<Damage> {
  for (const damage of damages) if (damage.nature === 'replaced') yield damage;
}
