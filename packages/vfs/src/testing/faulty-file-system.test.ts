import { decodeUtf8, encodeUtf8 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import type { FileHandle } from '../file-system.ts';
import { nodeFileSystem } from '../node/node-file-system.ts';
import { crashClone } from './crash-clone.ts';
import { type Fault, FaultyFileSystem } from './faulty-file-system.ts';
import { MemoryFileSystem } from './memory-file-system.ts';
import { TraceFileSystem } from './trace-file-system.ts';

interface World {
  readonly disk: MemoryFileSystem;
  readonly fs: FaultyFileSystem;
  readonly handle: FileHandle;
}

/** A file `/a` whose synced content is `old!`. */
async function openWorld(...faults: readonly Fault[]): Promise<World> {
  const disk = new MemoryFileSystem();
  const fs = new FaultyFileSystem(disk);
  const handle = await fs.open('/a', 'create');
  await handle.write(encodeUtf8('old!'), 0);
  await handle.sync();
  await fs.syncDirectory('/');
  for (const fault of faults) fs.inject(fault);
  return { disk, fs, handle };
}

async function afterPowerLoss(disk: MemoryFileSystem): Promise<string> {
  return decodeUtf8(await crashClone(disk, { kind: 'nothing-unsynced' }, () => 0).readFile('/a'));
}

async function now(disk: MemoryFileSystem): Promise<string> {
  return decodeUtf8(await disk.readFile('/a'));
}

describe('FaultyFileSystem', () => {
  test.each(['EIO', 'ENOSPC', 'EDQUOT', 'EINTR', 'EMFILE'])('fails the chosen call with %s, once', async (errno) => {
    const { disk, handle } = await openWorld({ at: 2, kinds: ['write'], effect: { kind: 'fail', errno } });

    await handle.write(encodeUtf8('1'), 0);
    await expect(handle.write(encodeUtf8('2'), 1)).rejects.toMatchObject({ errno, operation: 'write', path: '/a' });
    handle.writeSync(encodeUtf8('3'), 2);

    expect(await now(disk)).toBe('1l3!');
  });

  test('fails from the chosen call on, until healed', async () => {
    const { fs, handle } = await openWorld({ at: 3, forever: true, effect: { kind: 'fail', errno: 'EIO' } });

    await handle.size();
    await fs.stat('/a');
    await expect(fs.readFile('/a')).rejects.toMatchObject({ errno: 'EIO' });
    expect(() => handle.syncSync()).toThrow(/EIO/);
    fs.heal();

    expect(await handle.size()).toBe(4);
  });

  test('counts only the paths that match', async () => {
    const { fs } = await openWorld({
      at: 1,
      matchesPath: (path) => path.endsWith('.sst'),
      effect: { kind: 'fail', errno: 'EIO' },
    });

    await fs.rename('/a', '/b');
    await expect(fs.rename('/b', '/1.sst')).rejects.toMatchObject({ errno: 'EIO', path: '/b to /1.sst' });

    expect(await fs.stat('/b')).toBeDefined();
  });

  test('counts calls, so that each can be failed in turn', async () => {
    const { fs, handle } = await openWorld();

    handle.readSync(new Uint8Array(1), 0);
    await handle.read(new Uint8Array(1), 0);

    expect(fs.countOf(['read'])).toBe(2);
    expect(fs.countOf(['write', 'sync', 'syncDirectory'])).toBe(3);
    expect(fs.countOf()).toBe(6);
  });

  test('counts and fails synchronous opens and sizes like their twins', async () => {
    const { fs, handle } = await openWorld(
      { at: 2, kinds: ['open'], effect: { kind: 'fail', errno: 'EMFILE' } },
      { at: 1, kinds: ['size'], effect: { kind: 'fail', errno: 'EIO' } },
    );

    expect(() => handle.sizeSync()).toThrow(/EIO/);
    expect(handle.sizeSync()).toBe(4);
    await fs.openSync('/a', 'read').close();
    expect(() => fs.openSync('/a', 'read')).toThrow(/EMFILE/);

    expect(fs.countOf(['size'])).toBe(2);
    expect(fs.countOf(['open'])).toBe(3);
  });

  test('closes what a failed close was to close', async () => {
    const { handle } = await openWorld({ at: 1, kinds: ['close'], effect: { kind: 'fail', errno: 'EIO' } });

    await expect(handle.close()).rejects.toMatchObject({ errno: 'EIO' });

    await expect(handle.size()).rejects.toMatchObject({ code: 'KAYA_FS_CLOSED' });
  });

  test('writes a prefix and then fails', async () => {
    const { disk, handle } = await openWorld({ at: 1, effect: { kind: 'short-write', bytes: 2, errno: 'ENOSPC' } });

    await expect(handle.write(encodeUtf8('new!'), 2)).rejects.toMatchObject({ code: 'KAYA_DISK_FULL' });

    expect(await now(disk)).toBe('olne');
  });

  test('a plainly failed sync leaves the bytes unsynced, so that a later one counts', async () => {
    const { disk, handle } = await openWorld({ at: 1, kinds: ['sync'], effect: { kind: 'fail', errno: 'EIO' } });
    await handle.write(encodeUtf8('new!'), 0);

    await expect(handle.sync()).rejects.toMatchObject({ errno: 'EIO' });
    expect(await afterPowerLoss(disk)).toBe('old!');
    await handle.sync();

    expect(await afterPowerLoss(disk)).toBe('new!');
  });

  test('a failed sync may drop the pages: they read as the disk has them, grown parts as zeros', async () => {
    const { disk, handle } = await openWorld({
      at: 1,
      effect: { kind: 'failed-sync', pages: 'dropped', errno: 'EIO' },
    });
    await handle.write(encodeUtf8('new content'), 0);

    await expect(handle.sync()).rejects.toMatchObject({ errno: 'EIO' });

    expect(await now(disk)).toBe('old!\0\0\0\0\0\0\0');
    await handle.sync();
    expect(await afterPowerLoss(disk)).toBe('old!\0\0\0\0\0\0\0');
  });

  test('a failed sync may keep the pages as clean: they read well, later syncs succeed, a crash loses them', async () => {
    const { disk, handle } = await openWorld({ at: 1, effect: { kind: 'failed-sync', pages: 'clean', errno: 'EIO' } });
    await handle.write(encodeUtf8('new content'), 0);

    expect(() => handle.syncSync()).toThrow(/EIO/);
    await handle.sync();

    expect(await now(disk)).toBe('new content');
    expect(await afterPowerLoss(disk)).toBe('old!');
    expect(decodeUtf8(await crashClone(disk, { kind: 'everything' }, () => 0).readFile('/a'))).toBe('new content');
    expect(decodeUtf8(await crashClone(disk, { kind: 'names-lost' }, () => 0).readFile('/a'))).toBe('old!');
  });

  test('pages kept as clean stay lost when other pages are synced later', async () => {
    const { disk, handle } = await openWorld({ at: 1, effect: { kind: 'failed-sync', pages: 'clean', errno: 'EIO' } });
    await handle.write(encodeUtf8('new!'), 0);
    await expect(handle.sync()).rejects.toMatchObject({ errno: 'EIO' });

    await handle.write(encodeUtf8('more'), 8192);
    await handle.sync();

    expect(await afterPowerLoss(disk)).toBe(`old!${'\0'.repeat(8188)}more`);
  });

  test('what is written over pages kept as clean is lost too, although its sync succeeds', async () => {
    const { disk, handle } = await openWorld({ at: 1, effect: { kind: 'failed-sync', pages: 'clean', errno: 'EIO' } });
    await handle.write(encodeUtf8('.'.repeat(9000)), 4);
    await expect(handle.sync()).rejects.toMatchObject({ errno: 'EIO' });

    await handle.write(encodeUtf8('more'), 5000);
    await handle.sync();

    expect((await now(disk)).slice(4998, 5006)).toBe('..more..');
    expect(await afterPowerLoss(disk)).toBe(`old!${'\0'.repeat(8188)}`);
    const atRisk = crashClone(disk, { kind: 'everything' }, () => 0);
    await (await atRisk.open('/a', 'write')).write(encodeUtf8('most'), 5000);
    await (await atRisk.open('/a', 'write')).sync();
    expect(await afterPowerLoss(atRisk)).toBe(`old!${'\0'.repeat(8188)}`);
  });

  test('an error of writing back may come late: the next sync has it, whichever handle asks, and only that one', async () => {
    const { disk, fs, handle } = await openWorld({
      at: 1,
      kinds: ['write'],
      effect: { kind: 'late-error', errno: 'EIO' },
    });
    const second = await fs.open('/a', 'read');

    await handle.write(encodeUtf8('new!'), 0);
    await expect(second.sync()).rejects.toMatchObject({ errno: 'EIO' });
    await handle.sync();

    expect(await now(disk)).toBe('new!');
    expect(await afterPowerLoss(disk)).toBe('old!');
  });

  test('a lying sync succeeds, makes nothing durable, and the next one has the error', async () => {
    const { disk, handle } = await openWorld({
      at: 1,
      kinds: ['sync'],
      effect: { kind: 'late-error', errno: 'EIO' },
    });
    await handle.write(encodeUtf8('new!'), 0);

    await handle.sync();
    expect(await afterPowerLoss(disk)).toBe('old!');

    expect(() => handle.syncSync()).toThrow(/EIO/);
  });

  test('reaches the memory through other wrappers', async () => {
    const disk = new MemoryFileSystem();
    const effect = { kind: 'failed-sync', pages: 'dropped', errno: 'EIO' } as const;
    const handle = await new FaultyFileSystem(new TraceFileSystem(disk, '/'), [{ at: 1, effect }]).open('/a', 'create');
    await handle.write(encodeUtf8('new'), 0);

    await expect(handle.sync()).rejects.toMatchObject({ errno: 'EIO' });

    expect(await now(disk)).toBe('\0\0\0');
  });

  test('refuses to decide about the pages of a real disk', async () => {
    const effect = { kind: 'failed-sync', pages: 'dropped', errno: 'EIO' } as const;
    const handle = await new FaultyFileSystem(nodeFileSystem(), [{ at: 1, effect }]).open(process.execPath, 'read');

    await expect(handle.sync()).rejects.toThrow(TypeError);

    await handle.close();
  });
});
