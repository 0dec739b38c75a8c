/** Random stores, harmed in several places at once: what a plan says and a salvage writes is compared with everything that was ever written. */

import { sized, testSeed, timeoutFor } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { Findings, publishFigures } from '../src/report.ts';
import { buildPastStore, readFiles, type StoreFiles } from '../src/salvage/past-store.ts';
import { tryRound } from '../src/salvage/salvage-round.ts';

const ROUNDS = sized({ ci: 40, long: 5000 });
const ROUNDS_PER_STRANGER = 10;
const FIRST_STRANGER = 2 ** 30;

describe('a salvage of a store with harm in several places', () => {
  test('writes what the store held and names what it lacks', { timeout: timeoutFor(240_000) }, async () => {
    const findings = new Findings();
    const bases = { current: 0, 'other-manifest': 0, tables: 0, nothing: 0 };
    let rows = 0;
    let stranger: StoreFiles = new Map();

    for (let round = 0; round < ROUNDS; round++) {
      if (round % ROUNDS_PER_STRANGER === 0) {
        stranger = await readFiles((await buildPastStore(FIRST_STRANGER + round)).disk);
      }
      const { basis, rowCount, sentences } = await tryRound(testSeed() + round, stranger);
      bases[basis ?? 'nothing']++;
      rows += rowCount;
      for (const sentence of sentences) findings.add(sentence);
    }

    publishFigures('salvage', { stores: ROUNDS, ...bases, 'rows proved': rows });
    expect(findings.sentences).toEqual([]);
    expect(bases.current).toBeGreaterThanOrEqual(ROUNDS / 8);
    expect(bases['other-manifest']).toBeGreaterThanOrEqual(ROUNDS / 20);
    expect(bases.tables).toBeGreaterThanOrEqual(ROUNDS / 20);
    expect(rows).toBeGreaterThanOrEqual(10 * ROUNDS);
  });
});
