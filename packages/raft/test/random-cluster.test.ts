import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { type Counts, NO_COUNTS, RandomCluster } from './random-cluster.ts';

const RUNS = 12;
const STEPS = 2500;
const STEPS_BETWEEN_CUTS = 250;
/** Bound: on a machine with much else to do. */
const TIMEOUT_MS = 60_000;

describe('cores with late disks, a bad network and crashes (paper figure 3)', () => {
  const seed = testSeed();

  test(
    `never disagree, read what is committed, and agree in the end (seed ${seed})`,
    () => {
      const totals: Counts = { ...NO_COUNTS };

      for (let run = 0; run < RUNS; run++) {
        const cluster = new RandomCluster(seededRandom(seed).fork(`run ${run}`));
        try {
          for (let step = 1; step <= STEPS; step++) {
            cluster.step();
            if (step % STEPS_BETWEEN_CUTS === 0) cluster.electWithoutSome();
          }
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
