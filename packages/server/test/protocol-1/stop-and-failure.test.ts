import { AssertionError, encodeRequest } from '@kayadb/codec';
import { CorruptionError } from '@kayadb/engine';
import { settle } from '@kayadb/testkit';
import { FileSystemError } from '@kayadb/vfs';
import { describe, expect, test } from 'vitest';

import { get, put, scan } from '../support/requests-1.ts';
import { startTestDoor } from '../support/test-door.ts';

describe('a door that stops', () => {
  test('answers what was begun, and begins nothing more', async () => {
    await using world = await startTestDoor({ limits: { maxInFlightRequests: 3 } });
    const session = await world.connect1();
    world.replica.writes.shut();
    session.send(...Array.from({ length: 5 }, (_, i) => put(`k${i}`, 'v')));
    await settle();

    const stopping = world.door.stop(1_000);
    await settle();
    const early = session.unread;
    world.replica.writes.open();
    await stopping;
    await session.closed;

    expect(early).toBe(0);
    expect(session.unread).toBe(3);
    expect(world.replica.proposed).toHaveLength(3);
  });

  test('closes idle connections at once and refuses new ones', async () => {
    await using world = await startTestDoor();
    const idle = await world.connect1();
    await idle.request({ kind: 'health' });

    await world.door.stop(1_000);

    await idle.closed;
    await expect(world.connect1()).rejects.toMatchObject({ code: 'KAYA_DIAL_FAILED' });
  });

  test('cuts off a client that does not take its answers, when the time for that is over', async () => {
    await using world = await startTestDoor();
    world.replica.load('k', new Uint8Array(1_000_000));
    const session = await world.connect1();
    session.connection.pause();
    session.send(get('k'));
    await settle();

    const stopping = world.door.stop(500);
    await world.clock.advanceAsync(499);
    const isCutEarly = world.log.some(({ event }) => event === 'node.cut');
    await world.clock.advanceAsync(1);
    await stopping;

    expect(isCutEarly).toBe(false);
    expect(world.log).toContainEqual(expect.objectContaining({ event: 'node.cut', connections: 1 }));
  });

  test('leaves no timer', async () => {
    await using world = await startTestDoor();
    const session = await world.connect1();
    await session.request(put('k', 'v'));

    await Promise.all([world.door.stop(1_000), world.door.stop(1_000)]);

    expect(world.clock.pendingTimers).toBe(0);
  });

  test('under load answers every write that was begun on each connection', async () => {
    await using world = await startTestDoor({ limits: { maxInFlightRequests: 20 } });
    const sessions = await Promise.all(Array.from({ length: 10 }, () => world.connect1()));
    world.replica.writes.shut();
    for (const [i, session] of sessions.entries()) {
      session.send(...Array.from({ length: 200 }, (_, j) => put(`${i}/${j}`, 'v')));
    }
    await settle();

    const stopping = world.door.stop(1_000);
    world.replica.writes.open();
    await stopping;
    await Promise.all(sessions.map((session) => session.closed));

    expect(world.replica.proposed).toHaveLength(200);
    expect(sessions.map((session) => session.unread)).toEqual(sessions.map(() => 20));
  });
});

describe('failures inside the node', () => {
  test('end the node on a broken invariant, after answering', async () => {
    await using world = await startTestDoor();
    const session = await world.connect1();
    world.replica.getFailure = new AssertionError('impossible');

    const refused = await session.request(get('k'));

    expect(refused).toMatchObject({ kind: 'error', message: expect.stringContaining('KAYA_INTERNAL') });
    expect(world.failures).toEqual([world.replica.getFailure]);
  });

  test.each([
    ['get', get('k')],
    ['scan', scan('')],
  ])('answer damage in a %s, and the node lives on', async (_case, request) => {
    await using world = await startTestDoor();
    const session = await world.connect1();
    world.replica.getFailure = new CorruptionError('000001.sst', 64, 'the block does not verify');
    world.replica.pageFailure = world.replica.getFailure;

    const refused = await session.request(request);
    const after = await session.request(put('k', 'v'));

    expect(refused).toMatchObject({ kind: 'error', message: expect.stringMatching(/^KAYA_CORRUPTION: /u) });
    expect(after).toEqual({ kind: 'done' });
    expect(world.failures).toEqual([]);
    expect(world.replica.openScans).toBe(0);
    expect(world.log).toContainEqual(
      expect.objectContaining({ level: 'error', event: 'request.failed', request: 'request 1.1' }),
    );
  });

  test('never put keys or values into the log', async () => {
    await using world = await startTestDoor();
    const session = await world.connect1();
    world.replica.writeFailure = new FileSystemError('EIO', 'write', '/data/000001.log');

    await session.request(put('private-key', 'private-value'));
    session.sendBytes(encodeRequest(put('private-key', 'private-value')).slice(0, -1));
    session.sendBytes(Uint8Array.of(0, 0, 0, 0, 0));
    await session.next('put');

    expect(world.log).not.toEqual([]);
    expect(JSON.stringify(world.log)).not.toContain('private');
  });
});
