/** One pass of `recover --dry-run --json` over every kind of damage: each is named with its file and offset. */

import { openEngine } from '@kayadb/engine';
import { fakeProcessTable, type MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { TestWorld } from './test-world.ts';

interface Report {
  readonly verdict: string;
  readonly damage: readonly { readonly file: string; readonly offset: number }[];
  readonly files: readonly { readonly name: string; readonly state: string; readonly offset: number | null }[];
}

interface Finding {
  readonly file: string;
  readonly state: string;
  readonly offset: number | null;
}

/** Two tables and a log with three records, left by a process that was killed. */
async function worldWithAbandonedStore(): Promise<TestWorld> {
  const world = new TestWorld();
  const { fileSystem, clock } = world;
  const engine = await openEngine('/store', { fileSystem, clock, processes: fakeProcessTable(), level0Tables: 64 });
  for (const table of [1, 2]) {
    for (let i = 0; i < 50; i++) await engine.put(`key-${table}-${i}`, 'v'.repeat(200));
    await engine.flush();
  }
  for (let i = 0; i < 3; i++) await engine.put(`late-${i}`, 'v');
  // Whose lock it was cannot be seen from the real processes.
  await fileSystem.unlink('/store/LOCK');
  return world;
}

async function nameOf(fs: MemoryFileSystem, pattern: RegExp): Promise<string> {
  const entries = await fs.readDirectory('/store');
  return entries.find(({ name }) => pattern.test(name))!.name;
}

async function flip(fs: MemoryFileSystem, name: string, offset: number): Promise<void> {
  const handle = await fs.open(`/store/${name}`, 'write');
  const byte = new Uint8Array(1);
  await handle.read(byte, offset);
  await handle.write(Uint8Array.of(byte[0]! ^ 1), offset);
  await handle.close();
}

/** Flips a byte in a section of the first table, found by `inspect`. */
async function flipSection(world: TestWorld, wanted: string): Promise<Finding> {
  const file = await nameOf(world.fileSystem, /\.sst$/);
  const { stdout } = await world.run('inspect', 'sstable', `/store/${file}`, '--json');
  const { sections } = JSON.parse(stdout) as { readonly sections: readonly { section: string; offset: number }[] };
  const { offset } = sections.find(({ section }) => section === wanted)!;
  await flip(world.fileSystem, file, offset + 12);
  return { file, state: 'corrupt', offset };
}

async function write(world: TestWorld, file: string, state: string): Promise<Finding> {
  await world.writeFile(`/store/${file}`, 'anything');
  return { file, state, offset: state === 'orphan' ? 0 : null };
}

const cases: readonly (readonly [string, number, string, (world: TestWorld) => Promise<Finding>])[] = [
  [
    'a healthy directory',
    0,
    'clean',
    async ({ fileSystem }) => ({ file: await nameOf(fileSystem, /\.wal$/), state: 'intact', offset: null }),
  ],
  [
    'a torn tail of the log',
    0,
    'recoverable',
    async ({ fileSystem }) => {
      const file = await nameOf(fileSystem, /\.wal$/);
      const handle = await fileSystem.open(`/store/${file}`, 'write');
      // Zeros may follow the last record.
      await handle.truncate(64 + 3 * 48 - 4);
      await handle.close();
      return { file, state: 'torn-tail', offset: 64 + 2 * 48 };
    },
  ],
  [
    'a flipped byte in the log',
    3,
    'corrupt',
    async ({ fileSystem }) => {
      const file = await nameOf(fileSystem, /\.wal$/);
      await flip(fileSystem, file, 64 + 40);
      return { file, state: 'corrupt', offset: 64 };
    },
  ],
  ['a flipped byte in a data block', 3, 'corrupt', (world) => flipSection(world, 'data')],
  ['a flipped byte in an index', 3, 'corrupt', (world) => flipSection(world, 'index')],
  ['a flipped byte in a filter', 3, 'corrupt', (world) => flipSection(world, 'filter')],
  ['a flipped byte in a footer', 3, 'corrupt', (world) => flipSection(world, 'footer')],
  [
    'a flipped byte in the manifest',
    3,
    'corrupt',
    async ({ fileSystem }) => {
      const file = await nameOf(fileSystem, /^MANIFEST-/);
      await flip(fileSystem, file, 64 + 36);
      return { file, state: 'corrupt', offset: 64 };
    },
  ],
  [
    'a flipped byte in CURRENT',
    3,
    'corrupt',
    async ({ fileSystem }) => {
      await flip(fileSystem, 'CURRENT', 20);
      return { file: 'CURRENT', state: 'corrupt', offset: 0 };
    },
  ],
  [
    'a missing table',
    3,
    'corrupt',
    async ({ fileSystem }) => {
      const file = await nameOf(fileSystem, /\.sst$/);
      await fileSystem.unlink(`/store/${file}`);
      return { file, state: 'missing', offset: 0 };
    },
  ],
  ['an orphan table', 0, 'clean', (world) => write(world, '000099.sst', 'orphan')],
  ['a leftover temporary', 0, 'clean', (world) => write(world, 'CURRENT.tmp', 'temporary')],
  ['an unknown file', 0, 'clean', (world) => write(world, 'notes.txt', 'unknown')],
];

describe('kayactl recover --dry-run --json', () => {
  test.each(cases)('names %s', async (_name, exitCode, verdict, prepare) => {
    const world = await worldWithAbandonedStore();
    const { file, state, offset } = await prepare(world);

    const result = await world.run('--data', '/store', 'recover', '--dry-run', '--json');

    const report = JSON.parse(result.stdout) as Report;
    expect({ exitCode: result.exitCode, verdict: report.verdict }).toEqual({ exitCode, verdict });
    expect(report.files.find(({ name }) => name === file)).toMatchObject({ state, offset });
    expect(report.damage.map((each) => each.file)).toEqual(exitCode === 3 ? [file] : []);
  });
});

describe('kayactl recover', () => {
  test('ends with status 6 when a lock is there that only a person can remove', async () => {
    const world = await worldWithAbandonedStore();
    await world.writeFile('/store/LOCK', 'not a lock');

    const result = await world.run('--data', '/store', 'recover', '--dry-run');

    expect(result.exitCode).toBe(6);
    expect(result.stdout).toContain('WARNING: LOCK cannot be read');
  });

  test('names the damage before the files', async () => {
    const world = await worldWithAbandonedStore();
    const { file } = await flipSection(world, 'data');

    const { stdout } = await world.run('--data', '/store', 'recover', '--dry-run');

    expect(stdout.indexOf(`DAMAGE: ${file} at offset 64`)).toBeGreaterThan(0);
    expect(stdout.indexOf(`DAMAGE: ${file}`)).toBeLessThan(stdout.indexOf('\nFILE '));
  });
});

describe('kayactl inspect', () => {
  test('describes a damaged log as far as it goes, and ends with status 3', async () => {
    const world = await worldWithAbandonedStore();
    const file = await nameOf(world.fileSystem, /\.wal$/);
    await flip(world.fileSystem, file, 64 + 48 + 40);

    const { exitCode, stdout } = await world.run('inspect', 'wal', `/store/${file}`);

    expect(exitCode).toBe(3);
    expect(stdout).toContain('DAMAGE: at offset 112: the record CRC does not match');
    expect(stdout).toMatch(
      /^64 +48 +ok .*\n112 +48 +damaged +[0-9a-f]{8}, computed [0-9a-f]{8} +the record CRC does not match\n160 +48 +ok /m,
    );
  });

  test('lists the edits of a manifest and the sections of a table', async () => {
    const world = await worldWithAbandonedStore();
    const manifest = await nameOf(world.fileSystem, /^MANIFEST-/);
    const table = await nameOf(world.fileSystem, /\.sst$/);

    const edits = await world.run('inspect', 'manifest', `/store/${manifest}`);
    const sections = await world.run('inspect', 'sstable', `/store/${table}`, '--show-keys');

    expect(edits).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^\d+ +\d+ +ok +[0-9a-f]{8} +2 +\+table 4 L0 50 entries 1-50,/m),
    });
    expect(sections).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^0 +64 +ok +[0-9a-f]{8} +header/m) });
    expect(sections.stdout).toContain(`hex:${Buffer.from('key-1-0').toString('hex')}..`);
  });

  test('says what a file is that is of another kind', async () => {
    const world = await worldWithAbandonedStore();
    const table = await nameOf(world.fileSystem, /\.sst$/);

    const result = await world.run('inspect', 'wal', `/store/${table}`);

    expect(result).toMatchObject({ exitCode: 4, stdout: '' });
    expect(result.stderr).toContain(`/store/${table} is not a write-ahead log segment; it opens as an sstable does`);
    expect(result.stderr).toContain(`kayactl inspect sstable /store/${table}`);
  });
});
