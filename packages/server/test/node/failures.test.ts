import { inspect } from 'node:util';

import { decodeUtf8, encodeUtf8, type Response } from '@kayadb/codec';
import { settle } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { NodeWorld } from '../support/node-world.ts';
import type { RawClient } from '../support/raw-client.ts';
import { del, get, put, scan } from '../support/requests-1.ts';

const POISON = { kind: 'failed-sync', pages: 'clean', errno: 'EIO' } as const;

async function putAll(session: RawClient, count: number, valueBytes: number): Promise<readonly string[]> {
  session.send(...Array.from({ length: count }, (_, i) => put(`row/${i}`, new Uint8Array(valueBytes))));
  const kinds: string[] = [];
  for (let i = 0; i < count; i++) kinds.push((await session.next('put')).kind);
  return kinds;
}

describe('a node alone', () => {
  test('keeps what it acknowledged over a stop and a start', async () => {
    await using world = new NodeWorld();
    const first = await world.startLone();
    const before = await first.connect();
    for (const request of [put('a', '1'), put('b', '2'), del('a')]) await world.settle(before.request(request));
    await first.stop();

    const second = await world.startLone();
    const after = await second.connect();
    const [gone, rows] = [await after.request(get('a')), await after.request(scan(''))];

    expect(gone).toEqual({ kind: 'not-found' });
    expect(rows).toEqual({ kind: 'items', items: [{ key: encodeUtf8('b'), value: encodeUtf8('2') }] });
  });

  test('shares syncs among pipelined puts', async () => {
    await using world = new NodeWorld();
    const { faulty, node, connect } = await world.startLone();
    const session = await connect();
    const before = faulty.countOf(['sync']);
    const indexBefore = node.view.raft!.appliedIndex;

    const kinds = await world.settle(putAll(session, 500, 10));

    expect(new Set(kinds)).toEqual(new Set(['done']));
    expect(faulty.countOf(['sync']) - before).toBeLessThan(50);
    expect(node.view.raft!.appliedIndex - indexBefore).toBe(500);
  });

  test('takes no puts while little room is left, only deletes and reads, and puts again when there is room', async () => {
    await using world = new NodeWorld();
    const alone = await world.startLone({ engine: { diskLowBytes: 1_000_000 } });
    const session = await alone.connect();
    await world.settle(session.request(put('kept', 'v')));
    await world.leaveRoom(500_000);
    await world.until('it is seen', () => alone.node.view.machine?.diskState === 'low');

    const refused = await world.settle(session.request(put('large', new Uint8Array(200_000))));
    const read = await world.settle(session.request(get('kept')));
    const deleted = await world.settle(session.request(del('kept')));
    world.disk().setCapacity(undefined);
    await world.until('it is seen', () => alone.node.view.machine?.diskState === 'ok');
    const retried = await world.settle(session.request(put('large', new Uint8Array(200_000))));

    expect(refused).toMatchObject({ kind: 'error', message: expect.stringMatching(/^KAYA_DISK_FULL: /u) });
    expect(read).toEqual({ kind: 'value', value: encodeUtf8('v') });
    expect(deleted).toEqual({ kind: 'done' });
    expect(retried).toEqual({ kind: 'done' });
  });

  test('refuses all writes when the log finds no room, reads on, and writes again when there is room', async () => {
    await using world = new NodeWorld();
    const alone = await world.startLone();
    const [writer, other] = [await alone.connect(), await alone.connect()];
    await world.settle(writer.request(put('kept', 'v')));
    await world.leaveRoom(10_000);
    writer.send(put('large', new Uint8Array(200_000)));
    await world.clock.advanceAsync(5_000);

    const refused = [await other.request(put('small', 'v')), await other.request(del('kept'))];
    const read = await world.settle(other.request(get('kept')));
    world.disk().setCapacity(undefined);
    const waited = await world.settle(writer.next('put'));
    await world.clock.advanceAsync(100);
    const retried = await world.settle(other.request(put('small', 'v')));

    for (const answer of refused) {
      expect(answer).toMatchObject({ kind: 'error', message: expect.stringMatching(/^KAYA_DISK_FULL: /u) });
    }
    expect(read).toEqual({ kind: 'value', value: encodeUtf8('v') });
    expect([waited, retried]).toEqual([{ kind: 'done' }, { kind: 'done' }]);
    expect(alone.failure).toBeUndefined();
  });

  test('does not start when it can not open its log, and leaves no timer', async () => {
    await using world = new NodeWorld();
    const first = await world.startLone();
    await first.stop();
    const file = await world.disk().open('/data/groups/0/raft/raft-state', 'write');
    await file.write(new Uint8Array(12_288).fill(0xff), 0);
    await file.close();

    const starting = world.settle(world.start());

    await expect(starting).rejects.toMatchObject({ code: 'KAYA_RAFT_CORRUPTION', file: 'raft-state', offset: 0 });
    expect(world.clock.pendingTimers).toBe(0);
  });

  test.each([
    ['its log', '/raft/', { code: 'KAYA_RAFT_POISONED', cause: { code: 'KAYA_IO' } }],
    ['its store', '/store-0/', { code: 'KAYA_IO' }],
  ])('ends when a sync of %s fails, and has everything acknowledged after a restart', async (_case, folder, reason) => {
    await using world = new NodeWorld();
    const first = await world.startLone({ engine: { memtableBytes: 64 * 1024 } });
    const session = await first.connect();
    await world.settle(session.request(put('kept', 'v')));
    first.faulty.inject({ at: 1, kinds: ['sync'], matchesPath: (path) => path.includes(folder), effect: POISON });

    const done = ['kept'];
    for (let i = 0; first.failure === undefined && i < 100; i++) {
      const answer = await world.settle(session.request(put(`row/${i}`, new Uint8Array(4_096))));
      if (answer.kind === 'done') done.push(`row/${i}`);
    }
    const refused = await world.settle(session.request(put('later', 'v')));
    const { phase, endError } = first.node.view;
    await Promise.allSettled([first.stop()]);
    const second = await world.startLone();
    const rows = await world.settle((await second.connect()).request(scan('')));

    expect(first.failure).toMatchObject(reason);
    expect({ phase, endError }).toEqual({ phase: 'ended', endError: first.failure });
    expect(refused).toMatchObject({ kind: 'error', message: expect.stringMatching(/^KAYA_STOPPING: /u) });
    expect(keysOf(rows)).toEqual(expect.arrayContaining(done));
    expect(keysOf(rows)).not.toContain('later');
  });

  test('gives a write whose sync failed no verdict, for nobody knows', async () => {
    await using world = new NodeWorld();
    const alone = await world.startLone();
    const session = await alone.connect();
    alone.faulty.inject({ at: 1, kinds: ['sync'], effect: POISON });

    const answer = await world.settle(session.request(put('k', 'v')));

    expect(answer).toMatchObject({ kind: 'error', message: expect.stringMatching(/^KAYA_UNKNOWN_OUTCOME: /u) });
    expect(alone.failure).toMatchObject({ code: 'KAYA_RAFT_POISONED' });
  });

  test('ends when its disk does not answer for half a minute', async () => {
    await using world = new NodeWorld();
    const alone = await world.startLone();
    const session = await alone.connect();
    alone.gate.hold();
    session.send(put('k', 'v'));

    await world.clock.advanceAsync(29_000);
    const early = alone.failure;
    await world.clock.advanceAsync(2_000);

    expect(early).toBeUndefined();
    expect(alone.failure).toMatchObject({ code: 'KAYA_STORAGE_STALLED' });
    expect(alone.node.view).toMatchObject({ phase: 'ended', endError: alone.failure });
    alone.gate.release();
  });

  test('puts no keys, values or tokens into the log', async () => {
    await using world = new NodeWorld();
    const alone = await world.startLone({ clientToken: 'private-token', operatorToken: 'private-too' });
    const session = await alone.connect();
    await world.settle(session.request(put('private-key', 'private-value', 'private-token')));
    await world.settle(session.request(put('private-key', 'private-value', 'private-guess')));
    alone.faulty.inject({ at: 1, kinds: ['sync'], effect: POISON });
    await world.settle(session.request(put('private-key', 'private-value', 'private-token')));
    session.sendBytes(Uint8Array.of(0, 0, 0, 0, 0));
    await session.closed;

    expect(world.log.map(({ event }) => event)).toEqual(expect.arrayContaining(['auth.failed', 'raft.node-failed']));
    expect(inspect(world.log, { depth: 20 })).not.toContain('private');
  });

  test('drops nothing acknowledged when it stops under load', async () => {
    await using world = new NodeWorld();
    const first = await world.startLone();
    const session = await first.connect();
    session.send(...Array.from({ length: 300 }, (_, i) => put(`row/${i}`, 'v')));
    await world.settle(session.next('put'));

    await first.stop();
    await session.closed;
    await settle();
    const acknowledged = 1 + session.unread;
    const second = await world.startLone();
    const found = await world.settle((await second.connect()).request(scan('row/')));

    expect(found.kind === 'items' && found.items.length).toBeGreaterThanOrEqual(acknowledged);
    expect(acknowledged).toBeGreaterThan(0);
  });
});

function keysOf(answer: Response): readonly string[] {
  return answer.kind === 'items' ? answer.items.map(({ key }) => decodeUtf8(key)) : [];
}
