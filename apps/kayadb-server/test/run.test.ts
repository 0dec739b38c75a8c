import { encodeUtf8, type Request } from '@kayadb/codec';
import type { Connection } from '@kayadb/transport';
import { FaultyFileSystem, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { run } from '../src/run.ts';
import { ask } from './support/ask.ts';
import { createTestWorld, type TestWorld } from './support/test-world.ts';

const put: Request = { kind: 'put', key: encodeUtf8('private-key'), value: encodeUtf8('private-value') };
const get: Request = { kind: 'get', key: encodeUtf8('private-key') };

describe('run', () => {
  test('serves until a signal asks it to stop, then ends with 0', async () => {
    const world = createTestWorld({ argv: ['--client-addr', '127.0.0.1:0', '--data', '/data'] });
    const running = run(world);

    const stored = await ask(world, put);
    world.requestStop('SIGTERM');
    const exitCode = await world.settle(running);

    expect(stored).toEqual({ kind: 'done' });
    expect(exitCode).toBe(0);
    expect(world.output.err).toBe('');
    const events = world.output.log.map(({ event }) => String(event)).filter((event) => event.startsWith('node.'));
    expect(events).toEqual(['node.listening', 'node.ready', 'node.stopping', 'node.stopped']);
    expect(JSON.stringify(world.output)).not.toContain('private');
  });

  test('has nothing to read again at a hangup while TLS is off, and goes on', async () => {
    const world = createTestWorld({ argv: ['--data', '/data'] });
    const running = run(world);
    await world.logged('node.ready');

    world.requestReload();
    world.requestStop('SIGTERM');
    const exitCode = await world.settle(running);

    expect(exitCode).toBe(0);
    expect(world.output.log).toContainEqual(
      expect.objectContaining({ event: 'node.note', msg: 'SIGHUP has nothing to read again: TLS is off' }),
    );
  });

  test('holds as many connections as --max-client-connections says', async () => {
    const world = createTestWorld({ argv: ['--client-addr', '127.0.0.1:0', '--max-client-connections', '2'] });
    const running = run(world);
    const { address } = await world.logged('node.ready');
    const port = Number(String(address).split(':').at(-1));
    const dial = (): Promise<Connection> => world.network.dial({ host: '127.0.0.1', port, timeoutMs: 1_000 });
    const held = await Promise.all([dial(), dial()]);
    for (const connection of held) connection.onData(() => {});

    const refused = await dial();
    refused.onData(() => {});
    await refused.closed;

    expect(refused.isOpen).toBe(false);
    expect(world.network.openConnections(port)).toBe(2);
    world.requestStop('SIGTERM');
    expect(await world.settle(running)).toBe(0);
  });

  test('says where it listens and what to type next', async () => {
    const world = createTestWorld({ argv: ['--client-addr', '127.0.0.1:0', '--data', '/data'] });
    const running = run(world);
    const { address } = await world.logged('node.ready');
    world.requestStop('SIGINT');
    await world.settle(running);

    expect(world.output.out).toBe(
      [
        'KayaDB 0.1.0, node 1, is ready.',
        '',
        `  clients     ${String(address)}`,
        '  nodes       127.0.0.1:7481',
        '  data        /data',
        '  cluster     this node alone',
        '  durability  an acknowledged write is on the disks of a majority, and survives power loss',
        '  access      anyone who can connect',
        '',
        'What to type next, in another terminal:',
        `  corepack pnpm -s kayactl --server ${String(address)} put hello world`,
        `  corepack pnpm -s kayactl --server ${String(address)} get hello`,
        `  corepack pnpm -s kayactl --server ${String(address)} status`,
        '',
        'docs/operating/membership.md adds nodes to it. Ctrl-C stops it.',
        '',
      ].join('\n'),
    );
  });

  test('finds everything again after a stop', async () => {
    const disk = new MemoryFileSystem();
    const argv = ['--data', '/data/'];
    const first = createTestWorld({ argv, disk });
    const firstRun = run(first);
    await ask(first, put);
    first.requestStop('SIGTERM');
    await first.settle(firstRun);
    const second = createTestWorld({ argv, disk });
    const secondRun = run(second);

    const found = await ask(second, get);
    second.requestStop('SIGTERM');
    await second.settle(secondRun);

    expect(found).toEqual({ kind: 'value', value: encodeUtf8('private-value') });
  });

  test.each([
    [['--version'], 'kayadb-server 0.1.0\n'],
    [['--help'], 'Usage: kayadb-server [options]'],
  ])('prints for %j and ends with 0', async (argv, text) => {
    const world = createTestWorld({ argv });

    const exitCode = await run(world);

    expect(exitCode).toBe(0);
    expect(world.output.out).toContain(text);
    expect(world.output.err).toBe('');
  });

  test.each([
    ['a wrong flag', { argv: ['--nope'] }],
    ['a public address', { argv: ['--client-addr', '0.0.0.0:7379'] }],
    ['two listeners in one place', { argv: ['--client-addr', '127.0.0.1:7481'] }],
    ['a private address without a token', { argv: ['--client-addr', '10.0.0.5:7379'] }],
    ['root on an exposed address', { argv: ['--client-addr', '10.0.0.5:7379', '--insecure'], isRoot: true }],
  ])('ends with 4 for %s, and creates nothing', async (_case, options) => {
    const world = createTestWorld(options);

    const exitCode = await run(world);

    expect(exitCode).toBe(4);
    expect(world.output.err).toMatch(/^ERROR: .+\nHINT: .+\n$/u);
    expect(world.output.out).toBe('');
    expect(await world.disk.stat('./data')).toBeUndefined();
  });

  test('ends with 3 for a damaged store, and with its file', async () => {
    const disk = new MemoryFileSystem();
    const first = createTestWorld({ argv: ['--data', '/data'], disk });
    const firstRun = run(first);
    await ask(first, put);
    first.requestStop('SIGTERM');
    await first.settle(firstRun);
    const current = await disk.open('/data/groups/0/store-0/CURRENT', 'write');
    await current.write(encodeUtf8('!'), 10);
    const second = createTestWorld({ argv: ['--data', '/data'], disk });

    const exitCode = await second.settle(run(second));

    expect(exitCode).toBe(3);
    expect(second.output.err).toContain('CURRENT');
    expect(second.output.err).toContain('recover --plan');
  });

  test('ends with 6 when another process has the folder', async () => {
    const disk = new MemoryFileSystem();
    const holder = createTestWorld({ argv: ['--data', '/data'], disk });
    const holding = run(holder);
    await holder.logged('node.ready');
    const second = createTestWorld({ argv: ['--data', '/data'], disk });

    const exitCode = await run({ ...second, processes: holder.processes });
    holder.requestStop('SIGTERM');
    await holder.settle(holding);

    expect(exitCode).toBe(6);
    expect(second.output.err).toMatch(/^ERROR: .*LOCK is held by process/u);
  });

  test('ends with 1 and a fatal line when the disk fails under it', async () => {
    const disk = new MemoryFileSystem();
    const fileSystem = new FaultyFileSystem(disk);
    const world = createTestWorld({ argv: ['--data', '/data', '--disk-reserve-bytes', '0'], disk, fileSystem });
    const running = run(world);
    await ask(world, put);
    fileSystem.inject({ at: 1, kinds: ['sync'], effect: { kind: 'fail', errno: 'EIO' } });

    const answer = await ask(world, put);
    const exitCode = await world.settle(running);

    expect(answer).toMatchObject({ kind: 'error', message: expect.stringContaining('KAYA_UNKNOWN_OUTCOME') });
    expect(exitCode).toBe(1);
    expect(world.output.log).toContainEqual(expect.objectContaining({ event: 'node.failed', level: 'fatal' }));
    expect(JSON.stringify(world.output)).not.toContain('private');
  });

  test('refuses puts on a disk that is nearly full, takes deletes, and logs how the disk stands', async () => {
    const disk = new MemoryFileSystem();
    const world = createTestWorld({ argv: ['--data', '/data'], disk });
    const running = run(world);
    await world.logged('node.ready');
    disk.setCapacity(2 ** 50);
    disk.setCapacity(2 ** 50 - (await disk.diskSpace('/')).availableBytes + 100_000);
    await world.clock.advanceAsync(5000);

    const refused = await ask(world, put);
    const deleted = await ask(world, { kind: 'delete', key: encodeUtf8('private-key') });
    disk.setCapacity(undefined);
    await world.clock.advanceAsync(1000);
    const stored = await ask(world, put);
    world.requestStop('SIGTERM');

    expect(await world.settle(running)).toBe(0);
    expect(refused).toMatchObject({
      kind: 'error',
      message: expect.stringMatching(/^KAYA_DISK_FULL: .*free some space/),
    });
    expect(world.output.log.filter(({ event }) => event === 'request.failed')).toEqual([]);
    expect([deleted, stored]).toEqual([{ kind: 'done' }, { kind: 'done' }]);
    const lines = world.output.log.filter(({ event }) => event === 'engine.disk-space');
    expect(lines.map(({ level, state }) => ({ level, state }))).toEqual([
      { level: 'warn', state: 'low' },
      { level: 'info', state: 'ok' },
    ]);
  });

  test('reads its store back ten minutes after the start, and logs what it found', async () => {
    // Ten minutes of slow heartbeats are fewer turns.
    const timing = ['--heartbeat-ms', '5000', '--election-ms', '25000'];
    const world = createTestWorld({ argv: ['--data', '/data', '--disk-reserve-bytes', '0', ...timing] });
    const running = run(world);
    await world.logged('node.ready');
    const current = await world.disk.open('/data/groups/0/store-0/CURRENT', 'write');
    await current.write(encodeUtf8('K'), 0);
    await current.close();

    await world.clock.advanceAsync(600_000);
    world.requestStop('SIGTERM');

    expect(await world.settle(running)).toBe(0);
    const lines = world.output.log.filter(({ event }) => /scrubbed|damage-found/u.test(String(event)));
    expect(lines).toEqual([
      expect.objectContaining({ event: 'engine.damage-found', level: 'error', file: 'CURRENT', offset: 0 }),
      expect.objectContaining({ event: 'engine.scrubbed', level: 'error', damageCount: 1 }),
    ]);
  });

  test('warns of root on loopback, of a missing token and of missing encryption where others can connect', async () => {
    const root = createTestWorld({ argv: ['--data', '/data'], isRoot: true });
    const open = createTestWorld({ argv: ['--data', '/open', '--client-addr', '10.0.0.5:1', '--insecure'] });
    const runs = [run(root), run(open)];
    for (const world of [root, open]) {
      await world.logged('node.ready');
      world.requestStop('SIGTERM');
    }
    await root.settle(runs[0]!);
    await open.settle(runs[1]!);

    const warnings = (world: TestWorld): unknown[] =>
      world.output.log.filter(({ level }) => level === 'warn').map(({ msg }) => msg);
    expect(warnings(root)).toEqual(['running as root; an ordinary user is enough']);
    expect(warnings(open)).toEqual([
      'no client token is configured: whoever can reach this node can read and write everything',
      'TLS is off: tokens and data cross the network in clear',
    ]);
    expect(open.output.out).toContain('WARNING: other machines can reach this address');
  });

  test('runs as root on an exposed address when told to', async () => {
    const argv = ['--data', '/data', '--client-addr', '10.0.0.5:1', '--insecure', '--allow-root'];
    const world = createTestWorld({ argv, isRoot: true });
    const running = run(world);
    await world.logged('node.ready');
    world.requestStop('SIGTERM');

    const exitCode = await world.settle(running);

    expect(exitCode).toBe(0);
  });

  test('asks for the client token when there is one, and shows it nowhere', async () => {
    const token = 'the-one-secret-token';
    const world = createTestWorld({ argv: ['--data', '/data'], env: { KAYA_CLIENT_TOKEN: token } });
    const running = run(world);
    const credential = { kind: 'client', token: encodeUtf8(token) } as const;

    const stored = await ask(world, { ...put, credential });
    world.requestStop('SIGTERM');
    await world.settle(running);

    expect(stored).toEqual({ kind: 'done' });
    expect(JSON.stringify(world.output)).not.toContain(token);
    expect(world.output.out).toContain('with the client token');
  });
});
