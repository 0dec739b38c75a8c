/**
 * Power loss after every change to the disk: each way the disk may look then is opened, and what it holds is
 * compared with what had been acknowledged.
 */

import { decodeUtf8 } from '@kayadb/codec';
import { describeSeed, seededRandom, testSeed } from '@kayadb/testkit';
import { type Crash, crashClones, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import type { BatchOperation, Engine, EngineOptions } from '../src/index.ts';
import { openTestEngine, testWorld, tinyOptions } from './support/open-test-engine.ts';

type State = ReadonlyMap<string, string>;

/** The states the store went through; `acknowledged` is the index of the newest one that must survive. */
interface History {
  readonly states: State[];
  acknowledged: number;
}

interface CrashPoint {
  readonly crashes: readonly Crash[];
  readonly acknowledged: number;
  readonly submitted: number;
}

/** Runs a seeded workload and calls `onMutation` after every change to the disk. */
async function runWorkload(
  disk: MemoryFileSystem,
  options: EngineOptions,
  seed: number,
  steps: number,
  onMutation: (history: History) => void,
): Promise<History> {
  const random = seededRandom(seed);
  const history: History = { states: [new Map()], acknowledged: 0 };
  const stop = disk.afterEachMutation(() => onMutation(history));
  const world = testWorld(disk);
  let engine: Engine | undefined = await openTestEngine(world, options);
  for (let i = 0; i < steps; i++) {
    const next = new Map(history.states.at(-1));
    const writes = Array.from({ length: 1 + random.int(3) }, () => ({
      key: `k${random.int(25)}`,
      value: random.chance(0.25) ? undefined : `${i}:${'x'.repeat(random.int(120))}`,
    }));
    const removed = random.chance(0.06) ? `k${random.int(3)}` : undefined;
    if (removed !== undefined) for (const key of next.keys()) if (key.startsWith(removed)) next.delete(key);
    for (const { key, value } of writes) {
      if (value === undefined) next.delete(key);
      else next.set(key, value);
    }
    history.states.push(next);
    const index = history.states.length - 1;
    const operations: BatchOperation[] = writes.map(({ key, value }) =>
      value === undefined ? { kind: 'delete', key } : { kind: 'put', key, value },
    );
    if (removed !== undefined) operations.unshift({ kind: 'delete-range', range: { prefix: removed } });
    const result = await engine.batch(operations);
    if (result.durable) history.acknowledged = index;
    if (random.chance(0.02)) await engine.compact();
    if (random.chance(0.04)) {
      await engine.flush();
      history.acknowledged = index;
    }
    if (random.chance(0.03)) {
      await engine.close();
      history.acknowledged = index;
      engine = await openTestEngine(world, options);
    }
  }
  await engine.close();
  stop();
  return history;
}

async function contentOf(engine: Engine): Promise<State> {
  const rows = new Map<string, string>();
  for await (const { key, value } of engine.scan()) rows.set(decodeUtf8(key), decodeUtf8(value));
  return rows;
}

function sameState(a: State, b: State): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}

/** Opens the crashed disk, checks it, and crashes again during a second recovery. @returns How many states were opened. */
async function checkCrash({ mode, disk }: Crash, point: CrashPoint, history: History, seed: number): Promise<number> {
  const random = seededRandom(seed).fork(mode.kind);
  let opened = 0;
  const check = async (candidate: MemoryFileSystem, where: string): Promise<void> => {
    opened++;
    const engine = await openTestEngine(testWorld(candidate), tinyOptions).catch((error: unknown) => {
      throw new Error(`${where}: does not open (${describeSeed(seed)})`, { cause: error });
    });
    const found = await contentOf(engine);
    await engine.close();
    const at = history.states.findLastIndex((state, i) => i <= point.submitted && sameState(state, found));
    if (at < point.acknowledged) {
      throw new Error(
        `${where}: holds state ${at}, acknowledged is ${point.acknowledged}, submitted ${point.submitted} (${describeSeed(seed)})`,
      );
    }
  };

  const again: MemoryFileSystem[] = [];
  const stop = disk.afterEachMutation(() => {
    if (random.chance(0.04)) again.push(...crashClones(disk, () => random.next()).map((crash) => crash.disk));
  });
  await check(disk, mode.kind);
  stop();
  for (const candidate of again) await check(candidate, `${mode.kind}, then a crash during recovery`);
  return opened;
}

describe('power loss', () => {
  test.each([
    ['strict', { ...tinyOptions, durability: 'strict' }, 0.04],
    ['relaxed', { ...tinyOptions, durability: 'relaxed' }, 0.04],
  ] as const)(
    'loses nothing acknowledged, halves no batch and always opens: %s',
    { timeout: 120_000 },
    async (_name, options, share) => {
      const seed = testSeed();
      const random = seededRandom(seed);
      const disk = new MemoryFileSystem();
      const points: CrashPoint[] = [];

      const history = await runWorkload(disk, options, seed, 250, ({ states, acknowledged }) => {
        if (!random.chance(share)) return;
        points.push({ crashes: crashClones(disk, () => random.next()), acknowledged, submitted: states.length - 1 });
      });

      let opened = 0;
      for (const point of points) {
        for (const crash of point.crashes) opened += await checkCrash(crash, point, history, seed);
      }
      expect(opened).toBeGreaterThan(4000);
    },
  );
});
