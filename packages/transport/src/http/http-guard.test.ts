import { describe, expect, test } from 'vitest';

import { findRefusal, type HostNames, type RawRequest } from './http-guard.ts';

const NAMES: HostNames = { localAddress: '10.0.0.5', allowed: new Set(['node-1.example', 'fd00::5']) };
const GET: RawRequest = {
  method: 'GET',
  target: '/metrics',
  host: '10.0.0.5:9090',
  origin: undefined,
  hasBody: false,
};

function statusOf(change: Partial<RawRequest>, names = NAMES): number | undefined {
  return findRefusal({ ...GET, ...change }, names)?.status;
}

describe('findRefusal', () => {
  test.each([
    'localhost',
    'LocalHost:9090',
    'localhost.:9090',
    '127.0.0.1:9090',
    '127.8.9.1',
    '[::1]:9090',
    '[0:0:0:0:0:0:0:1]',
    '10.0.0.5',
    'node-1.example:1',
    'NODE-1.example.',
    '[fd00::5]:9090',
  ])('has nothing against the host %s', (host) => {
    expect(statusOf({ host })).toBeUndefined();
  });

  test.each([
    undefined,
    '',
    ':9090',
    'evil.example',
    '10.0.0.6:9090',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '127.evil.example',
    'evil.example@localhost',
    'localhost@evil.example',
    'localhost/x',
    'localhost?x',
    'localhost#x',
    'local host',
    '[::2]',
    '[::ffff:127.0.0.1',
    'node-1.example:port',
  ])('answers the host %s with 421', (host) => {
    expect(statusOf({ host })).toBe(421);
  });

  test('does not take an unknown local address for a name', () => {
    const names: HostNames = { localAddress: '', allowed: new Set(['']) };

    expect(statusOf({ host: '' }, names)).toBe(421);
  });

  test.each(['http://localhost:3000', 'https://10.0.0.5', 'https://node-1.example:8443'])(
    'has nothing against the origin %s',
    (origin) => {
      expect(statusOf({ origin })).toBeUndefined();
    },
  );

  test.each(['null', '', 'https://evil.example', 'http://10.0.0.6', 'file://', 'localhost'])(
    'answers the origin %s with 403',
    (origin) => {
      expect(statusOf({ origin })).toBe(403);
    },
  );

  test.each([
    ['a method that changes something', { method: 'POST' }, 405],
    ['OPTIONS, by which browsers ask whether they may', { method: 'OPTIONS' }, 405],
    ['a body', { hasBody: true }, 413],
    ['a target with a host, as proxies are sent', { target: 'http://localhost/' }, 400],
    ['a target that is no path', { target: '*' }, 400],
    ['HEAD', { method: 'HEAD' }, undefined],
  ])('answers %s', (_case, change, status) => {
    expect(statusOf(change)).toBe(status);
  });

  test('says which methods there are', () => {
    expect(findRefusal({ ...GET, method: 'PUT' }, NAMES)?.headers).toEqual({ allow: 'GET, HEAD' });
  });
});
