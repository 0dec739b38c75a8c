import { encodeUtf8 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import { MemoryFileSystem } from './memory-file-system.ts';

describe('MemoryFileSystem', () => {
  test('writes the part that fits when the disk is full, and frees the space of removed files', async () => {
    const fs = new MemoryFileSystem({ capacityBytes: 10 });
    const a = await fs.open('/a', 'create');
    await a.write(encodeUtf8('1234567'), 0);
    const b = await fs.open('/b', 'create');

    await expect(b.write(encodeUtf8('abcde'), 0)).rejects.toMatchObject({ code: 'KAYA_DISK_FULL', errno: 'ENOSPC' });
    await expect(a.truncate(100)).rejects.toMatchObject({ code: 'KAYA_DISK_FULL' });
    a.writeSync(encodeUtf8('overwriting is free'.slice(0, 7)), 0);

    expect(await b.size()).toBe(3);
    expect(await fs.diskSpace('/')).toEqual({ totalBytes: 10, availableBytes: 0 });
    await fs.unlink('/a');
    expect((await fs.diskSpace('/')).availableBytes).toBe(0);
    await a.close();
    expect((await fs.diskSpace('/')).availableBytes).toBe(7);
    await b.write(encodeUtf8('de'), 3);
    expect(await b.size()).toBe(5);
  });

  test('counts the handles that are open', async () => {
    const fs = new MemoryFileSystem();
    const a = await fs.open('/a', 'create');
    const again = fs.openSync('/a', 'read');

    const open = fs.openHandles;
    await a.close();
    await a.close();
    const afterOne = fs.openHandles;
    await again.close();

    expect([open, afterOne, fs.openHandles]).toEqual([2, 1, 0]);
  });

  test('counts a replaced file as gone and a linked one once', async () => {
    const fs = new MemoryFileSystem({ capacityBytes: 10 });
    for (const name of ['/a', '/b']) {
      const handle = await fs.open(name, 'create');
      await handle.write(new Uint8Array(4), 0);
      await handle.close();
    }

    await fs.link('/a', '/c');
    await fs.rename('/a', '/b');
    expect((await fs.diskSpace('/')).availableBytes).toBe(6);
    await fs.unlink('/c');
    expect((await fs.diskSpace('/')).availableBytes).toBe(6);
    await fs.unlink('/b');

    expect((await fs.diskSpace('/')).availableBytes).toBe(10);
  });

  test('changes nothing while read-only, and still reads', async () => {
    const fs = new MemoryFileSystem();
    const handle = await fs.open('/a', 'create');
    await handle.write(encodeUtf8('abc'), 0);
    fs.setReadOnly(true);

    const refused = [
      fs.open('/a', 'write'),
      fs.open('/b', 'create'),
      handle.write(encodeUtf8('x'), 0),
      handle.truncate(0),
      fs.makeDirectory('/folder'),
      fs.rename('/a', '/b'),
      fs.link('/a', '/b'),
      fs.unlink('/a'),
    ];

    for (const attempt of refused) {
      await expect(attempt).rejects.toMatchObject({ code: 'KAYA_FS_PERMISSION', errno: 'EROFS' });
    }
    expect(await fs.readFile('/a')).toEqual(encodeUtf8('abc'));
    expect(await fs.makeDirectory('/')).toBe(false);
    expect((await fs.readDirectory('/')).map((entry) => entry.name)).toEqual(['a']);
  });

  test('calls back after each mutation and each sync, until stopped', async () => {
    const fs = new MemoryFileSystem();
    const seen: string[] = [];
    const stop = fs.afterEachMutation(({ operation, path }) => seen.push(`${operation} ${path}`));

    await fs.makeDirectory('/d');
    const handle = await fs.open('/d/a', 'create');
    handle.writeSync(new Uint8Array(3), 0);
    await handle.truncate(1);
    await handle.sync();
    await handle.read(new Uint8Array(1), 0);
    await fs.rename('/d/a', '/d/b');
    await fs.syncDirectory('/d');
    stop();
    await fs.unlink('/d/b');

    expect(seen).toEqual([
      'makeDirectory /d',
      'create /d/a',
      'write /d/a',
      'truncate /d/a',
      'sync /d/a',
      'rename /d/a to /d/b',
      'syncDirectory /d',
    ]);
  });

  test('resolves dots and relative paths from the root', async () => {
    const fs = new MemoryFileSystem();
    await fs.makeDirectory('data');

    await (await fs.open('./data//x', 'create')).close();

    expect(await fs.stat('/data/../data/./x')).toMatchObject({ kind: 'file' });
  });
});
