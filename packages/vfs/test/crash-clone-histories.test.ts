/** Crash clones after random histories: what they all have in common, and agreement with a plain model. */

import { decodeUtf8, encodeUtf8 } from '@kayadb/codec';
import { seededRandom, testSeed } from '@kayadb/testkit';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { crashClone, crashClones, crashModes, type MemoryFileSystem } from '../src/testing/index.ts';
import {
  describeDisk,
  FILES,
  folderOf,
  FOLDERS,
  history,
  openTree,
  PlainDurability,
  type Step,
  takeStep,
  takeSteps,
} from './random-history.ts';

/** A rename between folders may be durable before both folders are synced, which the plain model does not know. */
function staysInFolder(step: Step): boolean {
  return step.kind !== 'rename' || folderOf(step.path) === folderOf(step.to);
}

/** One disk for every way to crash now. */
function everyCrash(fs: MemoryFileSystem, random: () => number): readonly MemoryFileSystem[] {
  return crashModes(fs, random).map((mode) => crashClone(fs, mode, random));
}

describe('crash clones of random histories', () => {
  test('hold exactly what a plain model calls durable, when nothing unsynced survives', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const fs = await openTree();
        const model = new PlainDurability();

        for (const [index, step] of steps.filter(staysInFolder).entries()) {
          await takeStep(fs, step, index + 1);
          model.take(step, index + 1);

          const disk = crashClone(fs, { kind: 'nothing-unsynced' }, () => 0);
          expect(await describeDisk(disk)).toBe(model.describe());
        }
      }),
      { seed: testSeed(), numRuns: 200 },
    );
  });

  test('all agree once everything is synced', async () => {
    const seed = testSeed();
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const random = seededRandom(seed);
        const fs = await openTree();
        await takeSteps(fs, steps);
        for (const path of FILES) {
          if ((await fs.stat(path)) !== undefined) await takeStep(fs, { kind: 'sync', path }, 0);
        }
        for (const path of FOLDERS) await fs.syncDirectory(path);
        const current = await describeDisk(fs);

        const disks = crashClones(fs, () => random.next()).map(({ disk }) => describeDisk(disk));

        expect(new Set(await Promise.all(disks))).toEqual(new Set([current]));
      }),
      { seed, numRuns: 150 },
    );
  });

  test('leave the original as it is and are left alone by it', async () => {
    const seed = testSeed();
    await fc.assert(
      fc.asyncProperty(history, history, async (steps, more) => {
        const fs = await openTree();
        await takeSteps(fs, steps);
        const before = await describeDisk(fs);
        const random = seededRandom(seed);
        const kinds = ['everything', 'names-lost', 'anything'] as const;

        const disks = kinds.map((kind) => crashClone(fs, { kind }, () => random.next()));
        const found = await Promise.all(disks.map(describeDisk));
        await takeSteps(disks[0]!, more, 100);

        expect(found[0]).toBe(before);
        expect(await describeDisk(fs)).toBe(before);
        await takeSteps(fs, more, 200);
        expect(await Promise.all(disks.slice(1).map(describeDisk))).toEqual(found.slice(1));
      }),
      { seed, numRuns: 100 },
    );
  });

  test('are the same disk for the same random numbers', async () => {
    const seed = testSeed();
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const fs = await openTree();
        await takeSteps(fs, steps);
        const first = seededRandom(seed);
        const second = seededRandom(seed);

        const one = await Promise.all(everyCrash(fs, () => first.next()).map(describeDisk));
        const two = await Promise.all(everyCrash(fs, () => second.next()).map(describeDisk));

        expect(two).toEqual(one);
      }),
      { seed, numRuns: 50 },
    );
  });

  test('keep a synced file that nobody touched since, at every moment', async () => {
    const seed = testSeed();
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const random = seededRandom(seed);
        const fs = await openTree();
        const handle = await fs.open('/kept', 'create');
        await handle.write(encodeUtf8('durable'), 600);
        await handle.sync();
        await fs.syncDirectory('/');
        const disks: MemoryFileSystem[] = [];
        fs.afterEachMutation(() => {
          disks.push(...everyCrash(fs, () => random.next()));
        });

        await takeSteps(fs, steps);

        const contents = await Promise.all(disks.map((disk) => disk.readFile('/kept')));
        const others = contents.map(decodeUtf8).filter((text) => text !== `${'\0'.repeat(600)}durable`);
        expect(others).toEqual([]);
      }),
      { seed, numRuns: 60 },
    );
  });
});
