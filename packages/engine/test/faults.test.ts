/**
 * What a store says and does when the disk has failed, is full or is read-only, one case at a time. Every call and every sync in turn:
 * private/proof/test/faults.test.ts and failed-sync.test.ts.
 */

import { decodeUtf8 } from '@kayadb/codec';
import { FileSystemError } from '@kayadb/vfs';
import { FaultyFileSystem, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import type { Engine, EngineEvent } from '../src/index.ts';
import { openTestEngine, testWorld, tinyOptions } from './support/open-test-engine.ts';

async function contentOf(engine: Engine): Promise<Map<string, string>> {
  const rows = new Map<string, string>();
  for await (const { key, value } of engine.scan()) rows.set(decodeUtf8(key), decodeUtf8(value));
  return rows;
}

describe('a sync that fails', () => {
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

describe('a close that fails in several ways', () => {
  test('is told with the code of the first and the words of all', async () => {
    const disk = new FaultyFileSystem(new MemoryFileSystem());
    const engine = await openTestEngine(testWorld(disk), tinyOptions);
    for (let i = 0; i < 40; i++) await engine.put(`k${i}`, 'v'.repeat(30));
    await engine.flush();
    disk.inject({ at: 1, effect: { kind: 'failed-sync', pages: 'clean', errno: 'EIO' } });
    await engine.put('k', 'v').catch(() => undefined);
    disk.inject({ at: 1, forever: true, kinds: ['close'], effect: { kind: 'fail', errno: 'EIO' } });

    const failed = await engine.close().catch((error: unknown) => error);

    expect(failed).toMatchObject({ code: 'KAYA_ENGINE_POISONED', cause: { errors: expect.any(Array) } });
    expect((failed as Error).message).toMatch(
      /^closing \/db failed in \d+ ways: the store takes no more writes.*; close of /,
    );
  });
});

describe('a table that cannot be looked at', () => {
  test.each(['open', 'size', 'read'] as const)(
    'when it is new, and %s fails: the flush fails, and goes well once the disk does',
    async (kind) => {
      const disk = new FaultyFileSystem(new MemoryFileSystem());
      const world = testWorld(disk);
      const engine = await openTestEngine(world, tinyOptions);
      await engine.put('k', 'v');
      const matchesPath = (path: string): boolean => path.endsWith('.sst');
      // The first opening makes the table, the second one checks it.
      disk.inject({ at: kind === 'open' ? 2 : 1, kinds: [kind], matchesPath, effect: { kind: 'fail', errno: 'EIO' } });

      await expect(engine.flush()).rejects.toMatchObject({ code: 'KAYA_IO', operation: kind });

      await engine.put('k', 'w');
      await engine.flush();
      await engine.close();
      const reopened = await openTestEngine(world, tinyOptions);
      expect(decodeUtf8((await reopened.get('k'))!)).toBe('w');
      await reopened.close();
    },
  );
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
