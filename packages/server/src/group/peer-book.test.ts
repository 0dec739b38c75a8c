import { EMPTY_CONFIGURATION } from '@kayadb/raft';
import { describe, expect, test } from 'vitest';

import type { Member } from '../machine/command.ts';
import type { MetPeer } from '../membership/group-access.ts';
import { PeerBook } from './peer-book.ts';

const CONFIGURATION = { ...EMPTY_CONFIGURATION, voters: [1, 2, 3], learners: [4] };

function said(host: string): MetPeer {
  return { incarnation: 7, level: 1, peerAddress: `${host}:1`, clientAddress: `${host}:2` };
}

function row(node: number, host: string): Member {
  return { ...said(host), node, isToBePromoted: false };
}

/** Of node 1, which was told of node 2. */
function openBook(): PeerBook {
  return new PeerBook({ self: 1, peers: [{ node: 2, address: { host: 'told', port: 9 }, clientAddress: 'told:8' }] });
}

describe('PeerBook', () => {
  test('forgets what was said before the row of a node waited for a directory', () => {
    const book = openBook();
    book.note(3, said('early'), 41);

    const before = book.met(3, 42);
    book.note(3, said('late'), 42);

    expect(before).toBeUndefined();
    expect(book.met(3, 42)).toEqual(said('late'));
    expect(book.met(4, 0)).toBeUndefined();
  });

  test('goes by what it was told, then by the rows, then by what a node has said', () => {
    const book = openBook();
    for (const node of [2, 3, 4]) book.note(node, said('said'), 1);

    const addresses = book.addresses(CONFIGURATION, [row(2, 'row'), row(3, 'row')]);

    expect([...addresses]).toEqual([
      [2, { host: 'told', port: 9 }],
      [3, { host: 'row', port: 1 }],
      [4, { host: 'said', port: 1 }],
    ]);
  });

  test('has links to those that it was told of, and to who was let in, as long as it knows nobody', () => {
    const book = openBook();
    book.note(5, said('said'), 0);

    expect([...book.addresses(undefined, [])]).toEqual([[2, { host: 'told', port: 9 }]]);
    expect([...book.addresses(EMPTY_CONFIGURATION, [], [5, 1])].map(([node]) => node)).toEqual([2, 5]);
  });

  test('sends clients where the rows say, then where a node has said, then where it was told', () => {
    const book = openBook();

    const told = book.clientAddress(2, []);
    book.note(2, said('said'), 0);

    expect([told, book.clientAddress(2, []), book.clientAddress(2, [row(2, 'row')])]).toEqual([
      'told:8',
      'said:2',
      'row:2',
    ]);
    expect(book.clientAddress(9, [])).toBeUndefined();
  });
});
