/** `verify`: what it reads, what it names, how it ends, and that it changes nothing. */

import { openEngine } from '@kayadb/engine';
import { FileSystemError } from '@kayadb/vfs';
import { InterceptedFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { runKayactl } from '../src/run-kayactl.ts';
import { TestWorld } from './test-world.ts';

const FOLDER = ['--data', '/store'] as const;

async function worldWithStore(): Promise<TestWorld> {
  const world = new TestWorld();
  const lines = Array.from({ length: 50 }, (_, at) => `{"key":"k${at}","value":"${'v'.repeat(100)}"}\n`);
  await world.writeFile('/rows', lines.join(''));
  await world.run(...FOLDER, 'import', '/rows');
  await world.run(...FOLDER, 'flush');
  return world;
}

async function nameEnding(world: TestWorld, suffix: string): Promise<string> {
  return (await world.fileSystem.readDirectory('/store')).find(({ name }) => name.endsWith(suffix))!.name;
}

async function flip(world: TestWorld, path: string, offset: number): Promise<void> {
  const handle = await world.fileSystem.open(path, 'write');
  const byte = new Uint8Array(1);
  await handle.read(byte, offset);
  await handle.write(Uint8Array.of(byte[0]! ^ 1), offset);
  await handle.close();
}

describe('kayactl verify', () => {
  test('says what it has read of a sound store, and changes nothing', async () => {
    const world = await worldWithStore();
    const changes: string[] = [];
    world.fileSystem.afterEachMutation(({ operation, path }) => changes.push(`${operation} ${path}`));

    const text = await world.run(...FOLDER, 'verify');
    const json = await world.run(...FOLDER, 'verify', '--json');

    expect(text).toMatchObject({ exitCode: 0, stderr: '' });
    expect(text.stdout).toMatch(
      /^CLEAN: .*\ndirectory \/store\nread \d+ bytes in \d files: 1 table with 50 entries, 1 log segment with 0 records\n/,
    );
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: true, verdict: 'clean', tables: 1, entries: 50, damage: [] });
    expect(changes).toEqual([]);
  });

  test('works beside the process that has the store open, and without its lock', async () => {
    const world = await worldWithStore();
    const { fileSystem, clock } = world;
    await using engine = await openEngine('/store', { fileSystem, clock, processes: world.processWorld.start() });
    await engine.put('more', 'v');

    const { exitCode, stdout } = await world.run(...FOLDER, 'verify', '--json');

    expect({ exitCode, ...JSON.parse(stdout) }).toMatchObject({
      exitCode: 0,
      verdict: 'clean',
      live: true,
      records: 1,
    });
  });

  test('goes on behind damage, names each place in each file, and ends with status 3', async () => {
    const world = await worldWithStore();
    const table = await nameEnding(world, '.sst');
    await flip(world, `/store/${table}`, 70);
    await flip(world, `/store/${table}`, 6000);
    await flip(world, '/store/CURRENT', 9);

    const text = await world.run(...FOLDER, 'verify');
    const json = await world.run(...FOLDER, 'verify', '--json');

    expect(text.exitCode).toBe(3);
    expect(text.stdout).toMatch(/^CORRUPT: /);
    expect(text.stdout.match(/^DAMAGE: .*$/gm)).toEqual([
      expect.stringMatching(/^DAMAGE: CURRENT at offset 0: /),
      expect.stringMatching(new RegExp(`^DAMAGE: ${table} at offset 64: `)),
      expect.stringMatching(new RegExp(`^DAMAGE: ${table} at offset \\d+: `)),
    ]);
    expect(text.stdout).toContain('kayactl --data /store recover --plan');
    expect(JSON.parse(json.stdout).damage).toHaveLength(3);
  });

  test('names damage in a file that the store does not need, which is no fault of the store', async () => {
    const world = await worldWithStore();
    await world.writeFile('/store/000099.sst', 'half a table');

    const { exitCode, stdout } = await world.run(...FOLDER, 'verify');

    expect(exitCode).toBe(0);
    expect(stdout).toContain('NOT NEEDED: 000099.sst at offset 0: ');
  });

  test('never calls a store sound of which a file could not be read', async () => {
    const world = await worldWithStore();
    const table = await nameEnding(world, '.sst');
    const fileSystem = new InterceptedFileSystem(world.fileSystem, {
      call: async (operation, run) => {
        const [path = ''] = operation.paths;
        if (operation.kind === 'read' && path.endsWith(table)) throw new FileSystemError('EIO', 'read', path);
        return run();
      },
      callSync: (_operation, run) => run(),
    });
    const io = world.io();

    const exitCode = await runKayactl([...FOLDER, 'verify'], { ...io, fileSystem });
    const report = world.io();
    await runKayactl([...FOLDER, 'recover', '--dry-run'], { ...report, fileSystem });

    expect(exitCode).toBe(1);
    for (const { text } of [io.stdout, report.stdout]) {
      expect(text).toMatch(/^UNDECIDED: a file could not be read\n/);
      expect(text).toMatch(new RegExp(`^UNREADABLE: ${table}: .*EIO`, 'm'));
    }
  });

  test('draws a bar on a terminal, and stops when it is asked to', async () => {
    const world = await worldWithStore();
    const io = world.io();
    const stderr = Object.assign(io.stderr, { isTTY: true, columns: 80 });
    world.interruption.abort('SIGINT');

    const stopped = await world.run(...FOLDER, 'verify');
    const exitCode = await runKayactl([...FOLDER, 'verify'], {
      ...io,
      stderr,
      signal: new AbortController().signal,
    });

    expect(stopped).toMatchObject({ exitCode: 130, stdout: '' });
    expect(exitCode).toBe(0);
    expect(stderr.text).toContain('MiB');
    expect(stderr.text).toContain('100%');
  });

  test('says that there is no store, or no folder', async () => {
    const world = await worldWithStore();
    await world.fileSystem.makeDirectory('/void');

    const empty = await world.run('--data', '/void', 'verify');
    const absent = await world.run('--data', '/absent', 'verify');

    expect(empty).toMatchObject({ exitCode: 2, stdout: expect.stringMatching(/^EMPTY: /) as string });
    expect(absent).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringMatching(/^ERROR: /) as string });
  });

  test('goes on behind the first bad file of a backup, and names them all', async () => {
    const world = await worldWithStore();
    await world.run(...FOLDER, 'backup', '/backup');
    const table = await nameEnding(world, '.sst');
    await flip(world, `/backup/${table}`, 100);
    await flip(world, '/backup/CURRENT', 4);

    const text = await world.run('--data', '/backup', 'verify');
    const json = await world.run('--data', '/backup', 'verify', '--json');

    expect(text.exitCode).toBe(3);
    expect(text.stdout.match(/^DAMAGE: \S+ at offset \d+/gm)).toEqual([
      `DAMAGE: ${table} at offset 64`,
      'DAMAGE: CURRENT at offset 0',
    ]);
    expect({ exitCode: json.exitCode, ...JSON.parse(json.stdout) }).toMatchObject({
      exitCode: 3,
      ok: false,
      damage: [{ file: table }, { file: 'CURRENT' }],
    });
  });
});
