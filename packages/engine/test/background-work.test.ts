/** Flushes and compactions as those who wait for them see them. */

import type { FileSystem } from '@kayadb/vfs';
import { crashClone, FaultyFileSystem, InterceptedFileSystem, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import type { Engine, EngineEvent } from '../src/index.ts';
import { DIRECTORY, openTestEngine, testWorld } from './support/open-test-engine.ts';

async function outcomeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'done';
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
}

async function addTable(engine: Engine, value: string): Promise<void> {
  for (let i = 0; i < 20; i++) await engine.put(`k${i}`, value.repeat(50));
  await engine.flush();
}

async function firstTable(disk: MemoryFileSystem): Promise<string> {
  const names = (await disk.readDirectory(DIRECTORY)).map(({ name }) => name);
  return names.find((name) => name.endsWith('.sst'))!;
}

describe('flush', () => {
  // Whoever waited for a flush was told of the failure of a compaction that went on at the same time.
  test('does not fail because a compaction meets a damaged table', async () => {
    const disk = new MemoryFileSystem();
    const events: EngineEvent[] = [];
    await using engine = await openTestEngine(testWorld(disk), {
      level0Tables: 4,
      maxOpenTables: 1,
      onEvent: (event) => void events.push(event),
    });
    for (let i = 0; i < 3; i++) await addTable(engine, `v${i}`);
    const damaged = await disk.open(`${DIRECTORY}/${await firstTable(disk)}`, 'write');
    await damaged.write(Uint8Array.of(0xff, 0xff, 0xff), 200);
    await damaged.close();

    for (let i = 0; i < 5; i++) await addTable(engine, `w${i}`);

    const warnings = events.filter(({ kind }) => kind === 'warning');
    expect(warnings.length).toBeGreaterThan(0);
    expect(engine.stats()).toMatchObject({ flushCount: 8, compactionCount: 0 });
  });

  // Nothing failed when fresh tables were named without having been read back.
  test('names no table that does not read back as it was written, and writes another when asked', async () => {
    let lies = 1;
    const lying = new InterceptedFileSystem(new MemoryFileSystem(), {
      call: ({ kind, paths, data }, call) => {
        if (kind === 'write' && paths[0]!.endsWith('.sst') && lies-- > 0) data![data!.length - 10]! ^= 1;
        return call();
      },
      callSync: (_operation, call) => call(),
    });
    await using engine = await openTestEngine(testWorld(lying));
    await engine.put('k', 'v');

    const outcomes = [await outcomeOf(engine.flush()), await outcomeOf(engine.flush())];

    expect(outcomes).toEqual(['KAYA_CORRUPTION', 'done']);
    expect(engine.stats()).toMatchObject({ flushCount: 1, tableCount: 1 });
  });

  // It waited until nothing at all was frozen, which steady writers may never let happen.
  test('waits for what was there when it was called, and for nothing later', async () => {
    let flushed = 0;
    await using engine = await openTestEngine(testWorld(), {
      memtableBytes: 1024,
      onEvent: ({ kind }) => {
        if (kind === 'flushed') flushed++;
      },
    });
    let isFlushing = true;
    const write = async (): Promise<void> => {
      for (let i = 0; i < 400; i++) if (isFlushing) await engine.put('k', 'v'.repeat(600));
    };
    const writing = write();
    await engine.put('k', 'v');
    const before = flushed;

    await engine.flush();

    expect(flushed - before).toBeLessThan(5);
    isFlushing = false;
    await writing;
  });
});

/** Holds up whoever creates a table until it is let through. */
class TableGate {
  readonly fileSystem: FileSystem;
  #isOpen = false;
  #waiting: (() => void)[] = [];

  constructor(inner: FileSystem) {
    this.fileSystem = new InterceptedFileSystem(inner, {
      call: async ({ kind, mode, paths }, call) => {
        const isHeldUp = !this.#isOpen && kind === 'open' && mode === 'create' && paths[0]!.endsWith('.sst');
        if (isHeldUp) await new Promise<void>((resolve) => this.#waiting.push(resolve));
        return call();
      },
      callSync: (_operation, call) => call(),
    });
  }

  letOneThrough(): void {
    this.#waiting.shift()!();
  }

  open(): void {
    this.#isOpen = true;
    for (const resolve of this.#waiting) resolve();
  }
}

describe('the log of a frozen memtable', () => {
  // Nothing failed when the flush of one memtable gave up the segments of all that were frozen.
  test('stays while only older memtables are in tables', async () => {
    const disk = new MemoryFileSystem();
    const gate = new TableGate(disk);
    const engine = await openTestEngine(testWorld(gate.fileSystem), { memtableBytes: 1024 });
    for (const key of ['a', 'b', 'c']) await engine.put(key, 'v'.repeat(1100));
    gate.letOneThrough();
    await settle();
    expect(engine.stats()).toMatchObject({ flushCount: 1, lastSequence: 3 });

    const after = crashClone(disk, { kind: 'everything' }, () => 0);

    await using reopened = await openTestEngine(testWorld(after));
    const found = await Promise.all(['a', 'b', 'c'].map((key) => reopened.get(key)));
    expect(found.map((value) => value?.length)).toEqual([1100, 1100, 1100]);
    gate.open();
    await engine.close();
  });

  test('is synced by the next strict write, whatever of older ones is in tables already', async () => {
    const disk = new MemoryFileSystem();
    const gate = new TableGate(disk);
    const options = { memtableBytes: 1024, durability: 'relaxed' } as const;
    const engine = await openTestEngine(testWorld(gate.fileSystem), options);
    for (const key of ['a', 'b', 'c']) await engine.put(key, 'v'.repeat(1100));
    gate.letOneThrough();
    await settle();
    expect(engine.stats()).toMatchObject({ flushCount: 1, lastSequence: 3 });

    expect(await engine.put('d', 'v', { durability: 'strict' })).toMatchObject({ durable: true });

    const after = crashClone(disk, { kind: 'nothing-unsynced' }, () => 0);
    await using reopened = await openTestEngine(testWorld(after));
    const found = await Promise.all(['a', 'b', 'c', 'd'].map((key) => reopened.get(key)));
    expect(found.map((value) => value?.length)).toEqual([1100, 1100, 1100, 1]);
    gate.open();
    await engine.close();
  });
});

/** Lets background work come to rest. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

describe('compaction', () => {
  // Any error but a full disk poisoned the store, also those of reads, after which nothing on disk is unknown.
  test('that cannot read its inputs stops, and writes go on', async () => {
    const disk = new MemoryFileSystem();
    const faulty = new FaultyFileSystem(disk);
    await using engine = await openTestEngine(testWorld(faulty), { level0Tables: 2, maxOpenTables: 1 });
    await addTable(engine, 'v');
    const broken = await firstTable(disk);
    const effect = { kind: 'fail', errno: 'EIO' } as const;
    const isBroken = (path: string): boolean => path.endsWith(broken);
    faulty.inject({ at: 1, forever: true, kinds: ['read'], matchesPath: isBroken, effect });

    await addTable(engine, 'w');
    const outcome = await outcomeOf(engine.put('k', 'v'));

    expect(outcome).toBe('done');
    expect(engine.stats().compactionCount).toBe(0);
    faulty.heal();
    await addTable(engine, 'x');
  });
});
