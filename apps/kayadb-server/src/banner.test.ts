import { describe, expect, test } from 'vitest';

import { type BannerFacts, describeBanner, describeWaiting } from './banner.ts';

/** On every address of a machine that others know by a name. */
const FACTS: BannerFacts = {
  version: '1.2.3',
  nodeId: 4,
  address: '0.0.0.0:7379',
  peerAddress: '0.0.0.0:7481',
  toldAddress: 'db4.example:7379',
  toldPeerAddress: 'db4.example:7481',
  reportsUrl: undefined,
  directory: '/data',
  peers: [{ node: 1, address: { host: 'db1.example', port: 7481 }, clientAddress: 'db1.example:7379' }],
  isJoining: true,
  members: [1, 4],
  tlsFiles: { certificate: '/node.crt', key: '/node.key', ca: '/ca.crt' },
  requiresClientCertificate: true,
  hasClientToken: false,
  hasOperatorToken: false,
  isOpen: false,
};

describe('describeBanner', () => {
  test('has commands that reach the node from elsewhere, with what it asks for', () => {
    const text = describeBanner(FACTS);

    const command =
      'corepack pnpm -s kayactl --tls-ca /ca.crt --tls-cert YOURS.crt --tls-key YOURS.key --server db4.example:7379';
    expect(text).toContain(`\n  ${command} get hello\n`);
    expect(text).toContain('\n  clients     0.0.0.0:7379\n');
  });
});

describe('describeWaiting', () => {
  test('has the command that adds the node where others find it', () => {
    const text = describeWaiting(FACTS);

    expect(text).toContain(' --server db1.example:7379 add-node 4 db4.example:7481 db4.example:7379\n');
  });
});
