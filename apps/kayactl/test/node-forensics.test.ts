/** `verify`, `recover`, `inspect`, `get`, `scan` and `export` on the directory of a real node: what they print, how they end, and that they change nothing. */

import { acquireDirectoryLock } from '@kayadb/vfs';
import { diskFingerprint } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { StoppedCluster } from './stopped-cluster.ts';
import type { TestWorld } from './test-world.ts';

const DATA = ['--data', '/data'] as const;
const RAFT = '/data/groups/0/raft';

/** A lone node with rows a, b and c. */
async function loneNode(): Promise<TestWorld> {
  const stopped = await StoppedCluster.make(1, async (client) => {
    for (const key of ['a', 'b', 'c']) await client.put(key, `value of ${key}`);
  });
  return stopped.world(1);
}

async function flip(world: TestWorld, path: string, offset: number): Promise<void> {
  const handle = await world.fileSystem.open(path, 'write');
  const byte = new Uint8Array(1);
  await handle.read(byte, offset);
  await handle.write(Uint8Array.of((byte[0] ?? 0) ^ 0xff), offset);
  await handle.close();
}

async function segmentIn(world: TestWorld): Promise<string> {
  const entries = await world.fileSystem.readDirectory(RAFT);
  return `${RAFT}/${entries.findLast(({ name }) => name.endsWith('.rlog'))?.name}`;
}

describe('on the directory of a node', { timeout: 30_000 }, () => {
  test.each([
    [['verify']],
    [['recover', '--dry-run', '--show-keys']],
    [['recover', '--plan']],
    [['inspect', '/data']],
    [['inspect', 'machine', '/data']],
    [['get', 'a']],
    [['scan']],
    [['export']],
    [['recover', 'quorum', '--describe', '/data']],
  ])('%s succeeds and changes nothing', async (argv) => {
    const world = await loneNode();
    const before = diskFingerprint(world.fileSystem);
    const changes: string[] = [];
    world.fileSystem.afterEachMutation(({ operation, path }) => changes.push(`${operation} ${path}`));

    const result = await world.run(...DATA, ...argv);

    expect(result).toMatchObject({ exitCode: 0, stderr: expect.not.stringContaining('ERROR') });
    expect(changes).toEqual([]);
    expect(diskFingerprint(world.fileSystem)).toBe(before);
  });

  test.each([[['put', 'a', '1']], [['delete', 'a']], [['compact']], [['flush']], [['stats']], [['backup', '/copy']]])(
    '%s is refused with one sentence',
    async (argv) => {
      const world = await loneNode();

      const result = await world.run(...DATA, ...argv);

      expect(result).toMatchObject({ exitCode: 4, stdout: '' });
      expect(result.stderr).toContain('/data is the directory of a node, which only the node itself writes to');
      expect(result.stderr.split('\n')).toHaveLength(3);
    },
  );
});

describe('kayactl recover --dry-run of a node', { timeout: 30_000 }, () => {
  test('says whose directory it is and what the next start would do', async () => {
    const world = await loneNode();

    const text = await world.run(...DATA, 'recover', '--dry-run');
    const json = await world.run(...DATA, 'recover', '--dry-run', '--json');

    expect(text.stdout).toMatch(
      /^CLEAN: everything in the directory of the node verifies\ndirectory \/data\nnode 1, incarnation \d+, boot 1\ncluster [0-9a-f]{32}\n/,
    );
    expect(text.stdout).toMatch(/^groups\/0\/raft\/raft-state +raft-state +intact +12288/m);
    expect(text.stdout).toMatch(/The next start goes on from entry \d+, and applies \d+ entr/);
    expect(JSON.parse(json.stdout)).toMatchObject({
      format: 1,
      verdict: 'clean',
      node: { id: 1 },
      start: { outcome: 'starts' },
    });
  });

  test('names damage with file and offset, and ends with status 3', async () => {
    const world = await loneNode();
    await flip(world, `${RAFT}/raft-snapshot.bin`, 120);

    const text = await world.run(...DATA, 'recover', '--dry-run');
    const verified = await world.run(...DATA, 'verify', '--json');

    expect(text.exitCode).toBe(3);
    expect(text.stdout).toContain('DAMAGE: groups/0/raft/raft-snapshot.bin at offset 96: its CRC does not match');
    expect(text.stdout).toContain('The next start would be refused (KAYA_RAFT_CORRUPTION)');
    expect(verified.exitCode).toBe(3);
    expect(JSON.parse(verified.stdout)).toMatchObject({
      ok: false,
      damage: [{ file: 'groups/0/raft/raft-snapshot.bin', offset: 96 }],
    });
  });

  test('is refused as a store that is read, with the way to forensics', async () => {
    const world = await loneNode();
    await flip(world, `${RAFT}/raft-state`, 20);

    const result = await world.run(...DATA, 'get', 'a');

    expect(result).toMatchObject({ exitCode: 3, stdout: '' });
    expect(result.stderr).toContain('raft-state is damaged at offset 0');
    expect(result.stderr).toContain('kayactl recover --dry-run');
  });
});

describe('the rows of a stopped node', { timeout: 30_000 }, () => {
  test('are read as they are', async () => {
    const world = await loneNode();

    const got = await world.run(...DATA, 'get', 'b');
    const scanned = await world.run(...DATA, 'scan', '--gt', 'a');
    const exported = await world.run(...DATA, 'export');

    expect(got.stdout).toBe('value of b\n');
    expect(scanned.stdout).toBe('b value of b\nc value of c\n');
    expect(
      exported.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).key),
    ).toEqual(['a', 'b', 'c']);
  });

  test('are read with a word of warning while it cannot be seen whether the node runs', async () => {
    const world = await loneNode();
    await acquireDirectoryLock(world.fileSystem, '/data', world.processWorld.start({ host: 'elsewhere' }));

    const got = await world.run(...DATA, 'get', 'b');

    expect(got).toMatchObject({ exitCode: 0, stdout: 'value of b\n' });
    expect(got.stderr).toMatch(/^NOTE: process \d+ on host elsewhere has \/data open, or had it when it ended/);
  });

  test('are salvaged into a store that any command opens', async () => {
    const world = await loneNode();

    const salvaged = await world.run(...DATA, 'recover', '--salvage', '--out', '/saved');
    const verified = await world.run('--data', '/saved', 'verify');
    const got = await world.run('--data', '/saved', 'get', 'c');

    expect(salvaged).toMatchObject({ exitCode: 0, stderr: '' });
    expect(salvaged.stdout).toMatch(/^OK salvaged into \/saved\n/);
    expect(salvaged.stdout).toMatch(/^kept +3 rows/m);
    expect(verified.exitCode).toBe(0);
    expect(got.stdout).toBe('value of c\n');
  });
});

describe('kayactl recover --plan of a node', { timeout: 30_000 }, () => {
  test('has the start of a sound node first, and no reason for anything else', async () => {
    const world = await loneNode();

    const { stdout } = await world.run(...DATA, 'recover', '--plan', '--json');

    expect(JSON.parse(stdout).ways.map(({ kind }: { kind: string }) => kind)).toEqual(['start', 'salvage']);
  });

  test('has the other nodes before all else when one of them is damaged', async () => {
    const stopped = await StoppedCluster.make(3, async (client) => void (await client.put('a', '1')));
    const world = stopped.world(2);
    await flip(world, await segmentIn(world), 20);
    await flip(world, `${RAFT}/raft-snapshot.bin`, 120);

    const { stdout, exitCode } = await world.run(...DATA, 'recover', '--plan');

    expect(exitCode).toBe(3);
    expect(stdout).toContain('1. If the other nodes have a majority without this one: remove node 2 from its group');
    expect(stdout).toContain('recover --salvage --out NEW-DIR');
  });
});

describe('kayactl inspect of a node', { timeout: 30_000 }, () => {
  test('lists the entries of a segment, with keys only when they are asked for', async () => {
    const world = await loneNode();
    const segment = await segmentIn(world);

    const without = await world.run('inspect', segment);
    const shown = await world.run('inspect', 'raft-log', segment, '--show-keys');
    const json = await world.run('inspect', segment, '--json');

    expect(without.exitCode).toBe(0);
    expect(without.stdout).toMatch(/^kind raft-log$/m);
    expect(without.stdout).toMatch(/^\d+ +ok +\d+ +\d+ +normal +\d+ +write .*1 operations$/m);
    expect(without.stdout).not.toContain('hex:');
    expect(shown.stdout).toMatch(/1 operations hex:61$/m);
    expect(shown.stdout).not.toContain(Buffer.from('value of a').toString('hex'));
    expect(JSON.parse(json.stdout)).toMatchObject({
      kind: 'raft-log',
      damage: [],
      header: { checksum: 'ok', node: 1 },
    });
  });

  test.each([
    ['/data/NODE', 'node', /^boot 1$/m],
    [`${RAFT}/raft-state`, 'raft-state', /^0 +4096 +ok +\d+ +\d+ +\d+$/m],
    [`${RAFT}/raft-snapshot.bin`, 'raft-snapshot', /^CURRENT +\d+ +[0-9a-f]{8}$/m],
  ])('takes %s apart', async (path, kind, line) => {
    const world = await loneNode();

    const found = await world.run('inspect', path);
    const named = await world.run('inspect', kind, path);
    await flip(world, path, 30);
    const damaged = await world.run('inspect', path);

    expect(found).toMatchObject({ exitCode: 0, stderr: '' });
    expect(found.stdout).toMatch(line);
    expect(named.stdout).toBe(found.stdout);
    expect(damaged.exitCode).toBe(3);
    expect(damaged.stdout).toContain('DAMAGE: at offset 0: ');
  });

  test('lists the files of the directory, or those of one kind', async () => {
    const world = await loneNode();

    const all = await world.run('inspect', '/data');
    const states = await world.run('inspect', 'raft-state', '/data');

    expect(all.stdout).toMatch(/^NODE +node +intact/m);
    expect(all.stdout).toMatch(/^CURRENT +current/m);
    expect(states.stdout.trim().split('\n')).toHaveLength(2);
  });

  test('shows members and sessions', async () => {
    const world = await loneNode();

    const text = await world.run('inspect', 'machine', '/data');
    const json = await world.run('inspect', 'machine', '/data', '--json');

    expect(text.stdout).toMatch(/^state of entry \d+$/m);
    expect(JSON.parse(json.stdout)).toMatchObject({ level: 1, members: [{ node: 1 }], gone: [] });
  });

  test('refuses a file of another kind, and what is no node', async () => {
    const world = await loneNode();
    await world.run('--data', '/store', 'put', 'a', '1');

    const state = await world.run('inspect', 'raft-log', `${RAFT}/raft-state`);
    const store = await world.run('inspect', 'machine', '/store');

    expect(state).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('it opens as raft-state does') });
    expect(store).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('/store is not the folder of a node') });
  });
});
