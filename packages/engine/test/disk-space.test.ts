/** What a store takes up on disk beyond what it needs: nothing for long, whatever fails. */

import { crashClone, FaultyFileSystem, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { DIRECTORY, openTestEngine, testWorld, tinyOptions } from './support/open-test-engine.ts';

async function namesEnding(disk: MemoryFileSystem, suffix: string): Promise<readonly string[]> {
  return (await disk.readDirectory(DIRECTORY)).map(({ name }) => name).filter((name) => name.endsWith(suffix));
}

async function listedBytes(disk: MemoryFileSystem): Promise<number> {
  const stats = (await disk.readDirectory(DIRECTORY)).map(({ name }) => disk.stat(`${DIRECTORY}/${name}`));
  return (await Promise.all(stats)).reduce((sum, stat) => sum + stat!.bytes, 0);
}

/** Files that were removed and are still open count too, as on any disk. */
async function usedBytes(disk: MemoryFileSystem): Promise<number> {
  disk.setCapacity(2 ** 40);
  return 2 ** 40 - (await disk.diskSpace('/')).availableBytes;
}

/** Lets background work come to rest. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

describe('the write-ahead log', () => {
  // A log that nobody syncs kept every segment open, removed or not, until the store was closed.
  test('is given back once tables hold it, though it was never synced', async () => {
    const disk = new MemoryFileSystem();
    await using engine = await openTestEngine(testWorld(disk), { ...tinyOptions, durability: 'relaxed' });

    for (let i = 0; i < 200; i++) await engine.put(`k${i % 20}`, 'v'.repeat(200));
    await engine.flush();
    await settle();

    expect(engine.stats().walFsyncCount).toBe(0);
    expect(engine.stats().walBytesWritten).toBeGreaterThan(40_000);
    expect(await usedBytes(disk)).toBe(await listedBytes(disk));
    expect(await namesEnding(disk, '.wal')).toHaveLength(1);
  });
});

describe('a table', () => {
  test('is given back once it was merged and the reads that held it have ended', async () => {
    const disk = new MemoryFileSystem();
    await using engine = await openTestEngine(testWorld(disk), tinyOptions);

    for (let i = 0; i < 200; i++) {
      await engine.put(`k${i % 20}`, 'v'.repeat(200));
      await engine.get(`k${(i + 7) % 20}`);
    }
    await engine.flush();
    await settle();

    expect(engine.stats().compactionCount).toBeGreaterThan(0);
    expect(await namesEnding(disk, '.sst')).toHaveLength(engine.stats().tableCount);
  });
});

describe('a full disk', () => {
  // Tables whose edit found no room were kept until the store was closed, one more with each attempt.
  test('is not filled by tables that the manifest had no room to name', async () => {
    const disk = new MemoryFileSystem();
    const faulty = new FaultyFileSystem(disk);
    await using engine = await openTestEngine(testWorld(faulty));
    await engine.put('k', 'v');
    const isManifest = (path: string): boolean => path.includes('MANIFEST');
    const effect = { kind: 'fail', errno: 'ENOSPC' } as const;
    faulty.inject({ at: 1, forever: true, kinds: ['write'], matchesPath: isManifest, effect });

    for (let i = 0; i < 3; i++) await expect(engine.flush()).rejects.toMatchObject({ code: 'KAYA_DISK_FULL' });
    await settle();

    expect(await namesEnding(disk, '.sst')).toEqual([]);
    faulty.heal();
    await engine.flush();
    expect(await namesEnding(disk, '.sst')).toHaveLength(1);
  });

  // Each attempt to open left the tables it had written, and removed none before it had succeeded.
  test('is not filled further by each attempt to open', async () => {
    const before = new MemoryFileSystem();
    const engine = await openTestEngine(testWorld(before));
    for (let i = 0; i < 100; i++) await engine.put(`k${i}`, 'v'.repeat(1000));
    const disk = crashClone(before, { kind: 'everything' }, () => 0);
    const faulty = new FaultyFileSystem(disk);
    const isCurrent = (path: string): boolean => path.includes('CURRENT');
    const effect = { kind: 'fail', errno: 'ENOSPC' } as const;
    faulty.inject({ at: 1, forever: true, kinds: ['write'], matchesPath: isCurrent, effect });

    for (let i = 0; i < 3; i++) {
      await expect(openTestEngine(testWorld(faulty))).rejects.toMatchObject({ code: 'KAYA_DISK_FULL' });
    }

    expect(await namesEnding(disk, '.sst')).toHaveLength(1);
  });
});
