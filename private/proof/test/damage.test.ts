/** Bytes that come back wrong: whatever is flipped, the store answers rightly or refuses, naming file and offset. */

import { sized, timeoutFor } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { DamageRun } from '../src/damage/damage-run.ts';
import { allBits, flipDescription, flipTables, oneBitOrAll } from '../src/damage/flips.ts';
import { sampleOfAll } from '../src/damage/sample-of-all.ts';
import { buildStore, contentBytes, ends } from '../src/damage/stores.ts';
import { publishFigures } from '../src/report.ts';

const SAMPLE_KEYS = 160;
const pickMasks = sized({ ci: oneBitOrAll, long: allBits });

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
    await flipTables(run, store, { pickMasks, alone: sized({ ci: 0.03, long: 0.01 }) });

    publishFigures('damage-flips', run.figures);
    expect(run.findings.sentences).toEqual([]);
    expect(contentBytes(store)).toBeGreaterThanOrEqual(sized({ ci: 40_000, long: 200_000 }));
    expect(run.count('bytes flipped')).toBeGreaterThanOrEqual(contentBytes(store));
    expect(run.count('flips')).toBeGreaterThanOrEqual(contentBytes(store) * pickMasks(run.random).length);
  });
});
