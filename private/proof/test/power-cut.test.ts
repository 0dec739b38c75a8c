/**
 * Power loss on a real file system: ext4 with its journal, on a disk image. The writer is killed, and the disk goes on as it was at that moment, without
 * what the operating system had in memory only. A disk's own cache is not part of this: what was handed to the disk counts as written.
 */

import type { Durability } from '@kayadb/engine';
import { seededRandom, sized, testSeed, timeoutFor } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { diskImageIsMissing } from '../src/disks/mounted-disk.ts';
import { PowerlessMachine } from '../src/disks/powerless-machine.ts';
import { type KillFigures, noFigures, runKills } from '../src/kill/kill-run.ts';
import { WriterSupply } from '../src/kill/writer-process.ts';
import { Findings, publishFigures } from '../src/report.ts';

const KILLS = sized({ ci: 8, long: 300 });
const KILLS_PER_STORE = sized({ ci: 8, long: 25 });
const DISK_MIB = 24;

interface PowerCuts {
  readonly findings: Findings;
  readonly figures: KillFigures;
  readonly cuts: number;
}

async function cutPower(kills: number, durability: Durability): Promise<PowerCuts> {
  const random = seededRandom(testSeed()).fork(`power cut ${durability}`);
  const findings = new Findings();
  const figures = noFigures();
  let cuts = 0;
  await using supply = new WriterSupply();
  for (let store = 0; figures.kills < kills; store++) {
    using machine = new PowerlessMachine(DISK_MIB);
    const parts = { random: random.fork(`store ${store}`), kills: Math.min(kills, KILLS_PER_STORE), durability };
    await runKills({ ...parts, machine, supply, findings, figures });
    cuts += machine.cuts;
  }
  return { findings, figures, cuts };
}

const skipped = diskImageIsMissing === undefined ? '' : `, skipped: ${diskImageIsMissing}`;

describe(`a machine with an ext4 disk whose power goes${skipped}`, () => {
  test.skipIf(diskImageIsMissing)(
    'has everything acknowledged, no half batch, and a store that opens as foretold',
    { timeout: timeoutFor(120_000) },
    async () => {
      const startMs = performance.now();

      const { findings, figures, cuts } = await cutPower(KILLS, 'strict');

      expect(findings.sentences).toEqual([]);
      publishFigures('power-cut', {
        cuts,
        ...figures,
        findings: findings.count,
        seconds: Math.round((performance.now() - startMs) / 1000),
      });
      expect(cuts).toBeGreaterThan(KILLS);
      expect(figures.acknowledgedWrites).toBeGreaterThan(KILLS * 5);
      expect(figures.recordsReplayed).toBeGreaterThan(0);
    },
  );

  test.skipIf(diskImageIsMissing)(
    'loses writes that were not synced, and the proof sees it',
    { timeout: timeoutFor(60_000) },
    async () => {
      const { findings } = await cutPower(4, 'relaxed');

      expect(findings.sentences.join('\n')).toMatch(/was acknowledged as/);
    },
  );
});
