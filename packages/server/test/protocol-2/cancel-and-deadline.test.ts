import type { Request2, Response2 } from '@kayadb/codec';
import { settle } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import type { MemoryReplica } from '../support/memory-replica.ts';
import type { RawClient2 } from '../support/raw-client-2.ts';
import { addMember, get, put, scan, startTestDoor } from '../support/test-door.ts';

const NOT_DONE = { kind: 'refused', code: 'KAYA_CANCELLED', outcome: 'not-done' };
const UNKNOWN = { kind: 'refused', code: 'KAYA_CANCELLED', outcome: 'unknown' };

function cancel(client: RawClient2, target: number): number {
  return client.send({ kind: 'cancel', target });
}

function answersWith(client: RawClient2, id: number): readonly Response2[] {
  return client.received.filter((received) => received.id === id).map(({ response }) => response);
}

describe('CANCEL', () => {
  test('of a read that waits takes it back at once, and nothing is read for it', async () => {
    await using world = await startTestDoor();
    world.replica.confirmations.shut();
    const client = await world.connect();

    const read = client.send(get('k'));
    const taker = cancel(client, read);
    await settle();
    const answered = client.answered;
    world.replica.confirmations.open();
    await settle();

    expect(answered).toEqual([read, taker]);
    expect(answersWith(client, read)).toMatchObject([NOT_DONE]);
    expect(answersWith(client, taker)).toEqual([{ kind: 'done' }]);
    expect(world.replica.getCount).toBe(0);
  });

  test('of a write that was proposed says that nobody knows, and its answer is not sent later', async () => {
    await using world = await startTestDoor();
    world.replica.writes.shut();
    const client = await world.connect();

    const written = client.send(put('k', 'v'));
    cancel(client, written);
    await settle();
    const early = answersWith(client, written);
    world.replica.writes.open();
    await settle();

    expect(early).toMatchObject([UNKNOWN]);
    expect(answersWith(client, written)).toHaveLength(1);
    expect(world.replica.rows.size).toBe(1);
  });

  test('of a write that follows in the same chunk comes after it was proposed', async () => {
    await using world = await startTestDoor();
    const client = await world.connect();

    const written = client.send(put('k', 'v'), { id: 1 });
    cancel(client, 1);
    await settle();

    expect(answersWith(client, written)).toMatchObject([UNKNOWN]);
    expect(world.replica.proposed).toHaveLength(1);
  });

  test.each([
    ['a request that was never sent', 77],
    ['itself', 5],
    ['a request that was answered', 4],
  ])('of %s is answered, and does nothing', async (_case, target) => {
    await using world = await startTestDoor();
    const client = await world.connect();
    await client.request({ kind: 'health' }, { id: 4 });

    const answer = await client.request({ kind: 'cancel', target }, { id: 5 });

    expect(answer).toEqual({ kind: 'done' });
    expect(answersWith(client, 4)).toMatchObject([{ kind: 'health' }]);
    expect(client.connection.isOpen).toBe(true);
  });

  test('frees the id at once, and the old request leaves the new one alone', async () => {
    await using world = await startTestDoor();
    world.replica.writes.shut();
    const client = await world.connect();

    client.send(put('a', 'v'), { id: 9 });
    cancel(client, 9);
    client.send(get('b'), { id: 9 });
    await settle();
    world.replica.writes.open();
    await settle();

    expect(client.received.filter(({ id }) => id === 9).map(({ response }) => response.kind)).toEqual([
      'refused',
      'row',
    ]);
  });

  test('of a failed write frees its id for a scan, which the failure does not end', async () => {
    await using world = await startTestDoor();
    for (let i = 0; i < 4; i++) world.replica.load(`k${i}`, 'v');
    world.replica.confirmations.shut();
    const client = await world.connect();
    client.send(get('k'), { id: 9 });
    await settle();
    cancel(client, 9);
    world.replica.readFailure = new Error('late');
    world.replica.confirmations.open();
    client.send(scan({ pageRows: 1 }), { id: 9 });
    world.replica.readFailure = undefined;
    await settle();

    expect(await client.request({ kind: 'more', scan: 9 })).toMatchObject({ kind: 'page' });
  });

  test('of changes of the group: a dry run was not done, a proposal nobody knows', async () => {
    await using world = await startTestDoor();
    const never = new Promise<never>(() => {});
    world.membership.add = () => never;
    const client = await world.connect();

    const ids = [client.send(addMember(4, true)), client.send(addMember(4, false))];
    for (const id of ids) cancel(client, id);
    await settle();

    expect(ids.map((id) => answersWith(client, id)[0])).toMatchObject([NOT_DONE, UNKNOWN]);
  });
});

describe('a deadline', () => {
  const late = (outcome: string) => ({ kind: 'refused', code: 'KAYA_DEADLINE', outcome });
  const hold = (replica: MemoryReplica): void => {
    replica.writes.shut();
    replica.confirmations.shut();
  };

  test.each<[string, Request2, string]>([
    ['a read', get('k'), 'not-done'],
    ['a scan', scan(), 'not-done'],
    ['a write', put('k', 'v'), 'unknown'],
  ])('that passes is the answer to %s, and the only one', async (_case, request, outcome) => {
    await using world = await startTestDoor();
    hold(world.replica);
    const client = await world.connect();

    const id = client.send(request, { deadlineMs: 100 });
    await world.clock.advanceAsync(99);
    const early = client.received.length;
    await world.clock.advanceAsync(1);
    const answers = answersWith(client, id);
    world.replica.writes.open();
    world.replica.confirmations.open();
    await settle();

    expect(early).toBe(0);
    expect(answers).toMatchObject([late(outcome)]);
    expect(answersWith(client, id)).toHaveLength(1);
    expect(world.door.openScans).toBe(0);
  });

  test('is each request’s own, in any order', async () => {
    await using world = await startTestDoor();
    hold(world.replica);
    const client = await world.connect();

    client.send(get('a'), { id: 1, deadlineMs: 300 });
    client.send(get('b'), { id: 2, deadlineMs: 100 });
    client.send(get('c'), { id: 3 });
    client.send(get('d'), { id: 4, deadlineMs: 200 });
    await world.clock.advanceAsync(150);
    const first = client.answered;
    await world.clock.advanceAsync(1_000_000);

    expect(first).toEqual([2]);
    expect(client.answered).toEqual([2, 4, 1]);
  });

  test('that has not passed is forgotten with its request', async () => {
    await using world = await startTestDoor();
    const client = await world.connect();

    for (let i = 0; i < 100; i++) await client.request(get('k'), { deadlineMs: 50 });
    await world.clock.advanceAsync(1_000);

    expect(client.received.every(({ response }) => response.kind === 'row')).toBe(true);
    expect(client.received).toHaveLength(100);
  });

  test('of 49 days is no short one', async () => {
    await using world = await startTestDoor();
    hold(world.replica);
    const client = await world.connect();

    client.send(get('a'), { deadlineMs: 0xffffffff });
    await world.clock.advanceAsync(60_000);

    expect(client.received).toEqual([]);
  });
});
