import { encodeUtf8 } from '@kayadb/codec';
import { type Engine, openEngine } from '@kayadb/engine';
import { settle, VirtualClock } from '@kayadb/testkit';
import type { FileSystem } from '@kayadb/vfs';
import { fakeProcessTable, FaultyFileSystem, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import type { RawClient } from './support/raw-client.ts';
import { del, get, put, scan, startTestNode } from './support/test-node.ts';

function openStore(fileSystem: FileSystem): Promise<Engine> {
  return openEngine('/data', { fileSystem, processes: fakeProcessTable(), clock: new VirtualClock() });
}

async function putAll(session: RawClient, count: number, valueBytes: number): Promise<readonly string[]> {
  session.send(...Array.from({ length: count }, (_, i) => put(`row/${i}`, new Uint8Array(valueBytes))));
  const kinds: string[] = [];
  for (let i = 0; i < count; i++) kinds.push((await session.next('put')).kind);
  return kinds;
}

describe('a node on a real store', () => {
  test('keeps what it acknowledged over a stop and a start', async () => {
    const disk = new MemoryFileSystem();
    const first = await startTestNode(await openStore(disk));
    const before = await first.connect();
    await before.request(put('a', '1'));
    await before.request(put('b', '2'));
    await before.request(del('a'));
    await first.node.stop();

    await using second = await startTestNode(await openStore(disk));
    const after = await second.connect();

    expect(await after.request(get('a'))).toEqual({ kind: 'not-found' });
    expect(await after.request(scan(''))).toEqual({
      kind: 'items',
      items: [{ key: encodeUtf8('b'), value: encodeUtf8('2') }],
    });
  });

  test('shares syncs among pipelined puts', async () => {
    await using world = await startTestNode(await openStore(new MemoryFileSystem()));
    const session = await world.connect();
    const before = world.engine.stats().walFsyncCount;

    const kinds = await putAll(session, 500, 10);

    expect(new Set(kinds)).toEqual(new Set(['done']));
    expect(world.engine.stats().walFsyncCount - before).toBeLessThan(50);
    expect(world.engine.stats().lastSequence).toBe(500);
  });

  test('refuses writes when the disk is full, keeps reading, and writes again when there is room', async () => {
    const disk = new MemoryFileSystem({ capacityBytes: 100_000 });
    await using world = await startTestNode(await openStore(disk));
    const session = await world.connect();
    await session.request(put('kept', 'v'));

    const refused = await session.request(put('large', new Uint8Array(200_000)));
    const read = await session.request(get('kept'));
    disk.setCapacity(1_000_000);
    const retried = await session.request(put('large', new Uint8Array(200_000)));

    expect(refused).toMatchObject({ kind: 'error', message: expect.stringMatching(/^KAYA_DISK_FULL: /u) });
    expect(read).toEqual({ kind: 'value', value: encodeUtf8('v') });
    expect(retried).toEqual({ kind: 'done' });
  });

  test('ends when a sync fails, and has everything acknowledged after a restart', async () => {
    const disk = new MemoryFileSystem();
    const faulty = new FaultyFileSystem(disk);
    const first = await startTestNode(await openStore(faulty));
    const session = await first.connect();
    await session.request(put('kept', 'v'));
    faulty.inject({ at: 1, kinds: ['sync'], effect: { kind: 'failed-sync', pages: 'clean', errno: 'EIO' } });

    const refused = await session.request(put('lost', 'v'));
    const later = await session.request(put('later', 'v'));
    const cause = await first.node.failed;
    await Promise.allSettled([first.node.stop()]);
    await using second = await startTestNode(await openStore(disk));
    const again = await second.connect();

    for (const answer of [refused, later]) {
      expect(answer).toMatchObject({
        kind: 'error',
        message: expect.stringMatching(/^KAYA_ENGINE_POISONED: .*KAYA_IO/u),
      });
    }
    expect(cause).toMatchObject({ code: 'KAYA_ENGINE_POISONED' });
    expect(await again.request(get('kept'))).toEqual({ kind: 'value', value: encodeUtf8('v') });
  });

  test('drops nothing acknowledged when it stops under load', async () => {
    const disk = new MemoryFileSystem();
    const first = await startTestNode(await openStore(disk));
    const session = await first.connect();
    session.send(...Array.from({ length: 1_000 }, (_, i) => put(`row/${i}`, 'v')));
    await session.next('put');

    await first.node.stop();
    await session.closed;
    await settle();
    const acknowledged = 1 + session.unread;
    await using second = await startTestNode(await openStore(disk));
    const found = await (await second.connect()).request(scan('row/'));

    expect(found.kind === 'items' && found.items.length).toBeGreaterThanOrEqual(acknowledged);
    expect(acknowledged).toBeGreaterThan(0);
  });
});
