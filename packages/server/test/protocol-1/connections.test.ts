import { concatBytes, encodeRequest, encodeUtf8 } from '@kayadb/codec';
import { seededRandom, settle, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { addMember, CLIENT_TOKEN, get, OPERATOR_TOKEN, put, scan } from '../support/requests-1.ts';
import { startTestDoor } from '../support/test-door.ts';

describe('a malformed frame', () => {
  test.each([
    ['of length 0', Uint8Array.of(0, 0, 0, 0), 'a frame has length 0; the shortest has 1'],
    [
      'longer than the limit',
      Uint8Array.of(1, 0, 0, 4, 1),
      'a frame of 67108865 bytes is over the limit of 67108864 bytes',
    ],
    [
      'with a body that its opcode does not have',
      Uint8Array.of(2, 0, 0, 0, 2, 9),
      'key length needs 4 bytes, 1 are left',
    ],
    ['that is HTTP', encodeUtf8('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), 'over the limit'],
  ])(
    '%s is answered with status 1 behind the answers before it, then the connection is closed',
    async (_case, bytes, text) => {
      await using world = await startTestDoor();
      world.replica.writes.shut();
      const session = await world.connect1();
      const other = await world.connect1();

      session.sendBytes(concatBytes([encodeRequest(put('k', 'v')), bytes, encodeRequest(put('never', 'v'))]));
      await settle();
      world.replica.writes.open();
      const first = await session.next('put');
      const refusal = await session.next('put');
      const reason = await session.closed;

      expect(first).toEqual({ kind: 'done' });
      expect(refusal).toMatchObject({ kind: 'invalid-argument', message: expect.stringContaining(text) });
      expect(reason).toBeUndefined();
      expect(world.replica.proposed.length).toBe(1);
      expect(await other.request(get('never'))).toEqual({ kind: 'not-found' });
    },
  );

  test('of random bytes never ends the node', async () => {
    const random = seededRandom(testSeed());
    await using world = await startTestDoor();

    for (let i = 0; i < 200; i++) {
      const session = await world.connect1();
      session.sendBytes(random.bytes(1 + random.int(200)));
      void session.connection.close();
      await session.closed;
    }
    const survivor = await world.connect1();

    expect(await survivor.request({ kind: 'health' })).toEqual({ kind: 'role', role: 'leader' });
    expect(world.log.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('a connection that ends', () => {
  test('in the middle of a frame does nothing of it, and what came before is done', async () => {
    await using world = await startTestDoor();
    const session = await world.connect1();

    session.sendBytes(concatBytes([encodeRequest(put('a', '1')), encodeRequest(put('b', '2')).slice(0, -1)]));
    void session.connection.close();
    await session.closed;
    await settle();

    expect(world.replica.proposed.length).toBe(1);
    expect(world.log).toContainEqual(expect.objectContaining({ event: 'connection.cut' }));
  });

  test('by breaking leaves nothing behind', async () => {
    await using world = await startTestDoor({ limits: { maxConnections: 1 } });
    world.replica.writes.shut();
    const session = await world.connect1();
    session.send(put('a', '1'));
    await settle();

    session.connection.destroy();
    await settle();
    world.replica.writes.open();
    const next = await world.connect1();

    expect(await next.request({ kind: 'health' })).toEqual({ kind: 'role', role: 'leader' });
    expect(world.log.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('a connection that breaks', () => {
  test('gives back what was held for it', async () => {
    await using world = await startTestDoor();
    const broken = await world.connect1();
    broken.sendBytes(encodeRequest(put('k', new Uint8Array(100_000))).slice(0, -1));
    await settle();

    const during = world.door.heldBytes;
    broken.connection.destroy();
    await settle();

    expect(during).toBeGreaterThan(100_000);
    expect(world.door.heldBytes).toBe(0);
  });

  test('ends its scan, and that is no fault of the node', async () => {
    await using world = await startTestDoor();
    for (let i = 0; i < 5_000; i++) world.replica.load(`k${i}`, 'v');
    world.replica.pages.shut();
    const session = await world.connect1();
    session.send(scan(''));
    await settle();

    session.connection.destroy();
    await settle();
    world.replica.pages.open();
    await settle();

    expect(world.replica.pageCount).toBe(1);
    expect(world.replica.openScans).toBe(0);
    expect(world.log.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('time limits', () => {
  test('close a connection that never says anything after 10 s', async () => {
    await using world = await startTestDoor();
    const session = await world.connect1();

    await world.clock.advanceAsync(9_999);
    const before = session.connection.isOpen;
    await world.clock.advanceAsync(1);
    await session.closed;

    expect(before).toBe(true);
  });

  test('close a connection that drips a frame for 30 s, with an answer, and no other', async () => {
    await using world = await startTestDoor();
    const slow = await world.connect1();
    const steady = await world.connect1();
    const frame = encodeRequest(put('key', 'x'.repeat(100)));

    for (let second = 0; second < 31 && slow.unread === 0; second++) {
      slow.sendBytes(frame.slice(second, second + 1));
      steady.send(put('k', 'v'));
      await world.clock.advanceAsync(1_000);
    }
    const refusal = await slow.next('put');
    await slow.closed;

    expect(refusal).toEqual({ kind: 'invalid-argument', message: 'the frame was not complete after 30000 ms' });
    expect(steady.connection.isOpen).toBe(true);
    expect(steady.unread).toBe(30);
  });

  test('do not count the time in which the node itself does not read', async () => {
    await using world = await startTestDoor({ limits: { maxInFlightRequests: 1 } });
    world.replica.writes.shut();
    const session = await world.connect1();
    const [first, second] = [encodeRequest(put('a', '1')), encodeRequest(put('b', '2'))];
    session.sendBytes(first.slice(0, 8));
    await settle();
    session.sendBytes(concatBytes([first.slice(8), second.slice(0, 8)]));

    await world.clock.advanceAsync(60_000);
    world.replica.writes.open();
    session.sendBytes(second.slice(8));

    expect(await session.next('put')).toEqual({ kind: 'done' });
    expect(await session.next('put')).toEqual({ kind: 'done' });
  });

  test('close an idle connection after 300 s', async () => {
    await using world = await startTestDoor();
    const session = await world.connect1();
    await session.request({ kind: 'health' });

    await world.clock.advanceAsync(299_000);
    const before = session.connection.isOpen;
    await world.clock.advanceAsync(1_000);
    await session.closed;

    expect(before).toBe(true);
  });

  test('close a connection that takes no byte of its answer for 30 s', async () => {
    await using world = await startTestDoor();
    const session = await world.connect1();
    await session.request(put('k', new Uint8Array(1_000_000)));
    session.connection.pause();
    session.send(get('k'));

    await world.clock.advanceAsync(30_000);
    await settle();

    expect(world.log).toContainEqual(
      expect.objectContaining({ event: 'connection.closed', code: 'KAYA_WRITE_STALLED' }),
    );
  });
});

describe('connection limits', () => {
  test('close connections beyond those of all and those of one address', async () => {
    await using world = await startTestDoor({
      limits: { maxConnections: 3, maxConnectionsPerAddress: 2 },
    });
    const kept = [await world.connect1('10.0.0.1'), await world.connect1('10.0.0.1')];

    const thirdOfAddress = await world.connect1('10.0.0.1');
    await thirdOfAddress.closed;
    kept.push(await world.connect1('10.0.0.2'));
    const fourthOfAll = await world.connect1('10.0.0.3');
    await fourthOfAll.closed;

    for (const session of kept) expect(await session.request({ kind: 'health' })).toMatchObject({ role: 'leader' });
  });

  test('keep the last ones for operators: health, stats and membership, not data', async () => {
    await using world = await startTestDoor({
      limits: { maxConnections: 8 },
      operatorToken: OPERATOR_TOKEN,
    });
    const sessions = [];
    for (let i = 0; i < 7; i++) sessions.push(await world.connect1());
    const last = await world.connect1();

    const health = await last.request({ kind: 'health' });
    const stats = await last.request({ kind: 'stats' });
    const member = await last.request(addMember(OPERATOR_TOKEN));
    const data = await last.request(put('k', 'v'));
    await last.closed;

    expect([health.kind, stats.kind]).toEqual(['role', 'text']);
    expect(member).toMatchObject({ kind: 'error', message: expect.stringContaining('KAYA_MEMBERSHIP_REFUSED') });
    expect(data).toMatchObject({ kind: 'error', message: expect.stringContaining('too many connections') });
  });

  test('give a waiting connection a place as soon as there is one', async () => {
    await using world = await startTestDoor({ limits: { maxConnections: 8 } });
    const sessions = [];
    for (let i = 0; i < 8; i++) sessions.push(await world.connect1());
    await sessions[0]!.connection.close();

    const answer = await sessions[7]!.request(put('k', 'v'));

    expect(answer).toEqual({ kind: 'done' });
  });

  test('close who brings bytes beyond what the node holds for all, and no one else', async () => {
    await using world = await startTestDoor({
      limits: { softTotalBytes: 210_000, hardTotalBytes: 280_000 },
      nextChunkBytes: () => 10_000,
    });
    const [first, second] = [await world.connect1(), await world.connect1()];
    const large = encodeRequest(put('k', new Uint8Array(150_000)));
    for (const session of [first, second]) session.sendBytes(large.slice(0, 100_000));
    await settle();
    for (const session of [first, second]) {
      session.sendBytes(large.slice(100_000, -1));
      await settle();
    }

    await second.closed;
    first.sendBytes(large.slice(-1));

    expect(await first.next('put')).toEqual({ kind: 'done' });
    expect(world.log).toContainEqual(expect.objectContaining({ event: 'connection.overload' }));
  });

  test('make connections wait above the soft limit, and go on below it', async () => {
    await using world = await startTestDoor({ limits: { softTotalBytes: 50_000 } });
    world.replica.writes.shut();
    const [first, second] = [await world.connect1(), await world.connect1()];
    first.send(put('a', new Uint8Array(60_000)));
    await settle();

    second.send(put('b', 'v'), put('c', 'v'));
    await settle();
    second.send(put('d', 'v'));
    await settle();
    const begun = world.replica.proposed.length;
    world.replica.writes.open();

    for (let i = 0; i < 3; i++) expect(await second.next('put')).toEqual({ kind: 'done' });
    expect(begun).toBe(3);
  });
});

describe('strangers, when a client token is configured', () => {
  test('are refused a frame over 16 KiB before it is kept', async () => {
    await using world = await startTestDoor({ clientToken: CLIENT_TOKEN });
    const session = await world.connect1();

    session.sendBytes(encodeRequest(put('k', new Uint8Array(20_000))).slice(0, 16_400));
    await world.clock.advanceAsync(100);
    const refusal = await session.next('put');
    await session.closed;

    expect(refusal).toEqual({ kind: 'error', message: 'client credential required or invalid' });
  });

  test('that have shown a valid credential once are strangers no more', async () => {
    await using world = await startTestDoor({ clientToken: CLIENT_TOKEN });
    const session = await world.connect1();

    await session.request(get('k', CLIENT_TOKEN));
    session.send(put('k', new Uint8Array(1_000_000)));
    await world.clock.advanceAsync(100);
    const answer = await session.next('put');

    expect(answer).toEqual({ kind: 'error', message: 'client credential required or invalid' });
    expect(session.connection.isOpen).toBe(true);
  });

  test('that show a valid credential may send large frames at once', async () => {
    await using world = await startTestDoor({ clientToken: CLIENT_TOKEN });
    const session = await world.connect1();

    const answer = await session.request(put('k', new Uint8Array(1_000_000), CLIENT_TOKEN));
    session.send(put('k', new Uint8Array(1_000_000)));
    await world.clock.advanceAsync(100);
    const withoutCredential = await session.next('put');

    expect(answer).toEqual({ kind: 'done' });
    expect(withoutCredential).toEqual({ kind: 'error', message: 'client credential required or invalid' });
    expect(session.connection.isOpen).toBe(true);
  });
});

describe('failed attempts', () => {
  test('are logged in a stable form without the token, and answered later each time', async () => {
    await using world = await startTestDoor({ clientToken: CLIENT_TOKEN });
    const session = await world.connect1('10.0.0.9');

    session.send(get('k', 'guess-1'));
    await world.clock.advanceAsync(99);
    const early = session.unread;
    await world.clock.advanceAsync(1);
    const first = session.unread;
    session.send(get('k'));
    await world.clock.advanceAsync(199);
    const second = session.unread;
    await world.clock.advanceAsync(1);

    expect([early, first, second, session.unread]).toEqual([0, 1, 1, 2]);
    expect(world.log.filter(({ event }) => event === 'auth.failed')).toEqual([
      {
        level: 'warn',
        event: 'auth.failed',
        address: '10.0.0.9',
        credential: 'client',
        reason: 'wrong',
        failures: 1,
        message: 'refused a request from 10.0.0.9: client credential required or invalid',
      },
      expect.objectContaining({ reason: 'missing', failures: 2 }),
    ]);
    expect(JSON.stringify(world.log)).not.toContain('guess-1');
  });

  test('of one connection are looked at one after the other', async () => {
    await using world = await startTestDoor({ clientToken: CLIENT_TOKEN });
    const session = await world.connect1();
    session.send(...Array.from({ length: 50 }, (_, i) => put('k', 'v', `guess-${i}`)));

    await world.clock.advanceAsync(10_000);

    // 100, 200, 400, 800, 1600 ms, then 2 s each
    expect(session.unread).toBe(8);
    expect(world.log.filter(({ event }) => event === 'auth.failed')).toHaveLength(9);
  });

  test('hold up nobody who has the token', async () => {
    await using world = await startTestDoor({ clientToken: CLIENT_TOKEN });
    const [guesser, neighbour] = [await world.connect1(), await world.connect1()];
    guesser.send(get('k', 'guess'));
    await settle();

    const answer = await neighbour.request(get('k', CLIENT_TOKEN));

    expect(answer).toEqual({ kind: 'not-found' });
  });
});
