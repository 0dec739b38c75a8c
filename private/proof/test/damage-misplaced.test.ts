/** Sound bytes in the wrong place, and bytes that are gone: cuts, zeroed pages, swaps, what is stale or foreign, files missing or doubled. */

import { sized, timeoutFor } from '@kayadb/testkit';
import type { SeededRandom } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { extended, shifted, zeroedPages } from '../src/damage/bit-rot.ts';
import { DamageRun } from '../src/damage/damage-run.ts';
import type { Damage } from '../src/damage/damage.ts';
import type { DamagedStore } from '../src/damage/damaged-store.ts';
import { cuts, doubled, exchanged, foreign, missing, stale, swaps } from '../src/damage/misplaced.ts';
import { buildStore, buildStranger, ends } from '../src/damage/stores.ts';
import { publishFigures } from '../src/report.ts';

/** In CI, the share of each kind that is tried; the long run tries all. */
const SHARES: Readonly<Record<string, number>> = { swaps: 0.5, stale: 0.4, foreign: 0.3, exchanges: 0.5 };
const CUT_SHARE = sized({ ci: 0.03, long: 1 });

async function damagesOf(
  store: DamagedStore,
  random: SeededRandom,
): Promise<Readonly<Record<string, Iterable<Damage>>>> {
  const isCut = (file: string): boolean => !file.endsWith('.sst') || random.chance(CUT_SHARE);
  return {
    cuts: cuts(store, (file) => isCut(file) && random.chance(sized({ ci: 0.03, long: 1 }))),
    'zeroed pages and sectors': zeroedPages(store),
    shifts: shifted(store, random, sized({ ci: 6, long: 100 })),
    extensions: extended(store, random),
    swaps: swaps(store, random, sized({ ci: 60, long: 3000 })),
    stale: stale(store, random, sized({ ci: 10, long: 300 })),
    foreign: foreign(store, await buildStranger(store)),
    exchanges: exchanged(store),
    missing: missing(store),
    doubled: doubled(store),
  };
}

describe('a store with misplaced bytes', () => {
  test.each(ends)('answers rightly or refuses: $log log, $end', { timeout: timeoutFor(600_000) }, async (end) => {
    const name = `damage-misplaced-${end.log}-${end.end}`;
    const run = new DamageRun({ name, thoroughEvery: sized({ ci: 6, long: 50 }) });
    // Every length of a store of 200 KB is tried once; the others need not be as large.
    const isLarge = end === ends[0];
    const store = await buildStore(end, isLarge ? undefined : 310);

    for (const [what, damages] of Object.entries(await damagesOf(store, run.random))) {
      const share = sized({ ci: SHARES[what] ?? 1, long: 1 });
      for (const damage of damages) if (run.random.chance(share)) await run.check(store, damage, what);
    }

    publishFigures(name, run.figures);
    expect(run.findings.sentences).toEqual([]);
    const least = sized({
      ci: {
        cuts: 100,
        'zeroed pages and sectors': 90,
        shifts: 80,
        extensions: 90,
        swaps: 120,
        stale: 90,
        foreign: 90,
        exchanges: 30,
        missing: 14,
        doubled: 80,
      },
      long: {
        cuts: isLarge ? 200_000 : 30_000,
        'zeroed pages and sectors': 90,
        extensions: 90,
        swaps: 1000,
        stale: 300,
        foreign: 250,
        exchanges: 60,
        missing: 12,
        doubled: 70,
        shifts: 500,
      },
    });
    expect(Object.entries(least).filter(([what, count]) => run.count(what) < count)).toEqual([]);
  });
});
