/** `recover --dry-run` and `inspect`: what they print, how they end, and that they change nothing. */

import { describe, expect, test } from 'vitest';

import { TestWorld } from './test-world.ts';

const FOLDER = ['--data', '/store'] as const;

async function worldWithStore(): Promise<TestWorld> {
  const world = new TestWorld();
  await world.run(...FOLDER, 'put', 'a', '1');
  await world.run(...FOLDER, 'put', 'b', '2');
  await world.run(...FOLDER, 'flush');
  return world;
}

async function fileEndingIn(world: TestWorld, suffix: string): Promise<string> {
  const entries = await world.fileSystem.readDirectory('/store');
  return entries.find(({ name }) => name.endsWith(suffix))?.name ?? '';
}

async function damage(world: TestWorld, path: string, offset: number): Promise<void> {
  const handle = await world.fileSystem.open(path, 'write');
  const byte = new Uint8Array(1);
  await handle.read(byte, offset);
  await handle.write(Uint8Array.of((byte[0] ?? 0) ^ 0xff), offset);
  await handle.close();
}

describe('kayactl recover --dry-run', () => {
  test('reports a sound store file by file, and changes nothing', async () => {
    const world = await worldWithStore();
    const changes: string[] = [];
    world.fileSystem.afterEachMutation(({ operation, path }) => changes.push(`${operation} ${path}`));

    const text = await world.run(...FOLDER, 'recover', '--dry-run');
    const json = await world.run(...FOLDER, 'recover', '--dry-run', '--json');

    expect(text).toMatchObject({ exitCode: 0, stderr: '' });
    expect(text.stdout).toMatch(/^CLEAN: the store opens and loses nothing\ndirectory \/store\n/);
    expect(text.stdout).toMatch(/^\d+\.sst +table +1 +intact +\d+ +- +\d+ +\d-\d +keep$/m);
    expect(text.stdout).toContain('Opening would succeed: replay 0 records');
    expect(JSON.parse(json.stdout)).toMatchObject({ format: 1, verdict: 'clean', live: false, last_sequence: 2 });
    expect(changes).toEqual([]);
  });

  test('names the damaged file and offset, and ends with status 3', async () => {
    const world = await worldWithStore();
    const table = await fileEndingIn(world, '.sst');
    await damage(world, `/store/${table}`, 70);

    const text = await world.run(...FOLDER, 'recover', '--dry-run');
    const json = await world.run(...FOLDER, 'recover', '--dry-run', '--json');

    expect(text.exitCode).toBe(3);
    expect(text.stdout).toMatch(/^CORRUPT: /);
    expect(text.stdout).toContain(`DAMAGE: ${table} at offset 64: `);
    expect(json.exitCode).toBe(3);
    expect(JSON.parse(json.stdout).damage).toMatchObject([{ file: table, offset: 64 }]);
  });

  test('says what is a torn tail and ends with status 0', async () => {
    const world = await worldWithStore();
    const log = await fileEndingIn(world, '.wal');
    const handle = await world.fileSystem.open(`/store/${log}`, 'write');
    await handle.write(Buffer.from('half a record'), await handle.size());
    await handle.close();

    const text = await world.run(...FOLDER, 'recover', '--dry-run');

    expect(text.exitCode).toBe(0);
    expect(text.stdout).toMatch(/^RECOVERABLE: /);
    expect(text.stdout).toMatch(/cut \d+ bytes of torn tail/);
  });

  test('keeps keys to itself unless it is asked for them', async () => {
    const world = await worldWithStore();

    const without = await world.run(...FOLDER, 'recover', '--dry-run', '--json');
    const with_ = await world.run(...FOLDER, 'recover', '--dry-run', '--json', '--show-keys');

    expect(without.stdout).not.toContain('"smallestKey":"61"');
    expect(with_.stdout).toContain('"smallestKey":"61"');
  });

  test.each([
    [['--data', '/absent', 'recover', '--dry-run'], 1, 'ERROR: readDirectory of /absent failed'],
    [['--server', '127.0.0.1:7379', 'recover', '--dry-run'], 4, 'ERROR: this command reads the files of a folder'],
  ])('refuses %j in a sentence', async (argv, exitCode, message) => {
    const world = new TestWorld();

    const result = await world.run(...argv);

    expect(result).toMatchObject({ exitCode, stdout: '', stderr: expect.stringContaining(message) });
  });

  test('ends with status 2 for a folder without a store', async () => {
    const world = new TestWorld();
    await world.fileSystem.makeDirectory('/store');

    const result = await world.run(...FOLDER, 'recover', '--dry-run');

    expect(result.exitCode).toBe(2);
    expect(result.stdout).toMatch(/^EMPTY: there is no store in this folder\n/);
  });
});

describe('kayactl inspect', () => {
  test.each([
    ['wal', '.wal'],
    ['sstable', '.sst'],
    ['manifest', ''],
  ])('%s tells of all files in a folder, or of one in full', async (kind, suffix) => {
    const world = await worldWithStore();

    const folder = await world.run('inspect', kind, '/store', '--json');
    const names = (JSON.parse(folder.stdout).files as { readonly name: string }[]).map(({ name }) => name);
    const one = await world.run('inspect', kind, `/store/${names[0]}`);

    expect(folder.exitCode).toBe(0);
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !name.endsWith(suffix))).toEqual([]);
    expect(one.stdout).toMatch(new RegExp(`^name ${names[0]}\nkind `));
    expect(one.stdout).toContain('\nformatVersion 1\n');
  });

  test('ends with status 3 for a damaged file, and 0 for a sound one beside it', async () => {
    const world = await worldWithStore();
    const table = await fileEndingIn(world, '.sst');
    await damage(world, `/store/${table}`, 70);

    const damaged = await world.run('inspect', 'sstable', `/store/${table}`);
    const sound = await world.run('inspect', 'manifest', '/store');

    expect(damaged.exitCode).toBe(3);
    expect(damaged.stdout).toContain('DAMAGE: at offset 64: ');
    expect(sound.exitCode).toBe(0);
  });

  test('says in a sentence that a file is not there, or of another kind', async () => {
    const world = await worldWithStore();

    const absent = await world.run('inspect', 'wal', '/store/000099.wal');
    const other = await world.run('inspect', 'wal', '/store/CURRENT');

    expect(absent).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('there is no wal file') });
    expect(other).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining('kayactl inspect current /store/CURRENT'),
    });
  });
});
