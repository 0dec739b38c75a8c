import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { type Counts, RandomCluster } from './random-cluster.ts';

const RUNS = 12;
const STEPS = 2500;
/** Bound: on a machine with much else to do. */
const TIMEOUT_MS = 60_000;

describe('cores with late disks, a bad network and crashes (paper figure 3)', () => {
  const seed = testSeed();

  test(
    `never disagree, read what is committed, and agree in the end (seed ${seed})`,
    () => {
      const totals: Counts = { leaders: 0, applied: 0, snapshots: 0, changes: 0, joints: 0, crashes: 0, reads: 0 };

      for (let run = 0; run < RUNS; run++) {
        const cluster = new RandomCluster(seededRandom(seed).fork(`run ${run}`));
        try {
          for (let step = 0; step < STEPS; step++) cluster.step();
          cluster.settle();
        } catch (error) {
          throw new Error(`run ${run}: ${(error as Error).message}`, { cause: error });
        }
        for (const key of Object.keys(totals) as (keyof Counts)[]) totals[key] += cluster.counts[key];
      }

      const rare = Object.entries(totals).filter(([, count]) => count < RUNS / 2);
      expect(rare).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
