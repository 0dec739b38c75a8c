import { describe, expect, test } from 'vitest';

import { parseReachableAddress } from './reachable-address.ts';

describe('parseReachableAddress', () => {
  test.each([
    ['10.0.0.1:7481', { host: '10.0.0.1', port: 7481 }],
    ['[2001:db8::1]:1', { host: '2001:db8::1', port: 1 }],
    ['localhost:65535', { host: 'localhost', port: 65_535 }],
    [
      'kayadb-0.kayadb.default.svc.cluster.local.:7481',
      { host: 'kayadb-0.kayadb.default.svc.cluster.local.', port: 7481 },
    ],
    ['node_1:7481', { host: 'node_1', port: 7481 }],
  ])('takes %s', (text, endpoint) => {
    expect(parseReachableAddress(text)).toEqual(endpoint);
  });

  test.each([
    '',
    'a',
    'a:0',
    'a:65536',
    'a:b',
    ':7481',
    '::1:7481',
    '[a]:7481',
    '[::1]',
    '10.0.0:7481',
    '10.0.0.256:7481',
    '0.0.0.0:7481',
    '[::]:7481',
    '-a:7481',
    'a-:7481',
    'a..b:7481',
    'a b:7481',
    'a,b:7481',
    'a=b:7481',
    'http://a:7481',
    `${'a'.repeat(251)}:7481`,
  ])('refuses %j', (text) => {
    expect(parseReachableAddress(text)).toBeUndefined();
  });
});
