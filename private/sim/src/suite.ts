/** Clusters under faults as a suite of tests: half of the seeds each, so that two files share two cores. A suite that has not reached enough of everything has shown nothing. */

import { testSeed } from '@kayadb/testkit';
import { sized } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { Simulation } from './simulation.ts';
import { addCounts, type CountName, describeCounts, newCounts } from './world/counts.ts';

/** Of each half. */
const SEEDS = sized({ ci: 150, long: 3000 });
const SECONDS = 60;
/** Seeds per test, so that a run shows how far it is. */
const BATCH = sized({ ci: 10, long: 100 });
const TIMEOUT_MS = sized({ ci: 300_000, long: 0 });

/** What each seed has to reach on average. */
const LEAST_PER_SEED: { readonly [Name in CountName]?: number } = {
  simulatedSeconds: SECONDS,
  recoveries: 3,
  elections: 5,
  acknowledged: 100,
  reads: 40,
  snapshotsMade: 30,
  snapshotsInstalled: 1.5,
  compactions: 20,
  truncations: 0.5,
  configurations: 20,
  joints: 8,
  swaps: 0.5,
  changeCuts: 2,
  crashes: 10,
  pauses: 2,
  partitions: 8,
  staleLeaders: 0.5,
  applyStalls: 2,
  diskFaults: 4,
  nodeFailures: 1,
  wipes: 0.1,
  rollbacks: 0.05,
  fenced: 5,
  lost: 20,
  duplicated: 50,
  transfers: 1,
};

/** @param half - 0 or 1: which seeds. */
export function describeClusters(half: 0 | 1): void {
  describe('clusters under faults', () => {
    const sum = newCounts();
    const first = testSeed() + half * SEEDS;

    for (let from = first; from < first + SEEDS; from += BATCH) {
      test(`keep every invariant and recover, ${BATCH} seeds from ${from} on`, { timeout: TIMEOUT_MS }, async () => {
        for (let seed = from; seed < from + BATCH; seed++) {
          const { counts } = await Simulation.run(seed, { seconds: SECONDS });
          addCounts(sum, counts);
        }

        expect(sum.simulatedSeconds).toBeGreaterThanOrEqual((from + BATCH - first) * SECONDS);
      });
    }

    test('have been through enough of everything', () => {
      console.info(`${SEEDS} seeds: ${describeCounts(sum)}`);

      const names = Object.keys(LEAST_PER_SEED) as CountName[];
      const short = names.filter((name) => sum[name] < LEAST_PER_SEED[name]! * SEEDS);

      expect(short).toEqual([]);
    });
  });
}
