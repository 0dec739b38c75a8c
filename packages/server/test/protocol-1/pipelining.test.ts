import { concatBytes, encodeRequest, encodeUtf8, type Request, type Response } from '@kayadb/codec';
import { seededRandom, settle, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { del, get, put, scan } from '../support/requests-1.ts';
import { startTestDoor } from '../support/test-door.ts';

describe('pipelined requests of one connection', () => {
  test('hand all puts to the group without waiting for one', async () => {
    await using world = await startTestDoor();
    world.replica.writes.shut();
    const session = await world.connect1();

    session.send(...Array.from({ length: 100 }, (_, i) => put(`k${i}`, 'v')));
    await settle();

    expect(world.replica.writes.waiting).toBe(100);
    expect(session.unread).toBe(0);
    world.replica.writes.open();
    await settle();
    expect(session.unread).toBe(100);
  });

  test('let a get see the put before it and not the one behind it', async () => {
    await using world = await startTestDoor();
    world.replica.writes.shut();
    const session = await world.connect1();

    session.send(put('k', 'old'), get('k'), put('k', 'new'), scan('k'), del('k'), get('k'));
    await settle();
    const handedIn = world.replica.writes.waiting;
    world.replica.writes.open();
    const answers = [
      await session.next('put'),
      await session.next('get'),
      await session.next('put'),
      await session.next('scan'),
      await session.next('delete'),
      await session.next('get'),
    ];

    expect(handedIn).toBe(1);
    expect(answers).toEqual([
      { kind: 'done' },
      { kind: 'value', value: encodeUtf8('old') },
      { kind: 'done' },
      { kind: 'items', items: [{ key: encodeUtf8('k'), value: encodeUtf8('new') }] },
      { kind: 'done' },
      { kind: 'not-found' },
    ]);
  });

  test('answer like a map that is asked one after the other, however the bytes are cut', async () => {
    const random = seededRandom(testSeed());
    await using world = await startTestDoor({ nextChunkBytes: () => 1 + random.int(40) });
    const session = await world.connect1();
    const model = new Map<string, string>();
    const requests: Request[] = [];
    const expected: Response[] = [];
    for (let i = 0; i < 500; i++) {
      const key = `k${random.int(8)}`;
      const roll = random.int(3);
      if (roll === 0) {
        requests.push(put(key, `v${i}`));
        model.set(key, `v${i}`);
        expected.push({ kind: 'done' });
      } else if (roll === 1) {
        requests.push(del(key));
        model.delete(key);
        expected.push({ kind: 'done' });
      } else {
        requests.push(get(key));
        const value = model.get(key);
        expected.push(value === undefined ? { kind: 'not-found' } : { kind: 'value', value: encodeUtf8(value) });
      }
    }

    session.sendBytes(concatBytes(requests.map(encodeRequest)));
    const answers: Response[] = [];
    for (const request of requests) answers.push(await session.next(request.kind));

    expect(answers).toEqual(expected);
  });

  test('are not begun beyond the limit of requests, and all answered in the end', async () => {
    await using world = await startTestDoor({ limits: { maxInFlightRequests: 10 } });
    world.replica.writes.shut();
    const session = await world.connect1();

    session.send(...Array.from({ length: 25 }, (_, i) => put(`k${i}`, 'v')));
    await settle();
    const begun = world.replica.proposed.length;
    world.replica.writes.open();
    for (let i = 0; i < 25; i++) await session.next('put');

    expect(begun).toBe(10);
    expect(world.replica.proposed.length).toBe(25);
  });

  test('are not begun beyond the limit of bytes, except for one that is larger by itself', async () => {
    await using world = await startTestDoor({ limits: { maxInFlightBytes: 1_000 } });
    world.replica.writes.shut();
    const session = await world.connect1();

    session.send(...Array.from({ length: 5 }, (_, i) => put(`k${i}`, new Uint8Array(2_000))));
    await settle();
    const begun = world.replica.proposed.length;
    world.replica.writes.open();
    for (let i = 0; i < 5; i++) await session.next('put');

    expect(begun).toBe(1);
    expect(world.replica.proposed.length).toBe(5);
  });

  test('stop being read while they cannot begin', async () => {
    await using world = await startTestDoor({ limits: { maxInFlightRequests: 1 } });
    world.replica.writes.shut();
    const session = await world.connect1();
    const value = new Uint8Array(300_000);

    session.send(...Array.from({ length: 20 }, (_, i) => put(`k${i}`, value)));
    await settle();
    const waiting = session.connection.bufferedBytes;
    world.replica.writes.open();
    for (let i = 0; i < 20; i++) await session.next('put');

    expect(waiting).toBeGreaterThan(5_000_000);
    expect(session.connection.bufferedBytes).toBe(0);
  });

  test('start no read while the client does not take its answers', async () => {
    await using world = await startTestDoor({ limits: { maxInFlightBytes: 2_000_000 } });
    const session = await world.connect1();
    await session.request(put('k', new Uint8Array(1_000_000)));
    session.connection.pause();

    session.send(...Array.from({ length: 50 }, () => get('k')));
    await settle();
    const read = world.replica.getCount;
    session.connection.resume();
    for (let i = 0; i < 50; i++) await session.next('get');

    expect(read).toBeLessThanOrEqual(6);
    expect(world.replica.getCount).toBe(50);
  });

  test('are not begun at all while answers pile up', async () => {
    await using world = await startTestDoor({ limits: { maxInFlightBytes: 500_000 } });
    const session = await world.connect1();
    world.replica.load('k', new Uint8Array(1_000_000));
    session.connection.pause();
    session.send(get('k'));
    await settle();

    session.send(put('behind', 'v'));
    await settle();
    const begun = world.replica.proposed.length;
    session.connection.resume();

    expect((await session.next('get')).kind).toBe('value');
    expect(await session.next('put')).toEqual({ kind: 'done' });
    expect(begun).toBe(0);
  });

  test('of several connections scan no more than a few at once', async () => {
    await using world = await startTestDoor({ limits: { maxConcurrentScans: 2 } });
    world.replica.load('k', 'v');
    world.replica.pages.shut();
    const sessions = [await world.connect1(), await world.connect1(), await world.connect1()];
    for (const session of sessions) session.send(scan(''));
    await settle();

    const begun = world.replica.openScans;
    world.replica.pages.open();
    const answers = await Promise.all(sessions.map((session) => session.next('scan')));

    expect(begun).toBe(2);
    expect(answers.map(({ kind }) => kind)).toEqual(['items', 'items', 'items']);
  });

  test('of two connections do not wait for each other', async () => {
    await using world = await startTestDoor();
    const [first, second] = [await world.connect1(), await world.connect1()];
    world.replica.writes.shut();
    first.send(put('k', 'v'));
    await settle();

    const answer = await second.request(get('k'));

    expect(answer).toEqual({ kind: 'not-found' });
    world.replica.writes.open();
  });
});
