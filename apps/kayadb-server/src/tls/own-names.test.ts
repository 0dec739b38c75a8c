import type { PeerIdentity } from '@kayadb/transport';
import { describe, expect, test } from 'vitest';

import { warnOfNames } from './own-names.ts';

const own: PeerIdentity = {
  subject: 'CN=node-1',
  dnsNames: ['db1.example', '*.cluster.example'],
  ipAddresses: ['10.0.0.1'],
  spkiSha256: '',
  notBeforeMs: 0,
  notAfterMs: 0,
};

describe('warnOfNames', () => {
  test('has nothing to say about a certificate that has all of them', () => {
    expect(warnOfNames(own, ['db1.example', 'a.cluster.example', '10.0.0.1'])).toEqual([]);
  });

  test('names each that is missing once, beside those that are there', () => {
    expect(warnOfNames(own, ['127.0.0.1', '10.0.0.1', '127.0.0.1', 'db2.example'])).toEqual([
      'the TLS certificate of CN=node-1 is for db1.example, *.cluster.example, 10.0.0.1, and others are told to find this node at 127.0.0.1 and db2.example: they refuse it unless they expect another name (--peer-identity)',
    ]);
  });

  test('says so of a certificate without names', () => {
    const nobody = { ...own, dnsNames: [], ipAddresses: [] };

    expect(warnOfNames(nobody, ['db1.example'])[0]).toContain('is for nobody by name');
  });
});
