import type { ExpectedIdentity, Greeting, PeerIdentity, PeerOrigin, PeerVerdict } from '@kayadb/transport';
import { describe, expect, test } from 'vitest';

import type { Member } from '../machine/command.ts';
import { type DoorKnowledge, PeerDoor } from './peer-door.ts';

const CLUSTER = 'ab'.repeat(16);
const OTHER_CLUSTER = 'cd'.repeat(16);
const PLAIN: PeerOrigin = { remoteAddress: { host: '127.0.0.1', port: 1 } };

/** Node 1, in a group with 2 and 3; node 4 was removed; node 9 is nobody's. */
function openDoor(changes: Partial<DoorKnowledge> = {}, identityOf?: (node: number) => ExpectedIdentity) {
  const members: readonly Member[] = [1, 2, 3].map((node) => ({
    node,
    incarnation: node * 10,
    level: 1,
    isToBePromoted: false,
    peerAddress: `n${node}:1`,
    clientAddress: `n${node}:2`,
  }));
  const knowledge: DoorKnowledge = {
    self: () => ({
      versions: { lowest: 1, highest: 1 },
      cluster: CLUSTER,
      node: 1,
      incarnation: 10,
      boot: 3,
      start: 1,
      lastIndex: 100,
      featureLevel: 1,
      nodeAddress: 'n1:1',
      clientAddress: 'n1:2',
    }),
    members: () => members,
    isMember: (node) => node <= 3,
    isConfigured: (node) => node === 2,
    wasRemoved: (node, incarnation) => node === 4 && incarnation === 40,
    groupLevel: () => 1,
    knowsGroup: () => true,
    catchUp: () => Promise.resolve(true),
    heldBy: (node, incarnation) => (node === 2 && incarnation === 20 ? 40 : 0),
    ...changes,
  };
  const met: Greeting[] = [];
  const ends: PeerVerdict[] = [];
  const events = {
    handleMet: (greeting: Greeting) => void met.push(greeting),
    handleEnd: (verdict: PeerVerdict) => void ends.push(verdict),
  };
  return { door: new PeerDoor({ knowledge, events, identityOf }), members, met, ends };
}

function greet(sender: number, changes: Partial<Greeting> = {}): Greeting {
  return {
    versions: { lowest: 1, highest: 1 },
    stream: 'messages',
    verdict: 'accepted',
    cluster: CLUSTER,
    sender,
    addressee: 1,
    incarnation: sender * 10,
    boot: 1,
    start: sender,
    lastIndex: 50,
    addresseeIncarnation: undefined,
    featureLevel: 1,
    nodeAddress: `n${sender}:1`,
    clientAddress: `n${sender}:2`,
    reason: '',
    ...changes,
  };
}

const strangers: Partial<DoorKnowledge> = {
  self: () => ({ ...openDoor().door.self(), cluster: undefined }),
  members: () => [],
  isMember: () => false,
};

describe('PeerDoor', () => {
  test.each([
    ['a member', greet(2), 'accepted'],
    ['a member of another cluster', greet(2, { cluster: OTHER_CLUSTER }), 'other-cluster'],
    ['a member that is in no cluster yet', greet(2, { cluster: undefined }), 'no-cluster'],
    ['a member with another directory', greet(2, { incarnation: 21 }), 'other-directory'],
    ['a wiped member', greet(2, { incarnation: 21, cluster: undefined }), 'other-directory'],
    ['a member whose program is too old', greet(2, { featureLevel: 0 }), 'no-common-version'],
    ['a directory that took its place unheard', greet(2, { incarnation: 21, addresseeIncarnation: 10 }), 'accepted'],
    ['a wiped one', greet(2, { incarnation: 21, addresseeIncarnation: 10, cluster: undefined }), 'other-directory'],
    ['somebody else', greet(9), 'no-member'],
    ['somebody else who names a directory', greet(9, { addresseeIncarnation: 11 }), 'no-member'],
    ['a member that this node was not told of yet', greet(9, { addresseeIncarnation: 10 }), 'accepted'],
    ['a removed node that knows the group', greet(4, { addresseeIncarnation: 10 }), 'removed'],
    ['a node that was removed', greet(4), 'removed'],
    ['the same node with a new directory, not added yet', greet(4, { incarnation: 41 }), 'no-member'],
  ] as const)('answers %s', async (_case, greeting, verdict) => {
    const { door, met } = openDoor();

    const judgement = await door.judgeGreeting(greeting, PLAIN);

    expect(judgement.verdict).toBe(verdict);
    expect(judgement.reason === '').toBe(verdict === 'accepted');
    expect(met).toEqual(verdict === 'accepted' ? [greeting] : []);
  });

  test('hears the directory that was let in last, until it is removed', async () => {
    const removed: number[] = [];
    const { door } = openDoor({ wasRemoved: (_node, incarnation) => removed.includes(incarnation) });
    const heard = [door.speakerOf(2)];

    await door.judgeGreeting(greet(2, { incarnation: 21, addresseeIncarnation: 10 }), PLAIN);
    heard.push(door.speakerOf(2));
    removed.push(21);
    heard.push(door.speakerOf(2), door.speakerOf(9));

    expect(heard).toEqual([20, 21, 20, undefined]);
  });

  test('keeps out a directory that was set back', () => {
    const { door } = openDoor();

    const judgements = [5, 5, 6, 4].map((boot) => door.judgeGreeting(greet(2, { boot }), PLAIN));

    expect(judgements).toMatchObject(['accepted', 'accepted', 'accepted', 'set-back'].map((verdict) => ({ verdict })));
  });

  test.each([
    ['another start with the same boot', { boot: 5, start: 99 }, 'set-back'],
    ['another start with a later boot', { boot: 6, start: 99 }, 'accepted'],
    ['a log that has held more', { boot: 6, lastIndex: 39 }, 'set-back'],
    ['a log that had not held as much when the same start greeted', { boot: 5, lastIndex: 39 }, 'accepted'],
    ['a log that holds as much', { boot: 6, lastIndex: 40 }, 'accepted'],
    ['a log that is not open yet', { boot: 6, lastIndex: 0 }, 'accepted'],
    [
      'another directory that has not held as much',
      { incarnation: 21, addresseeIncarnation: 10, lastIndex: 1 },
      'accepted',
    ],
  ] as const)('of a member that it has met judges %s', async (_case, changes, verdict) => {
    const { door } = openDoor();
    await door.judgeGreeting(greet(2, { boot: 5 }), PLAIN);

    const judgement = await door.judgeGreeting(greet(2, changes), PLAIN);

    expect(judgement.verdict).toBe(verdict);
  });

  test.each([
    ['has learned that the directory is a new one', true, [20, 21], 'accepted'],
    ['has learned nothing else', true, [20, 20], 'other-directory'],
    ['can not catch up', false, [20, 20], 'no-member'],
  ] as const)('sends no directory away before it has caught up: %s', async (_case, isCaughtUp, known, verdict) => {
    let incarnation: number = known[0];
    const { door, met } = openDoor({
      members: () => [{ ...openDoor().members[1]!, incarnation }],
      catchUp: async () => {
        incarnation = known[1];
        return isCaughtUp;
      },
    });

    const judgement = await door.judgeGreeting(greet(2, { incarnation: 21 }), PLAIN);

    expect(judgement.verdict).toBe(verdict);
    expect(met.length).toBe(verdict === 'accepted' ? 1 : 0);
  });

  test('tells a node without a cluster nothing as long as it does not know how its group stands', () => {
    const { door } = openDoor({ knowsGroup: () => false });

    const judgements = [{}, { incarnation: 21 }].map((change) =>
      door.judgeGreeting(greet(2, { cluster: undefined, ...change }), PLAIN),
    );

    expect(judgements).toMatchObject([{ verdict: 'no-member' }, { verdict: 'no-member' }]);
    expect(door.judgeGreeting(greet(2), PLAIN)).toMatchObject({ verdict: 'accepted' });
  });

  test('takes the word of nodes it was told of while it knows no member', () => {
    const { door } = openDoor({ members: () => [], isMember: () => false });

    const judgements = [2, 3].map((sender) => door.judgeGreeting(greet(sender), PLAIN));

    expect(judgements).toMatchObject([{ verdict: 'accepted' }, { verdict: 'no-member' }]);
  });

  test('takes in nobody without a cluster, and remembers those it was told of', () => {
    const { door, met } = openDoor(strangers);

    const judgements = [2, 3].map((sender) => door.judgeGreeting(greet(sender), PLAIN));

    expect(judgements).toMatchObject([{ verdict: 'no-cluster' }, { verdict: 'no-cluster' }]);
    expect(met.map(({ sender }) => sender)).toEqual([2]);
  });

  test('takes in nobody whose certificate is not that of the node it says to be', () => {
    const identity = { dnsNames: ['node-2'], ipAddresses: [], spkiSha256: '00' } as unknown as PeerIdentity;
    const origin = (peer: PeerIdentity | undefined): PeerOrigin => ({ ...PLAIN, tls: { version: 'TLSv1.3', peer } });
    const { door } = openDoor({}, (node) => ({ kind: 'name', name: `node-${node}` }));

    const judgements = [
      door.judgeGreeting(greet(2), origin(identity)),
      door.judgeGreeting(greet(3), origin(identity)),
      door.judgeGreeting(greet(2), origin(undefined)),
      door.judgeGreeting(greet(2), PLAIN),
    ];

    expect(judgements).toMatchObject(
      ['accepted', 'no-member', 'no-member', 'no-member'].map((verdict) => ({ verdict })),
    );
  });

  test('takes nobody who names its directory for a member that it was not told of, unless the certificate says so', () => {
    const named = (...dnsNames: readonly string[]): PeerOrigin => {
      const peer = { dnsNames, ipAddresses: [], spkiSha256: '00' } as unknown as PeerIdentity;
      return { ...PLAIN, tls: { version: 'TLSv1.3', peer } };
    };
    const { door } = openDoor({}, (node) => ({ kind: 'node', node, host: node <= 3 ? `node-${node}` : undefined }));
    const greeting = greet(9, { addresseeIncarnation: 10 });

    const removed = door.judgeGreeting(greeting, named('kayadb-node-4', 'node-4'));
    const nameless = door.judgeGreeting(greeting, named('node-9'));
    const bound = door.judgeGreeting(greeting, named('kayadb-node-9'));

    expect([removed, nameless, bound]).toMatchObject([
      { verdict: 'no-member', reason: expect.stringContaining('needs the name kayadb-node-9') as string },
      { verdict: 'no-member' },
      { verdict: 'accepted' },
    ]);
  });

  test.each([
    ['its own cluster', CLUSTER, 'stop', ['removed']],
    ['another cluster', OTHER_CLUSTER, 'retry-slowly', []],
  ] as const)('is stopped by a verdict of a member of %s', (_case, cluster, advice, ended) => {
    const { door, ends } = openDoor();

    const given = door.judgeAnswer(greet(2, { verdict: 'removed', cluster }), 2, PLAIN);

    expect(given).toBe(advice);
    expect(ends).toEqual(ended);
  });

  test.each([
    ['a group that knows it with this directory', {}, 'retry-slowly', []],
    ['a group that has not told it so', { members: () => [] }, 'stop', ['other-directory']],
  ] as const)('of %s, is not stopped by a member that has fallen behind', (_case, changes, advice, ended) => {
    const { door, ends } = openDoor(changes);

    const given = door.judgeAnswer(greet(2, { verdict: 'other-directory' }), 2, PLAIN);

    expect(given).toBe(advice);
    expect(ends).toEqual(ended);
  });

  test.each(['removed', 'no-cluster', 'other-node'] as const)(
    'takes nobody at their word who answers in the place of another: %s',
    (verdict) => {
      const { door, met, ends } = openDoor();

      const given = door.judgeAnswer(greet(3, { verdict }), 2, PLAIN);

      expect(given).toBe('retry-slowly');
      expect([...met, ...ends]).toEqual([]);
    },
  );

  test('is stopped, without a cluster, by nodes that it was told of alone', () => {
    const { door, ends } = openDoor(strangers);

    const advice = [2, 3].map((node) => door.judgeAnswer(greet(node, { verdict: 'other-directory' }), node, PLAIN));

    expect(advice).toEqual(['stop', 'retry-slowly']);
    expect(ends).toEqual(['other-directory']);
  });

  test('goes on with a node that accepts it only if it accepts that node', () => {
    const { door } = openDoor();

    const advice = [
      greet(2),
      greet(2, { incarnation: 21 }),
      greet(2, { verdict: 'no-cluster', cluster: undefined }),
    ].map((answer) => door.judgeAnswer(answer, 2, PLAIN));

    expect(advice).toEqual(['proceed', 'retry-slowly', 'retry']);
  });
});
