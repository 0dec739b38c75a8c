import { decodeUtf8 } from '@kayadb/codec';
import { DirectoryLockedError } from '@kayadb/vfs';
import {
  crashClone,
  fakeProcessTable,
  FaultyFileSystem,
  InterceptedFileSystem,
  MemoryFileSystem,
  MUTATING_OPERATIONS,
  TraceFileSystem,
} from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { publishCurrent } from '../src/files/current-file.ts';
import { type Engine, type EngineEvent, openEngine } from '../src/index.ts';
import { ManifestWriter } from '../src/version/manifest.ts';
import { fullStateEdit } from '../src/version/store-state.ts';
import { EMPTY_LEVELS } from '../src/version/version.ts';
import { WalWriter } from '../src/wal/wal-writer.ts';
import { DIRECTORY, openTestEngine, testWorld, tinyOptions } from './support/open-test-engine.ts';

async function keysOf(rows: AsyncIterable<{ readonly key: Uint8Array }>): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of rows) keys.push(decodeUtf8(key));
  return keys;
}

describe('openEngine', () => {
  test('refuses a directory without a store when it may not create one', async () => {
    await expect(openTestEngine(testWorld(), { createIfMissing: false })).rejects.toMatchObject({
      code: 'KAYA_STORE_MISSING',
    });
  });

  test('refuses a directory that a living process has open, and says which', async () => {
    const world = testWorld();
    const processes = fakeProcessTable();
    await using _first = await openTestEngine(world, { processes });

    const second = openTestEngine(world, { processes });

    await expect(second).rejects.toBeInstanceOf(DirectoryLockedError);
    await expect(second).rejects.toMatchObject({ code: 'KAYA_LOCKED' });
  });

  test('takes the lock over from a dead process and says so', async () => {
    const world = testWorld();
    const events: EngineEvent[] = [];
    const abandoned = await openTestEngine(world);
    await abandoned.put('k', 'v');

    await using engine = await openTestEngine(world, { onEvent: (event) => void events.push(event) });

    expect(decodeUtf8((await engine.get('k'))!)).toBe('v');
    expect(events.map(({ kind }) => kind)).toEqual(['stale-lock-taken', 'opened']);
    expect(events[1]).toMatchObject({ created: false, cleanClose: false, recoveredRecords: 1 });
  });

  test('knows a clean close from a crash', async () => {
    const world = testWorld();
    const events: EngineEvent[] = [];
    const first = await openTestEngine(world);
    await first.put('k', 'v');
    await first.close();

    await using _engine = await openTestEngine(world, { onEvent: (event) => void events.push(event) });

    expect(events).toMatchObject([{ kind: 'opened', cleanClose: true, recoveredRecords: 0, truncatedBytes: 0 }]);
  });

  test.each([
    [{ memtableBytes: 1 }, RangeError],
    [{ memtableBytes: '1' as unknown as number }, TypeError],
    [{ durability: 'sometimes' as 'strict' }, TypeError],
    [{ compression: 'lz4' as 'zstd' }, TypeError],
    [{ zstdLevels: [1, 99] }, RangeError],
    [{ zstdLevels: [] }, TypeError],
    [{ memoryBytes: 1000 }, RangeError],
    [{ log: 'none' as 'own' }, TypeError],
    [{ log: 'external' as const, durability: 'strict' as const }, RangeError],
    [{ compactionBytesPerSecond: -1 }, RangeError],
    [{ createIfMissing: 'no' as unknown as boolean }, TypeError],
    [{ onEvent: 5 as unknown as () => void }, TypeError],
  ])('refuses wrong options: %j', async (options, kind) => {
    await expect(openTestEngine(testWorld(), options)).rejects.toBeInstanceOf(kind);
    await expect(openEngine('')).rejects.toBeInstanceOf(TypeError);
  });

  test('leaves the directory as it was when it refuses a damaged store', async () => {
    const disk = new MemoryFileSystem();
    const world = testWorld(disk);
    await (await openTestEngine(world)).close();
    const current = await disk.open(`${DIRECTORY}/CURRENT`, 'write');
    await current.write(Uint8Array.of(0x58), 3);
    await current.close();
    const before = await disk.readDirectory(DIRECTORY);
    const trace = new TraceFileSystem(disk, DIRECTORY, MUTATING_OPERATIONS);

    await expect(openTestEngine({ ...world, fileSystem: trace })).rejects.toMatchObject({
      code: 'KAYA_CORRUPTION',
      file: 'CURRENT',
      offset: 0,
    });

    expect(await disk.readDirectory(DIRECTORY)).toEqual(before);
    expect(trace.lines.filter((line) => !line.includes('LOCK'))).toEqual([]);
  });

  test('names the manifest, not the segment, when the edit that it lost had been in effect', async () => {
    const disk = new MemoryFileSystem();
    const engine = await openTestEngine(testWorld(disk));
    await engine.put('k', 'v');
    await engine.flush();
    await new Promise((resolve) => setImmediate(resolve));
    const damaged = crashClone(disk, { kind: 'everything' }, () => 0);
    const file = (await disk.readDirectory(DIRECTORY)).find(({ name }) => name.startsWith('MANIFEST'))!.name;
    const handle = await damaged.open(`${DIRECTORY}/${file}`, 'write');
    await handle.write(Uint8Array.of(0xff), (await handle.size()) - 10);
    await handle.close();

    await expect(openTestEngine(testWorld(damaged))).rejects.toMatchObject({ code: 'KAYA_CORRUPTION', file });
  });

  // Only a folder that this open had made was synced: one made by hand, or by an open that was cut short, could vanish.
  test('makes the folder durable with the store in it, whoever made it', async () => {
    const disk = new MemoryFileSystem();
    await disk.makeDirectory(DIRECTORY);
    const engine = await openTestEngine(testWorld(disk));
    await engine.put('k', 'v');

    const after = crashClone(disk, { kind: 'nothing-unsynced' }, () => 0);

    await using reopened = await openTestEngine(testWorld(after));
    expect(decodeUtf8((await reopened.get('k'))!)).toBe('v');
  });

  test('says so when the folder above cannot be synced for lack of permission', async () => {
    const faulty = new FaultyFileSystem(new MemoryFileSystem());
    const events: EngineEvent[] = [];
    const isAbove = (path: string): boolean => path === '/';
    faulty.inject({ at: 1, kinds: ['syncDirectory'], matchesPath: isAbove, effect: { kind: 'fail', errno: 'EACCES' } });

    await using _engine = await openTestEngine(testWorld(faulty), { onEvent: (event) => void events.push(event) });

    expect(events.map(({ kind }) => kind)).toEqual(['warning', 'opened']);
  });

  test('refuses a directory that lost CURRENT but holds data', async () => {
    const disk = new MemoryFileSystem();
    const world = testWorld(disk);
    const engine = await openTestEngine(world);
    await engine.put('k', 'v');
    await engine.close();
    await disk.unlink(`${DIRECTORY}/CURRENT`);

    await expect(openTestEngine(world)).rejects.toMatchObject({ code: 'KAYA_CORRUPTION', file: 'CURRENT' });
  });
});

describe('a closed engine', () => {
  const calls: Readonly<Record<string, (engine: Engine) => unknown>> = {
    put: (engine) => engine.put('k', 'v'),
    delete: (engine) => engine.delete('k'),
    batch: (engine) => engine.batch([]),
    get: (engine) => engine.get('k'),
    flush: (engine) => engine.flush(),
    scan: async (engine) => engine.scan(),
    snapshot: async (engine) => engine.snapshot(),
  };

  test.each(Object.entries(calls))('refuses %s', async (_name, call) => {
    const engine = await openTestEngine(testWorld());

    await engine.close();

    await expect(call(engine)).rejects.toMatchObject({ code: 'KAYA_ENGINE_CLOSED' });
  });

  test('has answered every write that it had accepted', async () => {
    const world = testWorld();
    const engine = await openTestEngine(world);

    const writes = Array.from({ length: 50 }, (_, i) => engine.put(`k${i}`, 'v'));
    await engine.close();

    expect((await Promise.all(writes)).every(({ durable }) => durable)).toBe(true);
    await using reopened = await openTestEngine(world);
    expect(await keysOf(reopened.scan())).toHaveLength(50);
  });

  test('ends a scan under way with a typed error', async () => {
    const engine = await openTestEngine(testWorld());
    await engine.batch(['a', 'b', 'c'].map((key) => ({ kind: 'put', key, value: '' })));
    const scan = engine.scan();
    await scan.next();

    await engine.close();

    await expect(scan.next()).rejects.toMatchObject({ code: 'KAYA_ENGINE_CLOSED' });
    expect(await scan.next()).toEqual({ done: true, value: undefined });
  });
});

describe('closing', () => {
  // The first file that could not be closed kept all others open.
  test('closes every file though one of them cannot be closed', async () => {
    const opened = new Map<string, number>();
    const count = (path: string, change: number): void => void opened.set(path, (opened.get(path) ?? 0) + change);
    const counting = new InterceptedFileSystem(new MemoryFileSystem(), {
      call: async ({ kind, paths }, call) => {
        const result = await call();
        if (kind === 'open') count(paths[0]!, 1);
        if (kind === 'close') count(paths[0]!, -1);
        return result;
      },
      callSync: (_operation, call) => call(),
    });
    const faulty = new FaultyFileSystem(counting);
    const engine = await openTestEngine(testWorld(faulty), tinyOptions);
    for (let i = 0; i < 60; i++) await engine.put(`k${i}`, 'v'.repeat(200));
    const isLog = (path: string): boolean => path.endsWith('.wal');
    const effect = { kind: 'fail', errno: 'EIO' } as const;
    faulty.inject({ at: 1, forever: true, kinds: ['close'], matchesPath: isLog, effect });

    await expect(engine.close()).rejects.toThrow('closing /db failed');

    expect([...opened].filter(([, handles]) => handles !== 0)).toEqual([]);
  });

  test('gives the lock up when all else is done', async () => {
    const trace = new TraceFileSystem(new MemoryFileSystem(), DIRECTORY, [...MUTATING_OPERATIONS, 'close']);
    const engine = await openTestEngine(testWorld(trace));
    await engine.put('k', 'v');
    trace.takeLines();

    await engine.close();

    const lines = trace.takeLines();
    const lockAt = lines.findIndex((line) => line.includes('LOCK'));
    expect(lockAt).toBeGreaterThan(5);
    expect(lines.slice(lockAt).filter((line) => !line.includes('LOCK'))).toEqual([]);
  });

  test('poisons the store when the log cannot be synced', async () => {
    const faulty = new FaultyFileSystem(new MemoryFileSystem());
    const events: string[] = [];
    const onEvent = ({ kind }: EngineEvent): void => void events.push(kind);
    const engine = await openTestEngine(testWorld(faulty), { durability: 'relaxed', onEvent });
    const isManifest = (path: string): boolean => path.includes('MANIFEST');
    faulty.inject({ at: 1, kinds: ['sync'], matchesPath: isManifest, effect: { kind: 'fail', errno: 'EIO' } });

    await expect(engine.close()).rejects.toMatchObject({ code: 'KAYA_ENGINE_POISONED' });

    expect(events).toEqual(['opened', 'poisoned']);
  });
});

describe('scans and snapshots', () => {
  test('show the state of the moment they began, through flushes and compactions', async () => {
    await using engine = await openTestEngine(testWorld(), tinyOptions);
    for (let i = 0; i < 60; i++) await engine.put(`k${String(i).padStart(3, '0')}`, `old ${'x'.repeat(60)}`);
    const snapshot = engine.snapshot();
    const scan = engine.scan();
    const first = await scan.next();

    for (let i = 0; i < 60; i++) await engine.put(`k${String(i).padStart(3, '0')}`, `new ${'y'.repeat(60)}`);
    for (let i = 0; i < 60; i += 2) await engine.delete(`k${String(i).padStart(3, '0')}`);
    await engine.flush();

    const rest: string[] = [];
    for await (const { value } of scan) rest.push(decodeUtf8(value).slice(0, 3));
    expect(first.done).toBe(false);
    expect(rest).toEqual(Array.from({ length: 59 }, () => 'old'));
    expect(await keysOf(engine.scan({ snapshot }))).toHaveLength(60);
    expect(await keysOf(engine.scan())).toHaveLength(30);
    expect(engine.stats().compactionCount).toBeGreaterThan(0);
    snapshot.close();
    await expect(engine.get('k000', { snapshot })).rejects.toMatchObject({ code: 'KAYA_SNAPSHOT_CLOSED' });
  });

  test('end with KAYA_ABORTED when their signal fires', async () => {
    await using engine = await openTestEngine(testWorld());
    await engine.batch(['a', 'b'].map((key) => ({ kind: 'put', key, value: '' })));
    const abort = new AbortController();
    const scan = engine.scan({ signal: abort.signal });
    await scan.next();

    abort.abort();

    await expect(scan.next()).rejects.toMatchObject({ code: 'KAYA_ABORTED' });
  });

  test('release what they hold when left early', async () => {
    await using engine = await openTestEngine(testWorld());
    await engine.batch(['a', 'b'].map((key) => ({ kind: 'put', key, value: '' })));
    const seen: string[] = [];

    for await (const { key } of engine.scan()) {
      seen.push(decodeUtf8(key));
      break;
    }

    expect(seen).toEqual(['a']);
    expect(engine.stats().scanCount).toBe(1);
  });
});

describe('a scan of what is in memory', () => {
  // Rows that were at hand came in promises alone, so that no timer and no socket had a turn before the last of them.
  test('lets other work of the process have its turn', async () => {
    let nowMs = 0;
    const clock = { now: () => nowMs++, setTimer: () => ({ cancel: () => undefined }) };
    await using engine = await openTestEngine(testWorld(), { clock });
    await engine.batch(Array.from({ length: 500 }, (_, i) => ({ kind: 'put', key: `k${i}`, value: 'v' })));
    await engine.batch(Array.from({ length: 490 }, (_, i) => ({ kind: 'delete', key: `k${i}` })));
    const turns: number[] = [];
    let rows = 0;
    setImmediate(() => turns.push(rows));

    for await (const _row of engine.scan()) rows++;

    expect(rows).toBe(10);
    expect(turns).toHaveLength(1);
  });
});

describe('keys and values that were read', () => {
  test.each([
    ['the memtable', false],
    ['a table', true],
  ])("are the caller's own, from %s", async (_where, isFlushed) => {
    await using engine = await openTestEngine(testWorld());
    await engine.put('k', 'value');
    if (isFlushed) await engine.flush();

    for (let i = 0; i < 2; i++) {
      (await engine.get('k'))!.fill(0);
      for await (const { key, value } of engine.scan()) for (const bytes of [key, value]) bytes.fill(0);
    }

    expect(decodeUtf8((await engine.get('k'))!)).toBe('value');
    expect(await keysOf(engine.scan())).toEqual(['k']);
  });
});

describe('Node.js Buffers', () => {
  test('are taken as keys, values, prefixes and bounds, copied, and left as they were', async () => {
    await using engine = await openTestEngine(testWorld());
    const key = Buffer.from('ab');
    const value = Buffer.from('value');
    const prefix = Buffer.from('ab');

    const writing = engine.put(key, value);
    const reading = engine.get(key);
    key.fill(0x7a);
    value.fill(0x7a);
    await writing;
    const scan = engine.scan({ prefix });
    prefix.fill(0x7a);

    expect(await reading).toBeUndefined();
    expect(await keysOf(scan)).toEqual(['ab']);
    expect(decodeUtf8((await engine.get('ab'))!)).toBe('value');
    expect(await keysOf(engine.scan({ prefix: Buffer.from('ab') }))).toEqual(['ab']);
  });
});

describe('flush', () => {
  test('waits for what was written before it and not for what comes after', async () => {
    await using engine = await openTestEngine(testWorld(), tinyOptions);
    await engine.put('before', 'x'.repeat(500));

    const flushing = engine.flush();
    const later = Array.from({ length: 100 }, (_, i) => engine.put(`later${i}`, 'x'.repeat(500)));
    await flushing;

    const { levels } = engine.stats();
    expect(levels.reduce((sum, { entryCount }) => sum + entryCount, 0)).toBeGreaterThan(0);
    await Promise.all(later);
  });

  test('does nothing when there is nothing to move', async () => {
    await using engine = await openTestEngine(testWorld());

    await engine.flush();

    expect(engine.stats().flushCount).toBe(0);
  });
});

describe('files', () => {
  test('are removed once nothing needs them', async () => {
    const disk = new MemoryFileSystem();
    const world = testWorld(disk);
    const engine = await openTestEngine(world, tinyOptions);
    for (let i = 0; i < 400; i++) await engine.put(`k${i % 50}`, 'v'.repeat(100));
    await engine.flush();
    const live = engine.stats().tableCount;
    await engine.close();
    await (await openTestEngine(world, tinyOptions)).close();

    const names = (await disk.readDirectory(DIRECTORY)).map(({ name }) => name);

    expect(names.filter((name) => name.endsWith('.wal'))).toHaveLength(1);
    expect(names.filter((name) => name.startsWith('MANIFEST'))).toHaveLength(1);
    expect(names.filter((name) => name.endsWith('.sst')).length).toBeLessThanOrEqual(live);
    expect(names.filter((name) => name.endsWith('.tmp') || name === 'LOCK')).toEqual([]);
  });

  test('get numbers beyond every one that the manifest knows of', async () => {
    const disk = new MemoryFileSystem();
    await disk.makeDirectory(DIRECTORY);
    const storeId = new Uint8Array(16).fill(7);
    const allocateFileNumber = (): number => 2;
    const wal = await WalWriter.create({ fs: disk, directory: DIRECTORY, storeId, startLsn: 0, allocateFileNumber });
    const state = {
      nextFileNumber: 1000,
      oldestSegment: 2,
      flushedSequence: 0,
      rangeDeletes: [],
      levels: EMPTY_LEVELS,
    };
    const manifest = await ManifestWriter.create(disk, DIRECTORY, { storeId, fileNumber: 1 }, fullStateEdit(state));
    await publishCurrent(disk, DIRECTORY, { storeId, manifestNumber: 1 });
    await Promise.all([wal.close(), manifest.close()]);

    const engine = await openTestEngine(testWorld(disk));
    await engine.put('k', 'v');
    await engine.close();

    const numbers = (await disk.readDirectory(DIRECTORY)).flatMap(({ name }) => /\d+/.exec(name) ?? []).map(Number);
    expect(numbers.length).toBeGreaterThan(2);
    expect(numbers.filter((fileNumber) => fileNumber < 1000)).toEqual([]);
  });

  test('that cannot be removed keep nothing else from being removed', async () => {
    const disk = new MemoryFileSystem();
    const world = testWorld(disk);
    const warnings: string[] = [];
    const engine = await openTestEngine(world, {
      ...tinyOptions,
      onEvent: (event) => void (event.kind === 'warning' && warnings.push(event.message)),
    });
    for (let i = 0; i < 100; i++) await engine.put(`k${i % 10}`, 'v'.repeat(100));
    await disk.makeDirectory(`${DIRECTORY}/000002.sst`);
    await engine.flush();
    await engine.close();

    const names = (await disk.readDirectory(DIRECTORY)).map(({ name }) => name);

    expect(warnings[0]).toContain('000002.sst');
    expect(names.filter((name) => name.endsWith('.wal'))).toHaveLength(1);
  });

  test('are private to their owner', async () => {
    const disk = new MemoryFileSystem();
    await (await openTestEngine(testWorld(disk))).close();

    const modes = await Promise.all(
      (await disk.readDirectory(DIRECTORY)).map(async ({ name }) => (await disk.stat(`${DIRECTORY}/${name}`))?.mode),
    );

    expect(new Set(modes)).toEqual(new Set([0o600]));
    expect((await disk.stat(DIRECTORY))?.mode).toBe(0o700);
  });
});

describe('durability modes', () => {
  test('say truly whether a write was on disk', async () => {
    await using engine = await openTestEngine(testWorld(), { durability: 'relaxed' });

    const relaxed = await engine.put('a', '1');
    const strict = await engine.put('b', '2', { durability: 'strict' });

    expect([relaxed.durable, strict.durable]).toEqual([false, true]);
    expect(strict.lsn).toBeGreaterThan(relaxed.lsn);
    expect([relaxed.sequence, strict.sequence]).toEqual([1, 2]);
  });

  test('interval syncs once the interval has passed', async () => {
    const world = testWorld();
    await using engine = await openTestEngine(world, { durability: 'interval', intervalMs: 50 });
    await engine.put('a', '1');
    await engine.put('b', '2');
    const before = engine.stats().walFsyncCount;

    await world.clock.advanceAsync(50);

    expect([before, engine.stats().walFsyncCount]).toEqual([0, 1]);
  });
});
