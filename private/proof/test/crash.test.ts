/**
 * The power goes after every change that a workload makes to the disk; every store that is left opens and has what it owes.
 * Settings other than these are in crash-settings.test.ts, so that both run at once.
 */

import { sized, testSeed, timeoutFor } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { type CrashSetting, crashSettings } from '../src/crash/crash-setting.ts';
import { CrashTally } from '../src/crash/crash-tally.ts';
import { proveCrashes } from '../src/crash/prove-crashes.ts';
import { Findings, publishFigures } from '../src/report.ts';

const OPERATIONS = 2000;
const MIN_STATES = sized({ ci: 12_000, long: 500_000 });
const { strict, mixed, compressed } = crashSettings;

describe('power loss with strict writes', () => {
  test(
    'loses nothing acknowledged, halves no batch, brings nothing back and always opens',
    async () => {
      const tally = new CrashTally();
      const findings = new Findings();

      await proveCrashes(
        {
          name: 'crash',
          settings: sized<readonly CrashSetting[]>({ ci: [strict], long: [strict, mixed, compressed] }),
          seed: testSeed(),
          operations: OPERATIONS,
          modesPerPoint: sized<number | 'all'>({ ci: 2.5, long: 'all' }),
          sampling: { againDuringRecovery: 0.004, furtherUse: 0.02, checkpoint: 0.005 },
          untilOpened: sized({ ci: 0, long: MIN_STATES }),
        },
        tally,
        findings,
      );

      expect(findings.sentences).toEqual([]);
      publishFigures('crash', tally.figures());
      expect(tally.opened).toBeGreaterThanOrEqual(MIN_STATES);
      expect(tally.operations).toBeGreaterThanOrEqual(OPERATIONS);
      expect(tally.missingModes).toEqual([]);
      const { openedAtDepth, checkpointsOpened, verified, writtenAndReopened } = tally;
      expect(Math.min(...openedAtDepth)).toBeGreaterThan(MIN_STATES / 200);
      expect(Math.min(checkpointsOpened, verified, writtenAndReopened)).toBeGreaterThan(MIN_STATES / 200);
    },
    timeoutFor(600_000),
  );
});
