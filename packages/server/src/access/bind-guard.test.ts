import { describe, expect, test } from 'vitest';

import { type BindRequest, checkBind, type PortPurpose } from './bind-guard.ts';

const strict: Omit<BindRequest, 'host'> = {
  purpose: 'clients',
  flag: '--client-addr',
  allowPublicBind: false,
  insecure: false,
  hasTls: false,
  isGuarded: false,
};
const PURPOSES: readonly PortPurpose[] = ['clients', 'nodes', 'reports'];

describe('checkBind', () => {
  test.each(
    PURPOSES.flatMap((purpose) =>
      ['127.0.0.1', '127.9.9.9', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1'].map((host) => [purpose, host] as const),
    ),
  )('allows %s loopback address %s without conditions', (purpose, host) => {
    const verdict = checkBind({ ...strict, purpose, host });

    expect(verdict).toEqual({ kind: 'allowed', isExposed: false, isOpen: false });
  });

  test.each([
    '10.0.0.5',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.1.1',
    'fd12::1',
    'fe80::1',
    'fe80::1%eth0',
  ])('allows clients private address %s with a client token, TLS or --insecure only', (host) => {
    const bare = checkBind({ ...strict, host });
    const withToken = checkBind({ ...strict, host, isGuarded: true });
    const withTls = checkBind({ ...strict, host, hasTls: true });
    const insecure = checkBind({ ...strict, host, insecure: true });

    expect(bare).toEqual({
      kind: 'refused',
      reason: `--client-addr ${host} can be reached from other machines, and neither a client token nor TLS is configured`,
      advice: 'pass --client-token-file FILE, or --insecure to let every machine on that network read and write',
    });
    expect(withToken).toEqual({ kind: 'allowed', isExposed: true, isOpen: false });
    expect(withTls).toEqual({ kind: 'allowed', isExposed: true, isOpen: true });
    expect(insecure).toEqual({ kind: 'allowed', isExposed: true, isOpen: true });
  });

  test.each(['0.0.0.0', '::', '0::0'])('allows clients wildcard address %s with --allow-public-bind only', (host) => {
    const guarded = checkBind({ ...strict, host, isGuarded: true, hasTls: true, insecure: true });
    const allowed = checkBind({ ...strict, host, allowPublicBind: true, isGuarded: true });

    expect(guarded).toEqual({
      kind: 'refused',
      reason: `--client-addr ${host} would listen on every network of this machine`,
      advice: 'name one address of a private network, or pass --allow-public-bind if you mean it',
    });
    expect(allowed).toEqual({ kind: 'allowed', isExposed: true, isOpen: false });
  });

  test.each([
    '8.8.8.8',
    '172.15.0.1',
    '172.32.0.1',
    '192.169.0.1',
    '100.64.0.1',
    '2001:db8::1',
    '::2',
    '::ffff:8.8.8.8',
  ])('allows clients public address %s with --allow-public-bind only', (host) => {
    const guarded = checkBind({ ...strict, host, isGuarded: true, hasTls: true, insecure: true });
    const allowed = checkBind({ ...strict, host, allowPublicBind: true });

    expect(guarded).toEqual({
      kind: 'refused',
      reason: `--client-addr ${host} is a public address, and anyone could connect to it`,
      advice: 'listen on a private or loopback address, or pass --allow-public-bind if you mean it',
    });
    expect(allowed).toEqual({ kind: 'allowed', isExposed: true, isOpen: true });
  });

  test.each([
    'localhost',
    '',
    '127.1',
    '0x7f.0.0.1',
    '127.0.0.01',
    '256.0.0.1',
    '1.2.3.4.',
    ':::',
    'fe80',
    '::1%',
    '[::1]',
    '1:2:3:4:5:6:7:8:9',
  ])('refuses %j, which is not a numeric address', (host) => {
    const verdict = checkBind({ ...strict, host, allowPublicBind: true });

    expect(verdict).toMatchObject({ kind: 'refused', reason: expect.stringContaining('not a numeric IP address') });
  });
});

describe('checkBind for nodes', () => {
  const nodes = { ...strict, purpose: 'nodes', flag: '--raft-addr' } as const;
  const everyFlag = [
    {},
    { insecure: true },
    { allowPublicBind: true },
    { allowPublicBind: true, insecure: true },
    { hasTls: true, isGuarded: true },
    { hasTls: true, isGuarded: true, allowPublicBind: true },
  ] as const;

  test.each([
    ['10.0.0.5', [false, true, false, true, true, true]],
    ['0.0.0.0', [false, false, false, true, false, true]],
    ['8.8.8.8', [false, false, false, false, false, true]],
  ])('decides about %s by TLS, or what was said in its place', (host, expected) => {
    const verdicts = everyFlag.map((flags) => checkBind({ ...nodes, ...flags, host }));

    expect(verdicts.map(({ kind }) => kind === 'allowed')).toEqual(expected);
  });

  test('says what the danger is', () => {
    const onPrivate = checkBind({ ...nodes, host: '10.0.0.5', allowPublicBind: true });
    const onPublic = checkBind({ ...nodes, host: '8.8.8.8', allowPublicBind: true, insecure: true });

    expect(onPrivate).toEqual({
      kind: 'refused',
      reason:
        '--raft-addr 10.0.0.5 can be reached from other machines, and without TLS whoever does can pose as a node of the cluster',
      advice:
        'pass --tls-cert, --tls-key and --tls-ca, or --insecure to let every machine on that network act as a node of the cluster',
    });
    expect(onPublic).toEqual({
      kind: 'refused',
      reason:
        '--raft-addr 8.8.8.8 can be reached from everywhere, and without TLS whoever does can pose as a node of the cluster',
      advice: 'pass --tls-cert, --tls-key and --tls-ca, or listen on a private or loopback address',
    });
  });

  test('calls a port open that asks nobody who they are', () => {
    const plain = checkBind({ ...nodes, host: '10.0.0.5', insecure: true });
    const secure = checkBind({ ...nodes, host: '10.0.0.5', hasTls: true, isGuarded: true });

    expect([plain, secure]).toEqual([
      { kind: 'allowed', isExposed: true, isOpen: true },
      { kind: 'allowed', isExposed: true, isOpen: false },
    ]);
  });
});

describe('checkBind for reports', () => {
  const reports = { ...strict, purpose: 'reports', flag: '--metrics-addr' } as const;

  test('wants a client token or TLS on a private network, or to be told', () => {
    const bare = checkBind({ ...reports, host: '10.0.0.5' });
    const others = [{ isGuarded: true }, { hasTls: true }, { insecure: true }].map((flags) =>
      checkBind({ ...reports, ...flags, host: '10.0.0.5' }),
    );

    expect(bare).toEqual({
      kind: 'refused',
      reason:
        '--metrics-addr 10.0.0.5 can be reached from other machines, and neither a client token nor TLS is configured',
      advice: 'pass --client-token-file FILE, or --insecure to let every machine on that network see all reports',
    });
    expect(others.map(({ kind }) => kind)).toEqual(['allowed', 'allowed', 'allowed']);
  });
});
