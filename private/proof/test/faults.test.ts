/** A disk on which any call fails: once or from then on, with any error. One workload; the long run has twelve, in faults-long.test.ts. */

import { describe, expect, test } from 'vitest';

import { ERRNOS } from '../src/faults/fault-plan.ts';
import { CHAPTERS } from '../src/faults/fault-program.ts';
import { describeFigures, sweep, SweepFigures } from '../src/faults/fault-sweep.ts';
import { faultOptions } from '../src/faults/option-sets.ts';
import { sized, timeoutFor } from '../src/proof-size.ts';
import { Findings, publishFigures } from '../src/report.ts';

/** Every kind of call that the engine makes. */
const KINDS = [
  'close',
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

describe('a disk that fails at operation N', () => {
  test(
    'gives typed errors, is never half written, and loses and invents nothing',
    { timeout: timeoutFor(600_000) },
    async () => {
      const findings = new Findings();
      const figures = new SweepFigures();
      const thoroughness = sized({ ci: { likely: 8, unlikely: 1 }, long: { likely: Infinity, unlikely: Infinity } });

      for (const chapter of CHAPTERS) {
        await sweep({
          chapter,
          options: faultOptions,
          thoroughness,
          findings,
          figures,
          crashes: sized({ ci: 0, long: 2 }),
        });
        expect(findings.sentences).toEqual([]);
      }

      expect(figures.leakedHandles).toBe(0);
      for (const kind of KINDS) {
        for (const errno of ERRNOS) expect(figures.failed).toContain(`${kind} ${errno}`);
      }
      expect(figures.runs).toBeGreaterThan(sized({ ci: 800, long: 10_000 }));
      publishFigures('faults', describeFigures(figures));
    },
  );
});
