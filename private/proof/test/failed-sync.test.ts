/** A sync that fails, at every place that syncs: a kernel drops the pages, or keeps them and calls them clean, or tells later. */

import type { EngineOptions } from '@kayadb/engine';
import { sized, timeoutFor } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { type Chapter, CHAPTERS, REPLACING } from '../src/faults/fault-program.ts';
import { describeFigures, SweepFigures } from '../src/faults/fault-sweep.ts';
import { faultOptions, OPTION_SETS } from '../src/faults/option-sets.ts';
import { SYNC_SITES } from '../src/faults/sync-sites.ts';
import { EFFECTS, sweepSyncs, WORST } from '../src/faults/sync-sweep.ts';
import { Findings, publishFigures } from '../src/report.ts';

const [, WORKING] = CHAPTERS as readonly [Chapter, Chapter, Chapter];

describe('a sync that fails', () => {
  test(
    'is never taken for a success, at any call site: it poisons the store, or fails the copy or the opening that asked for it',
    { timeout: timeoutFor(600_000) },
    async () => {
      const findings = new Findings();
      const figures = new SweepFigures();
      const sites = new Set<string>();
      const run = async (chapter: Chapter, options: EngineOptions, isMain: boolean): Promise<void> => {
        const effects = isMain ? sized({ ci: EFFECTS.filter((_, i) => i !== 2 && i !== 3), long: EFFECTS }) : [WORST];
        const lasting = sized({ ci: isMain ? [WORST] : [], long: EFFECTS });
        const lateWrites = sized({ ci: 4, long: Infinity });
        const onlyNewSites = chapter === REPLACING;
        await sweepSyncs({ chapter, options, findings, figures, sites, effects, lasting, lateWrites, onlyNewSites });
        expect(findings.sentences).toEqual([]);
      };

      for (const chapter of CHAPTERS) await run(chapter, faultOptions, true);
      for (const name of sized({
        ci: ['interval', 'relaxed', 'external log', 'a reserve'],
        long: Object.keys(OPTION_SETS),
      })) {
        for (const chapter of sized({ ci: [WORKING], long: CHAPTERS })) await run(chapter, OPTION_SETS[name]!, false);
      }
      await run(REPLACING, { ...faultOptions, memtableBytes: 8 * 1024 * 1024 }, false);

      expect([...sites].toSorted()).toEqual(Object.keys(SYNC_SITES).toSorted());
      expect(figures.leakedHandles).toBe(0);
      expect(figures.poisonings).toBeGreaterThan(sized({ ci: 400, long: 2_000 }));
      publishFigures('failed-sync', { 'call sites of sync': sites.size, ...describeFigures(figures, findings) });
    },
  );
});
