/** Random damage to random stores whose history is known: what a plan says and a salvage writes is true. */

import { seededRandom, testSeed } from '@kayadb/testkit';
import { crashClone, type MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { planRecovery, type RecoveryPlan, salvageStore, type SalvagePolicy, type SalvageReport } from '../src/index.ts';
import { contentOf, reportOn } from './support/directories.ts';
import { DIRECTORY, testWorld } from './support/open-test-engine.ts';
import {
  admits,
  damage,
  entriesIn,
  holds,
  openSalvaged,
  type PastStore,
  randomStore,
  readRows,
  rowsAt,
  TARGET,
} from './support/salvage-world.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 40);
const SEED = testSeed() + Number(process.env['FROM'] ?? 0);

interface Salvaged {
  readonly report: SalvageReport;
  readonly rows: ReadonlyMap<string, string>;
}

async function salvage(disk: MemoryFileSystem, policy: SalvagePolicy): Promise<Salvaged> {
  const { clock, nextProcess } = testWorld(disk);
  const random = seededRandom(7);
  const report = await salvageStore(disk, DIRECTORY, TARGET, {
    policy,
    clock,
    processes: nextProcess(),
    showKeys: true,
    randomBytes: (count) => random.bytes(count),
  });
  const engine = await openSalvaged(disk);
  const rows = await readRows(engine);
  await engine.close();
  for (const { name } of await disk.readDirectory(TARGET)) await disk.unlink(`${TARGET}/${name}`);
  await disk.removeDirectory(TARGET);
  return { report, rows };
}

function plan(disk: MemoryFileSystem): Promise<RecoveryPlan> {
  const { clock, nextProcess } = testWorld(disk);
  return planRecovery(disk, DIRECTORY, { clock, processes: nextProcess(), showKeys: true });
}

/** Rows that `provable` has and should not have, or lacks without saying so. */
function judgeProvable({ report, rows }: Salvaged, history: PastStore['history']): readonly string[] {
  const { wayOut } = report;
  const model = rowsAt(history, wayOut.lastSequence!);
  const sentences: string[] = [];
  for (const [key, value] of rows) {
    if (model.get(key)?.value !== value) sentences.push(`${key} is ${value} and was ${model.get(key)?.value}`);
  }
  const ofState = { ...wayOut, losses: wayOut.losses.filter(({ kind }) => kind !== 'manifest') };
  for (const [key, { sequence }] of model) {
    if (!rows.has(key) && !admits(ofState, key, sequence)) sentences.push(`${key} at ${sequence} is lost in silence`);
  }
  return sentences;
}

/** Rows of `newest-found` that were never written, or rows that it lacks without saying so. */
function judgeNewest(
  { report, rows }: Salvaged,
  history: PastStore['history'],
  isEndKnown: boolean,
): readonly string[] {
  const sentences: string[] = [];
  const written = new Set(history.map(({ key, value }) => `${key}=${value}`));
  for (const [key, value] of rows) if (!written.has(`${key}=${value}`)) sentences.push(`${key} was never ${value}`);
  if (!isEndKnown) return sentences;
  for (const [key, { value, sequence }] of rowsAt(history, history.length)) {
    if (rows.get(key) !== value && !admits(report.wayOut, key, sequence)) {
      sentences.push(`${key} at ${sequence} is lost in silence`);
    }
  }
  return sentences;
}

/** Losses in tables that are not what the undamaged table held there. */
async function judgeLosses(
  pristine: MemoryFileSystem,
  { basis, waysOut }: RecoveryPlan,
  lastSequence: number,
): Promise<readonly string[]> {
  const sentences: string[] = [];
  const { files } = await reportOn(pristine, DIRECTORY);
  const live = new Set(files.filter(({ level }) => level !== null).map(({ name }) => name));
  const losses = waysOut.filter(({ kind }) => kind === 'salvage').flatMap((way) => way.losses);
  for (const loss of losses) {
    const { kind, file, offset } = loss;
    const what = `${kind} of ${file} at ${offset}`;
    if (kind === 'log' && (loss.lastSequence ?? 0) > lastSequence)
      sentences.push(`${what} holds what was never written`);
    if (kind !== 'block' && (kind !== 'table' || basis === 'tables')) continue;
    // A manifest that is not the last one may name tables that were given up long ago.
    if (!live.has(file)) continue;
    const there = await entriesIn(pristine, file, kind === 'block' ? offset : undefined);
    if (there === undefined) sentences.push(`${what}: there is no such block`);
    else sentences.push(...there.filter((entry) => !holds(loss, entry)).map(({ key }) => `${what}: ${key} is outside`));
    if (there !== undefined && loss.entryCount !== null && loss.entryCount !== there.length) {
      sentences.push(`${what}: ${loss.entryCount} entries instead of ${there.length}`);
    }
  }
  return sentences;
}

describe('salvageStore', () => {
  test('an undamaged store is salvaged whole, and nothing is said to be lost', async () => {
    for (let round = 0; round < 6; round++) {
      const seed = SEED + round;
      const { disk, history } = await randomStore(seed);

      const { waysOut } = await plan(disk);
      const { report, rows } = await salvage(disk, 'provable');

      const model = rowsAt(history, history.length);
      expect([...rows], `seed ${seed}`).toEqual([...model].map(([key, { value }]) => [key, value]).toSorted());
      expect(report.wayOut, `seed ${seed}`).toMatchObject({
        losses: [],
        doubtfulCount: 0,
        lastSequence: history.length,
      });
      expect(waysOut.map(({ kind }) => kind)).toEqual(['open', 'salvage']);
    }
  }, 60_000);

  test('after any damage every row is right, and what is missing is admitted', async () => {
    const bases = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round++) {
      const seed = SEED + 1000 + round;
      const { disk, history } = await randomStore(seed);
      const pristine = crashClone(disk, { kind: 'everything' }, () => 0);
      const random = seededRandom(seed ^ 0x5a5a);
      const done = await damage(disk, random);
      const before = await contentOf(disk, DIRECTORY);
      const context = `seed ${seed}: ${done.join('; ')}`;

      const planned = await plan(disk).catch((error: unknown) => error as Error);
      if (planned instanceof Error) {
        expect(planned, context).toMatchObject({ code: 'KAYA_NOTHING_TO_SALVAGE' });
        continue;
      }
      const provable = await salvage(disk, 'provable');
      const newest = await salvage(disk, 'newest-found');

      bases.set(planned.basis, (bases.get(planned.basis) ?? 0) + 1);
      expect(judgeProvable(provable, history), `provable, ${context}`).toEqual([]);
      // A log that is cut between two records looks like one that ends there.
      const isEndKnown = !done.some((what) => /wal/.test(what));
      expect(judgeNewest(newest, history, isEndKnown), `newest, ${context}`).toEqual([]);
      expect(await judgeLosses(pristine, planned, history.length), context).toEqual([]);
      const isLogWhole = !done.some((what) => /wal|MANIFEST|CURRENT/.test(what));
      if (isLogWhole) expect(provable.report.wayOut.lastSequence, context).toBe(history.length);
      expect(provable.rows.size, context).toBe(provable.report.rowCount);
      expect(newest.rows.size, context).toBe(newest.report.rowCount);
      const ways = planned.waysOut.filter(({ kind }) => kind === 'salvage');
      expect(
        ways.find(({ policy }) => policy === 'provable'),
        context,
      ).toEqual(provable.report.wayOut);
      const plannedNewest = ways.find(({ policy }) => policy === 'newest-found');
      if (plannedNewest !== undefined) expect(plannedNewest, context).toEqual(newest.report.wayOut);
      expect(await contentOf(disk, DIRECTORY), context).toEqual(before);
    }
    expect([...bases.keys()].toSorted()).toEqual(['current', 'other-manifest', 'tables']);
  }, 600_000);
});
