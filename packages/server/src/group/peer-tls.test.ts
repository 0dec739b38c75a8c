import { SecureIdentity } from '@kayadb/transport';
import { makeTestCertificate } from '@kayadb/transport/testing';
import { describe, expect, test } from 'vitest';

import type { Member } from '../machine/command.ts';
import { PeerBook } from './peer-book.ts';
import { PeerTls } from './peer-tls.ts';

const MEMBERS: readonly Member[] = [2, 3, 4].map((node) => ({
  node,
  incarnation: node,
  level: 1,
  isToBePromoted: false,
  peerAddress: `row-${node}:1`,
  clientAddress: '',
}));

const NOW_MS = Date.UTC(2026, 0, 1);

function openTls(): PeerTls {
  const { certificate, key } = makeTestCertificate({ subject: 'node 1', names: ['a.example'] });
  const address = { host: 'told', port: 1 };
  const peers = [
    { node: 2, address },
    { node: 3, address, identity: { kind: 'name', name: 'named.example' } },
  ] as const;
  const book = new PeerBook({ self: 1, peers });
  for (const node of [4, 9]) {
    book.note(node, { incarnation: 1, level: 1, peerAddress: 'said.example:1', clientAddress: '' }, 1);
  }
  return new PeerTls({ identity: new SecureIdentity({ certificate, key }, NOW_MS) }, book, () => MEMBERS);
}

describe('PeerTls', () => {
  test.each([
    ['by the operator', 3, { kind: 'name', name: 'named.example' }],
    ['by the address that the operator gave', 2, { kind: 'node', node: 2, host: 'told' }],
    ['by the address that the group knows', 4, { kind: 'node', node: 4, host: 'row-4' }],
    ['by its number alone, whatever it has said of itself', 9, { kind: 'node', node: 9, host: undefined }],
  ] as const)('tells a node %s', (_case, node, expected) => {
    const tls = openTls();

    expect(tls.identityOf(node)).toEqual(expected);
    expect(tls.dial(node).expected).toEqual(expected);
  });
});
