/** As damage.test.ts, for stores that were closed in good order, and for those whose log is somebody else's. */

import { sized, timeoutFor } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { DamageRun } from '../src/damage/damage-run.ts';
import { allBits, flipDescription, flipTables, halfOfThem } from '../src/damage/flips.ts';
import { buildStore, ends } from '../src/damage/stores.ts';
import { publishFigures } from '../src/report.ts';

const pickMasks = sized({ ci: halfOfThem, long: allBits });

describe('a damaged store', () => {
  test.each(ends.slice(1))(
    'answers rightly or refuses with $log log, $end: half of the bytes flipped, all of them in the long run',
    { timeout: timeoutFor(600_000) },
    async (end) => {
      const name = `damage-flips-${end.log}-${end.end}`;
      const run = new DamageRun({ name, thoroughEvery: 50 });
      const store = await buildStore(end, sized({ ci: 160, long: 310 }));

      await flipDescription(run, store, pickMasks);
      await flipTables(run, store, { pickMasks, alone: 0.02 });

      publishFigures(name, run.figures);
      expect(run.findings.sentences).toEqual([]);
      expect(run.count('bytes flipped')).toBeGreaterThan(sized({ ci: 7000, long: 15_000 }));
    },
  );
});
