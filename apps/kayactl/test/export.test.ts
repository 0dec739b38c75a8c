/** The export from the outside: the same rows again, and never half a file under its name. */

import { gunzipSync } from 'node:zlib';

import { encodeUtf8 } from '@kayadb/codec';
import { seededRandom, testSeed } from '@kayadb/testkit';
import { crashClones } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { brokenPipe, TestWorld } from './test-world.ts';
import { V1Server } from './v1-server.ts';

const FOLDER = ['--data', '/store'] as const;

async function worldWithRows(count: number): Promise<TestWorld> {
  const world = new TestWorld();
  const lines = Array.from({ length: count }, (_, at) => `{"key":"k${at}","value":"v${at}"}\n`);
  await world.writeFile('/rows', lines.join(''));
  await world.run(...FOLDER, 'import', '/rows');
  return world;
}

async function filesOf(world: TestWorld): Promise<readonly string[]> {
  return (await world.fileSystem.readDirectory('/')).map(({ name }) => name);
}

describe('kayactl export', () => {
  test('writes rows in key order to standard output, and the summary to stderr', async () => {
    const world = await worldWithRows(3);

    const text = await world.run(...FOLDER, 'export');
    const dash = await world.run(...FOLDER, 'export', '-', '--json');

    expect(text.stdout).toBe('{"key":"k0","value":"v0"}\n{"key":"k1","value":"v1"}\n{"key":"k2","value":"v2"}\n');
    expect(text.stderr).toBe('exported 3 records, 78 bytes in 0 s\n');
    expect(dash.stdout).toBe(text.stdout);
    expect(JSON.parse(dash.stderr)).toEqual({ ok: true, records: 3, bytes: 78, seconds: 0 });
  });

  test('chooses rows by prefix and bounds', async () => {
    const world = await worldWithRows(20);

    const prefix = await world.run(...FOLDER, 'export', '--prefix', 'k1', '--limit', '2');
    const range = await world.run(...FOLDER, 'export', '--gt', 'k7', '--lte', 'k8');

    expect(prefix.stdout).toBe('{"key":"k1","value":"v1"}\n{"key":"k10","value":"v10"}\n');
    expect(range.stdout).toBe('{"key":"k8","value":"v8"}\n');
  });

  test('has its file on disk when it has ended, whatever the power does then', async () => {
    const world = await worldWithRows(20);
    const { stdout } = await world.run(...FOLDER, 'export');

    await world.run(...FOLDER, 'export', '/out');
    const random = seededRandom(testSeed());
    const crashes = crashClones(world.fileSystem, () => random.next());
    const survivors = await Promise.all(crashes.map(({ disk }) => disk.readFile('/out')));

    expect(survivors.length).toBeGreaterThan(3);
    for (const bytes of survivors) expect(Buffer.from(bytes).toString()).toBe(stdout);
  });

  test('packs with --gzip and for a name that ends in .gz', async () => {
    const world = await worldWithRows(5000);
    const plain = await world.run(...FOLDER, 'export');

    await world.run(...FOLDER, 'export', '/a', '--gzip');
    await world.run(...FOLDER, 'export', '/b.gz');
    const unpacked = await Promise.all(
      ['/a', '/b.gz'].map(async (path) => gunzipSync(await world.fileSystem.readFile(path))),
    );

    expect(unpacked.map(String)).toEqual([plain.stdout, plain.stdout]);
  });

  test('replaces a file only when the new one is complete', async () => {
    const world = await worldWithRows(3);
    await world.writeFile('/out', 'old');

    const result = await world.run(...FOLDER, 'export', '/out');

    expect(result.exitCode).toBe(0);
    expect(await world.readFile('/out')).toMatch(/^\{"key":"k0"/);
    expect(await filesOf(world)).toEqual(['out', 'rows', 'store']);
  });

  test.each([[[]], [['--gzip']]])(
    'leaves the old file and no other when the disk fails in the middle %j',
    async (flags) => {
      const world = await worldWithRows(20_000);
      await world.writeFile('/out', 'old');
      const memory = world.fileSystem;
      const { totalBytes, availableBytes } = await memory.diskSpace('/');
      memory.setCapacity(totalBytes - availableBytes + 50_000);

      const result = await world.run(...FOLDER, 'export', '/out', ...flags);
      memory.setCapacity(undefined);

      expect(result.exitCode).toBe(1);
      expect(result.stderr).toContain('no space is left');
      expect(await world.readFile('/out')).toBe('old');
      expect(await filesOf(world)).toEqual(['out', 'rows', 'store']);
    },
  );

  test('replaces what an export that was killed has left behind', async () => {
    const world = await worldWithRows(1);
    await world.writeFile('/out.kayactl-export.tmp', 'half a line');

    await world.run(...FOLDER, 'export', '/out');

    expect(await world.readFile('/out')).toBe('{"key":"k0","value":"v0"}\n');
    expect(await filesOf(world)).toEqual(['out', 'rows', 'store']);
  });

  test('ends quietly when the reader goes away, packed or not', async () => {
    const world = await worldWithRows(20_000);
    world.onStdout = () => {
      throw brokenPipe();
    };

    const plain = await world.run(...FOLDER, 'export');
    const packed = await world.run(...FOLDER, 'export', '--gzip');

    expect(plain).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect(packed).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  });

  test('and import again give the same store, whatever the bytes', async () => {
    const random = seededRandom(testSeed());
    const world = new TestWorld();
    const server = new V1Server();
    world.connect = server.connect;
    for (let row = 0; row < 200; row++) {
      const text = String.fromCodePoint(...Array.from({ length: random.int(8) }, () => random.int(0x3000)));
      server.put(random.bytes(1 + random.int(3)), random.chance(0.5) ? random.bytes(random.int(40)) : encodeUtf8(text));
    }
    const remote = ['--server', '127.0.0.1:7379'];

    await world.run(...remote, 'export', '/first');
    await world.run(...FOLDER, 'import', '/first');
    await world.run(...FOLDER, 'export', '/second');
    const [first, second] = await Promise.all([world.readFile('/first'), world.readFile('/second')]);
    const scans = await Promise.all([world.run(...remote, 'scan'), world.run(...FOLDER, 'scan')]);

    expect(second).toBe(first);
    expect(scans[1]).toEqual(scans[0]);
    expect(first).toContain('_hex');
  });
});
