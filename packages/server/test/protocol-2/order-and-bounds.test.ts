import { concatBytes, encodeRequest2, encodeUtf8 } from '@kayadb/codec';
import { seededRandom, settle, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { TERM } from '../support/memory-replica.ts';
import { get, getMany, put, startTestDoor } from '../support/test-door.ts';

describe('requests of one connection', () => {
  test('are answered when they are ready, whatever was sent before', async () => {
    await using world = await startTestDoor();
    world.replica.writes.shut();
    const client = await world.connect();

    const slow = client.send(put('k', 'v'));
    const quick = client.send({ kind: 'health' });
    const read = client.send(get('k'));
    await settle();
    const early = client.answered;
    world.replica.writes.open();
    await settle();

    expect(early).toEqual([quick, read]);
    expect(client.answered).toEqual([quick, read, slow]);
    expect(await client.answerTo(slow)).toEqual({
      kind: 'written',
      answer: { revision: 1, term: TERM, failed: undefined },
    });
    expect(await client.answerTo(read)).toEqual({ kind: 'row', row: undefined });
  });

  test('are proposed in the order in which they came, and all before one is answered', async () => {
    const random = seededRandom(testSeed());
    await using world = await startTestDoor({ nextChunkBytes: () => 1 + random.int(50) });
    world.replica.writes.shut();
    const client = await world.connect();

    for (let i = 0; i < 300; i++) client.send(put(`k${i}`, 'v'), { id: i });
    await settle();
    const keys = world.replica.proposed.map(({ operations }) => operations.map(({ kind }) => kind).join());
    const order = world.replica.proposed.map(({ operations: [first] }) =>
      first?.kind === 'put' ? Buffer.from(first.key).toString() : '',
    );
    world.replica.writes.open();
    await settle();

    expect(keys).toHaveLength(300);
    expect(order).toEqual(Array.from({ length: 300 }, (_, i) => `k${i}`));
    expect(client.answered).toEqual(Array.from({ length: 300 }, (_, i) => i));
  });

  test('may be cut anywhere, the HELLO in front of them too', async () => {
    const frames = [
      encodeRequest2({ id: 1, deadlineMs: 0 }, put('k', 'v')),
      encodeRequest2({ id: 2, deadlineMs: 0 }, { kind: 'health' }),
    ];
    const stream = concatBytes(frames);
    await using world = await startTestDoor({ nextChunkBytes: () => 1 });
    const client = await world.connect();

    client.expect(1, 'write');
    client.expect(2, 'health');
    client.sendBytes(stream);
    await settle();
    await settle();

    expect(client.hello).toEqual({ kind: 'version', version: 2 });
    expect(new Set(client.answered)).toEqual(new Set([1, 2]));
    expect(client.received).toHaveLength(2);
  });

  test('have any id, and one that was answered may be used again', async () => {
    await using world = await startTestDoor();
    const client = await world.connect();

    for (const id of [0, 0xffffffff, 7, 7, 7]) await client.request({ kind: 'health' }, { id });
    await settle();

    expect(client.answered).toEqual([0, 0xffffffff, 7, 7, 7]);
  });

  test('are not begun beyond the limit of requests, and all answered in the end', async () => {
    await using world = await startTestDoor({ limits: { maxInFlightRequests: 10 } });
    world.replica.writes.shut();
    const client = await world.connect();

    for (let i = 0; i < 25; i++) client.send(put(`k${i}`, 'v'));
    await settle();
    const begun = world.replica.proposed.length;
    for (let i = 0; i < 5; i++) {
      world.replica.writes.open();
      await settle();
    }

    expect(begun).toBe(10);
    expect(client.received).toHaveLength(25);
  });

  test('are not begun beyond the limit of bytes, except for one that is larger by itself', async () => {
    await using world = await startTestDoor({ limits: { maxInFlightBytes: 1_000 } });
    world.replica.writes.shut();
    const client = await world.connect();

    for (let i = 0; i < 5; i++) client.send(put(`k${i}`, new Uint8Array(2_000)));
    await settle();
    const begun = world.replica.proposed.length;
    world.replica.writes.open();
    await settle();

    expect(begun).toBe(1);
    expect(client.received).toHaveLength(5);
  });

  test('that were taken back count until nothing is done for them any more', async () => {
    await using world = await startTestDoor({ limits: { maxInFlightRequests: 3 } });
    world.replica.writes.shut();
    const client = await world.connect();

    const ids = [client.send(put('a', 'v')), client.send(put('b', 'v'))];
    for (const target of ids) client.send({ kind: 'cancel', target });
    for (let i = 0; i < 5; i++) client.send(put(`more${i}`, 'v'));
    await settle();
    const begun = world.replica.proposed.length;
    world.replica.writes.open();
    await settle();

    expect(begun).toBe(3);
    expect(world.replica.proposed).toHaveLength(7);
  });
});

describe('a client that does not take its answers', () => {
  test('has few of its values read, and gets all when it takes them', async () => {
    await using world = await startTestDoor({ limits: { maxInFlightBytes: 200_000 } });
    world.replica.load('k', new Uint8Array(100_000));
    const client = await world.connect();
    await client.request({ kind: 'health' });
    client.connection.pause();

    const ids = Array.from({ length: 50 }, () => client.send(get('k')));
    await settle();
    const read = world.replica.getCount;
    client.connection.resume();
    for (const id of ids) expect(await client.answerTo(id)).toMatchObject({ kind: 'row' });

    expect(read).toBeLessThanOrEqual(8);
    expect(world.replica.getCount).toBe(50);
  });

  test('is read from again when it has taken answers that were sent at once', async () => {
    await using world = await startTestDoor({ limits: { maxInFlightBytes: 1_000 } });
    const client = await world.connect();
    await client.request({ kind: 'health' });
    client.connection.pause();

    for (let i = 0; i < 5_000; i++) client.send({ kind: 'cancel', target: 1 });
    await settle();
    client.connection.resume();
    await settle();

    expect(await client.request({ kind: 'health' })).toMatchObject({ role: 'leader' });
    expect(client.received).toHaveLength(5_002);
  });

  test('has nothing begun at all while answers pile up', async () => {
    await using world = await startTestDoor({ limits: { maxInFlightBytes: 500_000 } });
    world.replica.load('k', new Uint8Array(1_000_000));
    const client = await world.connect();
    await client.request({ kind: 'health' });
    client.connection.pause();
    client.send(get('k'));
    await settle();

    const behind = client.send(put('behind', 'v'));
    await settle();
    const begun = world.replica.proposed.length;
    client.connection.resume();

    expect(await client.answerTo(behind)).toMatchObject({ kind: 'written' });
    expect(begun).toBe(0);
  });

  test('holds up nobody else', async () => {
    await using world = await startTestDoor({ limits: { maxInFlightBytes: 500_000 } });
    world.replica.load('k', new Uint8Array(1_000_000));
    const [slow, other] = [await world.connect(), await world.connect()];
    await slow.request({ kind: 'health' });
    slow.connection.pause();
    for (let i = 0; i < 20; i++) slow.send(get('k'));
    await settle();

    expect(await other.request(get('k'))).toMatchObject({ kind: 'row' });
  });
});

describe('reads', () => {
  test('that many connections ask for have few values fetched at once', async () => {
    await using world = await startTestDoor({ limits: { maxConcurrentGets: 3 } });
    world.replica.gets.shut();
    const clients = await Promise.all(Array.from({ length: 4 }, () => world.connect()));
    for (const client of clients) for (let i = 0; i < 4; i++) client.send(get('k'));
    await settle();

    const fetching = world.replica.gets.waiting;
    for (let i = 0; i < 10; i++) {
      world.replica.gets.open();
      await settle();
    }

    expect(fetching).toBe(3);
    expect(clients.map(({ received }) => received.length)).toEqual([4, 4, 4, 4]);
  });

  test('wait for their confirmation together, however many values may be fetched at once', async () => {
    await using world = await startTestDoor({ limits: { maxConcurrentGets: 1 } });
    world.replica.confirmations.shut();
    const client = await world.connect();

    for (let i = 0; i < 40; i++) client.send(get('k'));
    await settle();

    expect(world.replica.confirmations.waiting).toBe(40);
    world.replica.confirmations.open();
  });

  test('of many keys at once are refused when the answer would be over a frame', async () => {
    await using world = await startTestDoor({ limits: { maxFrameBytes: 100_000 } });
    for (let i = 0; i < 11; i++) world.replica.load(`k${i}`, new Uint8Array(10_000));
    const keys = Array.from({ length: 11 }, (_, i) => `k${i}`);
    const client = await world.connect();

    const over = await client.request(getMany(...keys));
    const within = await client.request(getMany(...keys.slice(0, 9)));

    expect(over).toMatchObject({ kind: 'refused', code: 'KAYA_ANSWER_TOO_LARGE', outcome: 'not-done' });
    expect(within).toMatchObject({ kind: 'rows', rows: { length: 9 } });
  });

  test('by a lease that lapses are done again', async () => {
    await using world = await startTestDoor();
    world.replica.load('k', 'v');
    world.replica.lapses = 1;
    const client = await world.connect();

    const answer = await client.request({ kind: 'get', freshness: { kind: 'lease' }, key: encodeUtf8('k') });

    expect(answer).toMatchObject({ kind: 'row', row: { value: encodeUtf8('v') } });
    expect(world.replica.getCount).toBe(2);
  });
});
