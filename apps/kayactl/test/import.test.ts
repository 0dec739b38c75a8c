/** The import from the outside: what reaches the store, what is said, and how it goes on after it was broken off. */

import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';

import { decodeUtf8 } from '@kayadb/codec';
import { VirtualClock } from '@kayadb/testkit';
import { crashClone, type MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { TestWorld } from './test-world.ts';
import { V1Server } from './v1-server.ts';

const SERVER = ['--server', '127.0.0.1:7379'] as const;
const FOLDER = ['--data', '/store'] as const;
const STATE = '/in.kayactl-import.json';

function remoteWorld(): { world: TestWorld; server: V1Server } {
  const world = new TestWorld();
  const server = new V1Server();
  world.connect = server.connect;
  return { world, server };
}

function lines(count: number, from = 0): string {
  return Array.from({ length: count }, (_, at) => `{"key":"k${from + at}","value":"v${from + at}"}\n`).join('');
}

function rowsOf(server: V1Server): readonly string[] {
  return server.rows().map(({ key, value }) => `${decodeUtf8(key)}=${decodeUtf8(value)}`);
}

/** Time moves on with each write, so that progress is due again and again. */
function passTimeWithWrites(world: TestWorld, server: V1Server, ms: number): void {
  const push = server.log.push.bind(server.log);
  server.log.push = (...entries) => {
    world.clock.advance(ms);
    return push(...entries);
  };
}

describe('kayactl import', () => {
  test('stores every record of a plain or packed file, embedded', async () => {
    const world = new TestWorld();
    await world.writeFile('/in', gzipSync(`${lines(3)}{"key_hex":"ff","value":"bytes"}`));

    const result = await world.run(...FOLDER, 'import', '/in');
    const scan = await world.run(...FOLDER, 'scan');

    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(result.stdout).toMatch(/^imported 4 records from 4 lines \(0 bad, 0 blank\), \d+ bytes read in 0 s\n$/);
    expect(scan.stdout).toBe('k0 v0\nk1 v1\nk2 v2\nhex:ff bytes\n');
  });

  test('sums up as JSON', async () => {
    const { world } = remoteWorld();
    await world.writeFile('/in', `${lines(2)}\n\n`);

    const result = await world.run(...SERVER, 'import', '/in', '--json');

    expect(JSON.parse(result.stdout)).toEqual({
      ok: true,
      lines: 4,
      imported: 2,
      bad: 0,
      blank: 2,
      bytes: 54,
      seconds: 0,
      resumed_from: 0,
    });
  });

  test('reads standard input', async () => {
    const { world, server } = remoteWorld();
    world.stdin = Readable.from([Buffer.from(lines(2))]);

    const result = await world.run(...SERVER, 'import', '-');

    expect(result.exitCode).toBe(0);
    expect(rowsOf(server)).toEqual(['k0=v0', 'k1=v1']);
  });

  test('lets the later line win, also among pipelined writes', async () => {
    const { world, server } = remoteWorld();
    const values = Array.from({ length: 50 }, (_, at) => `{"key":"same","value":"${at}"}\n`);
    await world.writeFile('/in', values.join(''));

    const result = await world.run(...SERVER, 'import', '/in');

    expect(result.exitCode).toBe(0);
    expect(rowsOf(server)).toEqual(['same=49']);
  });

  test('takes a byte order mark and carriage returns for what they are', async () => {
    const { world, server } = remoteWorld();
    await world.writeFile('/in', `\ufeff{"key":"a","value":"1"}\r\n\r\n{"key":"b","value":"2"}\r\n`);

    const result = await world.run(...SERVER, 'import', '/in', '--json');

    expect(JSON.parse(result.stdout)).toMatchObject({ lines: 3, imported: 2, bad: 0, blank: 1 });
    expect(rowsOf(server)).toEqual(['a=1', 'b=2']);
  });

  test('lists acknowledged records when asked', async () => {
    const { world } = remoteWorld();
    await world.writeFile('/in', `nonsense\n${lines(1)}{"key_hex":"ff","value":""}\n`);

    await world.run(...SERVER, 'import', '/in', '--ack-log', '/acks');
    const acks = await world.readFile('/acks');

    expect(acks).toBe('{"line":2,"key":"k0"}\n{"line":3,"key_hex":"ff"}\n');
  });

  test.each([
    ['a file that is not there', '/absent', 1, 'open of /absent failed with ENOENT'],
    ['a folder', '/', 1, 'a file was expected'],
  ])('says in a sentence that it cannot read %s', async (_what, path, exitCode, message) => {
    const { world } = remoteWorld();

    const result = await world.run(...SERVER, 'import', path);

    expect(result).toMatchObject({ exitCode, stdout: '', stderr: expect.stringContaining(message) });
  });

  test.each([
    [['--errors', '/in'], 'FILE and --errors are the same file /in'],
    [['--ack-log', '/folder/../in'], 'FILE and --ack-log are the same file'],
    [['--restart', '--state', '/in'], 'FILE and --state are the same file /in'],
    [['--errors', '/list', '--ack-log', '/list'], '--errors and --ack-log are the same file /list'],
  ])('never writes over its input: %j', async (flags, message) => {
    const { world, server } = remoteWorld();
    await world.writeFile('/in', lines(3));

    const result = await world.run(...SERVER, 'import', '/in', ...flags);

    expect(result).toMatchObject({ exitCode: 4, stdout: '', stderr: expect.stringContaining(message) });
    expect(await world.readFile('/in')).toBe(lines(3));
    expect(server.log).toEqual([]);
  });

  test('refuses what is no file, and says how to import it', async () => {
    const { world } = remoteWorld();
    const stat = world.fileSystem.stat.bind(world.fileSystem);
    world.fileSystem.stat = async (path) => {
      const found = await stat(path);
      return path === '/in' && found !== undefined ? { ...found, kind: 'other' } : found;
    };
    await world.writeFile('/in', lines(1));

    const result = await world.run(...SERVER, 'import', '/in');
    const inspected = await world.run('inspect', 'wal', '/in');

    expect(result).toMatchObject({ exitCode: 4, stdout: '' });
    expect(result.stderr).toContain('/in is a pipe or a device');
    expect(result.stderr).toContain('kayactl import - < FILE');
    expect(inspected).toMatchObject({ exitCode: 4, stdout: '' });
    expect(inspected.stderr).toContain('/in is neither a file nor a folder');
  });

  test('makes no store for a file that is not there', async () => {
    const world = new TestWorld();

    const result = await world.run('--data', '/store', 'import', '/absent');

    expect(result.exitCode).toBe(1);
    expect(await world.fileSystem.stat('/store')).toBeUndefined();
  });

  test('keeps what came before the damage in a gzip file, and says so', async () => {
    const { world, server } = remoteWorld();
    const packed = gzipSync(lines(5_000));
    await world.writeFile('/in', packed.subarray(0, packed.length - 20));

    const result = await world.run(...SERVER, 'import', '/in', '--json');
    const stored = rowsOf(server).length;

    expect(result.exitCode).toBe(4);
    expect(JSON.parse(result.stderr).error.message).toContain('/in is a damaged or unfinished gzip file');
    expect(JSON.parse(result.stderr).error.message).toContain(`${stored} records of ${stored} lines are acknowledged`);
    expect(JSON.parse(result.stderr).error.hint).toBe('Fetch or pack the file again, then import it with --restart.');
    expect(stored).toBeGreaterThan(0);
  });
});

describe('kayactl import of bad lines', () => {
  test('names each with its number and reason, imports the others, and ends with status 4', async () => {
    const { world, server } = remoteWorld();
    await world.writeFile('/in', `${lines(1)}{"key":"","value":"v"}\n\n{"key":"x"}\n${lines(1, 1)}`);

    const result = await world.run(...SERVER, 'import', '/in');

    expect(result.exitCode).toBe(4);
    expect(result.stdout).toMatch(/^imported 2 records from 5 lines \(2 bad, 1 blank\)/);
    expect(result.stderr).toBe(
      'line 2: the key is empty\n' +
        'line 4: "value" is missing\n' +
        'ERROR: 2 of 5 lines could not be imported\n' +
        'HINT: Correct these lines and import them in a file of their own; --errors FILE lists all of them.\n',
    );
    expect(rowsOf(server)).toEqual(['k0=v0', 'k1=v1']);
  });

  test('shows the first 20, counts the rest, and lists all of them in a file', async () => {
    const { world } = remoteWorld();
    await world.writeFile('/in', 'x\n'.repeat(25));

    const result = await world.run(...SERVER, 'import', '/in', '--errors', '/bad');
    const listed = (await world.readFile('/bad')).trimEnd().split('\n');

    expect(result.stderr.match(/^line \d+: /gm)).toHaveLength(20);
    expect(result.stderr).toContain('ERROR: 25 of 25 lines could not be imported (5 of them not shown above)');
    expect(listed).toHaveLength(25);
    expect(JSON.parse(listed[24] ?? '')).toEqual({ line: 25, reason: 'the line is not valid JSON' });
  });

  test('counts a record that the server refuses as a bad line', async () => {
    const { world, server } = remoteWorld();
    server.refusedKey = 'k1';
    await world.writeFile('/in', lines(3));

    const result = await world.run(...SERVER, 'import', '/in', '--json');

    expect(result.exitCode).toBe(4);
    expect(JSON.parse(result.stdout)).toMatchObject({ ok: false, imported: 2, bad: 1 });
    expect(result.stderr).toContain('{"bad_line":{"line":2,"reason":"the server refused the request: not this key"}}');
  });

  test('stops at the number that --max-errors gives, and goes on from there', async () => {
    const { world, server } = remoteWorld();
    await world.writeFile('/in', `${lines(1)}x\ny\n${lines(1, 1)}`);

    const stopped = await world.run(...SERVER, 'import', '/in', '--max-errors', '2', '--errors', '/bad');
    const before = rowsOf(server);
    const resumed = await world.run(...SERVER, 'import', '/in', '--max-errors', '2', '--errors', '/bad');

    expect(stopped.exitCode).toBe(4);
    expect(stopped.stderr).toContain('it goes on after line 3');
    expect(before).toEqual(['k0=v0']);
    expect(resumed.stdout).toMatch(
      /^imported 2 records from 4 lines \(2 bad, 0 blank\); the first 3 lines by an earlier run/,
    );
    expect(resumed.exitCode).toBe(4);
    expect((await world.readFile('/bad')).trimEnd().split('\n')).toHaveLength(2);
  });
});

describe('kayactl import that is broken off', () => {
  test('tells what is acknowledged when the server dies, and the same command completes it', async () => {
    const { world, server } = remoteWorld();
    await world.writeFile('/in', lines(1000));
    passTimeWithWrites(world, server, 50);
    server.writesLeft = 700;

    const broken = await world.run(...SERVER, 'import', '/in');
    const kept = JSON.parse(await world.readFile(STATE)).acknowledged;
    server.writesLeft = Number.POSITIVE_INFINITY;
    server.log.length = 0;
    const resumed = await world.run(...SERVER, 'import', '/in');

    expect(broken.exitCode).toBe(1);
    expect(broken.stderr).toMatch(
      /^ERROR: no answer from 127.0.0.1:7379: .*; 700 records of 700 lines are acknowledged\n/,
    );
    expect(broken.stderr).toContain('Run the same command again: it goes on after line 700.');
    expect(kept).toEqual({ lines: 700, imported: 700, bad: 0, blank: 0 });
    expect(resumed).toMatchObject({ exitCode: 0, stderr: 'resuming after line 700 of /in\n' });
    expect(resumed.stdout).toMatch(/^imported 1000 records from 1000 lines/);
    expect(server.log).toHaveLength(300);
    expect(rowsOf(server)).toHaveLength(1000);
    expect(await world.fileSystem.stat(STATE)).toBeUndefined();
  });

  test('never claims a line that a crash could still take', async () => {
    const { world, server } = remoteWorld();
    await world.writeFile('/in', lines(400));
    passTimeWithWrites(world, server, 20);
    const claims: { readonly stored: number; readonly state: Promise<string> }[] = [];
    world.fileSystem.afterEachMutation(({ operation, path }) => {
      if (operation !== 'rename' || !path.includes('kayactl-import')) return;
      claims.push({ stored: server.log.length, state: world.readFile(STATE) });
    });

    const result = await world.run(...SERVER, 'import', '/in');
    const excess = await Promise.all(
      claims.map(async ({ stored, state }) => JSON.parse(await state).acknowledged.lines - stored),
    );

    expect(result.exitCode).toBe(0);
    expect(excess.length).toBeGreaterThan(1);
    expect(Math.max(...excess)).toBeLessThanOrEqual(0);
  });

  test('stops on Ctrl-C, keeps its place and says how to go on', async () => {
    const { world, server } = remoteWorld();
    await world.writeFile('/in', lines(2000));
    const push = server.log.push.bind(server.log);
    server.log.push = (...entries) => {
      if (server.log.length === 300) world.interruption.abort('SIGINT');
      return push(...entries);
    };

    const stopped = await world.run(...SERVER, 'import', '/in');
    world.interruption = new AbortController();
    const resumed = await world.run(...SERVER, 'import', '/in', '--json');

    expect(stopped.exitCode).toBe(130);
    expect(stopped.stderr).toMatch(/ERROR: stopped before the end; (\d+) records of \1 lines are acknowledged/);
    expect(stopped.stderr).toMatch(/it goes on after line \d+/);
    expect(JSON.parse(resumed.stdout)).toMatchObject({ ok: true, imported: 2000, resumed_from: expect.any(Number) });
    expect(JSON.parse(resumed.stdout).resumed_from).toBeGreaterThanOrEqual(300);
    expect(rowsOf(server)).toHaveLength(2000);
  });

  test('refuses to go on with another input or target, and begins anew with --restart', async () => {
    const { world, server } = remoteWorld();
    await world.writeFile('/in', lines(100));
    server.writesLeft = 50;
    await world.run(...SERVER, 'import', '/in');
    server.writesLeft = Number.POSITIVE_INFINITY;

    const elsewhere = await world.run('--server', '127.0.0.1:7380', 'import', '/in');
    await world.fileSystem.unlink('/in');
    await world.writeFile('/in', lines(99));
    const changed = await world.run(...SERVER, 'import', '/in');
    const restarted = await world.run(...SERVER, 'import', '/in', '--restart', '--json');

    expect(elsewhere).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('belongs to an import into') });
    expect(changed).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('--restart') });
    expect(JSON.parse(restarted.stdout)).toMatchObject({ ok: true, imported: 99, resumed_from: 0 });
    expect(await world.fileSystem.stat(STATE)).toBeUndefined();
  });

  test('keeps its place where --state says', async () => {
    const { world, server } = remoteWorld();
    await world.writeFile('/in', lines(10));
    server.writesLeft = 5;

    await world.run(...SERVER, 'import', '/in', '--state', '/elsewhere');
    const kept = await world.fileSystem.stat('/elsewhere');

    expect(kept?.kind).toBe('file');
    expect(await world.fileSystem.stat(STATE)).toBeUndefined();
  });

  test('goes on without a state file when there is no place for one', async () => {
    const { world, server } = remoteWorld();
    await world.writeFile('/in', lines(100));
    passTimeWithWrites(world, server, 50);

    const result = await world.run(...SERVER, 'import', '/in', '--state', '/no/such/folder/state');

    expect(result.exitCode).toBe(0);
    expect(result.stderr).toContain('progress cannot be kept in /no/such/folder/state');
    expect(rowsOf(server)).toHaveLength(100);
  });

  test('ends with status 1 when the disk of an embedded store is full, and completes later', async () => {
    const world = new TestWorld();
    const big = Array.from({ length: 40 }, (_, at) => `{"key":"k${at}","value":"${'x'.repeat(60_000)}"}\n`).join('');
    await world.writeFile('/in', big);
    world.fileSystem.setCapacity(big.length + 1_500_000);

    const broken = await world.run(...FOLDER, 'import', '/in');
    world.fileSystem.setCapacity(undefined);
    const resumed = await world.run(...FOLDER, 'import', '/in', '--json');
    const last = await world.run(...FOLDER, 'get', 'k39');

    expect(broken.exitCode).toBe(1);
    expect(broken.stderr).toMatch(/no space is left[^]* records of \d+ lines are acknowledged/);
    expect(JSON.parse(resumed.stdout)).toMatchObject({ ok: true, imported: 40 });
    expect(last.stdout).toHaveLength(60_001);
  });

  test.each(['strict', 'relaxed'])(
    'loses nothing to power loss at any moment, with durability %s, when it is run again',
    async (durability) => {
      const world = new TestWorld();
      world.clock = new RestlessClock();
      const count = 1000;
      const input = Array.from({ length: count }, (_, at) => `{"key":"k${at}","value":"${'v'.repeat(1000)}"}\n`);
      await world.writeFile('/in', input.join(''));
      const disks: MemoryFileSystem[] = [];
      let mutations = 0;
      world.fileSystem.afterEachMutation(({ path }) => {
        mutations++;
        if (path !== '/' && mutations % 8 !== 0) return;
        disks.push(crashClone(world.fileSystem, { kind: 'nothing-unsynced' }, () => 0.5));
      });
      await world.run(...FOLDER, 'import', '/in', '--durability', durability);

      const missing: number[] = [];
      let resumed = 0;
      for (const disk of disks) {
        const after = new TestWorld();
        after.fileSystem = disk;
        await disk.unlink('/store/LOCK').catch(() => {});
        const again = await after.run(...FOLDER, 'import', '/in', '--json');
        const rows = await after.run(...FOLDER, 'scan');
        if (JSON.parse(again.stdout).resumed_from > 0) resumed++;
        missing.push(count - rows.stdout.split('\n').length + 1);
      }

      expect(missing.length).toBeGreaterThan(5);
      expect(missing.filter((rows) => rows !== 0)).toEqual([]);
      expect(resumed).toBeGreaterThan(0);
    },
    20_000,
  );
});

/** Half a second passes between any two looks at it, so that progress is always due. */
class RestlessClock extends VirtualClock {
  override now(): number {
    this.advance(500);
    return super.now();
  }
}
