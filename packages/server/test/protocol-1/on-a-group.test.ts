import { encodeUtf8 } from '@kayadb/codec';
import { settle } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { ReplicaError } from '../../src/replica/replica-error.ts';
import { MemoryReplica } from '../support/memory-replica.ts';
import {
  addMember,
  client,
  CLIENT_TOKEN,
  del,
  get,
  OPERATOR_TOKEN,
  promoteLearner,
  put,
  removeMember,
  scan,
  transferLeader,
} from '../support/requests-1.ts';
import { startTestDoor } from '../support/test-door.ts';

describe('version 1 on a member of a group', () => {
  test('reads as fresh as can be, and lets go of what it scanned', async () => {
    await using world = await startTestDoor();
    const session = await world.connect1();

    const answers = [
      await session.request(put('k', 'v')),
      await session.request(get('k')),
      await session.request(scan('k')),
      await session.request({ kind: 'stats' }),
    ];

    expect(answers.map(({ kind }) => kind)).toEqual(['done', 'value', 'items', 'text']);
    expect(world.replica.freshness.map(({ kind }) => kind)).toEqual(['linearizable', 'linearizable']);
    expect(world.replica.openScans).toBe(0);
  });

  test('scans a prefix that ends in 0xff to the end, and more than a page', async () => {
    await using world = await startTestDoor();
    for (let i = 0; i < 2_500; i++) world.replica.load(`k${i}`, 'v');
    world.replica.load(Uint8Array.of(0xff, 0xff, 1), 'v');
    const session = await world.connect1();

    const all = await session.request(scan('k'));
    const last = await session.request({ kind: 'scan', prefix: Uint8Array.of(0xff, 0xff) });

    expect(all).toMatchObject({ kind: 'items', items: { length: 2_500 } });
    expect(last).toMatchObject({ kind: 'items', items: [{ key: Uint8Array.of(0xff, 0xff, 1) }] });
  });

  test('refuses a scan that is too large without collecting it, and lets go of its state', async () => {
    await using world = await startTestDoor({ limits: { maxScanItems: 1_500 } });
    for (let i = 0; i < 5_000; i++) world.replica.load(`k${i}`, 'v');
    const session = await world.connect1();

    const answer = await session.request(scan('k'));

    expect(answer).toMatchObject({ kind: 'invalid-argument', message: expect.stringMatching(/^scan too large/) });
    expect(world.replica.pageCount).toBe(2);
    expect(world.replica.openScans).toBe(0);
  });

  test('sees every write that was sent before', async () => {
    await using world = await startTestDoor();
    world.replica.writes.shut();
    const session = await world.connect1();

    session.send(put('k', 'v'), get('k'));
    await settle();
    world.replica.writes.open();

    expect(await session.next('put')).toEqual({ kind: 'done' });
    expect(await session.next('get')).toEqual({ kind: 'value', value: encodeUtf8('v') });
  });

  test('names the leader, as far as it is known', async () => {
    await using world = await startTestDoor();
    const session = await world.connect1();
    world.replica.writeFailure = new ReplicaError('KAYA_NOT_LEADER', 'x', { leaderAddress: 'n2:7379' });
    world.membership.failure = world.replica.writeFailure;

    const known = [
      await session.request(put('k', 'v')),
      await session.request(del('k')),
      await session.request(addMember()),
      await session.request(transferLeader(0, 2)),
    ];
    world.replica.writeFailure = new ReplicaError('KAYA_NOT_LEADER', 'x');
    const unknown = await session.request(put('k', 'v'));

    for (const answer of known) expect(answer).toEqual({ kind: 'not-leader', leaderAddress: 'n2:7379' });
    expect(unknown).toEqual({ kind: 'not-leader', leaderAddress: undefined });
  });

  test.each(['KAYA_UNKNOWN_OUTCOME', 'KAYA_OVERLOADED', 'KAYA_NO_QUORUM', 'KAYA_DISK_FULL', 'KAYA_STOPPING'] as const)(
    'answers %s with status 9, its code, and nothing from underneath',
    async (code) => {
      await using world = await startTestDoor();
      world.replica.writeFailure = new ReplicaError(code, 'secret', { cause: new Error('inner') });
      const session = await world.connect1();

      const answer = await session.request(put('k', 'v'));

      expect(answer).toMatchObject({ kind: 'error', message: expect.stringMatching(new RegExp(`^${code}: `)) });
      expect(JSON.stringify(answer)).not.toContain('secret');
      expect(world.log.filter(({ level }) => level === 'error')).toEqual([]);
    },
  );

  test('tells who leads by its health', async () => {
    await using world = await startTestDoor();
    const session = await world.connect1();
    const roles = [];

    for (const role of ['leader', 'follower', 'learner', 'candidate'] as const) {
      world.role = role;
      roles.push(await session.request({ kind: 'health' }));
    }

    expect(roles.map((answer) => (answer.kind === 'role' ? answer.role : answer))).toEqual([
      'leader',
      'follower',
      'follower',
      'follower',
    ]);
  });
});

describe('membership over version 1', () => {
  test('is answered as the original does', async () => {
    await using world = await startTestDoor({ operatorToken: OPERATOR_TOKEN });
    world.membership.members = [1, 3].map((node) => ({ node, isVoter: node === 1, isAnswering: true }));
    const session = await world.connect1();

    const answers = [
      await session.request(addMember(OPERATOR_TOKEN)),
      await session.request(promoteLearner(3, OPERATOR_TOKEN)),
      await session.request(removeMember(3, OPERATOR_TOKEN)),
      await session.request(transferLeader(0, 3, OPERATOR_TOKEN)),
    ];

    expect(answers).toEqual([
      { kind: 'text', text: 'membership change proposed at index 17' },
      { kind: 'text', text: 'learner promote proposed at index 17' },
      { kind: 'text', text: 'membership removal proposed at index 17' },
      { kind: 'done' },
    ]);
    expect(world.membership.calls[0]).toEqual({
      kind: 'add',
      node: 2,
      isDryRun: false,
      peerAddress: '10.0.0.2:7481',
      clientAddress: '10.0.0.2:7379',
      staysLearner: false,
    });
  });

  test('needs the operator’s token, also where the client’s was shown', async () => {
    await using world = await startTestDoor({ clientToken: CLIENT_TOKEN, operatorToken: OPERATOR_TOKEN });
    const session = await world.connect1();
    await session.request({ kind: 'get', key: encodeUtf8('k'), credential: client(CLIENT_TOKEN) });

    session.send(addMember(), removeMember(3), promoteLearner(3, CLIENT_TOKEN), transferLeader(1, 2));
    await world.clock.advanceAsync(10_000);

    for (const kind of ['add-member', 'remove-member', 'promote-learner', 'transfer-leader'] as const) {
      expect(await session.next(kind)).toEqual({
        kind: 'error',
        message: 'operator credential required or invalid',
      });
    }
    expect(world.membership.calls).toEqual([]);
  });

  test('is refused for another group, for node 0, and where the group would lose its quorum', async () => {
    await using world = await startTestDoor();
    world.membership.members = [1, 2, 3].map((node) => ({ node, isVoter: true, isAnswering: node === 1 }));
    const session = await world.connect1();

    const answers = [
      await session.request(transferLeader(1, 2)),
      await session.request(transferLeader(0, 0)),
      await session.request(removeMember(0)),
      await session.request(promoteLearner(0)),
      await session.request(removeMember(3)),
    ];

    expect(answers.map(({ kind }) => kind)).toEqual([
      'invalid-argument',
      'invalid-argument',
      'invalid-argument',
      'invalid-argument',
      'error',
    ]);
    expect(answers[4]).toMatchObject({ message: expect.stringMatching(/^KAYA_MEMBERSHIP_REFUSED: .*quorum/) });
    expect(new MemoryReplica().proposed).toEqual([]);
  });
});
