/**
 * Opens a damaged store and reads it, and notes all that may contradict the promise: what was read, which error came, and what
 * became of the files.
 *
 * Every look opens the store for real and scans all of it. A thorough look reads in every way there is, asks `inspectStore` beforehand,
 * and lets compaction run over what is damaged.
 */

import { decodeUtf8 } from '@kayadb/codec';
import {
  CorruptionError,
  type Engine,
  type EngineOptions,
  inspectStore,
  openEngine,
  type RecoveryReport,
  type VerifyReport,
} from '@kayadb/engine';
import { type SeededRandom, seededRandom, VirtualClock } from '@kayadb/testkit';
import type { ProcessTable } from '@kayadb/vfs';
import { crashClone, fakeProcessWorld, type MemoryFileSystem } from '@kayadb/vfs/testing';

import { DIRECTORY } from '../workload/proof-world.ts';
import { applyDamage, type Damage } from './damage.ts';
import type { DamagedStore } from './damaged-store.ts';
import type { Rows } from './stored-history.ts';

export type Depth = 'scan' | 'thorough';

/** What reading in one way gave: a prefix of the rows, and what ended it early. */
export interface Reading {
  readonly how: string;
  readonly rows: Rows;
  readonly error: unknown;
}

export interface Look {
  readonly refusal: unknown;
  readonly readings: readonly Reading[];
  /** Not asked in a scan that met nothing. */
  readonly verified: VerifyReport | undefined;
  readonly durableIndex: number | undefined;
  readonly report: RecoveryReport | undefined;
  /** Files of the damaged store that opening, reading or compaction changed or removed, the lock apart. */
  readonly changedFiles: ReadonlySet<string>;
  /** Whatever else went wrong, in words. */
  readonly surprises: readonly string[];
}

/** Compaction has nothing to do by itself. */
const RESTING = { level0Tables: 64, level1Bytes: 2 ** 30 } as const;
const ROWS_AT_ONCE = 1000;

export async function lookAtStore(
  store: DamagedStore,
  damage: Damage,
  depth: Depth,
  random: SeededRandom,
): Promise<Look> {
  const disk = crashClone(store.disk, { kind: 'everything' }, () => 0);
  applyDamage(disk, damage);
  const surprises: string[] = [];
  const changedFiles = new Set<string>();
  const stop = disk.afterEachMutation(({ operation, path }) => {
    if (operation === 'sync' || operation === 'syncDirectory') return;
    for (const each of path.split(' to ')) {
      const file = each.slice(DIRECTORY.length + 1);
      if (!file.startsWith('LOCK')) changedFiles.add(file);
    }
  });
  const report = depth === 'thorough' ? await inspect(disk, surprises) : undefined;
  if (changedFiles.size > 0) surprises.push(`inspectStore changed ${[...changedFiles].join(', ')}`);
  const nothing = { readings: [], verified: undefined, durableIndex: undefined, report, changedFiles, surprises };
  let engine: Engine;
  try {
    engine = await openDamaged(disk, { ...store.options, ...RESTING });
  } catch (refusal) {
    stop();
    return { ...nothing, refusal };
  }
  const { durableIndex } = engine;
  const readings = [await scanAll(engine)];
  let verified: VerifyReport | undefined;
  if (depth === 'thorough') {
    readings.push(...(await readEveryWay(engine, store, random)));
    verified = await engine.verify();
    await closeAndCompact(engine, disk, store, surprises);
  } else {
    // The process is killed: closing well is part of a thorough look.
    if (readings[0]!.error === undefined) verified = await engine.verify();
  }
  stop();
  return { ...nothing, refusal: undefined, readings, verified, durableIndex };
}

/** Opens as a process of a machine that has booted since; a world of processes for each, so that none of them adds up. */
export function openDamaged(disk: MemoryFileSystem, options: EngineOptions): Promise<Engine> {
  const random = seededRandom(1);
  return openEngine(DIRECTORY, {
    fileSystem: disk,
    clock: new VirtualClock(),
    processes: newProcess(),
    randomBytes: (count) => random.bytes(count),
    ...options,
  });
}

let boots = 0;

function newProcess(): ProcessTable {
  return fakeProcessWorld().start({ bootId: `later-${++boots}` });
}

async function inspect(disk: MemoryFileSystem, surprises: string[]): Promise<RecoveryReport | undefined> {
  try {
    return await inspectStore(disk, DIRECTORY, { processes: newProcess(), clock: new VirtualClock() });
  } catch (error) {
    surprises.push(`inspectStore failed: ${String(error)}`);
    return undefined;
  }
}

async function readEveryWay(engine: Engine, store: DamagedStore, random: SeededRandom): Promise<readonly Reading[]> {
  const { keys } = store.history;
  const [from, to] = [random.pick(keys), random.pick(keys)].toSorted() as [string, string];
  return [
    await scanAll(engine, { reverse: true }),
    await scanAll(engine, { gte: from, lt: to }),
    ...(await getEach(engine, keys)),
    await getMany(engine, keys),
    await askSize(engine, from, to),
  ];
}

async function scanAll(
  engine: Engine,
  range: { readonly reverse?: true; readonly gte?: string; readonly lt?: string } = {},
): Promise<Reading> {
  const rows: string[] = [];
  const how = `scan ${JSON.stringify(range)}`;
  try {
    const scan = engine.scan({ ...range, keyEncoding: 'utf8', valueEncoding: 'utf8' });
    for (;;) {
      const batch = await scan.nextBatch(ROWS_AT_ONCE);
      if (batch.length === 0) return { how, rows, error: undefined };
      for (const { key, value } of batch) rows.push(`${key}=${value}`);
    }
  } catch (error) {
    return { how, rows, error };
  }
}

/** One reading for each key. */
async function getEach(engine: Engine, keys: readonly string[]): Promise<readonly Reading[]> {
  const readings: Reading[] = [];
  for (const key of keys) {
    const how = `get ${key}`;
    try {
      const value = await engine.get(key);
      readings.push({ how, rows: value === undefined ? [] : [`${key}=${decodeUtf8(value)}`], error: undefined });
    } catch (error) {
      readings.push({ how, rows: [], error });
    }
  }
  return readings;
}

async function getMany(engine: Engine, keys: readonly string[]): Promise<Reading> {
  const how = 'getMany';
  try {
    const values = await engine.getMany(keys);
    const rows = values.flatMap((value, i) => (value === undefined ? [] : [`${keys[i]!}=${decodeUtf8(value)}`]));
    return { how, rows, error: undefined };
  } catch (error) {
    return { how, rows: [], error };
  }
}

/** Its answer is an estimate; only what it throws is of interest. */
async function askSize(engine: Engine, gte: string, lt: string): Promise<Reading> {
  try {
    await engine.approximateSize({ gte, lt });
    return { how: 'approximateSize', rows: [], error: undefined };
  } catch (error) {
    return { how: 'approximateSize', rows: [], error };
  }
}

/** Opens once more with everything to compact, and asks for it: what is damaged stays where it is. */
async function closeAndCompact(
  engine: Engine,
  disk: MemoryFileSystem,
  store: DamagedStore,
  surprises: string[],
): Promise<void> {
  try {
    await engine.close();
    const again = await openDamaged(disk, store.options);
    await again.compact().catch((error: unknown) => {
      if (!(error instanceof CorruptionError)) surprises.push(`compact failed: ${String(error)}`);
    });
    await again.close();
  } catch (error) {
    if (!(error instanceof CorruptionError)) surprises.push(`closing or opening again failed: ${String(error)}`);
  }
}
