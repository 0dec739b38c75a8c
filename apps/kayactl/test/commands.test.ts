/** Every data and operation command, embedded over a disk in memory and remote over a v1 server in memory. */

import { encodeUtf8 } from '@kayadb/codec';
import { acquireDirectoryLock } from '@kayadb/vfs';
import { describe, expect, test } from 'vitest';

import { readLatencies } from '../src/latencies.ts';
import { brokenPipe, TestWorld } from './test-world.ts';
import { V1Server } from './v1-server.ts';

const SERVER = ['--server', '127.0.0.1:7379'] as const;

function remoteWorld(): { world: TestWorld; server: V1Server } {
  const world = new TestWorld();
  const server = new V1Server();
  world.connect = server.connect;
  return { world, server };
}

async function worldWithRows(...keys: readonly string[]): Promise<TestWorld> {
  const world = new TestWorld();
  for (const key of keys) await world.run('put', key, `value of ${key}`, '--data', '/store');
  return world;
}

describe('kayactl put and delete, embedded', () => {
  test('print sequence, position and durability', async () => {
    const world = new TestWorld();

    const put = await world.run('--data', '/store', 'put', 'k', 'v');
    const removed = await world.run('--data', '/store', 'delete', 'k', '--json');

    expect(put).toMatchObject({ exitCode: 0, stderr: '' });
    expect(put.stdout).toMatch(/^OK sequence=1 lsn=\d+ durable=true\n$/);
    expect(JSON.parse(removed.stdout)).toEqual({ ok: true, sequence: 2, lsn: expect.any(Number), durable: true });
  });

  test('say that a relaxed write is not on disk yet', async () => {
    const world = new TestWorld();

    const put = await world.run('put', 'k', 'v', '--data', '/store', '--durability', 'relaxed');

    expect(put.stdout).toMatch(/durable=false\n$/);
  });

  test('take bytes in hexadecimal, and what begins with a dash after --', async () => {
    const world = new TestWorld();
    await world.run('--data', '/store', 'put', 'hex:00ff', '0xfe');
    await world.run('--data', '/store', 'put', '--', '-k', '-v');

    const scan = await world.run('--data', '/store', 'scan');

    expect(scan.stdout).toBe('hex:00ff hex:fe\n-k -v\n');
  });

  test.each([
    [['put', '', 'v'], 'the key is empty'],
    [['put', 'k'.repeat(4097), 'v'], 'the key has 4097 bytes; at most 4096 are allowed'],
    [['get', '0x0'], 'the key starts with 0x but is not pairs of hexadecimal digits'],
  ])('refuse %.20s before anything is opened', async (argv, message) => {
    const world = new TestWorld();

    const result = await world.run(...argv, '--data', '/store');

    expect(result.exitCode).toBe(4);
    expect(result.stderr).toContain(`ERROR: ${message}\nHINT: `);
    expect(await world.fileSystem.stat('/store')).toBeUndefined();
  });
});

describe('kayactl put and delete, remote', () => {
  test('print OK and reach the server', async () => {
    const { world, server } = remoteWorld();

    const put = await world.run(...SERVER, 'put', 'k', 'v');
    const removed = await world.run(...SERVER, 'delete', 'k', '--json');

    expect([put.stdout, removed.stdout]).toEqual(['OK\n', '{"ok":true}\n']);
    expect(server.log).toEqual(['put k', 'delete k']);
  });

  test('refuse a durability, which is that of the server', async () => {
    const { world, server } = remoteWorld();

    const put = await world.run(...SERVER, '--durability', 'relaxed', 'put', 'k', 'v');
    const status = await world.run(...SERVER, '--durability', 'relaxed', 'status');

    expect([put.exitCode, status.exitCode]).toEqual([4, 4]);
    expect(put.stderr).toContain('ERROR: --durability relaxed cannot be asked of a server');
    expect(server.log).toEqual([]);
  });

  test('explain a token that is missing, and take it from flag, file or environment', async () => {
    const { world, server } = remoteWorld();
    server.token = 'secret';
    await world.writeFile('/token', ' secret\n');

    const without = await world.run(...SERVER, 'put', 'k', 'v');
    const wrong = await world.run(...SERVER, 'put', 'k', 'v', '--client-token', 'guess');
    const flag = await world.run(...SERVER, 'put', 'k', 'v', '--client-token', 'secret');
    const file = await world.run(...SERVER, 'put', 'k', 'v', '--client-token-file', '/token');
    world.env['KAYA_CLIENT_TOKEN'] = ' secret\n';
    const environment = await world.run(...SERVER, 'put', 'k', 'v');

    expect([without, wrong, flag, file, environment].map(({ exitCode }) => exitCode)).toEqual([4, 4, 0, 0, 0]);
    expect(without.stderr).toContain('HINT: Give the token the server was started with');
    expect(wrong.stderr).not.toContain('guess');
  });

  test('end with status 1 and say what to check when no server answers', async () => {
    const { world } = remoteWorld();

    const put = await world.run('--server', '127.0.0.1:1', 'put', 'k', 'v', '--json');

    expect(put.exitCode).toBe(1);
    expect(put.stdout).toBe('');
    expect(JSON.parse(put.stderr)).toEqual({
      error: {
        code: 'KAYA_UNAVAILABLE',
        message: expect.stringContaining('no answer from 127.0.0.1:1'),
        hint: expect.stringContaining('--server'),
      },
    });
  });
});

describe.each([
  ['embedded', () => ({ world: new TestWorld(), target: ['--data', '/store'] })],
  ['remote', () => ({ world: remoteWorld().world, target: SERVER })],
] as const)('kayactl get and scan, %s', (_mode, open) => {
  test('get prints the value and a newline, or its bytes alone', async () => {
    const { world, target } = open();
    await world.run(...target, 'put', 'k', 'two\nlines');

    const plain = await world.run(...target, 'get', 'k');
    const raw = await world.run(...target, 'get', 'k', '--raw');
    const json = await world.run(...target, 'get', 'k', '--json');

    expect(plain).toEqual({ exitCode: 0, stdout: 'two\nlines\n', stderr: '' });
    expect(raw.stdout).toBe('two\nlines');
    expect(JSON.parse(json.stdout)).toEqual({ found: true, key: 'k', value: 'two\nlines' });
  });

  test('get of an absent key ends with status 2', async () => {
    const { world, target } = open();
    await world.run(...target, 'put', 'other', 'v');

    const plain = await world.run(...target, 'get', 'k');
    const raw = await world.run(...target, 'get', 'k', '--raw');
    const json = await world.run(...target, 'get', 'hex:ff', '--json');

    expect(plain).toEqual({ exitCode: 2, stdout: 'NOT_FOUND\n', stderr: '' });
    expect(raw).toEqual({ exitCode: 2, stdout: '', stderr: 'NOT_FOUND\n' });
    expect(json).toEqual({ exitCode: 2, stdout: '{"found":false,"key_hex":"ff"}\n', stderr: '' });
  });

  test('scan prints rows in key order, as text and as one JSON document', async () => {
    const { world, target } = open();
    for (const key of ['b', 'a', 'ab', '0xff']) await world.run(...target, 'put', key, '1');

    const all = await world.run(...target, 'scan');
    const prefix = await world.run(...target, 'scan', 'a', '--json');
    const none = await world.run(...target, 'scan', 'zzz', '--json');

    expect(all.stdout).toBe('a 1\nab 1\nb 1\nhex:ff 1\n');
    expect(JSON.parse(prefix.stdout)).toEqual({
      items: [
        { key: 'a', value: '1' },
        { key: 'ab', value: '1' },
      ],
    });
    expect(JSON.parse(none.stdout)).toEqual({ items: [] });
  });

  test.each([
    [['--gte', 'k/b', '--lt', 'k/d'], 'k/b k/c'],
    [['--gt', 'k/b', '--lte', 'k/d'], 'k/c k/d'],
    [['--gt', 'k/c'], 'k/d z'],
    [['--lte', 'k/a'], 'a k/a'],
    [['k/', '--gte', 'k/c'], 'k/c k/d'],
    [['k/', '--limit', '2'], 'k/a k/b'],
    [['--gt', 'k/a', '--limit', '1'], 'k/b'],
    [['--limit', '0'], ''],
    [['--gte', 'z', '--lt', 'a'], ''],
    [['q', '--gte', 'k/a', '--lt', 'k/b'], ''],
  ])('scan %j gives %j', async (argv, keys) => {
    const { world, target } = open();
    for (const key of ['a', 'k/a', 'k/b', 'k/c', 'k/d', 'z']) await world.run(...target, 'put', key, '1');

    const scan = await world.run(...target, 'scan', ...argv);

    expect(scan.stderr).toBe('');
    expect(
      scan.stdout
        .split('\n')
        .map((line) => line.replace(/ 1$/, ''))
        .join(' ')
        .trim(),
    ).toBe(keys);
  });

  test('scan refuses two bounds on one side and limits that are no number', async () => {
    const { world, target } = open();

    const bounds = await world.run(...target, 'scan', '--gt', 'a', '--gte', 'b');
    const limit = await world.run(...target, 'scan', '--limit', '-1');

    expect(bounds).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('--gt and --gte exclude each other') });
    expect(limit).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('Give a whole number of at least 0.') });
  });

  test('a reader that goes away ends the command quietly with status 0', async () => {
    const { world, target } = open();
    await world.run(...target, 'put', 'k', 'v');
    world.onStdout = () => {
      throw brokenPipe();
    };

    const scan = await world.run(...target, 'scan');

    expect(scan).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  });

  test('an interrupted scan ends with status 130 and lets go of the store', async () => {
    const { world, target } = open();
    await world.run(...target, 'put', 'k', 'v');
    world.interruption.abort('SIGINT');
    const scan = await world.run(...target, 'scan');
    world.interruption = new AbortController();

    const again = await world.run(...target, 'get', 'k');

    expect(scan.exitCode).toBe(130);
    expect(scan.stderr).toContain('ERROR: stopped before the end');
    expect(again.stdout).toBe('v\n');
  });
});

describe('kayactl scan', () => {
  test('goes backwards in a folder', async () => {
    const world = await worldWithRows('a', 'b', 'c');

    const scan = await world.run('--data', '/store', 'scan', '--reverse', '--limit', '2', '--json');

    expect(JSON.parse(scan.stdout)).toEqual({
      items: [
        { key: 'c', value: 'value of c' },
        { key: 'b', value: 'value of b' },
      ],
    });
  });

  test('refuses to go backwards on a server, in a sentence', async () => {
    const { world, server } = remoteWorld();

    const scan = await world.run(...SERVER, 'scan', '--reverse');
    const json = await world.run(...SERVER, 'scan', '--reverse', '--json');

    expect(scan.exitCode).toBe(4);
    expect(json).toMatchObject({ exitCode: 4, stdout: '' });
    expect(scan.stderr).toContain('ERROR: --reverse cannot be asked of this server: protocol v1 scans forward only');
    expect(server.log).toEqual([]);
  });

  test('asks a server for no more than both bounds share', async () => {
    const { world, server } = remoteWorld();
    server.maxScanItems = 2;
    for (const key of ['user/1', 'user/2', 'video/1', 'video/2']) server.put(encodeUtf8(key), encodeUtf8('1'));

    const scan = await world.run(...SERVER, 'scan', '--gte', 'user/1', '--lt', 'user/2');

    expect(scan.stdout).toBe('user/1 1\n');
    expect(server.log).toEqual(['scan']);
  });

  test('reads on when a server finds a prefix too large', async () => {
    const { world, server } = remoteWorld();
    server.maxScanItems = 1;
    for (const key of ['a', 'ab', 'b']) server.put(encodeUtf8(key), encodeUtf8('1'));

    const scan = await world.run(...SERVER, 'scan');

    expect(scan.stdout).toBe('a 1\nab 1\nb 1\n');
  });
});

describe('kayactl on a folder', () => {
  test.each([['get', 'k'], ['delete', 'k'], ['scan'], ['stats'], ['health'], ['status'], ['flush'], ['export']])(
    '%s makes no store where there is none',
    async (...argv) => {
      const world = new TestWorld();

      const result = await world.run('--data', '/store', ...argv);

      expect(result).toMatchObject({ exitCode: 1, stdout: '' });
      expect(result.stderr).toContain('ERROR: there is no store in /store');
      expect(await world.fileSystem.stat('/store')).toBeUndefined();
    },
  );

  test('says who holds the lock and ends with status 6', async () => {
    const world = await worldWithRows('k');
    const { owner } = await acquireDirectoryLock(world.fileSystem, '/store', world.processWorld.start());

    const get = await world.run('--data', '/store', 'get', 'k', '--json');

    expect(get.exitCode).toBe(6);
    expect(JSON.parse(get.stderr)).toMatchObject({
      error: {
        code: 'KAYA_LOCKED',
        message: expect.stringContaining(`held by process ${owner.pid} on host ${owner.host}`),
        hint: expect.stringContaining('--server'),
      },
    });
  });

  test('ends with status 3 on damage, changes nothing and points at recover --dry-run', async () => {
    const world = await worldWithRows('k');
    const manifest = await world.readFile('/store/CURRENT');
    const handle = await world.fileSystem.open('/store/CURRENT', 'write');
    await handle.write(Buffer.from('XXXX'), 0);
    await handle.close();
    const before = await world.readFile('/store/CURRENT');

    const get = await world.run('--data', '/store', 'get', 'k');

    expect(get.exitCode).toBe(3);
    expect(get.stderr).toContain('CURRENT is damaged at offset 0');
    expect(get.stderr).toContain('kayactl recover --dry-run');
    expect(before).not.toBe(manifest);
    expect(await world.readFile('/store/CURRENT')).toBe(before);
  });

  test('ends with status 1 when the disk is full, and keeps what was acknowledged', async () => {
    const world = await worldWithRows('kept');
    world.fileSystem.setCapacity(0);

    const put = await world.run('--data', '/store', 'put', 'k', 'x'.repeat(100_000));
    world.fileSystem.setCapacity(undefined);
    const get = await world.run('--data', '/store', 'get', 'kept');

    expect(put.exitCode).toBe(1);
    expect(put.stderr).toContain('no space is left');
    expect(get.stdout).toBe('value of kept\n');
  });
});

describe('kayactl health, status, stats and flush', () => {
  test('health tells the role', async () => {
    const { world } = remoteWorld();
    const folder = await worldWithRows('k');

    const remote = await world.run(...SERVER, 'health');
    const json = await world.run(...SERVER, 'health', '--json');
    const embedded = await folder.run('--data', '/store', 'health');

    expect([remote.stdout, json.stdout, embedded.stdout]).toEqual([
      'leader\n',
      '{"ok":true,"role":"leader"}\n',
      'embedded\n',
    ]);
  });

  test('status prints a line for each server, and status 1 when one is silent', async () => {
    const { world } = remoteWorld();

    const good = await world.run(...SERVER, 'status');
    const mixed = await world.run(...SERVER, '--server', '127.0.0.1:1', 'status');
    const json = await world.run(...SERVER, '--server', '127.0.0.1:1', 'status', '--json');

    expect(good.stdout).toBe(
      'SERVER          ROLE    TERM  COMMIT  APPLIED  SEQUENCE  TABLES\n' +
        '127.0.0.1:7379  leader  3     41      40       9         5\n',
    );
    expect(good.exitCode).toBe(0);
    expect(mixed.exitCode).toBe(1);
    expect(mixed.stdout).toContain('127.0.0.1:1     no answer');
    expect(JSON.parse(json.stdout)).toMatchObject({
      nodes: [
        { endpoint: '127.0.0.1:7379', ok: true, role: 'leader', stats: { term: 3 } },
        { endpoint: '127.0.0.1:1', ok: false, code: 'KAYA_UNAVAILABLE' },
      ],
    });
  });

  test('status of a folder tells what it holds', async () => {
    const world = await worldWithRows('a', 'b');

    const status = await world.run('--data', '/store', 'status', '--json');

    expect(JSON.parse(status.stdout)).toMatchObject({ directory: '/store', last_sequence: 2 });
  });

  test('stats prints the document flat, as JSON, or as latencies', async () => {
    const { world } = remoteWorld();

    const flat = await world.run(...SERVER, 'stats');
    const json = await world.run(...SERVER, 'stats', '--json');
    const latency = await world.run(...SERVER, 'stats', '--latency');
    const latencyJson = await world.run(...SERVER, 'stats', '--latency', '--json');

    expect(flat.stdout).toContain('role leader\nterm 3\n');
    expect(flat.stdout).toContain('engine.put_count 7\n');
    expect(JSON.parse(json.stdout)).toMatchObject({ role: 'leader', engine: { put_count: 7 } });
    expect(latency.stdout).toBe('get         count=2 mean=16us max=20us\n');
    expect(JSON.parse(latencyJson.stdout)).toEqual({ latency: { get: { count: 2, mean_us: 16, max_us: 20 } } });
  });

  test('latencies of gets are of those that were timed', () => {
    const engine = { get_count: 1000, cold_get_count: 4, get_total_us: 400, get_max_us: 130 };

    expect(readLatencies({ engine })).toEqual({ get: { count: 4, mean_us: 100, max_us: 130 } });
  });

  test('flush moves the log into tables, and refuses a server in a sentence', async () => {
    const world = await worldWithRows('k');
    const { world: remote } = remoteWorld();

    const flushed = await world.run('--data', '/store', 'flush');
    const refused = await remote.run(...SERVER, 'flush');

    expect(flushed).toEqual({ exitCode: 0, stdout: 'OK\n', stderr: '' });
    expect(refused.exitCode).toBe(4);
    expect(refused.stderr).toContain('ERROR: flush works on a folder only');
  });
});
