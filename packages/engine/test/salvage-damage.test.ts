/** Random damage to random stores whose history is known: what a plan says and a salvage writes is true. */

import { isDeepStrictEqual } from 'node:util';

import { seededRandom, testSeed } from '@kayadb/testkit';
import { crashClone, type MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import {
  EngineError,
  planRecovery,
  type RecoveryPlan,
  type SalvagePolicy,
  type SalvageReport,
  salvageStore,
  type WayOut,
} from '../src/index.ts';
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

const ROUNDS = Number(process.env['KAYA_SALVAGE_ROUNDS'] ?? 25);
const TIMEOUT_MS = 60_000 + 2000 * ROUNDS;

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
  // Edits that are lost take nothing from a state before them.
  const ofState = { ...wayOut, losses: wayOut.losses.filter(({ kind }) => kind !== 'manifest') };
  for (const [key, { sequence }] of model) {
    if (!rows.has(key) && !admits(ofState, key, sequence)) sentences.push(`${key} at ${sequence} is lost in silence`);
  }
  return sentences.map((sentence) => `provable: ${sentence}`);
}

/** Rows of `newest-found` that were never written, or that it lacks without saying so. */
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
  return sentences.map((sentence) => `newest: ${sentence}`);
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
  for (const loss of waysOut.filter(({ kind }) => kind === 'salvage').flatMap((way) => way.losses)) {
    const { kind, file, offset } = loss;
    const what = `${kind} of ${file} at ${offset}`;
    if (kind === 'log' && (loss.lastSequence ?? 0) > lastSequence)
      sentences.push(`${what} holds what was never written`);
    const isJudged = kind === 'block' || (kind === 'table' && basis !== 'tables');
    // A manifest that is not the last one may name tables that were given up long ago.
    if (!isJudged || !live.has(file)) continue;
    const there = await entriesIn(pristine, file, offset, kind === 'block' ? 'one' : 'all');
    if (there === undefined) {
      sentences.push(`${what}: there is no such block`);
      continue;
    }
    sentences.push(...there.filter((entry) => !holds(loss, entry)).map(({ key }) => `${what}: ${key} is outside`));
    if (loss.entryCount !== null && loss.entryCount !== there.length) {
      sentences.push(`${what}: ${loss.entryCount} entries instead of ${there.length}`);
    }
  }
  return sentences;
}

/** Where a plan promised something else than the salvage did. */
function judgePlan({ waysOut }: RecoveryPlan, done: readonly Salvaged[]): readonly string[] {
  const promised = new Map<SalvagePolicy | null, WayOut>(waysOut.map((way) => [way.policy, way]));
  return done.flatMap(({ report, rows }) => {
    const { policy, wayOut, rowCount } = report;
    const way = promised.get(policy);
    const isKept = way === undefined || isDeepStrictEqual(way, wayOut);
    return [
      ...(isKept ? [] : [`${policy}: the plan said ${JSON.stringify(way)}, and it was ${JSON.stringify(wayOut)}`]),
      ...(rows.size === rowCount ? [] : [`${policy}: ${rowCount} rows were said, and there are ${rows.size}`]),
    ];
  });
}

interface Round {
  /** `undefined` when nothing of a store was left. */
  readonly basis: string | undefined;
  readonly sentences: readonly string[];
}

async function tryRound(seed: number): Promise<Round> {
  const { disk, history } = await randomStore(seed);
  const pristine = crashClone(disk, { kind: 'everything' }, () => 0);
  const done = await damage(disk, seededRandom(seed ^ 0x5a5a));
  const before = await contentOf(disk, DIRECTORY);
  const planned = await plan(disk).catch((error: unknown) => error);
  if (planned instanceof EngineError && planned.code === 'KAYA_NOTHING_TO_SALVAGE') {
    return { basis: undefined, sentences: [] };
  }
  if (planned instanceof Error) throw planned;
  const made = planned as RecoveryPlan;
  const provable = await salvage(disk, 'provable');
  const newest = await salvage(disk, 'newest-found');
  const { lastSequence } = provable.report.wayOut;
  const isLogHarmed = done.some((what) => /wal|MANIFEST|CURRENT/.test(what));
  const sentences = [
    ...judgeProvable(provable, history),
    // A log that is cut between two records looks like one that ends there.
    ...judgeNewest(newest, history, !done.some((what) => what.includes('.wal'))),
    ...(await judgeLosses(pristine, made, history.length)),
    ...judgePlan(made, [provable, newest]),
    ...(isLogHarmed || lastSequence === history.length
      ? []
      : [`it proves ${lastSequence} of ${history.length} writes`]),
    ...(isDeepStrictEqual(await contentOf(disk, DIRECTORY), before) ? [] : ['the old directory was changed']),
  ];
  return { basis: made.basis, sentences: sentences.map((each) => `seed ${seed}, ${done.join('; ')}: ${each}`) };
}

describe('salvageStore', () => {
  test(
    'salvages an undamaged store whole, and says of nothing that it is lost',
    async () => {
      const firstSeed = testSeed();
      for (let seed = firstSeed; seed < firstSeed + 4; seed++) {
        const { disk, history } = await randomStore(seed);

        const { waysOut } = await plan(disk);
        const { report, rows } = await salvage(disk, 'provable');

        const model = rowsAt(history, history.length);
        const expected = Object.fromEntries([...model].map(([key, { value }]) => [key, value]));
        expect(Object.fromEntries(rows), `seed ${seed}`).toEqual(expected);
        const whole = { losses: [], doubtfulCount: 0, lastSequence: history.length };
        expect(report.wayOut, `seed ${seed}`).toMatchObject(whole);
        expect(waysOut.map(({ kind }) => kind)).toEqual(['open', 'salvage']);
      }
    },
    TIMEOUT_MS,
  );

  test(
    'writes only what is right after any damage, and admits what is missing',
    async () => {
      const firstSeed = testSeed() + 1000;
      const bases = new Set<string | undefined>();
      for (let seed = firstSeed; seed < firstSeed + ROUNDS; seed++) {
        const { basis, sentences } = await tryRound(seed);

        bases.add(basis);
        expect(sentences).toEqual([]);
      }
      expect(bases).toEqual(new Set([...bases, 'current', 'other-manifest', 'tables']));
    },
    TIMEOUT_MS,
  );
});
