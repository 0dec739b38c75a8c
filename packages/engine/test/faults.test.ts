/** The disk that fails: at every call in turn, at every sync, when it is full. docs/internals/durability.md names these tests. */

import { decodeUtf8, KayaError } from '@kayadb/codec';
import { FileSystemError } from '@kayadb/vfs';
import { crashClone, type Fault, FaultyFileSystem, MemoryFileSystem, type OperationKind } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import type { Engine, EngineEvent } from '../src/index.ts';
import { openTestEngine, testWorld, tinyOptions } from './support/open-test-engine.ts';

interface Outcome {
  readonly acknowledged: ReadonlyMap<string, string>;
  /** Keys of writes that were refused: whether they are there is open. */
  readonly unknown: ReadonlySet<string>;
  readonly errors: readonly unknown[];
}

/** Opens, writes through flushes and compactions, closes; goes on after errors. Every key is written once. */
async function runScript(disk: FaultyFileSystem): Promise<Outcome> {
  const acknowledged = new Map<string, string>();
  const unknown = new Set<string>();
  const errors: unknown[] = [];
  const attempt = async <Result>(work: () => Promise<Result>): Promise<Result | undefined> => {
    try {
      return await work();
    } catch (error) {
      errors.push(error);
      return undefined;
    }
  };
  const world = testWorld(disk);
  for (let round = 0; round < 2; round++) {
    const engine = await attempt(() => openTestEngine(world, tinyOptions));
    if (engine === undefined) continue;
    for (let i = 0; i < 40; i++) {
      const key = `r${round}k${i}`;
      const value = `${key}:${'v'.repeat(100)}`;
      const result = await attempt(() => engine.put(key, value));
      if (result === undefined) unknown.add(key);
      else acknowledged.set(key, value);
    }
    await attempt(() => engine.close());
  }
  return { acknowledged, unknown, errors };
}

async function contentOf(engine: Engine): Promise<Map<string, string>> {
  const rows = new Map<string, string>();
  for await (const { key, value } of engine.scan()) rows.set(decodeUtf8(key), decodeUtf8(value));
  return rows;
}

/** After the fault and a power loss, the store opens and holds what was acknowledged and nothing unheard of. */
async function checkSurvivors(
  memory: MemoryFileSystem,
  { acknowledged, unknown }: Outcome,
  what: string,
): Promise<void> {
  const after = crashClone(memory, { kind: 'nothing-unsynced' }, () => 0);
  after.setCapacity(undefined);
  const engine = await openTestEngine(testWorld(after), tinyOptions);
  const found = await contentOf(engine);
  await engine.close();
  const lost = [...acknowledged].filter(([key, value]) => found.get(key) !== value).map(([key]) => key);
  const invented = [...found.keys()].filter((key) => !acknowledged.has(key) && !unknown.has(key));
  expect({ what, lost, invented }).toEqual({ what, lost: [], invented: [] });
}

async function countOperations(kinds?: readonly OperationKind[]): Promise<number> {
  const disk = new FaultyFileSystem(new MemoryFileSystem());
  const { errors } = await runScript(disk);
  expect(errors).toEqual([]);
  return disk.countOf(kinds);
}

describe('a disk that fails at operation N', () => {
  test.each([
    ['EIO', false],
    ['EIO', true],
    ['ENOSPC', false],
    ['ENOSPC', true],
    ['EMFILE', false],
  ] as const)(
    'gives typed errors and loses nothing acknowledged: %s, forever %s',
    { timeout: 120_000 },
    async (errno, forever) => {
      const total = await countOperations();
      for (let at = 1; at <= total; at++) {
        const memory = new MemoryFileSystem();
        const disk = new FaultyFileSystem(memory, [{ at, forever, effect: { kind: 'fail', errno } }]);

        const outcome = await runScript(disk);

        const untyped = outcome.errors.filter(
          (error) => !(error instanceof KayaError) && !(error instanceof AggregateError),
        );
        expect(untyped, `${errno} at ${at}`).toEqual([]);
        await checkSurvivors(memory, outcome, `${errno} at operation ${at} of ${total}`);
      }
      expect(total).toBeGreaterThan(200);
    },
  );

  test('undoes a short write', { timeout: 60_000 }, async () => {
    const total = await countOperations(['write']);
    for (let at = 1; at <= total; at++) {
      for (const errno of ['ENOSPC', 'EIO']) {
        const memory = new MemoryFileSystem();
        const effect: Fault['effect'] = { kind: 'short-write', bytes: 20, errno };

        const outcome = await runScript(new FaultyFileSystem(memory, [{ at, effect }]));

        expect(outcome.errors.length, `${errno} at write ${at}`).toBeLessThan(100);
        await checkSurvivors(memory, outcome, `short write, ${errno} at write ${at} of ${total}`);
      }
    }
  });
});

describe('a sync that fails', () => {
  test.each(['dropped', 'clean'] as const)(
    'is never taken for a success later, pages %s',
    { timeout: 60_000 },
    async (pages) => {
      const total = await countOperations(['sync']);
      for (let at = 1; at <= total; at++) {
        const memory = new MemoryFileSystem();
        const effect: Fault['effect'] = { kind: 'failed-sync', pages, errno: 'EIO' };

        const outcome = await runScript(new FaultyFileSystem(memory, [{ at, effect }]));

        expect(outcome.errors.length, `sync ${at} of ${total}`).toBeGreaterThan(0);
        await checkSurvivors(memory, outcome, `failed sync ${at} of ${total}, pages ${pages}`);
      }
    },
  );

  test('poisons the store: writes fail with the cause, reads go on, nothing is removed', async () => {
    const memory = new MemoryFileSystem();
    const disk = new FaultyFileSystem(memory);
    const events: EngineEvent[] = [];
    const engine = await openTestEngine(testWorld(disk), {
      ...tinyOptions,
      onEvent: (event) => void events.push(event),
    });
    await engine.put('before', '1');
    disk.inject({ at: 1, effect: { kind: 'failed-sync', pages: 'clean', errno: 'EIO' } });

    await expect(engine.put('during', '2')).rejects.toMatchObject({ code: 'KAYA_ENGINE_POISONED' });

    await expect(engine.put('after', '3')).rejects.toMatchObject({ code: 'KAYA_ENGINE_POISONED' });
    await expect(engine.flush()).rejects.toMatchObject({ code: 'KAYA_ENGINE_POISONED' });
    expect(decodeUtf8((await engine.get('before'))!)).toBe('1');
    expect(await engine.get('during')).toBeUndefined();
    expect(events.filter(({ kind }) => kind === 'poisoned')).toHaveLength(1);
    await expect(engine.close()).rejects.toMatchObject({ code: 'KAYA_ENGINE_POISONED' });
  });
});

describe('a poisoned store', () => {
  test('removes no file any more, not even one that nothing needs', async () => {
    const memory = new MemoryFileSystem();
    const disk = new FaultyFileSystem(memory);
    const engine = await openTestEngine(testWorld(disk), tinyOptions);
    for (let i = 0; i < 40; i++) await engine.put(`k${i}`, 'old'.repeat(30));
    await engine.flush();
    const scan = engine.scan();
    await scan.next();
    for (let i = 0; i < 40; i++) await engine.put(`k${i}`, 'new'.repeat(30));
    await engine.flush();
    await settle();
    disk.inject({ at: 1, effect: { kind: 'failed-sync', pages: 'clean', errno: 'EIO' } });
    await expect(engine.put('k', 'v')).rejects.toMatchObject({ code: 'KAYA_ENGINE_POISONED' });
    const before = await memory.readDirectory('/db');
    expect(before.filter(({ name }) => name.endsWith('.sst')).length).toBeGreaterThan(engine.stats().tableCount);

    await scan.return();
    await settle();

    expect(await memory.readDirectory('/db')).toEqual(before);
    await expect(engine.close()).rejects.toMatchObject({ code: 'KAYA_ENGINE_POISONED' });
  });
});

/** Lets background work come to rest. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

async function writeUntilRefused(engine: Engine, acknowledged: string[]): Promise<unknown> {
  for (let i = 0; i < 2000; i++) {
    try {
      await engine.put(`k${i}`, 'v'.repeat(200));
    } catch (error) {
      return error;
    }
    acknowledged.push(`k${i}`);
  }
  return undefined;
}

describe('a full disk', () => {
  test('refuses writes with a typed error, serves reads, and takes writes again when there is room', async () => {
    const memory = new MemoryFileSystem({ capacityBytes: 64 * 1024 });
    const world = testWorld(memory);
    const engine = await openTestEngine(world, tinyOptions);
    const acknowledged: string[] = [];
    const refusal = await writeUntilRefused(engine, acknowledged);

    expect(refusal).toBeInstanceOf(FileSystemError);
    expect(refusal).toMatchObject({ code: 'KAYA_DISK_FULL' });
    expect(await engine.get(acknowledged[0]!)).toBeDefined();

    memory.setCapacity(undefined);
    await engine.put('room', 'again');
    await engine.close();
    const reopened = await openTestEngine(world, tinyOptions);
    const found = await contentOf(reopened);
    await reopened.close();
    expect(acknowledged.filter((key) => !found.has(key))).toEqual([]);
    expect(found.get('room')).toBe('again');
  });
});

describe('a read-only disk', () => {
  test('is refused with a sentence', async () => {
    const memory = new MemoryFileSystem();
    const world = testWorld(memory);
    await (await openTestEngine(world)).close();
    memory.setReadOnly(true);

    await expect(openTestEngine(world)).rejects.toMatchObject({
      code: 'KAYA_FS_PERMISSION',
      message: expect.stringContaining('read-only') as string,
    });
  });
});
