/** Disks that have no room, and disks that take no writes any more: real ones, with the kernel's own errors. */

import { seededRandom, sized, testSeed, timeoutFor } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { fillAgainAndAgain } from '../src/disks/full-disk-run.ts';
import {
  diskImageIsMissing,
  type MountedDisk,
  mountDiskImage,
  mountTmpfs,
  tmpfsIsMissing,
} from '../src/disks/mounted-disk.ts';
import { refuseAgainAndAgain } from '../src/disks/refusing-disk-run.ts';
import { WriterSupply } from '../src/kill/writer-process.ts';
import { Findings, publishFigures } from '../src/report.ts';

interface Place {
  readonly name: string;
  readonly isMissing: string | undefined;
  readonly mount: () => MountedDisk;
}

const LIVES = sized({ ci: 6, long: 150 });
const PLACES: readonly Place[] = [
  { name: 'tmpfs', isMissing: tmpfsIsMissing, mount: () => mountTmpfs(8) },
  { name: 'ext4', isMissing: diskImageIsMissing, mount: () => mountDiskImage(12) },
];

const skipped = (reason: string | undefined): string => (reason === undefined ? '' : `, skipped: ${reason}`);

describe.each(PLACES)('a store on a small disk', ({ name, isMissing, mount }) => {
  test.skipIf(isMissing)(
    `of ${name} that is full again and again loses nothing, and goes on when there is room${skipped(isMissing)}`,
    { timeout: timeoutFor(90_000) },
    async () => {
      const findings = new Findings();
      await using supply = new WriterSupply();
      using disk = mount();
      const random = seededRandom(testSeed()).fork(`full ${name}`);

      const figures = await fillAgainAndAgain({ disk, random, lives: LIVES, supply, findings });

      expect(findings.sentences).toEqual([]);
      publishFigures(`full-disk-${name}`, { ...figures, findings: findings.count });
      expect(figures.timesFull).toBeGreaterThan(LIVES / 2);
      expect(figures.writesRefused).toBeGreaterThan(LIVES);
      expect(figures.acknowledgedAfterRoomCame).toBeGreaterThan(LIVES);
      expect(figures.kills).toBeGreaterThan(0);
    },
  );
});

describe('a store on a disk that takes no writes any more', () => {
  test.skipIf(diskImageIsMissing)(
    `says so, acknowledges nothing, and has everything acknowledged before${skipped(diskImageIsMissing)}`,
    { timeout: timeoutFor(60_000) },
    async () => {
      const findings = new Findings();
      await using supply = new WriterSupply();
      const lives = sized({ ci: 4, long: 100 });
      const random = seededRandom(testSeed()).fork('refusing disk');

      const figures = await refuseAgainAndAgain({ random, lives, supply, findings });

      expect(findings.sentences).toEqual([]);
      publishFigures('read-only-disk', { ...figures, findings: findings.count });
      expect(figures.timesRefused).toBe(lives);
      expect(figures.poisoned).toBeGreaterThan(0);
      expect(figures.acknowledgedWrites).toBeGreaterThan(lives * 20);
    },
  );
});
