/** The background scrub of an open store. docs/decisions/20261122-background-scrub.md. */

import { decodeUtf8 } from '@kayadb/codec';
import { settle } from '@kayadb/testkit';
import { FileSystemError } from '@kayadb/vfs';
import { FaultyFileSystem, InterceptedFileSystem, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import type { Engine, EngineEvent, EngineOptions, WriteOptions } from '../src/index.ts';
import { DIRECTORY, openTestEngine, type TestWorld, testWorld, tinyOptions } from './support/open-test-engine.ts';

const HOUR = 3_600_000;
const scrubbed: EngineOptions = { ...tinyOptions, scrubIntervalMs: HOUR, scrubBytesPerSecond: 0 };

interface Opened {
  readonly engine: Engine;
  readonly world: TestWorld;
  readonly events: EngineEvent[];
}

async function open(world: TestWorld, options: EngineOptions = scrubbed): Promise<Opened> {
  const events: EngineEvent[] = [];
  const engine = await openTestEngine(world, { ...options, onEvent: (event) => void events.push(event) });
  return { engine, world, events };
}

/** A store with tables in several levels, at rest. */
async function filled(world: TestWorld, options: EngineOptions = scrubbed): Promise<Opened> {
  const opened = await open(world, options);
  for (let i = 0; i < 400; i++) await opened.engine.put(`k${i % 150}`, `v${i}`.repeat(20));
  await opened.engine.flush();
  for (let i = 0; i < 10; i++) await settle();
  return opened;
}

async function flip(disk: MemoryFileSystem, name: string, offset: number): Promise<void> {
  const handle = await disk.open(`${DIRECTORY}/${name}`, 'write');
  const byte = new Uint8Array(1);
  await handle.read(byte, offset);
  await handle.write(Uint8Array.of(byte[0]! ^ 0x10), offset);
  await handle.close();
}

async function namesOf(disk: MemoryFileSystem, pattern: RegExp): Promise<readonly string[]> {
  return (await disk.readDirectory(DIRECTORY)).map(({ name }) => name).filter((name) => pattern.test(name));
}

function told<Kind extends EngineEvent['kind']>(
  events: readonly EngineEvent[],
  kind: Kind,
): readonly Extract<EngineEvent, { kind: Kind }>[] {
  return events.filter((event) => event.kind === kind) as Extract<EngineEvent, { kind: Kind }>[];
}

describe('a scrub', () => {
  test('reads the whole store ten minutes after opening and then at every interval, and says so', async () => {
    const { engine, world, events } = await filled(testWorld());
    const { tableCount, tableBytes } = engine.stats();

    await world.clock.advanceAsync(599_999);
    const early = engine.stats().scrubCount;
    await world.clock.advanceAsync(1);
    const first = engine.stats();
    await world.clock.advanceAsync(HOUR);

    expect(early).toBe(0);
    expect(tableCount).toBeGreaterThan(3);
    expect(first).toMatchObject({ scrubCount: 1, scrubDamageCount: 0, scrubDamage: [] });
    expect(first.scrubLast).toEqual({
      endedMs: 600_000,
      durationUs: 0,
      tableCount,
      skippedTables: 0,
      unreadTables: 0,
      bytes: tableBytes,
      damageCount: 0,
    });
    expect(engine.stats().scrubCount).toBe(2);
    expect(told(events, 'scrubbed')[0]).toEqual({ kind: 'scrubbed', ...first.scrubLast });
    await engine.close();
  });

  test('is not done where nobody asked for it', async () => {
    const { engine, world } = await filled(testWorld(), tinyOptions);

    await world.clock.advanceAsync(100 * HOUR);

    expect(engine.stats()).toMatchObject({ scrubCount: 0, scrubLast: null });
    await engine.close();
  });

  test('finds a flipped byte in a table of any level, tells of it once, and goes on', async () => {
    const disk = new MemoryFileSystem();
    const { engine, world, events } = await filled(testWorld(disk));
    const levels = engine.stats().levels.filter(({ tableCount }) => tableCount > 0);
    const tables = await namesOf(disk, /sst$/);
    for (const name of tables) await flip(disk, name, 100);

    await world.clock.advanceAsync(600_000 + 2 * HOUR);

    const damage = told(events, 'damage-found');
    expect(levels.length).toBeGreaterThan(1);
    expect(damage.map(({ file, offset, foundMs }) => ({ file, offset, foundMs }))).toEqual(
      tables.map((file) => ({ file, offset: 64, foundMs: 600_000 })),
    );
    expect(damage[0]!.message).toContain(`${tables[0]} is damaged at offset 64`);
    expect(told(events, 'scrubbed').map(({ damageCount }) => damageCount)).toEqual(Array(3).fill(tables.length));
    expect(engine.stats()).toMatchObject({ scrubCount: 3, scrubDamageCount: tables.length });
    expect(engine.stats().scrubDamage).toHaveLength(tables.length);
    expect(await namesOf(disk, /sst$/)).toEqual(tables);
    await engine.put('still', 'written');
    await engine.close();
  });

  test('reads no faster than it may, and lets others go on meanwhile', async () => {
    const { engine, world } = await filled(testWorld(), { ...scrubbed, scrubBytesPerSecond: 1000 });
    const { tableBytes } = engine.stats();
    await world.clock.advanceAsync(600_000);
    const neededMs = ((tableBytes - 100) / 1000) * 1000;

    await world.clock.advanceAsync(neededMs - 3000);
    await engine.put('meanwhile', 'v');
    const under = engine.stats().scrubCount;
    await world.clock.advanceAsync(6000);

    expect(under).toBe(0);
    expect(engine.stats()).toMatchObject({ scrubCount: 1 });
    expect(engine.stats().scrubLast!.durationUs).toBeGreaterThan((neededMs - 3000) * 1000);
    await engine.close();
  });

  test('ends at once when the store closes, also in the middle, and leaves no timer', async () => {
    const { engine, world, events } = await filled(testWorld(), { ...scrubbed, scrubBytesPerSecond: 1000 });
    await world.clock.advanceAsync(601_000);

    await engine.close();

    expect(told(events, 'scrubbed')).toEqual([]);
    expect(world.clock.pendingTimers).toBe(0);
  });

  test('passes over tables that compaction replaces meanwhile, and keeps none of them', async () => {
    const disk = new MemoryFileSystem();
    const { engine, world } = await filled(testWorld(disk), { ...scrubbed, scrubBytesPerSecond: 2000 });
    const before = engine.stats().tableCount;
    await world.clock.advanceAsync(601_000);

    await engine.compact();
    await settle();
    await world.clock.advanceAsync(60_000);
    await settle();

    const { scrubLast, tableCount } = engine.stats();
    expect(scrubLast!.skippedTables).toBeGreaterThan(0);
    expect(scrubLast!.skippedTables + scrubLast!.tableCount).toBe(before);
    expect(scrubLast!.damageCount).toBe(0);
    expect(await namesOf(disk, /sst$/)).toHaveLength(tableCount);
    await engine.close();
  });

  test('says which tables it could not read for another reason than damage', async () => {
    const faulty = new FaultyFileSystem(new MemoryFileSystem());
    const { engine, world, events } = await filled(testWorld(faulty));
    const matchesPath = (path: string): boolean => path.endsWith('.sst');
    faulty.inject({ at: 1, kinds: ['open'], matchesPath, effect: { kind: 'fail', errno: 'EMFILE' } });

    await world.clock.advanceAsync(600_000);

    expect(engine.stats().scrubLast).toMatchObject({ unreadTables: 1, damageCount: 0 });
    expect(told(events, 'warning').map(({ message }) => message)).toEqual([
      expect.stringMatching(/^the scrub could not read \d+\.sst: .*EMFILE/),
    ]);
    await engine.close();
  });

  test('is not done to a store that takes no more writes', async () => {
    const faulty = new FaultyFileSystem(new MemoryFileSystem());
    const { engine, world } = await filled(testWorld(faulty));
    faulty.inject({ at: 1, kinds: ['sync'], effect: { kind: 'fail', errno: 'EIO' } });
    await engine.put('k', 'v').catch(() => undefined);

    await world.clock.advanceAsync(10 * HOUR);

    expect(engine.stats().scrubCount).toBe(0);
    await engine.close().catch(() => undefined);
  });

  test('runs in no two passes at once, however long one takes', async () => {
    const reading = new Map<string, number>();
    let most = 0;
    const fs = new InterceptedFileSystem(new MemoryFileSystem(), {
      call: async ({ kind, paths }, call) => {
        const [path] = paths;
        if (kind !== 'read' || !path!.endsWith('.sst')) return call();
        reading.set(path!, (reading.get(path!) ?? 0) + 1);
        most = Math.max(most, reading.size);
        const result = await call();
        await settle();
        reading.set(path!, reading.get(path!)! - 1);
        if (reading.get(path!) === 0) reading.delete(path!);
        return result;
      },
      callSync: (_operation, call) => call(),
    });
    const { engine, world } = await filled(testWorld(fs), { ...scrubbed, scrubIntervalMs: 1 });
    await engine.compact();
    most = 0;

    for (let i = 0; i < 200; i++) await world.clock.advanceAsync(1);

    expect(most).toBe(1);
    expect(engine.stats().scrubCount).toBeGreaterThan(0);
    await engine.close();
  });
});

describe('a manifest that rots under an open store', () => {
  test.each([
    ['in its first edit', (bytes: number) => Math.floor(bytes / 4), 'is damaged at offset'],
    ['in its last edit', (bytes: number) => bytes - 10, 'an edit that was in effect does not verify'],
    ['in its header', () => 20, 'is damaged at offset 0'],
  ])('is found %s, replaced from memory, and kept under another name', async (_, place, message) => {
    const disk = new MemoryFileSystem();
    const { engine, world, events } = await filled(testWorld(disk));
    const [manifest] = await namesOf(disk, /^MANIFEST-\d+$/);
    const before = await engine.getMany(['k1', 'k140']);
    await flip(disk, manifest!, place((await disk.stat(`${DIRECTORY}/${manifest}`))!.bytes));
    const rotten = await disk.readFile(`${DIRECTORY}/${manifest}`);

    await world.clock.advanceAsync(600_000);
    await world.clock.advanceAsync(HOUR);

    expect(told(events, 'damage-found')).toMatchObject([{ file: manifest, message: expect.stringContaining(message) }]);
    expect(told(events, 'scrubbed').map(({ damageCount }) => damageCount)).toEqual([1, 0]);
    expect(await disk.readFile(`${DIRECTORY}/${manifest}.damaged`)).toEqual(rotten);
    expect(await namesOf(disk, /^MANIFEST-\d+$/)).not.toContain(manifest);
    await engine.close();
    const { engine: again } = await open(world);
    expect(await again.getMany(['k1', 'k140'])).toEqual(before);
    expect(await namesOf(disk, /damaged$/)).toHaveLength(1);
    await again.close();
  });

  test('is found where CURRENT rots or is gone', async () => {
    for (const harm of ['flip', 'unlink'] as const) {
      const disk = new MemoryFileSystem();
      const { engine, world, events } = await filled(testWorld(disk));
      if (harm === 'flip') await flip(disk, 'CURRENT', 12);
      else await disk.unlink(`${DIRECTORY}/CURRENT`);

      await world.clock.advanceAsync(600_000);
      await engine.close();

      expect(told(events, 'damage-found').map(({ file, offset }) => [file, offset])).toEqual([['CURRENT', 0]]);
      const { engine: again } = await open(world);
      expect(again.stats().tableCount).toBeGreaterThan(0);
      await again.close();
    }
  });

  test('is found where the disk forgot edits that it had acknowledged', async () => {
    const disk = new MemoryFileSystem();
    const { engine, world, events } = await filled(testWorld(disk));
    const [manifest] = await namesOf(disk, /^MANIFEST-\d+$/);
    const path = `${DIRECTORY}/${manifest}`;
    const older = await disk.readFile(path);
    await engine.compact();
    const handle = await disk.open(path, 'write');
    await handle.truncate(older.length);
    await handle.close();

    await world.clock.advanceAsync(600_000);

    expect(told(events, 'damage-found')).toMatchObject([{ file: manifest, offset: older.length }]);
    await engine.close();
    const { engine: again } = await open(world);
    expect((await again.verify()).damage).toEqual([]);
    await again.close();
  });

  test('stays in force where it cannot be kept or the disk is full, and the store goes on', async () => {
    for (const [kinds, errno] of [
      [['link'], 'EPERM'],
      [['write'], 'ENOSPC'],
    ] as const) {
      const disk = new MemoryFileSystem();
      const faulty = new FaultyFileSystem(disk);
      const { engine, world, events } = await filled(testWorld(faulty));
      const [manifest] = await namesOf(disk, /^MANIFEST-\d+$/);
      await flip(disk, manifest!, 100);
      faulty.inject({ at: 1, forever: true, kinds, effect: { kind: 'fail', errno } });

      await world.clock.advanceAsync(600_000);
      faulty.heal();

      expect(told(events, 'warning').map(({ message }) => message)).toEqual([
        expect.stringMatching(/^the damaged manifest stays in force: /),
      ]);
      expect(await namesOf(disk, /^MANIFEST-\d+$/)).toContain(manifest);
      await engine.put('k', 'v');
      await world.clock.advanceAsync(HOUR);
      await engine.close();
      const { engine: again } = await open(world);
      await again.close();
    }
  });

  test.each(['ENOSPC', 'EIO'])('is replaced for good, whatever its last close says: %s', async (errno) => {
    const disk = new MemoryFileSystem();
    let failedCloses = 0;
    const fs = new InterceptedFileSystem(disk, {
      call: async ({ kind, paths }, call) => {
        const result = await call();
        const [path] = paths;
        if (kind !== 'close' || !path!.includes('MANIFEST')) return result;
        if (decodeUtf8(await disk.readFile(`${DIRECTORY}/CURRENT`)).includes(path!.split('/').at(-1)!)) return result;
        failedCloses++;
        throw new FileSystemError(errno, kind, path!);
      },
      callSync: (_operation, call) => call(),
    });
    const { engine, world, events } = await filled(testWorld(fs));
    const [manifest] = await namesOf(disk, /^MANIFEST-\d+$/);
    await flip(disk, manifest!, 100);

    await world.clock.advanceAsync(600_000);
    await engine.put('k', 'v');

    expect(failedCloses).toBe(1);
    expect(told(events, 'poisoned')).toEqual([]);
    expect(await namesOf(disk, /^MANIFEST-\d+$/)).not.toContain(manifest);
    await engine.close();
  });

  test('poisons the store where the outcome of the fresh one is unknown', async () => {
    const disk = new MemoryFileSystem();
    const faulty = new FaultyFileSystem(disk);
    const { engine, world } = await filled(testWorld(faulty));
    await flip(disk, (await namesOf(disk, /^MANIFEST-\d+$/))[0]!, 100);
    faulty.inject({ at: 1, kinds: ['sync'], effect: { kind: 'fail', errno: 'EIO' } });

    await world.clock.advanceAsync(600_000);

    await expect(engine.put('k', 'v')).rejects.toMatchObject({ code: 'KAYA_ENGINE_POISONED' });
    await engine.close().catch(() => undefined);
  });

  test('is not told of where an edit of unknown outcome came before the look', async () => {
    const memory = new MemoryFileSystem();
    let isArmed = false;
    const gate = { reach: () => {}, open: () => {} };
    const reached = new Promise<void>((resolve) => {
      gate.reach = resolve;
    });
    const opened = new Promise<void>((resolve) => {
      gate.open = resolve;
    });
    const fs = new InterceptedFileSystem(memory, {
      call: async ({ kind, paths }, call) => {
        const result = await call();
        if (!isArmed || kind !== 'sync' || !paths[0]!.includes('MANIFEST')) return result;
        gate.reach();
        await opened;
        throw new FileSystemError('EIO', kind, paths[0]!);
      },
      callSync: (_operation, call) => call(),
    });
    const { engine, world, events } = await filled(testWorld(fs));
    await engine.put('late', 'v');
    isArmed = true;

    const flushed = engine.flush().catch((error: unknown) => error);
    await reached;
    await world.clock.advanceAsync(600_000);
    gate.open();

    expect(await flushed).toMatchObject({ code: 'KAYA_ENGINE_POISONED' });
    await settle();
    expect(told(events, 'damage-found')).toEqual([]);
    expect(await namesOf(memory, /damaged$/)).toEqual([]);
    await engine.close().catch(() => undefined);
  });

  test.each([0, 1, 20, 100])('is taken for sound where an edit found no room after %i bytes', async (bytes) => {
    const faulty = new FaultyFileSystem(new MemoryFileSystem());
    const { engine, world, events } = await filled(testWorld(faulty));
    await engine.put('late', 'v');
    const matchesPath = (path: string): boolean => path.includes('MANIFEST');
    faulty.inject({ at: 1, kinds: ['write'], matchesPath, effect: { kind: 'short-write', bytes, errno: 'ENOSPC' } });

    const failed = await engine.flush().catch((error: unknown) => error);
    await world.clock.advanceAsync(600_000);
    await engine.flush();
    await world.clock.advanceAsync(HOUR);

    expect(failed).toMatchObject({ code: 'KAYA_DISK_FULL' });
    expect(engine.stats()).toMatchObject({ scrubCount: 2, scrubDamageCount: 0 });
    expect(told(events, 'poisoned')).toEqual([]);
    await engine.close();
  });

  test.each(['own', 'external'] as const)('is taken for sound while edits come and go: log %s', async (log) => {
    const { engine, world, events } = await open(testWorld(), { ...scrubbed, log, scrubIntervalMs: 1 });
    const written = (appliedIndex: number): WriteOptions => (log === 'own' ? {} : { appliedIndex });
    for (let i = 0; i < 600; i++) {
      await engine.put(`k${i % 90}`, `v${i}`.repeat(20), written(i));
      if (i % 50 === 0) await engine.deleteRange({ prefix: `k${i % 9}` }, written(i));
      if (i % 5 === 0) await world.clock.advanceAsync(1);
    }

    expect(engine.stats().scrubCount).toBeGreaterThan(20);
    expect(told(events, 'damage-found')).toEqual([]);
    expect(told(events, 'warning')).toEqual([]);
    await engine.close();
  });
});
