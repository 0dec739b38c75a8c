/** Checkpoints, backups and verification of a store in use: through the public engine, beside writes, compactions and crashes. */

import { decodeUtf8 } from '@kayadb/codec';
import { describeSeed, seededRandom, testSeed } from '@kayadb/testkit';
import type { FileSystem } from '@kayadb/vfs';
import { crashClones, FaultyFileSystem, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { restoreBackup } from '../src/backup/restore-backup.ts';
import { verifyBackup } from '../src/backup/verify-backup.ts';
import { type Engine, type EngineEvent, type EngineOptions, openEngine } from '../src/index.ts';
import { contentOf as filesOf, namesIn } from './support/directories.ts';
import { openTestEngine, testWorld, tinyOptions } from './support/open-test-engine.ts';

type State = Readonly<Record<string, string>>;

interface Opened {
  readonly state: State;
  readonly sequence: number;
  readonly durableIndex: number | undefined;
  /** Whether opening found nothing to replay and nothing lost. */
  readonly isWhole: boolean;
}

async function stateOf(engine: Engine): Promise<State> {
  const rows: Record<string, string> = {};
  for await (const { key, value } of engine.scan()) rows[decodeUtf8(key)] = decodeUtf8(value);
  return rows;
}

function openAt(fs: FileSystem, directory: string, options: EngineOptions = {}): Promise<Engine> {
  const { clock, nextProcess } = testWorld(fs);
  return openEngine(directory, { fileSystem: fs, clock, processes: nextProcess(), ...tinyOptions, ...options });
}

/** Opens the store in `directory`, reads all of it, and closes it again. */
async function look(fs: FileSystem, directory: string, options: EngineOptions = {}): Promise<Opened> {
  const events: EngineEvent[] = [];
  const engine = await openAt(fs, directory, { ...options, onEvent: (event) => events.push(event) });
  const state = await stateOf(engine);
  const { lastSequence, recoveredRecords, truncatedBytes } = engine.stats();
  const { durableIndex } = engine;
  expect((await engine.verify()).damage).toEqual([]);
  await engine.close();
  const opened = events.find((event) => event.kind === 'opened');
  const isWhole = opened!.cleanClose && recoveredRecords === 0 && truncatedBytes === 0;
  return { state, sequence: lastSequence, durableIndex, isWhole };
}

/** Enough to reach several levels, with deletes of both kinds. */
async function fill(engine: Engine, rounds: number): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    await engine.put(`k${String((i * 37) % 200).padStart(3, '0')}`, `${i}:${'v'.repeat(40)}`);
    if (i % 50 === 49) await engine.deleteRange({ gte: `k${i}`, lt: `k${i + 9}` });
  }
}

/** The two ways to get a store of the present state, and how to get at it. */
const copies = {
  checkpoint: (engine: Engine) => engine.checkpoint('/copy'),
  'backup and restore': async (engine: Engine, fs: FileSystem) => {
    const info = await engine.backup('/backup');
    expect(await verifyBackup('/backup', { fileSystem: fs })).toEqual(info);
    return restoreBackup('/backup', '/copy', { fileSystem: fs });
  },
} as const;

describe.each(Object.entries(copies))('%s', (_name, copy) => {
  test('gives a store of the same state that lost nothing', async () => {
    const fs = new MemoryFileSystem();
    await using engine = await openTestEngine(testWorld(fs), tinyOptions);
    await fill(engine, 300);

    const info = await copy(engine, fs);

    const { lastSequence } = engine.stats();
    const tables = (await namesIn(fs, '/copy')).filter((name) => name.endsWith('.sst'));
    const sizes = await Promise.all(tables.map(async (name) => (await fs.stat(`/copy/${name}`))!.bytes));
    expect(info.sequence).toBe(lastSequence);
    expect(tables.length).toBeGreaterThan(1);
    expect(info).toMatchObject({ tableCount: tables.length, bytes: sizes.reduce((sum, bytes) => sum + bytes, 0) });
    const opened = await look(fs, '/copy');
    expect(opened).toEqual({
      state: await stateOf(engine),
      sequence: lastSequence,
      durableIndex: undefined,
      isWhole: true,
    });
  });

  test('carries the durable index of a store without a log of its own', async () => {
    const fs = new MemoryFileSystem();
    await using engine = await openTestEngine(testWorld(fs), { ...tinyOptions, log: 'external' });
    for (let i = 1; i <= 100; i++) await engine.put(`k${i % 30}`, `${i}:${'v'.repeat(40)}`, { appliedIndex: i * 10 });

    const info = await copy(engine, fs);

    expect(info.durableIndex).toBe(1000);
    const opened = await look(fs, '/copy', { log: 'external' });
    expect(opened).toEqual({ state: await stateOf(engine), sequence: 100, durableIndex: 1000, isWhole: true });
  });

  test('goes its own way: what is done to either store is not seen in the other', async () => {
    const fs = new MemoryFileSystem();
    await using engine = await openTestEngine(testWorld(fs), tinyOptions);
    await fill(engine, 200);
    const before = await stateOf(engine);
    await copy(engine, fs);
    const second = await openAt(fs, '/copy');

    await engine.deleteRange({});
    await engine.put('only', 'here');
    await engine.compact();
    await fill(second, 100);
    await second.put('only', 'there');
    await second.compact();

    expect(await stateOf(engine)).toEqual({ only: 'here' });
    expect(await stateOf(second)).toMatchObject({ only: 'there' });
    const unchanged = Object.keys(before).filter(
      (key) => before[key] === (second.getSync(key) && decodeUtf8(second.getSync(key)!)),
    );
    expect(unchanged.length).toBeGreaterThan(50);
    expect((await engine.verify()).damage).toEqual([]);
    expect((await second.verify()).damage).toEqual([]);
    await second.close();
  });

  test('holds one state of the past while writes and compactions go on', async () => {
    const seed = testSeed();
    const random = seededRandom(seed);
    const fs = new MemoryFileSystem();
    await using engine = await openTestEngine(testWorld(fs), tinyOptions);
    const states: State[] = [{}];
    const write = async (): Promise<void> => {
      const key = `k${random.int(60)}`;
      const value = `${states.length}:${'v'.repeat(random.int(80))}`;
      states.push({ ...states.at(-1), [key]: value });
      await engine.put(key, value);
    };
    for (let i = 0; i < 120; i++) await write();
    const done = new AbortController();
    const writing = (async () => {
      while (!done.signal.aborted) await write();
      for (let i = 0; i < 60; i++) await write();
    })();

    const { sequence } = await copy(engine, fs);

    done.abort();
    await writing;
    const { state } = await look(fs, '/copy');
    expect(sequence, `with ${describeSeed(seed)}`).toBeGreaterThanOrEqual(120);
    expect(state).toEqual(states[sequence]);
    expect(await stateOf(engine)).toEqual(states.at(-1));
  });

  test('is refused by a poisoned store, which could not flush', async () => {
    const memory = new MemoryFileSystem();
    const fs = new FaultyFileSystem(memory);
    const engine = await openTestEngine(testWorld(fs), tinyOptions);
    await engine.put('a', '1');
    fs.inject({ at: 1, effect: { kind: 'failed-sync', pages: 'clean', errno: 'EIO' } });
    await expect(engine.put('b', '2')).rejects.toMatchObject({ code: 'KAYA_ENGINE_POISONED' });

    await expect(copy(engine, fs)).rejects.toMatchObject({ code: 'KAYA_ENGINE_POISONED' });

    expect(await namesIn(memory, '/')).toEqual(['db']);
    await expect(engine.close()).rejects.toMatchObject({ code: 'KAYA_ENGINE_POISONED' });
  });

  test(
    'is complete or not there after a crash at any moment, and the source loses nothing',
    { timeout: 60_000 },
    async () => {
      const seed = testSeed();
      const random = seededRandom(seed);
      const fs = new MemoryFileSystem();
      const engine = await openTestEngine(testWorld(fs), tinyOptions);
      await fill(engine, 60);
      const acknowledged = await stateOf(engine);
      const crashes: MemoryFileSystem[] = [];
      let mutations = 0;
      const stop = fs.afterEachMutation(() => {
        if (++mutations % 9 === 0) crashes.push(...crashClones(fs, () => random.next()).map(({ disk }) => disk));
      });

      await copy(engine, fs);

      stop();
      await engine.close();
      let complete = 0;
      for (const disk of crashes) {
        const source = await look(disk, '/db');
        expect(source.state, `with ${describeSeed(seed)}`).toEqual(acknowledged);
        if ((await disk.stat('/copy')) === undefined) continue;
        expect(await look(disk, '/copy'), `with ${describeSeed(seed)}`).toMatchObject({
          state: acknowledged,
          isWhole: true,
        });
        complete++;
      }
      expect(crashes.length).toBeGreaterThan(20);
      expect(complete).toBeLessThan(crashes.length);
    },
  );
});

describe('a backup', () => {
  test('is not opened, and stays as it is', async () => {
    const fs = new MemoryFileSystem();
    await using engine = await openTestEngine(testWorld(fs), tinyOptions);
    await fill(engine, 40);
    await engine.backup('/backup');
    const before = await filesOf(fs, '/backup');

    const opening = openAt(fs, '/backup');

    await expect(opening).rejects.toMatchObject({ code: 'KAYA_STORE_IS_BACKUP' });
    expect(await filesOf(fs, '/backup')).toEqual(before);
  });

  test('under way ends when the store closes, and leaves nothing', async () => {
    const fs = new MemoryFileSystem();
    const engine = await openTestEngine(testWorld(fs), tinyOptions);
    await fill(engine, 200);
    let closing: Promise<void> | undefined;

    const making = engine.backup('/backup', { onProgress: () => void (closing ??= engine.close()) });

    await expect(making).rejects.toMatchObject({ code: 'KAYA_ENGINE_CLOSED' });
    await closing;
    expect(await namesIn(fs, '/')).toEqual(['db']);
  });

  test('made with compression is restored with it', async () => {
    const fs = new MemoryFileSystem();
    const options: EngineOptions = { ...tinyOptions, compression: 'zstd', zstdLevels: [1] };
    await using engine = await openTestEngine(testWorld(fs), options);
    await fill(engine, 300);
    await engine.compact();

    await engine.backup('/backup');

    await restoreBackup('/backup', '/copy', { fileSystem: fs });
    expect((await look(fs, '/copy')).state).toEqual(await stateOf(engine));
  });
});
