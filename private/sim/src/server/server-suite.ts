/** Whole servers under faults as a suite of tests: half of the seeds each, so that two files share two cores. A suite that has not reached enough of everything has shown nothing. */

import { sized, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { addCounts, describeCounts } from '../world/counts.ts';
import { newServerCounts, type ServerCountName } from './server-counts.ts';
import { ServerSimulation } from './server-simulation.ts';

/** Of each half. */
const SEEDS = sized({ ci: 100, long: 2000 });
const SECONDS = 60;
/** Seeds per test, so that a run shows how far it is. */
const BATCH = sized({ ci: 10, long: 100 });
const TIMEOUT_MS = sized({ ci: 300_000, long: 0 });

/** What each seed has to reach on average. */
const LEAST_PER_SEED: { readonly [Name in ServerCountName]?: number } = {
  simulatedSeconds: SECONDS,
  recoveries: 3,
  comparisons: 3,
  elections: 5,
  operations: 120,
  written: 50,
  retried: 40,
  repeated: 5,
  unknown: 2,
  expired: 0.3,
  scans: 5,
  oldReads: 5,
  snapshotsMade: 4,
  snapshotsInstalled: 0.2,
  flushes: 6,
  compactions: 5,
  connections: 60,
  crashes: 5,
  stops: 0.5,
  pauses: 0.8,
  partitions: 4,
  clockJumps: 0.7,
  diskFaults: 2.5,
  nodeFailures: 0.8,
  wipes: 0.1,
  fenced: 0.1,
  changes: 1,
  transfers: 0.5,
};

/** @param half - 0 or 1: which seeds. */
export function describeServers(half: 0 | 1): void {
  describe('whole servers under faults', () => {
    const sum = newServerCounts();
    const first = testSeed() + half * SEEDS;

    for (let from = first; from < first + SEEDS; from += BATCH) {
      test(`keep every promise and recover, ${BATCH} seeds from ${from} on`, { timeout: TIMEOUT_MS }, async () => {
        for (let seed = from; seed < from + BATCH; seed++) {
          const { counts } = await ServerSimulation.run(seed, { seconds: SECONDS });
          addCounts(sum, counts);
        }

        expect(sum.simulatedSeconds).toBeGreaterThanOrEqual((from + BATCH - first) * SECONDS);
      });
    }

    test('have been through enough of everything', () => {
      console.info(`${SEEDS} seeds: ${describeCounts(sum)}`);

      const names = Object.keys(LEAST_PER_SEED) as ServerCountName[];
      const short = names.filter((name) => sum[name] < LEAST_PER_SEED[name]! * SEEDS);

      expect(short).toEqual([]);
    });
  });
}
