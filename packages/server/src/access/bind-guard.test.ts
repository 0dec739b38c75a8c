import { describe, expect, test } from 'vitest';

import { checkBind } from './bind-guard.ts';

const strict = { flag: '--client-addr', allowPublicBind: false, insecure: false, hasClientToken: false };

describe('checkBind', () => {
  test.each(['127.0.0.1', '127.9.9.9', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1'])(
    'allows loopback address %s without conditions',
    (host) => {
      const verdict = checkBind({ ...strict, host });

      expect(verdict).toEqual({ kind: 'allowed', isExposed: false, isOpen: false });
    },
  );

  test.each([
    '10.0.0.5',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.1.1',
    'fd12::1',
    'fe80::1',
    'fe80::1%eth0',
  ])('allows private address %s with a client token or --insecure only', (host) => {
    const bare = checkBind({ ...strict, host });
    const withToken = checkBind({ ...strict, host, hasClientToken: true });
    const insecure = checkBind({ ...strict, host, insecure: true });

    expect(bare).toEqual({
      kind: 'refused',
      reason: `--client-addr ${host} can be reached from other machines, and no client token is configured`,
      advice: 'pass --client-token-file FILE, or --insecure to let every machine on that network read and write',
    });
    expect(withToken).toEqual({ kind: 'allowed', isExposed: true, isOpen: false });
    expect(insecure).toEqual({ kind: 'allowed', isExposed: true, isOpen: true });
  });

  test.each(['0.0.0.0', '::', '0::0'])('allows wildcard address %s with --allow-public-bind only', (host) => {
    const guarded = checkBind({ ...strict, host, hasClientToken: true, insecure: true });
    const allowed = checkBind({ ...strict, host, allowPublicBind: true, hasClientToken: true });

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
  ])('allows public address %s with --allow-public-bind only', (host) => {
    const guarded = checkBind({ ...strict, host, hasClientToken: true, insecure: true });
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
