/** Random workloads on stores of many kinds: each call fails in turn, and the machine crashes after it. Twelve in the long run, two small ones in CI. */

import { seededRandom, sized, testSeed, timeoutFor } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { randomChapter } from '../src/faults/fault-program.ts';
import { describeFigures, sweep, SweepFigures } from '../src/faults/fault-sweep.ts';
import { OPTION_SETS } from '../src/faults/option-sets.ts';
import { Findings, publishFigures } from '../src/report.ts';

const NAMES = sized({ ci: ['strict', 'external log'], long: Object.keys(OPTION_SETS) });
const OPERATIONS = sized({ ci: 12, long: 40 });

describe('error at operation N, then a crash', () => {
  test('loses nothing, on any kind of store', { timeout: timeoutFor(600_000) }, async () => {
    const findings = new Findings();
    const figures = new SweepFigures();
    const seed = testSeed();
    const thoroughness = sized({ ci: { likely: 2, unlikely: 1 }, long: { likely: 30, unlikely: 4 } });

    for (const [index, name] of NAMES.entries()) {
      const chapter = randomChapter(seededRandom(seed + index), OPERATIONS);
      const named = { ...chapter, name: `${name}, ${chapter.name}` };
      await sweep({ chapter: named, options: OPTION_SETS[name]!, thoroughness, findings, figures, crashes: 3 });
      expect(findings.sentences).toEqual([]);
    }

    expect(figures.leakedHandles).toBe(0);
    expect(figures.crashesOpened).toBeGreaterThan(figures.runs);
    expect(figures.runs).toBeGreaterThan(sized({ ci: 400, long: 12_000 }));
    publishFigures('faults-long', { workloads: NAMES.length, ...describeFigures(figures, findings) });
  });
});
