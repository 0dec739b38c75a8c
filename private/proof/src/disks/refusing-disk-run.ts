/**
 * A file system that becomes read-only under a running store, as ext4 does when it meets an error. The store says so with typed errors, acknowledges
 * nothing more, and after power loss everything acknowledged is there.
 */

import { mkdirSync } from 'node:fs';

import { describeSeed, type SeededRandom } from '@kayadb/testkit';

import { lanePrograms } from '../kill/lane-programs.ts';
import { StoreRecord } from '../kill/store-record.ts';
import { liveOnce } from '../kill/writer-life.ts';
import type { WriterSupply } from '../kill/writer-process.ts';
import type { Findings } from '../report.ts';
import { mountDiskImage } from './mounted-disk.ts';

export interface RefusingDiskFigures {
  timesRefused: number;
  writesRefused: number;
  /** Lives in which the store said that it takes no more writes. */
  poisoned: number;
  acknowledgedWrites: number;
}

export interface RefusingDiskParts {
  readonly random: SeededRandom;
  readonly lives: number;
  readonly supply: WriterSupply;
  readonly findings: Findings;
}

const DISK_MIB = 24;
const SHAPE = { lanes: 3, stepsPerLane: 200 };
/** Bound: lines of the writer behind the opening, before the disk refuses. */
const MAX_LINES = 400;
const ALLOWED = ['KAYA_ENGINE_POISONED', 'KAYA_FS_PERMISSION', 'KAYA_IO'];

export async function refuseAgainAndAgain(parts: RefusingDiskParts): Promise<RefusingDiskFigures> {
  const { random, lives, supply, findings } = parts;
  const figures: RefusingDiskFigures = { timesRefused: 0, writesRefused: 0, poisoned: 0, acknowledgedWrites: 0 };
  const record = new StoreRecord(SHAPE.lanes);
  let disk = mountDiskImage(DISK_MIB);
  try {
    mkdirSync(disk.at('checkpoints'));
    // The last one only looks.
    for (let life = 0; life <= lives; life++) {
      const where = `(life ${life}, ${describeSeed(random.seed)})`;
      const isLast = life === lives;
      let linesLeft = isLast ? Number.POSITIVE_INFINITY : random.int(MAX_LINES);
      let isOpen = false;
      await using writer = supply.take();
      const ended = await liveOnce({
        writer,
        orders: {
          directory: disk.at('store'),
          checkpoints: disk.at('checkpoints'),
          durability: 'strict',
          announces: false,
          life,
          lanes: isLast ? [] : lanePrograms(random.fork(`life ${life}`), life, SHAPE),
        },
        record,
        findings,
        where,
        allowed: isLast ? [] : ALLOWED,
        onLine(line) {
          if (line.kind === 'opened') isOpen = true;
          if (!isOpen || linesLeft-- !== 0) return;
          disk.refuseWrites();
          figures.timesRefused++;
        },
      });
      if (ended.isClosed !== isLast) {
        findings.add(`the store was ${ended.isClosed ? '' : 'not '}closed in good order ${where}`);
      }
      if (ended.refusals.some(({ code }) => code === 'KAYA_ENGINE_POISONED')) figures.poisoned++;
      const next = disk.copyAsAfterPowerLoss();
      disk[Symbol.dispose]();
      disk = next;
    }
  } finally {
    disk[Symbol.dispose]();
  }
  figures.writesRefused = record.refusedWrites;
  figures.acknowledgedWrites = record.acknowledgedWrites;
  return figures;
}
