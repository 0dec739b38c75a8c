/** Bytes that come back wrong: whatever is flipped, the store answers rightly or refuses, naming file and offset. */

import type { SeededRandom } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { extended, flip, shifted, zeroedPages } from '../src/damage/bit-rot.ts';
import { DamageRun } from '../src/damage/damage-run.ts';
import type { Damage } from '../src/damage/damage.ts';
import type { DamagedStore } from '../src/damage/damaged-store.ts';
import { allBits, flipDescription, flipTables, oneBitOrAll } from '../src/damage/flips.ts';
import { cuts, doubled, exchanged, foreign, missing, stale, swaps } from '../src/damage/misplaced.ts';
import { buildStore, buildStranger, contentBytes, ends } from '../src/damage/stores.ts';
import { sized, timeoutFor } from '../src/proof-size.ts';
import { publishFigures } from '../src/report.ts';

const SAMPLE_KEYS = 160;
const pickMasks = sized({ ci: oneBitOrAll, long: allBits });

/** Some of everything that can happen to a store. */
async function* sampleOfAll(store: DamagedStore, random: SeededRandom): AsyncGenerator<Damage> {
  const kinds: readonly (readonly [count: number, damages: Iterable<Damage>])[] = [
    [30, zeroedPages(store)],
    [15, shifted(store, random, 2)],
    [15, extended(store, random)],
    [30, cuts(store, () => random.chance(0.01))],
    [40, swaps(store, random, 40)],
    [40, stale(store, random, 5)],
    [40, foreign(store, await buildStranger(store))],
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

describe('a damaged store', () => {
  test('answers rightly or refuses: some of everything', { timeout: timeoutFor(120_000) }, async () => {
    const run = new DamageRun({ name: 'damage-some-of-everything', thoroughEvery: 3 });

    for (const end of ends) {
      const store = await buildStore(end, SAMPLE_KEYS);
      for await (const damage of sampleOfAll(store, run.random)) {
        await run.check(store, damage, 'damages');
        // One is enough to fail, and who plants a bug waits for it.
        expect(run.findings.sentences).toEqual([]);
      }
    }

    expect(run.count('damages')).toBeGreaterThan(1000);
  });

  test('answers rightly or refuses: every byte flipped', { timeout: timeoutFor(600_000) }, async () => {
    const run = new DamageRun({ name: 'damage-flips', thoroughEvery: 50 });
    const store = await buildStore({ log: 'own', end: 'abandoned' });

    await flipDescription(run, store, pickMasks);
    await flipTables(run, store, { pickMasks, alone: sized({ ci: 0.06, long: 0.04 }) });

    publishFigures('damage-flips', run.figures);
    expect(run.findings.sentences).toEqual([]);
    expect(contentBytes(store)).toBeGreaterThanOrEqual(sized({ ci: 40_000, long: 200_000 }));
    expect(run.count('bytes flipped')).toBeGreaterThanOrEqual(contentBytes(store));
    expect(run.count('flips')).toBeGreaterThanOrEqual(contentBytes(store) * pickMasks(run.random).length);
  });
});
