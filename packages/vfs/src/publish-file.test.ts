import { decodeUtf8, encodeUtf8 } from '@kayadb/codec';
import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import type { FileSystem } from './file-system.ts';
import { publishFile } from './publish-file.ts';
import { FaultyFileSystem, MemoryFileSystem, TraceFileSystem, crashClone, crashClones } from './testing/index.ts';

async function contentOf(fs: FileSystem, path: string): Promise<string | undefined> {
  return (await fs.stat(path)) === undefined ? undefined : decodeUtf8(await fs.readFile(path));
}

async function namesIn(fs: FileSystem, path: string): Promise<readonly string[]> {
  return (await fs.readDirectory(path)).map((entry) => entry.name);
}

async function openDirectory(): Promise<MemoryFileSystem> {
  const fs = new MemoryFileSystem();
  await fs.makeDirectory('/db');
  await fs.syncDirectory('/');
  return fs;
}

describe('publishFile', () => {
  test('syncs the content before the name, and the name before it is done', async () => {
    const trace = new TraceFileSystem(await openDirectory(), '/db');

    await publishFile(trace, '/db', 'CURRENT', encodeUtf8('one'));

    expect(trace.lines).toEqual([
      'unlink CURRENT.tmp = ENOENT',
      'create CURRENT.tmp',
      'write CURRENT.tmp 0+3',
      'sync CURRENT.tmp',
      'close CURRENT.tmp',
      'rename CURRENT.tmp CURRENT',
      'syncdir .',
    ]);
  });

  test('shows the old content or the new after a crash at any moment, and the new one once it is done', async () => {
    const random = seededRandom(testSeed());
    const crash = (): readonly MemoryFileSystem[] => crashClones(fs, () => random.next()).map(({ disk }) => disk);
    const fs = await openDirectory();
    await publishFile(fs, '/db', 'CURRENT', encodeUtf8('old content'));
    const clones: MemoryFileSystem[] = [];
    fs.afterEachMutation(() => {
      for (let round = 0; round < 20; round++) clones.push(...crash());
    });

    await publishFile(fs, '/db', 'CURRENT', encodeUtf8('new'));

    const seen = await Promise.all(clones.map((clone) => contentOf(clone, '/db/CURRENT')));
    expect(new Set(seen)).toEqual(new Set(['new', 'old content']));
    for (const disk of crash()) expect(await contentOf(disk, '/db/CURRENT')).toBe('new');
  });

  test('replaces a leftover without writing through it', async () => {
    const fs = await openDirectory();
    await publishFile(fs, '/db', 'CURRENT', encodeUtf8('published'));
    await fs.link('/db/CURRENT', '/db/CURRENT.tmp');
    const opened = await fs.open('/db/CURRENT', 'read');

    await publishFile(fs, '/db', 'CURRENT', encodeUtf8('next'));

    const buffer = new Uint8Array(9);
    await opened.read(buffer, 0);
    expect(decodeUtf8(buffer)).toBe('published');
    expect(await contentOf(fs, '/db/CURRENT')).toBe('next');
    expect(await namesIn(fs, '/db')).toEqual(['CURRENT']);
  });

  test.each(['open', 'write', 'sync', 'close', 'rename'] as const)(
    'leaves the old file and no temporary one when %s fails',
    async (kind) => {
      const disk = await openDirectory();
      await publishFile(disk, '/db', 'CURRENT', encodeUtf8('old'));
      const fs = new FaultyFileSystem(disk, [{ at: 1, kinds: [kind], effect: { kind: 'fail', errno: 'ENOSPC' } }]);

      await expect(publishFile(fs, '/db', 'CURRENT', encodeUtf8('new'))).rejects.toMatchObject({
        code: 'KAYA_DISK_FULL',
      });

      expect(await contentOf(disk, '/db/CURRENT')).toBe('old');
      expect(await namesIn(disk, '/db')).toEqual(['CURRENT']);
    },
  );

  test('tells what it could not remove', async () => {
    const disk = await openDirectory();
    const fs = new FaultyFileSystem(disk, [
      { at: 1, kinds: ['write'], effect: { kind: 'short-write', bytes: 1, errno: 'EIO' } },
      { at: 2, kinds: ['unlink'], effect: { kind: 'fail', errno: 'EIO' } },
    ]);

    await expect(publishFile(fs, '/db', 'CURRENT', encodeUtf8('new'))).rejects.toThrow(
      /write of \/db\/CURRENT\.tmp failed with EIO.*CURRENT\.tmp could not be removed/,
    );

    expect(await namesIn(disk, '/db')).toEqual(['CURRENT.tmp']);
    await publishFile(disk, '/db', 'CURRENT', encodeUtf8('new'));
    expect(await namesIn(disk, '/db')).toEqual(['CURRENT']);
  });

  test('tells when the new file is in place but not durable', async () => {
    const disk = await openDirectory();
    const fs = new FaultyFileSystem(disk, [
      { at: 1, kinds: ['syncDirectory'], effect: { kind: 'fail', errno: 'EIO' } },
    ]);

    await expect(publishFile(fs, '/db', 'CURRENT', encodeUtf8('new'))).rejects.toThrow(/may not survive power loss/);

    expect(await contentOf(disk, '/db/CURRENT')).toBe('new');
    expect(
      await contentOf(
        crashClone(disk, { kind: 'nothing-unsynced' }, () => 0),
        '/db/CURRENT',
      ),
    ).toBeUndefined();
  });
});
