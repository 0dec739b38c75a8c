/**
 * `kill -9` of a writing process on a real disk. What was acknowledged is recorded by this process, not by the one that is killed. A kill leaves the
 * page cache as it was, so this shows what process death does; power loss is tried in crash.test.ts and power-cut.test.ts.
 */

import { seededRandom, sized, testSeed, timeoutFor } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { FolderMachine } from '../src/kill/folder-machine.ts';
import { noFigures, runKills } from '../src/kill/kill-run.ts';
import { WriterSupply } from '../src/kill/writer-process.ts';
import { Findings, publishFigures } from '../src/report.ts';

const KILLS = sized({ ci: 50, long: 2000 });
/** Each store is killed this often, then a new one begins. */
const KILLS_PER_STORE = 25;
const STORES_PER_REPORT = 2;

describe('a writing process that is killed', () => {
  test(
    'leaves everything acknowledged, no half batch, and a store that opens as foretold',
    { timeout: timeoutFor(300_000) },
    async () => {
      const startMs = performance.now();
      const random = seededRandom(testSeed()).fork('kill');
      const findings = new Findings();
      const figures = noFigures();
      await using supply = new WriterSupply();

      for (let store = 0; store < KILLS / KILLS_PER_STORE; store++) {
        using machine = new FolderMachine();
        const parts = { random: random.fork(`store ${store}`), kills: KILLS_PER_STORE, supply, findings, figures };
        await runKills({ ...parts, machine });
        expect(findings.sentences).toEqual([]);
        // A long run that is cut short has figures too.
        if (store % STORES_PER_REPORT === 1) {
          publishFigures('kill', {
            ...figures,
            findings: findings.count,
            seconds: Math.round((performance.now() - startMs) / 1000),
          });
        }
      }

      expect(figures.kills).toBeGreaterThanOrEqual(KILLS);
      expect(Object.entries(figures).filter(([what, count]) => count === 0 && what !== 'tornTails')).toEqual([]);
      expect(figures.acknowledgedWrites).toBeGreaterThan(KILLS * 20);
    },
  );
});
