/** The power goes after every change that a storage makes to its disk; whatever is left opens, and has what was promised. */

import { breathe, publishFigures, seededRandom, sized, testSeed, timeoutFor } from '@kayadb/testkit';
import { crashModes } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { type CrashTally, StorageCrashCheck } from './crash/storage-crash-check.ts';
import { StorageWorkload, type WorkloadTally } from './crash/storage-workload.ts';

const MIN_STATES = sized({ ci: 20_000, long: 500_000 });
const OPERATIONS = 60;
/** Of the ways to crash at each moment, so many. */
const MODES_PER_POINT = sized({ ci: 6, long: Number.POSITIVE_INFINITY });
const SAMPLING = { duringRecovery: 0.04, afterOpening: 0.15, furtherUse: 0.05 };
const RESULTS = new URL('../results/', import.meta.url);

describe('a storage that loses power', () => {
  test(
    'loses nothing promised, forgets no vote, halves no step, brings nothing back and always opens',
    { timeout: timeoutFor(600_000) },
    async () => {
      const seed = testSeed();
      const tally: CrashTally = {
        opened: 0,
        openedAtDepth: [],
        alike: 0,
        crashedAfterOpening: 0,
        usedFurther: 0,
        modes: new Set(),
        failures: [],
      };
      const totals: Partial<WorkloadTally> = {};

      for (let round = 0; tally.opened < MIN_STATES && tally.failures.length === 0; round++) {
        const random = seededRandom(seed + round);
        const workload = new StorageWorkload(random.fork('workload'));
        await workload.run(OPERATIONS).catch((error: unknown) => tally.failures.push(`the workload: ${String(error)}`));
        for (const [name, count] of Object.entries(workload.tally)) {
          const key = name as keyof WorkloadTally;
          totals[key] = (totals[key] ?? 0) + count;
        }
        const check = new StorageCrashCheck(workload.history, random.fork('crash'), SAMPLING, tally);
        for (const point of workload.points) {
          const modes = random.shuffle(crashModes(point.disk, () => random.next()));
          for (const mode of modes.slice(0, MODES_PER_POINT)) await check.check(point, mode);
          await breathe();
        }
        tally.failures.splice(
          0,
          tally.failures.length,
          ...tally.failures.map((text) => `seed ${seed + round}: ${text}`),
        );
      }

      expect(tally.failures).toEqual([]);
      const { opened: states, alike, crashedAfterOpening, usedFurther } = tally;
      const [opened = 0, duringRecovery = 0, duringSecondRecovery = 0] = tally.openedAtDepth;
      const reached = { opened, duringRecovery, duringSecondRecovery, crashedAfterOpening, usedFurther };
      const figures = { states, ...reached, alike, modes: tally.modes.size, ...totals };
      publishFigures('raft-storage-crash', figures, RESULTS);
      expect(states).toBeGreaterThanOrEqual(MIN_STATES);
      expect(tally.modes.size).toBe(14);
      expect(Math.min(...Object.values(reached))).toBeGreaterThan(MIN_STATES / 200);
      expect(Math.min(...Object.values(totals))).toBeGreaterThan(10);
    },
  );
});
