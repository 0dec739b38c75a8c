import { encodeRequest2, encodeUtf8, OPCODE_2, type Request2, type RequestKind2 } from '@kayadb/codec';
import { settle } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { CLIENT_TOKEN, OPERATOR_TOKEN } from '../support/requests-1.ts';
import {
  addMember,
  auth,
  get,
  getMany,
  LINEARIZABLE,
  put,
  scan,
  startTestDoor,
  type TestDoorOptions,
  write,
} from '../support/test-door.ts';

const BOTH: TestDoorOptions = { clientToken: CLIENT_TOKEN, operatorToken: OPERATOR_TOKEN };

/** One request of each kind, and what it comes to for who has shown nothing, a client's token, an operator's, and both. */
const TABLE: Readonly<Record<RequestKind2, readonly [Request2, string, string, string, string]>> = {
  auth: [auth('client', CLIENT_TOKEN), 'done', 'done', 'done', 'done'],
  cancel: [{ kind: 'cancel', target: 1 }, 'done', 'done', 'done', 'done'],
  health: [{ kind: 'health' }, 'health', 'health', 'health', 'health'],
  get: [get('k'), 'client', 'row', 'client', 'row'],
  'get-many': [getMany('k'), 'client', 'rows', 'client', 'rows'],
  write: [put('k', 'v'), 'client', 'written', 'client', 'written'],
  scan: [scan(), 'client', 'page', 'client', 'page'],
  more: [{ kind: 'more', scan: 1 }, 'client', 'KAYA_SCAN_ENDED', 'client', 'KAYA_SCAN_ENDED'],
  'end-scan': [{ kind: 'end-scan', scan: 1 }, 'client', 'done', 'client', 'done'],
  'open-session': [{ kind: 'open-session', expiryMs: 0 }, 'client', 'session', 'client', 'session'],
  'touch-session': [{ kind: 'touch-session', session: 1 }, 'client', 'done', 'client', 'done'],
  'close-session': [{ kind: 'close-session', session: 1 }, 'client', 'done', 'client', 'done'],
  status: [{ kind: 'status' }, 'client', 'text', 'client', 'text'],
  members: [{ kind: 'members' }, 'client', 'text', 'client', 'text'],
  'add-member': [addMember(4), 'operator', 'operator', 'text', 'text'],
  'promote-member': [{ kind: 'promote-member', node: 3, isDryRun: true }, 'operator', 'operator', 'text', 'text'],
  'remove-member': [{ kind: 'remove-member', node: 3, isDryRun: true }, 'operator', 'operator', 'text', 'text'],
  'transfer-leader': [{ kind: 'transfer-leader', node: 2 }, 'operator', 'operator', 'text', 'text'],
};

const SHOWN = [[], ['client'], ['operator'], ['client', 'operator']] as const;
const TOKENS = { client: CLIENT_TOKEN, operator: OPERATOR_TOKEN } as const;

describe('every request', () => {
  test('is in the table', () => {
    expect(Object.keys(TABLE)).toHaveLength(Object.keys(OPCODE_2).length);
  });

  test.each(Object.entries(TABLE))('%s is answered as the table says', async (_kind, [request, ...expected]) => {
    for (const [i, roles] of SHOWN.entries()) {
      await using world = await startTestDoor(BOTH);
      const client = await world.connect();
      for (const role of roles) await client.request(auth(role, TOKENS[role]));
      const wasProposed = world.replica.proposed.length;

      const id = client.send(request, { id: 9_000 });
      await world.clock.advanceAsync(100);
      const answer = await client.answerTo(id);

      const outcome = expected[i];
      const said = answer.kind === 'refused' ? answer.code : answer.kind;
      const isDenied = outcome === 'client' || outcome === 'operator';
      expect([roles, said]).toEqual([roles, isDenied ? 'KAYA_ACCESS_DENIED' : outcome]);
      if (!isDenied || answer.kind !== 'refused') continue;
      expect(answer).toMatchObject({
        message: `${outcome} credential required or invalid`,
        outcome: 'not-done',
      });
      expect(world.replica.proposed).toHaveLength(wasProposed);
      expect(world.membership.calls).toEqual([]);
      expect(world.replica.freshness).toEqual([]);
    }
  });

  test('is served to anybody where no token is configured', async () => {
    for (const [request, , open] of Object.values(TABLE)) {
      await using world = await startTestDoor();
      const client = await world.connect();

      const answer = await client.request(request, { id: 9_000 });

      expect(answer).not.toMatchObject({ code: 'KAYA_ACCESS_DENIED' });
      expect(open).toBeTypeOf('string');
    }
  });

  test('of a write needs the rights of all that it does: nothing of it is proposed', async () => {
    await using world = await startTestDoor(BOTH);
    const client = await world.connect();
    await client.request(auth('operator', OPERATOR_TOKEN));
    const key = encodeUtf8('k');

    const ids = [
      write({}),
      write({ conditions: [{ kind: 'exists', key, exists: true }] }),
      write({ otherwise: [{ kind: 'delete', key }] }),
    ].map((request) => client.send(request));
    await world.clock.advanceAsync(10_000);

    for (const id of ids) expect(await client.answerTo(id)).toMatchObject({ code: 'KAYA_ACCESS_DENIED' });
    expect(world.replica.proposed).toEqual([]);
  });
});

describe('AUTH', () => {
  test('in front of large requests lets them through, in one go', async () => {
    await using world = await startTestDoor(BOTH);
    const client = await world.connect();

    client.send(auth('client', CLIENT_TOKEN));
    const large = client.send(put('k', new Uint8Array(1_000_000)));

    expect(await client.answerTo(large)).toMatchObject({ kind: 'written' });
  });

  test('that fails does not take back what was shown before', async () => {
    await using world = await startTestDoor(BOTH);
    const client = await world.connect();
    await client.request(auth('client', CLIENT_TOKEN));

    const failed = client.send(auth('client', 'wrong'));
    await world.clock.advanceAsync(100);

    expect(await client.answerTo(failed)).toMatchObject({ code: 'KAYA_ACCESS_DENIED' });
    expect(await client.request(get('k'))).toMatchObject({ kind: 'row' });
  });

  test('for one role is none for the other, and a token of one opens nothing of the other', async () => {
    await using world = await startTestDoor(BOTH);
    const client = await world.connect();

    const crossed = [client.send(auth('client', OPERATOR_TOKEN)), client.send(auth('operator', CLIENT_TOKEN))];
    await world.clock.advanceAsync(1_000);

    for (const id of crossed) expect(await client.answerTo(id)).toMatchObject({ code: 'KAYA_ACCESS_DENIED' });
  });

  test('of another connection is none of this one', async () => {
    await using world = await startTestDoor(BOTH);
    const [first, second] = [await world.connect(), await world.connect()];
    await first.request(auth('client', CLIENT_TOKEN));

    const refused = second.send(get('k'));
    await world.clock.advanceAsync(100);

    expect(await second.answerTo(refused)).toMatchObject({ code: 'KAYA_ACCESS_DENIED' });
  });

  test('is answered as if it were right where no token is configured', async () => {
    await using world = await startTestDoor();
    const client = await world.connect();

    expect(await client.request(auth('client', 'anything'))).toEqual({ kind: 'done' });
    expect(await client.request(auth('operator', ''))).toEqual({ kind: 'done' });
  });
});

describe('who guesses tokens', () => {
  test('is logged without the token, and answered later each time, one guess after the other', async () => {
    await using world = await startTestDoor(BOTH);
    const client = await world.connect('10.0.0.9');
    for (let i = 0; i < 50; i++) client.send(auth('client', `guess-${i}`));

    await world.clock.advanceAsync(99);
    const early = client.received.length;
    await world.clock.advanceAsync(10_000 - 99);

    // 100, 200, 400, 800, 1600 ms, then 2 s each
    expect([early, client.received.length]).toEqual([0, 8]);
    const lines = world.log.filter(({ event }) => event === 'auth.failed');
    expect(lines).toHaveLength(9);
    expect(lines[0]).toEqual({
      level: 'warn',
      event: 'auth.failed',
      address: '10.0.0.9',
      credential: 'client',
      reason: 'wrong',
      failures: 1,
      message: 'refused a request from 10.0.0.9: client credential required or invalid',
    });
    expect(JSON.stringify(world.log)).not.toContain('guess-');
  });

  test('finds no way around that by a deadline or a CANCEL, nor by asking without a token', async () => {
    await using world = await startTestDoor(BOTH);
    const client = await world.connect();

    const guess = client.send(auth('operator', 'guess'), { deadlineMs: 1 });
    const taker = client.send({ kind: 'cancel', target: guess });
    const bare = client.send(addMember(4), { deadlineMs: 1 });
    await world.clock.advanceAsync(99);
    const early = client.received.length;
    await world.clock.advanceAsync(1_000);

    expect(early).toBe(0);
    expect(client.answered).toEqual([guess, taker, bare]);
  });

  test('holds up nobody who has the token', async () => {
    await using world = await startTestDoor(BOTH);
    const [guesser, neighbour] = [await world.connect(), await world.connect()];
    guesser.send(auth('client', 'guess'));
    await settle();

    expect(await neighbour.request(auth('client', CLIENT_TOKEN))).toEqual({ kind: 'done' });
    expect(await neighbour.request(get('k'))).toMatchObject({ kind: 'row' });
  });
});

describe('strangers', () => {
  test('are refused a frame over 16 KiB before it is kept', async () => {
    await using world = await startTestDoor(BOTH);
    const client = await world.connect();

    client.sendBytes(encodeRequest2({ id: 1, deadlineMs: 0 }, put('k', new Uint8Array(20_000))).slice(0, 40));
    const refused = await client.answerTo(0);
    await client.closed;

    expect(refused).toMatchObject({ code: 'KAYA_PROTOCOL', message: expect.stringContaining('send AUTH first') });
    expect(world.door.heldBytes).toBe(0);
  });

  test('stay strangers with the prefix of version 1 in front of a frame', async () => {
    await using world = await startTestDoor(BOTH);
    const client = await world.connect();
    const prefix = encodeUtf8(`CLIENT\0`);
    const token = encodeUtf8(CLIENT_TOKEN);
    const frame = new Uint8Array(20_004);
    new DataView(frame.buffer).setUint32(0, 20_000, true);
    frame.set([1, ...prefix, token.length, 0, ...token], 4);

    client.sendBytes(frame);

    expect(await client.answerTo(0)).toMatchObject({ code: 'KAYA_PROTOCOL' });
  });

  test('are still strangers behind a wrong AUTH', async () => {
    await using world = await startTestDoor(BOTH);
    const client = await world.connect();

    client.send(auth('client', 'wrong'));
    client.send(put('k', new Uint8Array(20_000)));
    await world.clock.advanceAsync(100);
    await client.closed;

    expect(client.received.map(({ response }) => response)).toMatchObject([
      { code: 'KAYA_ACCESS_DENIED' },
      { code: 'KAYA_PROTOCOL' },
    ]);
  });
});

describe('the last connections', () => {
  test('are kept for operators: reports and membership, not data', async () => {
    await using world = await startTestDoor({ limits: { maxConnections: 8 }, ...BOTH });
    for (let i = 0; i < 7; i++) await world.connect();
    const last = await world.connect();

    const served = [
      await last.request(auth('client', CLIENT_TOKEN)),
      await last.request(auth('operator', OPERATOR_TOKEN)),
      await last.request({ kind: 'health' }),
      await last.request({ kind: 'status' }),
      await last.request({ kind: 'members' }),
      await last.request(addMember(4)),
    ];
    const data = await last.request({ kind: 'get', freshness: LINEARIZABLE, key: encodeUtf8('k') });
    await last.closed;

    expect(served.map(({ kind }) => kind)).toEqual(['done', 'done', 'health', 'text', 'text', 'text']);
    expect(data).toMatchObject({ code: 'KAYA_TOO_MANY_CONNECTIONS', outcome: 'not-done' });
  });
});
