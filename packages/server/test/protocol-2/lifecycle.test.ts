import { AssertionError } from '@kayadb/codec';
import { CorruptionError } from '@kayadb/engine';
import { settle } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { addMember, get, getMany, put, scan, startTestDoor, type TestDoor } from '../support/test-door.ts';

function shut({ replica }: TestDoor): void {
  for (const gate of [replica.writes, replica.confirmations, replica.gets, replica.pages]) gate.shut();
}

async function open({ replica }: TestDoor): Promise<void> {
  for (let i = 0; i < 3; i++) {
    for (const gate of [replica.writes, replica.confirmations, replica.gets, replica.pages]) gate.open();
    await settle();
  }
}

describe('a connection that ends in the middle of everything', () => {
  test.each([
    ['broken off', true],
    ['closed', false],
  ])('when it is %s leaves nothing behind', async (_case, isBroken) => {
    await using world = await startTestDoor();
    for (let i = 0; i < 9; i++) world.replica.load(`k${i}`, new Uint8Array(10_000));
    const client = await world.connect();
    await client.request(scan({ pageRows: 1 }), { id: 1 });
    shut(world);
    client.send({ kind: 'more', scan: 1 });
    for (let i = 0; i < 10; i++) client.send(get('k1'), { deadlineMs: i % 2 === 0 ? 100 : 0 });
    for (let i = 0; i < 10; i++) client.send(put(`new${i}`, 'v'), { deadlineMs: i % 2 === 0 ? 100 : 0 });
    client.send(getMany('k1', 'k2'));
    client.send(scan());
    client.send(addMember(4));
    const half = client.send({ kind: 'status' });
    client.send({ kind: 'cancel', target: half });
    await settle();

    if (isBroken) client.connection.destroy();
    else void client.connection.close();
    await settle();
    await open(world);
    await client.closed;
    await world.clock.advanceAsync(10_000);

    expect([world.door.counts.open, world.door.openScans, world.replica.openScans]).toEqual([0, 0, 0]);
    expect(world.door.heldBytes).toBe(0);
    expect(world.clock.pendingTimers).toBe(0);
    expect(world.log.filter(({ level }) => level === 'error')).toEqual([]);
    expect(world.replica.proposed).toHaveLength(10);
  });

  test('by the client alone is closed when all that was begun is answered', async () => {
    await using world = await startTestDoor();
    world.replica.load('k', 'v');
    world.replica.load('l', 'v');
    world.replica.writes.shut();
    const client = await world.connect();
    await client.request(scan({ pageRows: 1 }), { id: 1 });
    client.send(put('k', 'v'));
    void client.connection.close();
    await settle();
    const before = world.door.counts.open;

    world.replica.writes.open();
    await client.closed;
    await settle();

    expect(before).toBe(1);
    expect(world.replica.rows.get('6b')?.revision).toBe(3);
    expect([world.door.counts.open, world.door.openScans]).toEqual([0, 0]);
  });
});

describe('stopping', () => {
  test('answers what was begun, begins nothing more, and lets go of open scans', async () => {
    await using world = await startTestDoor({ limits: { maxInFlightRequests: 3 } });
    for (let i = 0; i < 3; i++) world.replica.load(`k${i}`, 'v');
    const client = await world.connect();
    await client.request(scan({ pageRows: 1 }), { id: 1 });
    world.replica.writes.shut();
    for (let i = 0; i < 5; i++) client.send(put(`new${i}`, 'v'));
    await settle();

    const stopping = world.door.stop(1_000);
    await settle();
    const openBefore = world.door.openScans;
    world.replica.writes.open();
    await stopping;
    await client.closed;
    await settle();

    expect(openBefore).toBe(1);
    expect(client.received.filter(({ response }) => response.kind === 'written')).toHaveLength(3);
    expect(world.replica.proposed).toHaveLength(3);
    expect([world.door.openScans, world.replica.openScans]).toEqual([0, 0]);
    expect(world.clock.pendingTimers).toBe(0);
  });

  test('closes a connection that only has an open scan at once', async () => {
    await using world = await startTestDoor();
    for (let i = 0; i < 3; i++) world.replica.load(`k${i}`, 'v');
    const client = await world.connect();
    await client.request(scan({ pageRows: 1 }));

    await world.door.stop(1_000);

    expect(await client.closed).toBeUndefined();
    expect(world.replica.openScans).toBe(0);
  });

  test('does not wait for what was taken back', async () => {
    await using world = await startTestDoor();
    world.replica.writes.shut();
    const client = await world.connect();
    const written = client.send(put('k', 'v'));
    client.send({ kind: 'cancel', target: written });
    await settle();

    await world.door.stop(1_000);

    expect(await client.closed).toBeUndefined();
    world.replica.writes.open();
  });

  test('cuts off who does not take their answers, when the time is over', async () => {
    await using world = await startTestDoor();
    world.replica.load('k', new Uint8Array(1_000_000));
    const client = await world.connect();
    await client.request({ kind: 'health' });
    client.connection.pause();
    client.send(get('k'));
    await settle();

    const stopping = world.door.stop(500);
    await world.clock.advanceAsync(500);
    await stopping;

    expect(world.log).toContainEqual(expect.objectContaining({ event: 'node.cut', connections: 1 }));
  });
});

describe('failures inside the node', () => {
  test('of a page are told with an id, logged once, and end its scan only', async () => {
    await using world = await startTestDoor();
    for (let i = 0; i < 3; i++) world.replica.load(`k${i}`, 'v');
    const client = await world.connect();
    await client.request(scan({ pageRows: 1 }), { id: 1 });
    world.replica.pageFailure = new CorruptionError('/secret/000001.sst', 64, 'the block does not verify');

    const failed = await client.request({ kind: 'more', scan: 1 });
    const after = await client.request(get('k1'));

    expect(failed).toMatchObject({
      code: 'KAYA_CORRUPTION',
      outcome: 'not-done',
      message: expect.stringContaining('look for request 1.3 '),
    });
    expect(JSON.stringify(failed)).not.toContain('secret');
    expect(after.kind).toBe('row');
    expect(world.log.filter(({ event }) => event === 'request.failed')).toHaveLength(1);
  });

  test('that break an invariant end the node, after answering', async () => {
    await using world = await startTestDoor();
    world.replica.writeFailure = new AssertionError('impossible');
    const client = await world.connect();

    const failed = await client.request(put('k', 'v'));

    expect(failed).toMatchObject({ code: 'KAYA_INTERNAL', outcome: 'unknown' });
    expect(world.failures).toEqual([world.replica.writeFailure]);
  });

  test('end the node also when nobody waits for the answer any more', async () => {
    await using world = await startTestDoor();
    world.replica.confirmations.shut();
    const client = await world.connect();
    const read = client.send(get('k'));
    client.send({ kind: 'cancel', target: read });
    await settle();

    world.replica.readFailure = new AssertionError('impossible');
    world.replica.confirmations.open();
    await settle();

    expect(world.failures).toHaveLength(1);
    expect(client.received).toHaveLength(2);
  });

  test('never put keys, values or tokens into the log', async () => {
    await using world = await startTestDoor({ clientToken: 'private-token' });
    world.replica.writeFailure = new Error('inner');
    const client = await world.connect();

    client.send({ kind: 'auth', role: 'client', token: Buffer.from('private-guess') });
    client.send({ kind: 'auth', role: 'client', token: Buffer.from('private-token') });
    client.send(put('private-key', 'private-value'));
    client.send(get('private-key'));
    await world.clock.advanceAsync(1_000);
    client.sendBytes(Uint8Array.of(0, 0, 0, 0));
    await client.closed;

    expect(client.received.map(({ response }) => response.kind)).toEqual([
      'refused',
      'done',
      'refused',
      'row',
      'refused',
    ]);
    expect(JSON.stringify(world.log)).not.toContain('private');
  });
});
