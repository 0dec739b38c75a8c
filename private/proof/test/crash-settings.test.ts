/** As crash.test.ts, with weaker promises, a log of somebody else's, and other shapes of files. */

import { sized, testSeed, timeoutFor } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { type CrashSetting, crashSettings } from '../src/crash/crash-setting.ts';
import { CrashTally } from '../src/crash/crash-tally.ts';
import { proveCrashes } from '../src/crash/prove-crashes.ts';
import { Findings, publishFigures } from '../src/report.ts';

const MIN_STATES = sized({ ci: 10_000, long: 500_000 });
/** Everything that changes a disk and that an engine does. */
const MUTATIONS = ['create', 'link', 'makeDirectory', 'rename', 'sync', 'syncDirectory', 'truncate', 'unlink', 'write'];
const { relaxed, interval, mixed, external, compressed, tight, small } = crashSettings;

describe('power loss', () => {
  test(
    'leaves what each durability promises, a prefix of the writes, in a store that always opens',
    async () => {
      const tally = new CrashTally();
      const findings = new Findings();

      await proveCrashes(
        {
          name: 'crash-settings',
          settings: sized<readonly CrashSetting[]>({
            ci: [relaxed, interval, mixed, external, compressed, tight, small],
            long: [relaxed, interval, external, tight, small],
          }),
          seed: testSeed(),
          operations: sized({ ci: 250, long: 2000 }),
          modesPerPoint: sized<number | 'all'>({ ci: 2, long: 'all' }),
          sampling: { againDuringRecovery: 0.004, furtherUse: 0.02, checkpoint: 0.005 },
          untilOpened: sized({ ci: 0, long: MIN_STATES }),
        },
        tally,
        findings,
      );

      expect(findings.sentences).toEqual([]);
      publishFigures('crash-settings', tally.figures());
      expect(tally.opened).toBeGreaterThanOrEqual(MIN_STATES);
      expect(tally.missingModes).toEqual([]);
      expect([...tally.mutations.keys()].toSorted()).toEqual(MUTATIONS);
    },
    timeoutFor(600_000),
  );
});
