import { decodeUtf8, encodeUtf8 } from '@kayadb/codec';
import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import type { FileSystem } from '../file-system.ts';
import { crashClone, crashClones } from './crash-clone.ts';
import type { CrashMode } from './crash-mode.ts';
import { MemoryFileSystem } from './memory-file-system.ts';

const never = (): number => 0.999;

async function writeAt(fs: FileSystem, path: string, text: string, position: number = 0): Promise<void> {
  const handle = await fs.open(path, (await fs.stat(path)) === undefined ? 'create' : 'write');
  await handle.write(encodeUtf8(text), position);
  await handle.close();
}

async function syncFile(fs: FileSystem, path: string): Promise<void> {
  const handle = await fs.open(path, 'read');
  await handle.sync();
  await handle.close();
}

/** A disk with a durable file `/a` of `old!`. */
async function openDisk(): Promise<MemoryFileSystem> {
  const fs = new MemoryFileSystem();
  await writeAt(fs, '/a', 'old!');
  await syncFile(fs, '/a');
  await fs.syncDirectory('/');
  return fs;
}

async function textOf(fs: FileSystem, path: string): Promise<string> {
  return decodeUtf8(await fs.readFile(path));
}

async function namesIn(fs: FileSystem, path: string): Promise<string> {
  return (await fs.readDirectory(path)).map((entry) => entry.name).join(' ');
}

/** The different outcomes of many crashes of one kind. */
async function outcomes(
  fs: MemoryFileSystem,
  mode: CrashMode,
  look: (disk: MemoryFileSystem) => Promise<string>,
): Promise<ReadonlySet<string>> {
  const random = seededRandom(testSeed());
  const seen = new Set<string>();
  for (let round = 0; round < 300; round++) seen.add(await look(crashClone(fs, mode, () => random.next())));
  return seen;
}

describe('crashClone', () => {
  test('with nothing unsynced: keeps synced bytes and names, and drops everything else', async () => {
    const fs = await openDisk();
    await writeAt(fs, '/a', 'new and longer');
    await writeAt(fs, '/b', 'no name yet');
    await syncFile(fs, '/b');

    const disk = crashClone(fs, { kind: 'nothing-unsynced' }, never);

    expect(await textOf(disk, '/a')).toBe('old!');
    expect(await namesIn(disk, '/')).toBe('a');
  });

  test('with everything: the process alone died, and what was unsynced is at risk still', async () => {
    const fs = await openDisk();
    await writeAt(fs, '/a', 'new');
    await writeAt(fs, '/b', 'b');
    await fs.makeDirectory('/from');
    await writeAt(fs, '/from/c', 'c');
    await fs.rename('/from/c', '/c');

    const disk = crashClone(fs, { kind: 'everything' }, never);

    expect(await textOf(disk, '/a')).toBe('new!');
    expect(await namesIn(disk, '/')).toBe('a b c from');
    const later = crashClone(disk, { kind: 'nothing-unsynced' }, never);
    expect([await textOf(later, '/a'), await namesIn(later, '/')]).toEqual(['old!', 'a']);
    await disk.syncDirectory('/');
    await syncFile(disk, '/a');
    const synced = crashClone(disk, { kind: 'nothing-unsynced' }, never);
    expect([await textOf(synced, '/a'), await namesIn(synced, '/')]).toEqual(['new!', 'a b c from']);
  });

  test('with size but no data: new parts read as zeros, overwritten ones as before', async () => {
    const fs = await openDisk();
    await writeAt(fs, '/a', 'new!and more', 2);

    const disk = crashClone(fs, { kind: 'size-without-data' }, never);

    expect(await textOf(disk, '/a')).toBe(`old!${'\0'.repeat(10)}`);
  });

  test('with a torn last write: earlier writes are whole, the last one ends at the byte', async () => {
    const fs = await openDisk();
    await writeAt(fs, '/a', 'first', 4);
    await writeAt(fs, '/b', 'bbbb');
    await writeAt(fs, '/a', 'second', 9);

    const torn = crashClone(fs, { kind: 'torn-last-write', bytes: 3 }, never);
    const gone = crashClone(fs, { kind: 'torn-last-write', bytes: 0 }, never);

    expect(await textOf(torn, '/a')).toBe('old!firstsec');
    expect(await textOf(torn, '/b')).toBe('bbbb');
    expect(await textOf(gone, '/a')).toBe('old!first');
  });

  test('with random sectors: each survives by itself, in files cut and grown alike', async () => {
    const fs = await openDisk();
    await writeAt(fs, '/a', 'x'.repeat(1024 + 512), 0);

    const seen = await outcomes(fs, { kind: 'random-sectors' }, async (disk) => {
      const text = await textOf(disk, '/a');
      return [0, 512, 1024].map((at) => (at < text.length ? (text[at] === 'x' ? 'x' : '0') : '-')).join('');
    });

    const possible = ['0--', 'x--', '0x-', 'xx-', '00x', 'x0x', '0xx', 'xxx', '000', 'x00', '0x0', 'xx0'];
    expect([...seen].filter((outcome) => !possible.includes(outcome))).toEqual([]);
    expect(seen.size).toBe(possible.length);
  });

  test('with random sectors: a later write to a sector may survive an earlier one or not', async () => {
    const fs = await openDisk();
    await writeAt(fs, '/a', '1', 0);
    await writeAt(fs, '/a', '2', 0);

    const seen = await outcomes(fs, { kind: 'random-sectors' }, (disk) => textOf(disk, '/a'));

    expect(seen).toEqual(new Set(['old!', '1ld!', '2ld!']));
  });

  test('with random sectors: a cut that was not synced may be undone', async () => {
    const fs = await openDisk();
    const handle = await fs.open('/a', 'write');
    await handle.truncate(1);

    const seen = await outcomes(fs, { kind: 'random-sectors' }, (disk) => textOf(disk, '/a'));

    expect(seen).toEqual(new Set(['old!', 'o']));
  });

  test('with nothing unsynced: a file that was cut and grown again before the sync keeps no old bytes', async () => {
    const fs = await openDisk();
    await writeAt(fs, '/a', 'x'.repeat(20_000));
    await syncFile(fs, '/a');
    const handle = await fs.open('/a', 'write');
    await handle.truncate(3);
    await handle.truncate(20_000);
    await handle.sync();

    const disk = crashClone(fs, { kind: 'nothing-unsynced' }, never);

    expect(await textOf(disk, '/a')).toBe(`xxx${'\0'.repeat(19_997)}`);
  });

  test('with names lost: later changes may survive earlier ones, contents all do', async () => {
    const fs = await openDisk();
    await writeAt(fs, '/b', 'b');
    await writeAt(fs, '/c', 'c');
    await fs.unlink('/a');

    const seen = await outcomes(fs, { kind: 'names-lost' }, (disk) => namesIn(disk, '/'));

    expect(seen).toEqual(new Set(['a', 'a b', 'a c', 'a b c', '', 'b', 'c', 'b c']));
  });

  test('keeps a rename whole: the old target or the new, never neither, and the source with the old one', async () => {
    const fs = await openDisk();
    await writeAt(fs, '/a.tmp', 'new!');
    await syncFile(fs, '/a.tmp');
    await fs.rename('/a.tmp', '/a');

    const seen = await outcomes(
      fs,
      { kind: 'names-lost' },
      async (disk) => `${await textOf(disk, '/a')} ${await namesIn(disk, '/')}`,
    );

    expect(seen).toEqual(new Set(['old! a', 'old! a a.tmp', 'new! a']));
  });

  test('with the last write only: earlier ones are lost, in all files', async () => {
    const fs = await openDisk();
    await writeAt(fs, '/b', 'bb');
    await writeAt(fs, '/a', '1', 0);
    await writeAt(fs, '/a', '2', 6);

    const disk = crashClone(fs, { kind: 'last-write-only' }, never);

    expect([await textOf(disk, '/a'), await textOf(disk, '/b')]).toEqual(['old!\0\x002', '']);
  });

  test('with one file lost: its synced bytes are left, other files are as they were', async () => {
    const fs = await openDisk();
    await writeAt(fs, '/a', 'new!');
    await writeAt(fs, '/b', 'bb');
    const look = async (index: number): Promise<string> => {
      const disk = crashClone(fs, { kind: 'one-file-lost', index }, never);
      return `${await textOf(disk, '/a')} ${await textOf(disk, '/b')}`;
    };

    expect([await look(0), await look(1)]).toEqual(['old! bb', 'new! ']);
  });

  test('with names but no contents: a file renamed over another before its sync is empty', async () => {
    const fs = await openDisk();
    await writeAt(fs, '/a.tmp', 'new!');
    await fs.rename('/a.tmp', '/a');

    const disk = crashClone(fs, { kind: 'names-without-contents' }, never);

    expect([await textOf(disk, '/a'), await namesIn(disk, '/')]).toEqual(['', 'a']);
  });

  test('with contents but no names: what a synced name leads to is new, new names are gone', async () => {
    const fs = await openDisk();
    await writeAt(fs, '/a', 'new!');
    await fs.rename('/a', '/b');

    const disk = crashClone(fs, { kind: 'contents-without-names' }, never);

    expect([await namesIn(disk, '/'), await textOf(disk, '/a')]).toEqual(['a', 'new!']);
  });

  test('with one name lost or kept: each change in turn', async () => {
    const fs = await openDisk();
    await writeAt(fs, '/b', 'b');
    await writeAt(fs, '/c', 'c');
    await fs.unlink('/a');
    const look = (kind: 'one-name-lost' | 'one-name-kept', index: number): Promise<string> =>
      namesIn(crashClone(fs, { kind, index }, never), '/');

    expect(await Promise.all([0, 1, 2].map((index) => look('one-name-lost', index)))).toEqual(['c', 'b', 'a b c']);
    expect(await Promise.all([0, 1, 2].map((index) => look('one-name-kept', index)))).toEqual(['a b', 'a c', '']);
  });

  test('with one name lost or kept: a file between two folders is never lost', async () => {
    const fs = await openDisk();
    await fs.makeDirectory('/to');
    await fs.syncDirectory('/');
    await fs.rename('/a', '/to/a');
    const look = async (kind: 'one-name-lost' | 'one-name-kept', index: number): Promise<string> => {
      const disk = crashClone(fs, { kind, index }, never);
      return `${await namesIn(disk, '/')}: ${await namesIn(disk, '/to')}`;
    };

    const seen = [
      await look('one-name-lost', 0),
      await look('one-name-lost', 1),
      await look('one-name-kept', 0),
      await look('one-name-kept', 1),
    ];

    expect(seen).toEqual(['a to: a', 'a to: ', 'to: a', 'a to: a']);
  });

  test('with old names kept: a renamed file has both names, a renamed folder one', async () => {
    const fs = await openDisk();
    await fs.makeDirectory('/dir');
    await fs.syncDirectory('/');
    await fs.rename('/a', '/b');
    await fs.rename('/dir', '/folder');

    const disk = crashClone(fs, { kind: 'old-names-kept' }, never);

    expect(await namesIn(disk, '/')).toBe('a b folder');
    await writeAt(disk, '/b', 'X');
    expect(await textOf(disk, '/a')).toBe('Xld!');
  });

  test('never loses a file that is renamed between folders', async () => {
    const fs = await openDisk();
    await fs.makeDirectory('/to');
    await fs.syncDirectory('/');
    await fs.rename('/a', '/to/a');
    const look = async (disk: MemoryFileSystem): Promise<string> =>
      `${await namesIn(disk, '/')}: ${await namesIn(disk, '/to')}`;

    const possible = new Set(['a to: ', 'a to: a', 'to: a']);
    expect(await outcomes(fs, { kind: 'names-lost' }, look)).toEqual(possible);
    const survivor = crashClone(fs, { kind: 'everything' }, never);
    expect(await outcomes(survivor, { kind: 'names-lost' }, look)).toEqual(possible);
    await fs.syncDirectory('/');
    expect(await outcomes(fs, { kind: 'names-lost' }, look)).toEqual(new Set(['to: a']));
  });

  test('never loses a file that is renamed into a folder further up', async () => {
    const fs = new MemoryFileSystem();
    await fs.makeDirectory('/from');
    await writeAt(fs, '/from/a', 'a');
    await fs.syncDirectory('/');
    await fs.syncDirectory('/from');
    await fs.rename('/from/a', '/a');
    const look = async (disk: MemoryFileSystem): Promise<string> =>
      `${await namesIn(disk, '/')}: ${await namesIn(disk, '/from')}`;

    const survivor = crashClone(fs, { kind: 'everything' }, never);

    const possible = new Set(['from: a', 'a from: a', 'a from: ']);
    expect(await outcomes(survivor, { kind: 'names-lost' }, look)).toEqual(possible);
  });

  test('never gives a folder two names', async () => {
    const fs = await openDisk();
    await fs.makeDirectory('/to');
    await fs.makeDirectory('/dir');
    await fs.syncDirectory('/');
    await fs.rename('/dir', '/to/dir');
    const look = async (disk: MemoryFileSystem): Promise<string> =>
      `${await namesIn(disk, '/')}: ${await namesIn(disk, '/to')}`;

    const possible = new Set(['a dir to: ', 'a to: dir']);
    expect(await outcomes(fs, { kind: 'names-lost' }, look)).toEqual(possible);
    const survivor = crashClone(fs, { kind: 'everything' }, never);
    expect(await outcomes(survivor, { kind: 'names-lost' }, look)).toEqual(possible);
    await fs.syncDirectory('/to');
    expect(await outcomes(fs, { kind: 'names-lost' }, look)).toEqual(new Set(['a to: dir']));
  });

  test('keeps linked names one file', async () => {
    const fs = await openDisk();
    await fs.link('/a', '/b');

    for (const { disk, mode } of crashClones(fs, never)) {
      if (mode.kind === 'nothing-unsynced' || mode.kind === 'names-lost' || mode.kind === 'anything') continue;
      await writeAt(disk, '/b', 'X');
      expect(await textOf(disk, '/a')).toBe('Xld!');
    }
    expect(await textOf(fs, '/a')).toBe('old!');
  });

  test('loses files that were removed while open, unless the removal is lost', async () => {
    const fs = await openDisk();
    const handle = await fs.open('/a', 'write');
    await fs.unlink('/a');
    await handle.write(encodeUtf8('NEW'), 0);

    expect(await namesIn(crashClone(fs, { kind: 'everything' }, never), '/')).toBe('');
    expect(await textOf(crashClone(fs, { kind: 'nothing-unsynced' }, never), '/a')).toBe('old!');
    await fs.syncDirectory('/');
    expect(await namesIn(crashClone(fs, { kind: 'nothing-unsynced' }, never), '/')).toBe('');
  });

  test('copies the space that is used and the limit', async () => {
    const fs = new MemoryFileSystem({ capacityBytes: 10 });
    await writeAt(fs, '/a', '1234');
    await fs.link('/a', '/b');

    const disk = crashClone(fs, { kind: 'size-without-data' }, never);

    expect(await disk.diskSpace('/')).toEqual({ totalBytes: 10, availableBytes: 6 });
  });

  test('tears only among the writes that are unsynced', async () => {
    const fs = await openDisk();
    await writeAt(fs, '/b', 'later, but synced');
    await syncFile(fs, '/b');

    const disk = crashClone(fs, { kind: 'torn-last-write', bytes: 0 }, never);

    expect([await textOf(disk, '/a'), await textOf(disk, '/b')]).toEqual(['old!', 'later, but synced']);
  });

  test('opens ten thousand copies of a disk with a large file in a moment', async () => {
    const fs = await openDisk();
    const handle = await fs.open('/large', 'create');
    await handle.write(new Uint8Array(16 << 20), 0);
    await handle.sync();
    await fs.syncDirectory('/');
    await handle.write(new Uint8Array(1), 5);

    let bytes = 0;
    for (let round = 0; round < 10_000; round++) {
      const disk = crashClone(fs, { kind: 'nothing-unsynced' }, never);
      bytes += (await disk.stat('/large'))?.bytes ?? 0;
    }

    expect(bytes).toBe(10_000 * (16 << 20));
  });
});
