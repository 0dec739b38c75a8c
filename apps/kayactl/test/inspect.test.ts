/** `inspect` on every kind of file, with and without a kind, and on what cannot be opened or read. */

import { openEngine } from '@kayadb/engine';
import { FileSystemError } from '@kayadb/vfs';
import { InterceptedFileSystem, type Operation } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { runKayactl } from '../src/run-kayactl.ts';
import { type RunResult, TestWorld } from './test-world.ts';

const FOLDER = ['--data', '/store'] as const;

async function worldWithStore(): Promise<TestWorld> {
  const world = new TestWorld();
  await world.run(...FOLDER, 'put', 'apple', 'red');
  await world.run(...FOLDER, 'flush');
  await world.run(...FOLDER, 'put', 'banana', 'yellow');
  return world;
}

async function nameOf(world: TestWorld, pattern: RegExp): Promise<string> {
  return (await world.fileSystem.readDirectory('/store')).find(({ name }) => pattern.test(name))!.name;
}

/** Runs on a disk on which calls fail as `isBad` says. */
async function runOnBadDisk(
  world: TestWorld,
  isBad: (operation: Operation) => boolean,
  ...argv: readonly string[]
): Promise<RunResult> {
  const fileSystem = new InterceptedFileSystem(world.fileSystem, {
    call: async (operation, run) => {
      if (isBad(operation)) throw new FileSystemError('EIO', operation.kind, operation.paths[0]!);
      return run();
    },
    callSync: (_operation, run) => run(),
  });
  const io = world.io();
  const exitCode = await runKayactl(argv, { ...io, fileSystem });
  return { exitCode, stdout: io.stdout.text, stderr: io.stderr.text };
}

describe('kayactl inspect', () => {
  test.each<[string, RegExp, RegExp]>([
    ['wal', /\.wal$/, /\nkind wal\n[^]*\nheaderCrc [0-9a-f]{8}\n/],
    [
      'sstable',
      /\.sst$/,
      /\nfilter 512 bits, 6 probes, 1\.2% set, lets about 0\.00% of absent keys pass\n[^]*\nINDEX +OFFSET/,
    ],
    ['manifest', /^MANIFEST-/, /\nedits \d+\n/],
    [
      'current',
      /^CURRENT$/,
      /\nchecksum ok\ncrc [0-9a-f]{8}\nformatVersion 1\nstoreId [0-9a-f]{32}\nmanifest MANIFEST-\d+\n$/,
    ],
  ])('takes a %s apart, told its kind or not', async (kind, pattern, expected) => {
    const world = await worldWithStore();
    const path = `/store/${await nameOf(world, pattern)}`;

    const told = await world.run('inspect', kind, path);
    const untold = await world.run('inspect', path);
    const json = await world.run('inspect', path, '--json');

    expect(told).toMatchObject({ exitCode: 0, stderr: '' });
    expect(told.stdout).toMatch(expected);
    expect(untold).toEqual(told);
    expect(JSON.parse(json.stdout)).toMatchObject({ kind: kind === 'sstable' ? 'table' : kind, unreadable: [] });
  });

  test('takes a lock, the list of a backup and the disk reserve apart', async () => {
    const world = await worldWithStore();
    const { host, pid } = world.processes.self();
    const lock = { format: 1, token: 'abc', takenAt: 'now', ...world.processes.self() };
    await world.writeFile('/LOCK', `${JSON.stringify(lock)}\n`);
    await world.writeFile('/RESERVE', 'x'.repeat(5000));
    await world.run(...FOLDER, 'backup', '/backup');

    const results = await Promise.all([
      world.run('inspect', '/LOCK'),
      world.run('inspect', '/RESERVE'),
      world.run('inspect', 'backup', '/backup'),
    ]);

    expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
    expect(results[0].stdout).toContain(`\npid ${pid}\nhost ${host}\ntakenAt now\ntoken abc\n`);
    expect(results[1].stdout).toMatch(/\nkind reserve\nbytes 5000\n/);
    expect(results[2].stdout).toMatch(/\nchecksum ok\n[^]*\nFILE +BYTES +CRC\n\d+\.sst +\d+ +[0-9a-f]{8}\n/);
  });

  test('shows no key in any output unless keys are asked for, and never a value', async () => {
    const world = await worldWithStore();
    const names = (await world.fileSystem.readDirectory('/store')).map(({ name }) => name);
    const digitsOf = (text: string): string => Buffer.from(text).toString('hex');
    let hidden = '';
    let shown = '';
    for (const name of names) {
      for (const format of [[], ['--json']]) {
        hidden += (await world.run('inspect', `/store/${name}`, ...format)).stdout;
        shown += (await world.run('inspect', `/store/${name}`, '--show-keys', ...format)).stdout;
      }
    }

    expect(hidden).not.toMatch(new RegExp(`apple|banana|${digitsOf('apple')}|${digitsOf('banana')}`));
    expect(shown).toContain(`hex:${digitsOf('apple')}`);
    expect(shown).toContain(`hex:${digitsOf('banana')}`);
    expect(hidden + shown).not.toMatch(new RegExp(`yellow|${digitsOf('yellow')}|${digitsOf('red')}"`));
  });

  test('says that a folder has no such file', async () => {
    const world = await worldWithStore();
    await world.fileSystem.makeDirectory('/void');

    const none = await world.run('inspect', 'reserve', '/store');
    const empty = await world.run('inspect', '/void');

    expect(none).toEqual({ exitCode: 0, stdout: 'no reserve file is in /store\n', stderr: '' });
    expect(empty).toEqual({ exitCode: 0, stdout: 'no store file is in /void\n', stderr: '' });
  });

  test('lists all files of a folder without a kind', async () => {
    const world = await worldWithStore();

    const { exitCode, stdout } = await world.run('inspect', '/store', '--json');

    const kinds = JSON.parse(stdout).files.map(({ kind }: { readonly kind: string }) => kind);
    expect(exitCode).toBe(0);
    expect(new Set(kinds)).toEqual(new Set(['current', 'manifest', 'table', 'wal']));
  });

  test('never calls a file sound that cannot be opened: it says so, with status 3', async () => {
    const world = await worldWithStore();
    const table = await nameOf(world, /\.sst$/);
    const isBad = ({ kind, paths }: Operation): boolean => kind === 'open' && paths[0]!.endsWith(table);

    const file = await runOnBadDisk(world, isBad, 'inspect', 'sstable', `/store/${table}`);
    const json = await runOnBadDisk(world, isBad, 'inspect', `/store/${table}`, '--json');
    const folder = await runOnBadDisk(world, isBad, 'inspect', 'sstable', '/store');

    expect(file).toMatchObject({
      exitCode: 3,
      stdout: '',
      stderr: expect.stringMatching(/^ERROR: .*\nHINT: /) as string,
    });
    expect({ exitCode: json.exitCode, code: JSON.parse(json.stderr).error.code }).toEqual({
      exitCode: 3,
      code: 'KAYA_IO',
    });
    expect(folder).toMatchObject({ exitCode: 3 });
    expect(folder.stdout).toContain(`UNREADABLE: ${table}: `);
  });

  test('tells what can be read of a file with a bad sector, and what cannot, with status 3', async () => {
    const world = await worldWithStore();
    const { fileSystem, clock } = world;
    await using engine = await openEngine('/store', { fileSystem, clock, processes: world.processWorld.start() });
    await engine.put('cherry', 'dark');
    const log = await nameOf(world, /\.wal$/);
    const isBad = ({ kind, paths, position, bytes }: Operation): boolean =>
      kind === 'read' && paths[0]!.endsWith(log) && position! < 9000 && position! + bytes! > 8500;

    const { exitCode, stdout } = await runOnBadDisk(world, isBad, 'inspect', `/store/${log}`);
    const folder = await runOnBadDisk(world, isBad, 'inspect', 'wal', '/store');

    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/^UNREADABLE: 4096 bytes at offset 8192, told as zeros: .*EIO/m);
    expect(stdout).toMatch(/^64 +\d+ +ok /m);
    expect(folder.exitCode).toBe(3);
  });
});
