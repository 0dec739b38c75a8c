/** What every FileSystem must do, codes of errors included. Run against each implementation, so that they agree. */

import { decodeUtf8, encodeUtf8, equalBytes } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import { type FileSystem, FileSystemError } from '../src/index.ts';

/** An empty folder of its own on the file system under test. */
export interface World {
  readonly fs: FileSystem;
  readonly root: string;
  [Symbol.asyncDispose](): Promise<void>;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return errorOf(() => promise);
}

async function errorOf(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    return error instanceof FileSystemError ? `${error.code} ${error.errno}` : `untyped ${String(error)}`;
  }
  return 'none';
}

async function writeWhole(fs: FileSystem, path: string, text: string): Promise<void> {
  const handle = await fs.open(path, 'create');
  await handle.write(encodeUtf8(text), 0);
  await handle.close();
}

async function readWhole(fs: FileSystem, path: string): Promise<string> {
  return decodeUtf8(await fs.readFile(path));
}

async function namesIn(fs: FileSystem, path: string): Promise<readonly string[]> {
  return (await fs.readDirectory(path)).map((entry) => `${entry.kind} ${entry.name}`);
}

export function describeFileSystemContract(name: string, openWorld: () => Promise<World>): void {
  describe(`${name}: files`, () => {
    test('gives back what was written, at the position it was written to', async () => {
      await using world = await openWorld();
      const handle = await world.fs.open(`${world.root}/a`, 'create');

      await handle.write(encodeUtf8('hello'), 0);
      handle.writeSync(encodeUtf8('J'), 0);
      await handle.write(encodeUtf8('!'), 7);

      const buffer = new Uint8Array(10).fill(0xff);
      expect(await handle.read(buffer, 0)).toBe(8);
      expect([...buffer]).toEqual([...encodeUtf8('Jello\0\0!'), 0xff, 0xff]);
      expect(handle.readSync(buffer.subarray(0, 3), 4)).toBe(3);
      expect([...buffer.subarray(0, 3)]).toEqual([...encodeUtf8('o\0\0')]);
      expect(await handle.size()).toBe(8);
      expect(handle.sizeSync()).toBe(8);
      await handle.close();
    });

    test('reads nothing at and past the end', async () => {
      await using world = await openWorld();
      await writeWhole(world.fs, `${world.root}/a`, 'abc');
      const handle = await world.fs.open(`${world.root}/a`, 'read');

      expect(await handle.read(new Uint8Array(4), 3)).toBe(0);
      expect(await handle.read(new Uint8Array(4), 4096)).toBe(0);
      expect(handle.readSync(new Uint8Array(4), 4096)).toBe(0);
      expect(await handle.read(new Uint8Array(0), 0)).toBe(0);
      await handle.close();
    });

    test('keeps no reference to the bytes it was given', async () => {
      await using world = await openWorld();
      const handle = await world.fs.open(`${world.root}/a`, 'create');
      const data = encodeUtf8('mine').slice();

      await handle.write(data, 0);
      data.fill(0);

      await handle.close();
      expect(await readWhole(world.fs, `${world.root}/a`)).toBe('mine');
    });

    test('writes in place through a second handle', async () => {
      await using world = await openWorld();
      await writeWhole(world.fs, `${world.root}/a`, 'abcdef');
      const handle = await world.fs.open(`${world.root}/a`, 'write');

      await handle.write(encodeUtf8('XY'), 2);
      await handle.sync();
      handle.syncSync();

      await handle.close();
      expect(await readWhole(world.fs, `${world.root}/a`)).toBe('abXYef');
    });

    test('cuts and zero-extends', async () => {
      await using world = await openWorld();
      const handle = await world.fs.open(`${world.root}/a`, 'create');
      await handle.write(encodeUtf8('abcdef'), 0);

      await handle.truncate(2);
      await handle.truncate(4);

      await handle.close();
      expect(await readWhole(world.fs, `${world.root}/a`)).toBe('ab\0\0');
    });

    test('moves contents that span many pages', async () => {
      await using world = await openWorld();
      const data = Uint8Array.from({ length: 100_003 }, (_, index) => (index * 31) % 251);
      const handle = await world.fs.open(`${world.root}/a`, 'create');

      await handle.write(data, 5);

      const back = new Uint8Array(data.length);
      expect(await handle.read(back, 5)).toBe(data.length);
      expect(equalBytes(back, data)).toBe(true);
      await handle.close();
    });

    test('creates only what is not there, and opens only what is', async () => {
      await using world = await openWorld();
      const { fs, root } = world;
      await writeWhole(fs, `${root}/a`, 'x');
      await fs.makeDirectory(`${root}/folder`);

      expect(await codeOf(fs.open(`${root}/a`, 'create'))).toBe('KAYA_FS_EXISTS EEXIST');
      expect(await codeOf(fs.open(`${root}/none`, 'read'))).toBe('KAYA_FS_NOT_FOUND ENOENT');
      expect(await codeOf(fs.open(`${root}/none`, 'write'))).toBe('KAYA_FS_NOT_FOUND ENOENT');
      expect(await codeOf(fs.open(`${root}/none/a`, 'create'))).toBe('KAYA_FS_NOT_FOUND ENOENT');
      expect(await codeOf(fs.open(`${root}/a/b`, 'create'))).toBe('KAYA_FS_NOT_FOUND ENOTDIR');
      expect(await codeOf(fs.open(`${root}/folder`, 'read'))).toBe('KAYA_FS_IS_DIRECTORY EISDIR');
      expect(await codeOf(fs.open(`${root}/folder`, 'write'))).toBe('KAYA_FS_IS_DIRECTORY EISDIR');
      expect(await codeOf(fs.readFile(`${root}/folder`))).toBe('KAYA_FS_IS_DIRECTORY EISDIR');
      expect(await codeOf(fs.readFile(`${root}/none`))).toBe('KAYA_FS_NOT_FOUND ENOENT');
    });

    test('opens in the same turn as it opens later', async () => {
      await using world = await openWorld();
      const { fs, root } = world;
      await fs.makeDirectory(`${root}/folder`);
      const created = fs.openSync(`${root}/a`, 'create');
      created.writeSync(encodeUtf8('abc'), 0);
      await created.close();

      const written = fs.openSync(`${root}/a`, 'write');
      written.writeSync(encodeUtf8('X'), 1);
      await written.close();
      const read = fs.openSync(`${root}/a`, 'read');

      const buffer = new Uint8Array(4);
      expect(read.path).toBe(`${root}/a`);
      expect(read.readSync(buffer, 0)).toBe(3);
      expect(await read.read(buffer, 1)).toBe(2);
      expect(decodeUtf8(buffer.subarray(0, 2))).toBe('Xc');
      expect(await errorOf(() => read.writeSync(encodeUtf8('x'), 0))).toBe('KAYA_FS_CLOSED EBADF');
      await read.close();
      const refused = [
        ['a', 'create', 'KAYA_FS_EXISTS EEXIST'],
        ['none', 'read', 'KAYA_FS_NOT_FOUND ENOENT'],
        ['none', 'write', 'KAYA_FS_NOT_FOUND ENOENT'],
        ['a/b', 'create', 'KAYA_FS_NOT_FOUND ENOTDIR'],
        ['folder', 'read', 'KAYA_FS_IS_DIRECTORY EISDIR'],
        ['folder', 'write', 'KAYA_FS_IS_DIRECTORY EISDIR'],
      ] as const;
      const errors = refused.map(([file, mode]) => errorOf(() => fs.openSync(`${root}/${file}`, mode)));
      expect(await Promise.all(errors)).toEqual(refused.map(([, , error]) => error));
    });

    test('refuses to write through a handle opened for reading', async () => {
      await using world = await openWorld();
      await writeWhole(world.fs, `${world.root}/a`, 'abc');
      const handle = await world.fs.open(`${world.root}/a`, 'read');

      expect(await codeOf(handle.write(encodeUtf8('x'), 0))).toBe('KAYA_FS_CLOSED EBADF');
      expect(await errorOf(() => handle.writeSync(encodeUtf8('x'), 0))).toBe('KAYA_FS_CLOSED EBADF');
      expect(await codeOf(handle.truncate(0))).toBe('KAYA_FS_CLOSED EBADF');
      await handle.close();
      expect(await readWhole(world.fs, `${world.root}/a`)).toBe('abc');
    });

    test('closes more than once, and refuses everything afterwards', async () => {
      await using world = await openWorld();
      const handle = await world.fs.open(`${world.root}/a`, 'create');

      await Promise.all([handle.close(), handle.close()]);
      await handle.close();

      const bytes = new Uint8Array(1);
      const calls = [
        () => handle.read(bytes, 0),
        () => handle.readSync(bytes, 0),
        () => handle.write(bytes, 0),
        () => handle.writeSync(bytes, 0),
        () => handle.sync(),
        () => handle.syncSync(),
        () => handle.truncate(0),
        () => handle.size(),
        () => handle.sizeSync(),
      ];
      expect(await Promise.all(calls.map(errorOf))).toEqual(calls.map(() => 'KAYA_FS_CLOSED EBADF'));
    });

    test('reports positions that are no byte offset as RangeError', async () => {
      await using world = await openWorld();
      const handle = await world.fs.open(`${world.root}/a`, 'create');

      await expect(handle.write(new Uint8Array(1), -1)).rejects.toThrow(RangeError);
      await expect(handle.read(new Uint8Array(1), 0.5)).rejects.toThrow(RangeError);
      await expect(handle.truncate(-1)).rejects.toThrow(RangeError);
      expect(() => handle.writeSync(new Uint8Array(1), Number.NaN)).toThrow(RangeError);

      expect(await handle.size()).toBe(0);
      await handle.close();
    });
  });

  describe(`${name}: names`, () => {
    test('lists a folder sorted by name', async () => {
      await using world = await openWorld();
      const { fs, root } = world;
      for (const file of ['b', 'a10', 'a9', 'Z']) await writeWhole(fs, `${root}/${file}`, '');
      await fs.makeDirectory(`${root}/folder`);

      expect(await namesIn(fs, root)).toEqual(['file Z', 'file a10', 'file a9', 'file b', 'directory folder']);
      expect(await codeOf(fs.readDirectory(`${root}/none`))).toBe('KAYA_FS_NOT_FOUND ENOENT');
      expect(await codeOf(fs.readDirectory(`${root}/b`))).toBe('KAYA_FS_NOT_FOUND ENOTDIR');
    });

    test('describes what a name stands for', async () => {
      await using world = await openWorld();
      const { fs, root } = world;
      await writeWhole(fs, `${root}/a`, 'abc');
      await fs.makeDirectory(`${root}/folder`);

      expect(await fs.stat(`${root}/a`)).toMatchObject({ kind: 'file', bytes: 3, mode: 0o600 });
      expect(await fs.stat(`${root}/folder`)).toMatchObject({ kind: 'directory', bytes: 0, mode: 0o700 });
      expect(await fs.stat(`${root}/none`)).toBeUndefined();
      expect(await fs.stat(`${root}/a/b`)).toBeUndefined();
    });

    test('creates one folder at a time and says whether it did', async () => {
      await using world = await openWorld();
      const { fs, root } = world;
      await writeWhole(fs, `${root}/a`, '');

      expect(await fs.makeDirectory(`${root}/folder`)).toBe(true);
      expect(await fs.makeDirectory(`${root}/folder`)).toBe(false);
      expect(await codeOf(fs.makeDirectory(`${root}/a`))).toBe('KAYA_FS_EXISTS EEXIST');
      expect(await codeOf(fs.makeDirectory(`${root}/x/y`))).toBe('KAYA_FS_NOT_FOUND ENOENT');
    });

    test('renames over an existing file', async () => {
      await using world = await openWorld();
      const { fs, root } = world;
      await writeWhole(fs, `${root}/new`, 'new');
      await writeWhole(fs, `${root}/old`, 'old');

      await fs.rename(`${root}/new`, `${root}/old`);

      expect(await namesIn(fs, root)).toEqual(['file old']);
      expect(await readWhole(fs, `${root}/old`)).toBe('new');
    });

    test('renames between folders, and renames folders', async () => {
      await using world = await openWorld();
      const { fs, root } = world;
      await fs.makeDirectory(`${root}/from`);
      await fs.makeDirectory(`${root}/to`);
      await writeWhole(fs, `${root}/from/a`, 'a');

      await fs.rename(`${root}/from/a`, `${root}/to/b`);
      await fs.rename(`${root}/to`, `${root}/from/inner`);

      expect(await namesIn(fs, root)).toEqual(['directory from']);
      expect(await readWhole(fs, `${root}/from/inner/b`)).toBe('a');
    });

    test('refuses renames that make no sense', async () => {
      await using world = await openWorld();
      const { fs, root } = world;
      await writeWhole(fs, `${root}/a`, 'a');
      await fs.makeDirectory(`${root}/folder`);
      await fs.makeDirectory(`${root}/full`);
      await writeWhole(fs, `${root}/full/x`, '');

      expect(await codeOf(fs.rename(`${root}/none`, `${root}/b`))).toBe('KAYA_FS_NOT_FOUND ENOENT');
      expect(await codeOf(fs.rename(`${root}/a`, `${root}/folder`))).toBe('KAYA_FS_IS_DIRECTORY EISDIR');
      expect(await codeOf(fs.rename(`${root}/folder`, `${root}/a`))).toBe('KAYA_FS_NOT_FOUND ENOTDIR');
      expect(await codeOf(fs.rename(`${root}/folder`, `${root}/full`))).toBe('KAYA_FS_NOT_EMPTY ENOTEMPTY');
      expect(await codeOf(fs.rename(`${root}/full`, `${root}/full/y`))).toBe('KAYA_IO EINVAL');
      await fs.rename(`${root}/a`, `${root}/a`);
      expect(await namesIn(fs, root)).toEqual(['file a', 'directory folder', 'directory full']);
    });

    test('gives a file a second name, never an existing one', async () => {
      await using world = await openWorld();
      const { fs, root } = world;
      await writeWhole(fs, `${root}/a`, 'abc');
      await fs.link(`${root}/a`, `${root}/b`);

      const handle = await fs.open(`${root}/b`, 'write');
      await handle.write(encodeUtf8('X'), 0);
      await handle.close();

      expect(await readWhole(fs, `${root}/a`)).toBe('Xbc');
      expect(await codeOf(fs.link(`${root}/a`, `${root}/b`))).toBe('KAYA_FS_EXISTS EEXIST');
      expect(await codeOf(fs.link(`${root}/none`, `${root}/c`))).toBe('KAYA_FS_NOT_FOUND ENOENT');
      expect(await codeOf(fs.link(root, `${root}/c`))).toBe('KAYA_FS_PERMISSION EPERM');
      await fs.rename(`${root}/a`, `${root}/b`);
      expect(await namesIn(fs, root)).toEqual(['file a', 'file b']);
    });

    test('keeps an open file whose name is removed', async () => {
      await using world = await openWorld();
      const { fs, root } = world;
      await writeWhole(fs, `${root}/a`, 'abc');
      const handle = await fs.open(`${root}/a`, 'read');

      await fs.unlink(`${root}/a`);

      const buffer = new Uint8Array(3);
      expect(await handle.read(buffer, 0)).toBe(3);
      expect(decodeUtf8(buffer)).toBe('abc');
      await handle.close();
      expect(await namesIn(fs, root)).toEqual([]);
      expect(await codeOf(fs.unlink(`${root}/a`))).toBe('KAYA_FS_NOT_FOUND ENOENT');
    });

    test('removes empty folders only, and files only by unlink', async () => {
      await using world = await openWorld();
      const { fs, root } = world;
      await fs.makeDirectory(`${root}/full`);
      await writeWhole(fs, `${root}/full/x`, '');

      expect(await codeOf(fs.removeDirectory(`${root}/full`))).toBe('KAYA_FS_NOT_EMPTY ENOTEMPTY');
      expect(await codeOf(fs.removeDirectory(`${root}/full/x`))).toBe('KAYA_FS_NOT_FOUND ENOTDIR');
      expect(await codeOf(fs.removeDirectory(`${root}/none`))).toBe('KAYA_FS_NOT_FOUND ENOENT');
      expect(await codeOf(fs.unlink(`${root}/full`))).toBe('KAYA_FS_IS_DIRECTORY EISDIR');
      await fs.unlink(`${root}/full/x`);
      await fs.removeDirectory(`${root}/full`);
      expect(await namesIn(fs, root)).toEqual([]);
    });

    test('syncs folders, and only folders', async () => {
      await using world = await openWorld();
      const { fs, root } = world;
      await writeWhole(fs, `${root}/a`, '');

      await fs.syncDirectory(root);

      expect(await codeOf(fs.syncDirectory(`${root}/none`))).toBe('KAYA_FS_NOT_FOUND ENOENT');
      expect(await codeOf(fs.syncDirectory(`${root}/a`))).toBe('KAYA_FS_NOT_FOUND ENOTDIR');
    });

    test('knows the space of the disk', async () => {
      await using world = await openWorld();

      const space = await world.fs.diskSpace(world.root);

      expect(space.totalBytes).toBeGreaterThan(0);
      expect(space.availableBytes).toBeLessThanOrEqual(space.totalBytes);
      expect(await codeOf(world.fs.diskSpace(`${world.root}/none`))).toBe('KAYA_FS_NOT_FOUND ENOENT');
    });
  });
}
