import { AssertionError, encodeUtf8, type Freshness, type Request2, type Response2 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import { ReplicaError } from '../../src/replica/replica-error.ts';
import { TERM } from '../support/memory-replica.ts';
import {
  addMember,
  get,
  getMany,
  LEADER_ADDRESS,
  put,
  putOperation,
  scan,
  startTestDoor,
  write,
} from '../support/test-door.ts';

const k = encodeUtf8('k');

describe('a member of a group', () => {
  test('writes and reads, with revisions', async () => {
    await using world = await startTestDoor();
    const client = await world.connect();

    const answers = [
      await client.request(put('a', '1')),
      await client.request(write({ operations: [putOperation('b', '2'), putOperation('c', '')] })),
      await client.request(get('b')),
      await client.request(get('never')),
      await client.request(getMany('c', 'never', 'a', 'a')),
      await client.request(write({ operations: [{ kind: 'delete', key: encodeUtf8('a') }] })),
      await client.request(get('a')),
    ];

    const written = (revision: number) => ({ kind: 'written', answer: { revision, term: TERM, failed: undefined } });
    expect(answers).toEqual([
      written(1),
      written(2),
      { kind: 'row', row: { value: encodeUtf8('2'), revision: 2 } },
      { kind: 'row', row: undefined },
      {
        kind: 'rows',
        rows: [
          { value: new Uint8Array(0), revision: 2 },
          undefined,
          { value: encodeUtf8('1'), revision: 1 },
          { value: encodeUtf8('1'), revision: 1 },
        ],
      },
      written(3),
      { kind: 'row', row: undefined },
    ]);
  });

  test('hands a write on whole, with its place in a session', async () => {
    await using world = await startTestDoor();
    const client = await world.connect();
    const whole = {
      place: { session: 9, serial: 2, settled: 1 },
      conditions: [{ kind: 'exists', key: k, exists: true }],
      operations: [putOperation('k', 'v'), { kind: 'delete-range', from: k, to: new Uint8Array(0) }],
      otherwise: [{ kind: 'delete', key: k }],
    } as const;

    const answer = await client.request(write(whole));

    expect(world.replica.proposed).toEqual([whole]);
    expect(answer).toEqual({ kind: 'written', answer: { revision: 1, term: TERM, failed: 0 } });
  });

  test('reads as fresh as it is asked to', async () => {
    await using world = await startTestDoor();
    const client = await world.connect();
    const levels: readonly Freshness[] = [
      { kind: 'linearizable' },
      { kind: 'lease' },
      { kind: 'stale' },
      { kind: 'bounded', maxStalenessMs: 250 },
    ];

    for (const freshness of levels) {
      await client.request({ kind: 'get', freshness, key: k });
      await client.request({ kind: 'get-many', freshness, keys: [k] });
      await client.request(scan({ freshness }));
    }

    expect(world.replica.freshness).toEqual(levels.flatMap((level) => [level, level, level]));
  });

  test('opens, touches and closes sessions', async () => {
    await using world = await startTestDoor();
    const client = await world.connect();

    const answers = [
      await client.request({ kind: 'open-session', expiryMs: 0 }),
      await client.request({ kind: 'open-session', expiryMs: 5_000 }),
      await client.request({ kind: 'touch-session', session: 1 }),
      await client.request({ kind: 'close-session', session: 1 }),
    ];

    expect(answers).toEqual([
      { kind: 'session', session: 1, expiryMs: 3_600_000 },
      { kind: 'session', session: 2, expiryMs: 5_000 },
      { kind: 'done' },
      { kind: 'done' },
    ]);
  });

  test.each(['leader', 'follower', 'learner', 'candidate'] as const)('tells that it is a %s', async (role) => {
    await using world = await startTestDoor();
    world.role = role;
    const client = await world.connect();

    const answers = [
      await client.request({ kind: 'health' }),
      await client.request({ kind: 'status' }),
      await client.request({ kind: 'members' }),
    ];

    expect(answers).toEqual([
      { kind: 'health', role, leaderAddress: LEADER_ADDRESS },
      { kind: 'text', text: '{"status":1}' },
      { kind: 'text', text: '{"members":[]}' },
    ]);
  });

  test('refuses an opcode that it does not know, and stays', async () => {
    await using world = await startTestDoor();
    const client = await world.connect();

    client.sendBytes(Uint8Array.of(10, 0, 0, 0, 5, 0, 0, 0, 77, 0, 0, 0, 0, 1));
    const refused = await client.answerTo(5);

    expect(refused).toEqual({
      kind: 'refused',
      code: 'KAYA_UNSUPPORTED',
      outcome: 'not-done',
      message: 'opcode 77 is not known to this server; it knows 1 to 18',
      leaderAddress: undefined,
    });
    expect(await client.request({ kind: 'health' })).toMatchObject({ role: 'leader' });
  });
});

describe('changes of the group', () => {
  const planned = (change: string, node: number, more: object): Response2 => ({
    kind: 'text',
    text: expect.toSatisfy((text: string) => {
      expect(JSON.parse(text)).toMatchObject({ change, node, ...more });
      return true;
    }) as string,
  });

  test('are planned by a dry run, and proposed without', async () => {
    await using world = await startTestDoor();
    const client = await world.connect();

    const dry = await client.request(addMember(4, true));
    const added = await client.request(addMember(4));
    const promoted = await client.request({ kind: 'promote-member', node: 3, isDryRun: false });
    const removed = await client.request({ kind: 'remove-member', node: 2, isDryRun: true });

    expect(dry).toEqual(planned('add', 4, { proposed_at: null, refusal: null }));
    expect(added).toEqual(planned('add', 4, { proposed_at: 17, before: { voters: [1, 2] } }));
    expect(promoted).toEqual(planned('promote', 3, { proposed_at: 17, after: { voters: [1, 2, 3], quorum: 2 } }));
    expect(removed).toEqual(planned('remove', 2, { proposed_at: null, after: { voters: [1], tolerates: 0 } }));
    expect(world.membership.calls).toEqual([
      expect.objectContaining({ kind: 'add', node: 4, isDryRun: true, peerAddress: 'n4.example:7481' }),
      expect.objectContaining({ kind: 'add', node: 4, isDryRun: false, staysLearner: false }),
      { kind: 'promote', node: 3, isDryRun: false },
      { kind: 'remove', node: 2, isDryRun: true },
    ]);
  });

  test('that would cost the quorum are refused with the arithmetic, by a dry run too', async () => {
    await using world = await startTestDoor();
    world.membership.members = [1, 2, 3].map((node) => ({ node, isVoter: true, isAnswering: node === 1 }));
    const client = await world.connect();

    const refused = await client.request({ kind: 'remove-member', node: 3, isDryRun: false });
    const dry = await client.request({ kind: 'remove-member', node: 3, isDryRun: true });

    expect(refused).toMatchObject({
      code: 'KAYA_MEMBERSHIP_REFUSED',
      outcome: 'not-done',
      message: expect.stringContaining('of 2 voters 2 must answer, and 1 would'),
    });
    expect(dry).toEqual(planned('remove', 3, { proposed_at: null, refusal: expect.stringContaining('of 2 voters') }));
  });

  test.each(['no-port', 'n4:0', 'n4:7481:1', ' n4:7481', 'n4:99999'])('take no address like %s', async (address) => {
    await using world = await startTestDoor();
    const client = await world.connect();

    const asPeer = await client.request({ ...addMember(4), peerAddress: address } as Request2);
    const asClient = await client.request({ ...addMember(4), clientAddress: address } as Request2);

    expect([asPeer, asClient]).toMatchObject([{ code: 'KAYA_INVALID_ARGUMENT' }, { code: 'KAYA_INVALID_ARGUMENT' }]);
    expect(world.membership.calls).toEqual([]);
  });

  test('hand leadership to who is named, or to any', async () => {
    await using world = await startTestDoor();
    const client = await world.connect();

    const answers = [
      await client.request({ kind: 'transfer-leader', node: 3 }),
      await client.request({ kind: 'transfer-leader', node: 0 }),
    ];

    expect(answers).toEqual([
      { kind: 'text', text: '{"leader":3}' },
      { kind: 'text', text: '{"leader":2}' },
    ]);
  });
});

describe('refusals', () => {
  const notLeader = new ReplicaError('KAYA_NOT_LEADER', 'secret', {
    cause: new Error('inner'),
    leaderAddress: 'n2.example:7379',
  });

  test('of who does not lead name who does', async () => {
    await using world = await startTestDoor();
    world.replica.writeFailure = notLeader;
    world.membership.failure = notLeader;
    const client = await world.connect();

    const answers = [
      await client.request(put('k', 'v')),
      await client.request({ kind: 'open-session', expiryMs: 0 }),
      await client.request({ kind: 'touch-session', session: 1 }),
      await client.request({ kind: 'close-session', session: 1 }),
      await client.request(addMember(4)),
      await client.request({ kind: 'transfer-leader', node: 2 }),
    ];

    for (const answer of answers) {
      expect(answer).toEqual({
        kind: 'refused',
        code: 'KAYA_NOT_LEADER',
        outcome: 'not-done',
        message: 'this node does not lead the group; ask the leader',
        leaderAddress: 'n2.example:7379',
      });
    }
  });

  test('of a write whose outcome nobody knows say so', async () => {
    await using world = await startTestDoor();
    world.replica.writeFailure = new ReplicaError('KAYA_UNKNOWN_OUTCOME', 'x', { cause: new Error('inner') });
    const client = await world.connect();

    const answer = await client.request(put('k', 'v'));

    expect(answer).toMatchObject({ code: 'KAYA_UNKNOWN_OUTCOME', outcome: 'unknown' });
    expect(JSON.stringify(answer)).not.toContain('inner');
  });

  test('of a read that could not be confirmed are no faults of the node', async () => {
    await using world = await startTestDoor();
    world.replica.readFailure = new ReplicaError('KAYA_NO_QUORUM', 'nobody answers');
    const client = await world.connect();

    const answers = [await client.request(get('k')), await client.request(getMany('k')), await client.request(scan())];

    for (const answer of answers) expect(answer).toMatchObject({ code: 'KAYA_NO_QUORUM', outcome: 'not-done' });
    expect(world.log.filter(({ level }) => level === 'error')).toEqual([]);
    expect(world.door.openScans).toBe(0);
  });

  test('of faults have an id to look for, and no path; a write that was proposed may have been done', async () => {
    await using world = await startTestDoor();
    world.replica.writeFailure = new AssertionError('append to /secret failed');
    world.replica.readFailure = new TypeError('secret');
    const client = await world.connect();

    const written = await client.request(put('k', 'v'));
    const read = await client.request(get('k'));

    expect(written).toMatchObject({
      code: 'KAYA_INTERNAL',
      outcome: 'unknown',
      message: expect.stringMatching(/\(look for request 1\.2 in the server's log\)$/),
    });
    expect(read).toMatchObject({
      code: 'KAYA_INTERNAL',
      outcome: 'not-done',
      message: expect.stringContaining('(look for request 1.3 in'),
    });
    expect(JSON.stringify([written, read])).not.toContain('secret');
    expect(world.log).toContainEqual(expect.objectContaining({ event: 'request.failed', request: 'request 1.2' }));
    expect(world.failures).toEqual([world.replica.writeFailure]);
  });
});
