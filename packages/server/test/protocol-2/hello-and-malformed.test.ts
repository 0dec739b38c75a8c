import { concatBytes, encodeRequest, encodeRequest2, encodeUtf8, FrameDecoder, type Request2 } from '@kayadb/codec';
import { seededRandom, settle, testSeed } from '@kayadb/testkit';
import type { Connection } from '@kayadb/transport';
import { describe, expect, test } from 'vitest';

import { fromHex, rowsUnder } from '../support/format-page.ts';
import { get, put, scan, startTestDoor, type TestDoor } from '../support/test-door.ts';

async function dial(world: TestDoor): Promise<{ connection: Connection; frames: Uint8Array[] }> {
  const connection = await world.network.from('127.0.0.1').dial({ ...world.door.address, timeoutMs: 1_000 });
  const decoder = new FrameDecoder();
  const frames: Uint8Array[] = [];
  connection.onData((chunk) => {
    decoder.push(chunk);
    for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) frames.push(frame.slice());
  });
  return { connection, frames };
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('a connection', () => {
  /** Of the page: what is answered to each row, frames without their lengths. */
  const ANSWERS: readonly (readonly RegExp[])[] = [
    [/^00000200$/, /^0100000000010f/, /^0200000000/],
    [/^00000100$/, /^00006c6561646572$/, /^0100/, /^00006c6561646572$/],
    [/^0100/, /^00006c6561646572$/],
    [/^00006c6561646572$/, /^0100/],
  ];
  const rows = rowsUnder('wire-2.md', '### Connections').map((row, i) => [row[1]!, row[0]!, ANSWERS[i]!] as const);

  test.each(rows)('as the page says: %s', async (_what, bytes, expected) => {
    for (const chunkBytes of [1_000, 1]) {
      await using world = await startTestDoor({ nextChunkBytes: () => chunkBytes });
      const { connection, frames } = await dial(world);

      connection.send(fromHex(bytes));
      await settle();
      await settle();

      expect(frames).toHaveLength(expected.length);
      for (const [i, pattern] of expected.entries()) expect(hex(frames[i]!)).toMatch(pattern);
      expect(connection.isOpen).toBe(true);
    }
  });

  test('that asks for a later version stays in version 1', async () => {
    await using world = await startTestDoor();
    const client = await world.connect1();

    const hello = await client.request({ kind: 'hello', version: 3 });
    const health = await client.request({ kind: 'health' });

    expect(hello).toMatchObject({ kind: 'invalid-argument', message: expect.stringContaining('speaks 1 and 2') });
    expect(health).toEqual({ kind: 'role', role: 'leader' });
  });

  test('in version 2 knows nothing of version 1', async () => {
    await using world = await startTestDoor();
    const client = await world.connect();

    client.sendBytes(encodeRequest({ kind: 'put', key: encodeUtf8('k'), value: encodeUtf8('v') }));
    client.sendBytes(encodeRequest({ kind: 'health' }));
    await client.closed;

    expect(world.replica.proposed).toEqual([]);
    const codes = client.received.map(({ response }) => (response.kind === 'refused' ? response.code : response.kind));
    expect(codes.toSorted()).toEqual(['KAYA_PROTOCOL', 'KAYA_UNSUPPORTED']);
  });
});

describe('a malformed request', () => {
  const rows = rowsUnder('wire-2.md', '### Malformed requests').map((row) => [row[1]!, row[0]!] as const);

  test.each(rows)('is refused with its id, and the connection closed: %s', async (_what, bytes) => {
    await using world = await startTestDoor();
    const client = await world.connect();

    client.sendBytes(fromHex(bytes));
    const reason = await client.closed;

    // A frame that is too short has none.
    const id = fromHex(bytes).length >= 13 ? 1 : 0;
    expect(client.received).toEqual([
      {
        id,
        response: {
          kind: 'refused',
          code: 'KAYA_PROTOCOL',
          outcome: 'not-done',
          message: expect.any(String),
          leaderAddress: undefined,
        },
      },
    ]);
    expect(reason).toBeUndefined();
    expect(world.log).toContainEqual(expect.objectContaining({ event: 'connection.malformed' }));
  });

  test.each([
    ['of length 0', Uint8Array.of(0, 0, 0, 0), 'a frame has length 0'],
    ['longer than the limit', Uint8Array.of(1, 0, 0, 4, 1), 'a frame of 67108865 bytes is over the limit'],
    ['that is HTTP', encodeUtf8('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), 'over the limit'],
  ])('%s is refused with id 0 while what was begun is answered', async (_case, bytes, text) => {
    await using world = await startTestDoor();
    world.replica.writes.shut();
    const client = await world.connect();
    const [begun, frame] = [client.send(put('k', 'v')), encodeRequest2({ id: 5, deadlineMs: 0 }, put('never', 'v'))];

    client.sendBytes(concatBytes([bytes, frame]));
    await settle();
    const early = client.received;
    expect(early).toMatchObject([
      { id: 0, response: { code: 'KAYA_PROTOCOL', message: expect.stringContaining(text) } },
    ]);
    world.replica.writes.open();
    await client.closed;

    expect(await client.answerTo(begun)).toMatchObject({ kind: 'written' });
    expect(world.replica.proposed).toHaveLength(1);
  });

  test.each<[string, Request2]>([
    ['a write', put('k', 'v')],
    ['a scan', scan({ pageRows: 1 })],
  ])('has the id of %s in use, and promises nothing about that', async (_case, request) => {
    await using world = await startTestDoor();
    world.replica.writes.shut();
    world.replica.confirmations.shut();
    const client = await world.connect();

    client.send(request, { id: 3 });
    client.send({ kind: 'health' }, { id: 3 });
    await settle();

    expect(client.received).toMatchObject([{ id: 3, response: { code: 'KAYA_PROTOCOL', outcome: 'unknown' } }]);
    world.replica.writes.open();
    world.replica.confirmations.open();
    await client.closed;
  });

  test('of random bytes never ends the node', async () => {
    const random = seededRandom(testSeed());
    await using world = await startTestDoor();
    const valid = [get('k'), put('k', 'v'), scan({ pageRows: 1 }), { kind: 'more', scan: 1 }] as const;

    for (let i = 0; i < 150; i++) {
      const client = await world.connect();
      const frame = encodeRequest2({ id: random.int(3), deadlineMs: random.int(2) }, valid[random.int(4)]!);
      for (let n = random.int(4); n > 0; n--) frame[4 + random.int(frame.length - 4)] = random.int(256);
      client.expect(frame[4]!, 'get');
      const { connection } = client;
      connection.onData(() => {});
      connection.send(random.chance(0.3) ? random.bytes(1 + random.int(200)) : frame);
      void connection.close();
    }
    await world.clock.advanceAsync(1_000);

    const other = await world.connect();
    expect(await other.request({ kind: 'health' })).toMatchObject({ kind: 'health' });
    expect(world.log.filter(({ level }) => level === 'error')).toEqual([]);
    expect(world.failures).toEqual([]);
  });
});

describe('a frame that drips in', () => {
  test('is given 30 seconds, then the connection is closed', async () => {
    await using world = await startTestDoor();
    const client = await world.connect();
    const frame = encodeRequest2({ id: 1, deadlineMs: 0 }, put('k', new Uint8Array(200)));

    for (let at = 0; at < 29; at++) {
      client.sendBytes(frame.slice(at, at + 1));
      await world.clock.advanceAsync(1_000);
    }
    const open = client.connection.isOpen;
    await world.clock.advanceAsync(1_000);
    await client.closed;

    expect(open).toBe(true);
    expect(client.received).toMatchObject([
      { id: 0, response: { code: 'KAYA_PROTOCOL', message: 'the frame was not complete after 30000 ms' } },
    ]);
    expect(world.replica.proposed).toEqual([]);
  });

  test('by 200 connections holds up nobody, and all is given back', async () => {
    await using world = await startTestDoor({ limits: { maxConnectionsPerAddress: 300 } });
    const frame = encodeRequest2({ id: 1, deadlineMs: 0 }, put('k', new Uint8Array(200)));
    const dripping = await Promise.all(Array.from({ length: 200 }, () => world.connect('10.0.0.1')));
    for (const client of dripping) client.sendBytes(frame.slice(0, 100));
    await settle();

    const other = await world.connect();
    const answer = await other.request(put('k', 'v'));
    await world.clock.advanceAsync(31_000);
    await Promise.all(dripping.map(({ closed }) => closed));

    expect(answer.kind).toBe('written');
    expect(world.door.counts.open).toBe(1);
    expect(world.door.heldBytes).toBeLessThan(100);
  });
});
