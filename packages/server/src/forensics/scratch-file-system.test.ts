import { diskFingerprint, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { ScratchFileSystem } from './scratch-file-system.ts';

async function write(fs: MemoryFileSystem | ScratchFileSystem, path: string, text: string): Promise<void> {
  const handle = await fs.open(path, 'create');
  await handle.write(Buffer.from(text), 0);
  await handle.close();
}

async function lower(): Promise<MemoryFileSystem> {
  const fs = new MemoryFileSystem();
  await fs.makeDirectory('/store');
  for (const name of ['CURRENT', 'LOCK', '000001.sst']) await write(fs, `/store/${name}`, `below ${name}`);
  return fs;
}

async function textOf(fs: ScratchFileSystem, path: string): Promise<string> {
  return Buffer.from(await fs.readFile(path)).toString();
}

async function namesIn(fs: ScratchFileSystem): Promise<readonly string[]> {
  return (await fs.readDirectory('/store')).map(({ name }) => name);
}

describe('ScratchFileSystem', () => {
  test('keeps whatever is changed for itself', async () => {
    const below = await lower();
    const before = diskFingerprint(below);
    const fs = new ScratchFileSystem(below);

    await write(fs, '/store/CURRENT.tmp', 'above');
    await fs.rename('/store/CURRENT.tmp', '/store/CURRENT');
    await fs.link('/store/000001.sst', '/store/000002.sst');
    await fs.unlink('/store/000001.sst');
    await fs.makeDirectory('/store/more');
    const handle = await fs.open('/store/LOCK', 'write');
    await handle.write(Buffer.from('ABOVE'), 0);
    await handle.close();

    expect(await namesIn(fs)).toEqual(['000002.sst', 'CURRENT', 'LOCK', 'more']);
    expect(await textOf(fs, '/store/CURRENT')).toBe('above');
    expect(await textOf(fs, '/store/000002.sst')).toBe('below 000001.sst');
    expect(await textOf(fs, '/store/LOCK')).toBe('ABOVE LOCK');
    expect(await fs.stat('/store/000001.sst')).toBeUndefined();
    expect(diskFingerprint(below)).toBe(before);
  });

  test('does not have the names that it is told to hide, until they are made', async () => {
    const fs = new ScratchFileSystem(await lower(), { hides: (name) => name === 'LOCK' });

    const hidden = await namesIn(fs);
    await write(fs, '/store/LOCK', 'mine');

    expect(hidden).toEqual(['000001.sst', 'CURRENT']);
    expect(await textOf(fs, '/store/LOCK')).toBe('mine');
  });

  test.each<[string, (fs: ScratchFileSystem) => Promise<unknown>, string]>([
    ['a file that is there is made', (fs) => fs.open('/store/CURRENT', 'create'), 'KAYA_FS_EXISTS'],
    ['a name is linked to one that is taken', (fs) => fs.link('/store/LOCK', '/store/CURRENT'), 'KAYA_FS_EXISTS'],
    ['a file is opened that is not there', (fs) => fs.open('/store/none', 'read'), 'KAYA_FS_NOT_FOUND'],
    ['a file is removed that is not there', (fs) => fs.unlink('/store/none'), 'KAYA_FS_NOT_FOUND'],
    ['a file is renamed that is not there', (fs) => fs.rename('/store/none', '/store/x'), 'KAYA_FS_NOT_FOUND'],
  ])('fails as a disk does when %s', async (_what, act, code) => {
    const fs = new ScratchFileSystem(await lower());

    await expect(act(fs)).rejects.toMatchObject({ code });
  });

  test('reads at positions, cuts and grows as a disk does', async () => {
    const fs = new ScratchFileSystem(await lower());
    const handle = await fs.open('/store/new', 'create');
    await handle.write(Buffer.from('0123456789'), 5);
    const buffer = new Uint8Array(8);

    const count = await handle.read(buffer, 10);
    await handle.truncate(7);
    await handle.truncate(9);

    expect(Buffer.from(buffer.subarray(0, count)).toString()).toBe('56789');
    expect([...(await fs.readFile('/store/new'))]).toEqual([0, 0, 0, 0, 0, 48, 49, 0, 0]);
    expect(await handle.size()).toBe(9);
    await handle.close();
  });
});
