import { describe, expect, test } from 'vitest';

import { parsePeers, type PeerList } from './peer-list.ts';
import { UsageError } from './usage-error.ts';

function parse(peers: readonly string[], identities: readonly string[] = []): PeerList {
  return parsePeers(1, { name: '--peer', texts: peers }, { name: 'KAYA_PEER_IDENTITY', texts: identities });
}

function refusal(peers: readonly string[], identities?: readonly string[]): string {
  try {
    parse(peers, identities);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error('it was accepted');
}

const HEX = '0123456789abcdef'.repeat(4);
const OTHER_HEX = 'fedcba9876543210'.repeat(4);
const BASE64 = Buffer.from(HEX, 'hex').toString('base64');

describe('parsePeers', () => {
  test('reads nodes with one address or two, by number', () => {
    const { peers, namesItself } = parse(['10=[::1]:1,db.example:2', '2=10.0.0.2:7481']);

    expect(peers).toEqual([
      { node: 2, address: { host: '10.0.0.2', port: 7481 }, clientAddress: '10.0.0.2:7481' },
      { node: 10, address: { host: '::1', port: 1 }, clientAddress: 'db.example:2' },
    ]);
    expect(namesItself).toBe(false);
  });

  test('passes over the node itself, whose identity may be in the list too', () => {
    const { peers, namesItself } = parse(['1=a:1', '2=b:1'], ['1=a.example', '2=b.example']);

    expect(peers.map(({ node, identity }) => [node, identity])).toEqual([[2, { kind: 'name', name: 'b.example' }]]);
    expect(namesItself).toBe(true);
  });

  test('puts the pins of a node beside each other', () => {
    const { peers } = parse(['2=b:1'], [`2=sha256/${BASE64}`, `2=sha256/${OTHER_HEX}`]);

    expect(peers[0]?.identity).toEqual({ kind: 'pin', spkiSha256: [HEX, OTHER_HEX] });
  });

  test.each([
    '2',
    '2=',
    '=a:1',
    '0=a:1',
    '9007199254740990=a:1',
    'x=a:1',
    '2=a',
    '2=a:1,',
    '2=a:1,b',
    '2=a:1,b:1,c:1',
    '2=0.0.0.0:1',
    '2=a:0',
  ])('refuses %j with an example', (text) => {
    expect(refusal([text])).toBe(
      `--peer ${text}: expected a node with its address, such as 2=10.0.0.2:7481, or with that for clients behind it, such as 2=db2.example:7481,db2.example:7379`,
    );
  });

  test('refuses a node that is named twice', () => {
    expect(refusal(['2=a:1', '3=b:1', '2=c:1'])).toBe('--peer 2=c:1: node 2 is named twice');
  });

  test.each([
    ['2', 'expected a node with a name'],
    ['2=', 'expected a node with a name'],
    ['2=sha256/short', 'expected a node with a name'],
    ['3=c.example', 'node 3 is no peer'],
  ])('refuses the identity %j by the name under which it was given', (text, message) => {
    expect(refusal(['2=b:1'], [text])).toMatch(new RegExp(`^KAYA_PEER_IDENTITY.*: ${message}`, 'u'));
  });

  test('refuses a second name, and a pin beside a name', () => {
    const messages = [
      refusal(['2=b:1'], ['2=a.example', '2=b.example']),
      refusal(['2=b:1'], ['2=a.example', `2=sha256/${HEX}`]),
    ];

    expect(messages).toEqual([
      'KAYA_PEER_IDENTITY 2=b.example: node 2 has another identity already',
      `KAYA_PEER_IDENTITY 2=sha256/${HEX}: node 2 has another identity already`,
    ]);
  });
});
