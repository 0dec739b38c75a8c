/** A disk on which any call fails: once or from then on, with any error. One workload; the long run has twelve, in faults-long.test.ts. */

import type { EngineOptions } from '@kayadb/engine';
import { sized, timeoutFor } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { ERRNOS, type Thoroughness } from '../src/faults/fault-plan.ts';
import { type Chapter, CHAPTERS } from '../src/faults/fault-program.ts';
import { describeFigures, sweep, SweepFigures } from '../src/faults/fault-sweep.ts';
import { faultOptions, OPTION_SETS } from '../src/faults/option-sets.ts';
import { Findings, publishFigures } from '../src/report.ts';

/** Every kind of call that the engine makes. */
const KINDS = [
  'close',
  'diskSpace',
  'link',
  'makeDirectory',
  'open',
  'read',
  'readDirectory',
  'readFile',
  'rename',
  'size',
  'stat',
  'sync',
  'syncDirectory',
  'unlink',
  'write',
];

/** Those that only failures make. */
const UNDOING = ['removeDirectory EIO', 'truncate EIO'];

describe('a disk that fails at operation N', () => {
  test(
    'gives typed errors, is never half written, and loses and invents nothing',
    { timeout: timeoutFor(600_000) },
    async () => {
      const findings = new Findings();
      const figures = new SweepFigures();
      const run = async (chapter: Chapter, options: EngineOptions, thoroughness: Thoroughness): Promise<void> => {
        await sweep({ chapter, options, thoroughness, findings, figures, crashes: sized({ ci: 0, long: 2 }) });
        expect(findings.sentences).toEqual([]);
      };
      const most = sized({ ci: { likely: 8, unlikely: 1 }, long: { likely: Infinity, unlikely: Infinity } });
      const some = sized({ ci: { likely: 2, unlikely: 1 }, long: { likely: 50, unlikely: 5 } });

      for (const chapter of CHAPTERS) await run(chapter, faultOptions, most);
      await run(CHAPTERS[1]!, OPTION_SETS['a reserve']!, some);

      expect(figures.leakedHandles).toBe(0);
      for (const kind of KINDS) {
        for (const errno of ERRNOS) expect(figures.failed).toContain(`${kind} ${errno}`);
      }
      for (const failed of UNDOING) expect(figures.failed).toContain(failed);
      expect(figures.runs).toBeGreaterThan(sized({ ci: 1200, long: 10_000 }));
      publishFigures('faults', describeFigures(figures, findings));
    },
  );
});
