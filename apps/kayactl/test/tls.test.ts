/** kayactl and a node that speaks TLS, over TCP: whom it trusts, and what it says when it must not. */

import { connect, systemClock } from '@kayadb/client';
import { type RunningNode, startNode } from '@kayadb/server';
import { nodeRandom, seededRandom, testSeed } from '@kayadb/testkit';
import { formatEndpoint, nodeNetwork, SecureIdentity } from '@kayadb/transport';
import { makeTestCertificate } from '@kayadb/transport/testing';
import { fakeProcessTable, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { TestWorld } from './test-world.ts';

const NOW_MS = Date.UTC(2026, 10, 22);
const DAY_MS = 24 * 60 * 60 * 1000;

const ca = makeTestCertificate({ subject: 'ca', isAuthority: true });
const otherCa = makeTestCertificate({ subject: 'other ca', isAuthority: true });
const node = makeTestCertificate({ subject: 'node', names: ['127.0.0.1', 'db.example'], issuer: ca });
const user = makeTestCertificate({ subject: 'user', names: ['user.example'], issuer: ca });
const old = makeTestCertificate({
  subject: 'old',
  issuer: ca,
  notBeforeMs: NOW_MS - 2 * DAY_MS,
  notAfterMs: NOW_MS - DAY_MS,
});

/** A lone node on a free port of this machine. */
async function startTcpNode(isSecure: boolean): Promise<RunningNode> {
  const fileSystem = new MemoryFileSystem();
  const processes = fakeProcessTable();
  const clock = systemClock();
  const random = seededRandom(testSeed());
  const identity = new SecureIdentity({ ca: ca.certificate, certificate: node.certificate, key: node.key }, NOW_MS);
  const running = await startNode({
    fileSystem,
    processes,
    network: nodeNetwork({ clock }),
    clock,
    wallClock: () => NOW_MS,
    random: nodeRandom(random),
    yieldTurn: () => new Promise(setImmediate),
    logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    version: '0.0.0-test',
    nodeId: 1,
    directory: '/data',
    engine: { fileSystem, processes },
    clientAddress: { host: '127.0.0.1', port: 0 },
    peerAddress: { host: '127.0.0.1', port: 0 },
    ...(isSecure ? { tls: { identity } } : {}),
  });
  await running.ready;
  return running;
}

/** A world with all files, whose clients dial over TCP. */
async function openWorld(): Promise<TestWorld> {
  const world = new TestWorld();
  world.wallClockMs = NOW_MS;
  world.connect = (endpoints, options) => connect(endpoints, { ...options, retry: { attempts: 1 } });
  const files = {
    '/ca.pem': ca.certificate,
    '/other-ca.pem': otherCa.certificate,
    '/user.pem': user.certificate,
    '/user-key.pem': user.key,
    '/old.pem': old.certificate,
    '/old-key.pem': old.key,
    '/no-pem': 'nothing',
  };
  for (const [path, content] of Object.entries(files)) await world.writeFile(path, content);
  return world;
}

describe('kayactl with TLS', { timeout: 30_000 }, () => {
  test('speaks to a server that it knows by its CA or its key, and to no other', async () => {
    await using running = await startTcpNode(true);
    const server = ['--server', formatEndpoint(running.address)];
    const pin = `sha256/${Buffer.from(node.spkiSha256, 'hex').toString('base64')}`;
    const world = await openWorld();
    const run = (...flags: readonly string[]): ReturnType<TestWorld['run']> => world.run(...server, 'health', ...flags);

    const good = [
      await run('--tls-ca', '/ca.pem'),
      await run('--tls-ca-cert', '/ca.pem', '--tls'),
      await run('--tls-pin', pin),
      await run('--tls-ca', '/ca.pem', '--tls-server-name', 'db.example'),
      await run('--tls-ca', '/ca.pem', '--tls-cert', '/user.pem', '--tls-key', '/user-key.pem'),
    ];
    const bad = [
      await run('--tls-ca', '/other-ca.pem'),
      await run('--tls'),
      await run('--tls-pin', `sha256/${Buffer.alloc(32).toString('base64')}`),
      await run('--tls-ca', '/ca.pem', '--tls-server-name', 'else.example'),
    ];

    expect(good.map(({ exitCode, stdout }) => [exitCode, stdout])).toEqual(good.map(() => [0, 'leader\n']));
    expect(bad.map(({ exitCode }) => exitCode)).toEqual([4, 4, 4, 4]);
    for (const { stderr } of bad) {
      expect(stderr).toMatch(/^ERROR: .*127\.0\.0\.1:\d+ is not trusted: .*\nHINT: If it is the right machine/);
    }
    expect(bad[3]?.stderr).toContain('expected else.example');
  });

  test('takes it all from the environment, which says 0 to leave it', async () => {
    await using running = await startTcpNode(true);
    const server = ['--server', formatEndpoint(running.address)];
    const world = await openWorld();
    world.env['KAYA_TLS_CA'] = '/ca.pem';

    const on = await world.run(...server, 'health');
    world.env['KAYA_TLS'] = '0';
    const off = await world.run(...server, 'health');

    expect(on).toMatchObject({ exitCode: 0, stdout: 'leader\n' });
    expect(off.exitCode).toBe(1);
    expect(off.stderr).toContain('both sides speak TLS or neither does');
  });

  test('never falls back to speaking in clear', async () => {
    await using running = await startTcpNode(false);
    const world = await openWorld();
    const flags = ['--server', formatEndpoint(running.address), '--tls-ca', '/ca.pem', '--timeout', '500'];

    const result = await world.run(...flags, 'health');

    expect(result).toMatchObject({ exitCode: 1, stdout: '' });
    expect(result.stderr).toContain('both sides speak TLS or neither does');
  });

  test('shows each node of a cluster whose certificate is not trusted as one that does not answer', async () => {
    await using running = await startTcpNode(true);
    const world = await openWorld();

    const result = await world.run('--server', formatEndpoint(running.address), 'status', '--tls-ca', '/other-ca.pem');

    expect(result.exitCode).toBe(1);
    expect(result.stdout).toMatch(/127\.0\.0\.1:\d+ +no answer from .* is not trusted/);
  });

  test.each([
    [['--tls-ca', '/none.pem'], 'the file of --tls-ca cannot be read: '],
    [['--tls-ca', '/no-pem'], 'the TLS CA has no PEM certificate in it'],
    [['--tls-ca', '/user.pem'], 'which is no CA'],
    [['--tls-cert', '/user.pem'], 'there is a TLS certificate without a key'],
    [['--tls-cert', '/user.pem', '--tls-key', '/old-key.pem'], 'the TLS key is not that of the certificate of'],
    [['--tls-cert', '/old.pem', '--tls-key', '/old-key.pem'], 'expired at 2026-11-21T00:00:00Z'],
    [['--tls-pin', 'sha256/short'], 'Write it as sha256/'],
    [['--tls-pin', '0'.repeat(64), '--tls-server-name', 'x'], 'a pin and a server name are both given'],
    [['--tls-ca', '/ca.pem', '--tls-ca-cert', '/ca.pem'], '--tls-ca and --tls-ca-cert are both given'],
  ])('refuses %j in a sentence, before anything is dialed', async (flags, sentence) => {
    const world = await openWorld();
    world.connect = () => {
      throw new Error('nothing is dialed');
    };

    const result = await world.run('--server', '127.0.0.1:7379', 'health', ...flags);

    expect(result).toMatchObject({ exitCode: 4, stdout: '' });
    expect(result.stderr).toContain(sentence);
    expect(result.stderr.split('\n')).toHaveLength(3);
  });

  test('asks for no file where a folder is opened', async () => {
    const world = await openWorld();
    world.env['KAYA_TLS_CA'] = '/none.pem';

    const result = await world.run('--data', '/store', 'put', 'k', 'v');

    expect(result.exitCode).toBe(0);
  });
});
