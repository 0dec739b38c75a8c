/** Backups, checkpoints, restoring, verifying and compacting from the outside. */

import { describe, expect, test } from 'vitest';

import { TestWorld } from './test-world.ts';

const FOLDER = ['--data', '/store'] as const;

async function worldWithStore(): Promise<TestWorld> {
  const world = new TestWorld();
  const lines = Array.from({ length: 50 }, (_, at) => `{"key":"k${at}","value":"${'v'.repeat(100)}"}\n`);
  await world.writeFile('/rows', lines.join(''));
  await world.run(...FOLDER, 'import', '/rows');
  return world;
}

async function namesIn(world: TestWorld, folder: string): Promise<readonly string[]> {
  return (await world.fileSystem.readDirectory(folder)).map(({ name }) => name);
}

async function damageTable(world: TestWorld, folder: string): Promise<string> {
  const name = (await namesIn(world, folder)).find((each) => each.endsWith('.sst'))!;
  const handle = await world.fileSystem.open(`${folder}/${name}`, 'write');
  const byte = new Uint8Array(1);
  await handle.read(byte, 100);
  await handle.write(Uint8Array.of(byte[0]! ^ 1), 100);
  await handle.close();
  return name;
}

describe('kayactl backup and restore', () => {
  test('give the same rows again', async () => {
    const world = await worldWithStore();
    const before = await world.run(...FOLDER, 'scan');

    const backup = await world.run(...FOLDER, 'backup', '/backup');
    const verified = await world.run('--data', '/backup', 'verify');
    const restored = await world.run('--data', '/again', 'restore', '/backup', '--json');

    expect(backup).toMatchObject({ exitCode: 0, stderr: '' });
    expect(backup.stdout).toMatch(/^OK backup in \/backup: sequence 50, 1 table, \d+ bytes\n$/);
    expect(verified).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^OK the backup in \/backup is whole: /),
    });
    expect(JSON.parse(restored.stdout)).toMatchObject({
      ok: true,
      directory: '/again',
      sequence: 50,
      durableIndex: null,
      tables: 1,
    });
    expect((await world.run('--data', '/again', 'scan')).stdout).toBe(before.stdout);
  });

  test('do not touch what is there', async () => {
    const world = await worldWithStore();
    await world.fileSystem.makeDirectory('/taken');

    const backup = await world.run(...FOLDER, 'backup', '/taken');
    await world.run(...FOLDER, 'backup', '/backup');
    const restore = await world.run(...FOLDER, 'restore', '/backup');

    expect(backup).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('/taken') });
    expect(restore).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('/store') });
    expect(await namesIn(world, '/taken')).toEqual([]);
  });

  test('end with status 3 where something is damaged, and leave nothing', async () => {
    const world = await worldWithStore();
    await world.run(...FOLDER, 'backup', '/backup');
    const name = await damageTable(world, '/backup');

    const verify = await world.run('--data', '/backup', 'verify');
    const restore = await world.run('--data', '/again', 'restore', '/backup', '--json');

    expect(verify).toMatchObject({ exitCode: 3, stderr: '' });
    expect(verify.stdout).toMatch(/^CORRUPT: the backup in \/backup is not what was written: 1 of its \d+ files\n\n/);
    expect(verify.stdout).toContain(`DAMAGE: ${name} at offset 64: `);
    expect(restore.exitCode).toBe(3);
    expect(JSON.parse(restore.stderr).error.code).toBe('KAYA_CORRUPTION');
    await damageTable(world, '/store');
    expect((await world.run(...FOLDER, 'backup', '/second')).exitCode).toBe(3);
    expect(await namesIn(world, '/')).toEqual(['backup', 'rows', 'store']);
  });

  test('name a backup that is none, and refuse to open one', async () => {
    const world = await worldWithStore();
    await world.run(...FOLDER, 'backup', '/backup');

    const restore = await world.run('--data', '/again', 'restore', '/store');
    const opened = await world.run('--data', '/backup', 'get', 'k1');

    expect(restore).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('there is no backup in /store') });
    expect(opened).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('kayactl --data NEW restore') });
  });

  test('stop when they are asked to, and leave nothing', async () => {
    const world = await worldWithStore();
    await world.run(...FOLDER, 'backup', '/backup');
    world.interruption.abort('SIGINT');

    const backup = await world.run(...FOLDER, 'backup', '/second');
    const restore = await world.run('--data', '/again', 'restore', '/backup');

    expect([backup.exitCode, restore.exitCode]).toEqual([130, 130]);
    expect(await namesIn(world, '/')).toEqual(['backup', 'rows', 'store']);
  });
});

describe('kayactl checkpoint', () => {
  test('makes a second store, which goes its own way', async () => {
    const world = await worldWithStore();

    const { exitCode, stdout } = await world.run(...FOLDER, 'checkpoint', '/second');
    await world.run('--data', '/second', 'put', 'k1', 'other');

    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: expect.stringMatching(/^OK checkpoint in \/second: sequence 50, 1 table, \d+ bytes\n$/),
    });
    expect((await world.run('--data', '/second', 'get', 'k1')).stdout).toBe('other\n');
    expect((await world.run(...FOLDER, 'get', 'k1')).stdout).toBe(`${'v'.repeat(100)}\n`);
  });
});

describe('kayactl compact', () => {
  test('leaves on disk only what can be read', async () => {
    const world = await worldWithStore();
    for (let i = 1; i < 50; i++) await world.run(...FOLDER, 'delete', `k${i}`);

    const prefix = await world.run(...FOLDER, 'compact', 'zzz');
    const { exitCode, stdout } = await world.run(...FOLDER, 'compact', '--json');

    expect(prefix).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^OK \d+ tables?, \d+ bytes\n$/) });
    expect({ exitCode, ok: JSON.parse(stdout).ok, tables: JSON.parse(stdout).tables }).toEqual({
      exitCode: 0,
      ok: true,
      tables: 1,
    });
    expect((await world.run(...FOLDER, 'verify')).stdout).toContain(': 1 table with 1 entry, ');
  });
});

test.each(['backup /x', 'restore /x', 'checkpoint /x', 'verify', 'compact'])(
  'kayactl %s is refused with --server',
  async (line) => {
    const { exitCode, stderr } = await new TestWorld().run('--server', '127.0.0.1:1', ...line.split(' '), '--json');

    expect({ exitCode, code: JSON.parse(stderr).error.code }).toEqual({
      exitCode: expect.any(Number),
      code: 'KAYA_LOCAL_ONLY',
    });
    expect(exitCode).not.toBe(0);
  },
);

test.each(['backup', 'restore', 'checkpoint'])(
  'kayactl %s is refused without a name for the folder',
  async (command) => {
    const world = await worldWithStore();

    const { exitCode, stderr } = await world.run(...FOLDER, command, '');

    expect({ exitCode, stderr: stderr.split('\n')[0] }).toEqual({
      exitCode: 4,
      stderr: expect.stringMatching(/^ERROR: the folder of the \w+ has an empty name$/),
    });
  },
);
