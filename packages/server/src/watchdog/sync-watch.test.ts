import { settle, VirtualClock } from '@kayadb/testkit';
import type { FileSystem } from '@kayadb/vfs';
import { InterceptedFileSystem, MemoryFileSystem, type OperationKind } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { watchSyncs } from './sync-watch.ts';

/** A disk in memory whose calls of the kinds in `slow` end when they are let go, one by one. */
class SlowDisk {
  readonly clock = new VirtualClock();
  readonly fs: FileSystem;
  readonly slow = new Set<OperationKind>();
  readonly #waiting: { go: () => void; fail: (error: Error) => void }[] = [];

  constructor() {
    this.fs = new InterceptedFileSystem(new MemoryFileSystem(), {
      call: async ({ kind }, run) => {
        if (this.slow.has(kind)) await new Promise<void>((go, fail) => this.#waiting.push({ go, fail }));
        return run();
      },
      callSync: ({ kind }, run) => {
        if (this.slow.has(kind)) this.clock.advance(7);
        return run();
      },
    });
  }

  letGo(): void {
    this.#waiting.shift()!.go();
  }

  fail(): void {
    this.#waiting.shift()!.fail(new Error('the disk is gone'));
  }
}

describe('watchSyncs', () => {
  test.each(['sync', 'syncDirectory'] as const)('tells how long a %s is under way', async (kind) => {
    const disk = new SlowDisk();
    const { fileSystem, storage } = watchSyncs(disk.fs, disk.clock);
    const handle = await fileSystem.open('/a', 'create');
    disk.slow.add(kind);

    const ends = kind === 'sync' ? handle.sync() : fileSystem.syncDirectory('/');
    disk.clock.advance(30);
    const during = storage.oldestSyncMs;
    disk.letGo();
    await ends;

    expect(during).toBe(30);
    expect({ ...counts(storage), oldest: storage.oldestSyncMs }).toEqual({ count: 1, total: 30, max: 30, oldest: 0 });
  });

  test('tells of the oldest of several', async () => {
    const disk = new SlowDisk();
    const { fileSystem, storage } = watchSyncs(disk.fs, disk.clock);
    const first = await fileSystem.open('/a', 'create');
    const second = fileSystem.openSync('/b', 'create');
    disk.slow.add('sync');

    const one = first.sync();
    disk.clock.advance(10);
    const two = second.sync();
    disk.clock.advance(10);
    const both = storage.oldestSyncMs;
    disk.letGo();
    await one;
    const left = storage.oldestSyncMs;
    disk.letGo();
    await two;

    expect([both, left, storage.oldestSyncMs]).toEqual([20, 10, 0]);
    expect(counts(storage)).toEqual({ count: 2, total: 30, max: 20 });
  });

  test.each([
    ['open', (fs: FileSystem) => fs.open('/new', 'create')],
    ['rename', (fs: FileSystem) => fs.rename('/a', '/b')],
    ['write', async (fs: FileSystem) => (await fs.open('/a', 'write')).write(Uint8Array.of(1), 0)],
  ] as const)(
    'tells also of a %s that is under way, since a sync waits for it, and counts it not',
    async (kind, change) => {
      const disk = new SlowDisk();
      const { fileSystem, storage } = watchSyncs(disk.fs, disk.clock);
      await (await fileSystem.open('/a', 'create')).close();
      disk.slow.add(kind);

      const ends = change(fileSystem);
      await settle();
      disk.clock.advance(30);
      const during = storage.oldestSyncMs;
      disk.letGo();
      await ends;

      expect([during, storage.oldestSyncMs]).toEqual([30, 0]);
      expect(counts(storage)).toEqual({ count: 0, total: 0, max: 0 });
    },
  );

  test('one that fails has ended, and fails', async () => {
    const disk = new SlowDisk();
    const { fileSystem, storage } = watchSyncs(disk.fs, disk.clock);
    const handle = await fileSystem.open('/a', 'create');
    disk.slow.add('sync');

    const ends = handle.sync();
    disk.clock.advance(5);
    disk.fail();

    await expect(ends).rejects.toThrow('the disk is gone');
    expect({ ...counts(storage), oldest: storage.oldestSyncMs }).toEqual({ count: 1, total: 5, max: 5, oldest: 0 });
  });

  test('counts those in the turn of the caller', () => {
    const disk = new SlowDisk();
    const { fileSystem, storage } = watchSyncs(disk.fs, disk.clock);
    const handle = fileSystem.openSync('/a', 'create');
    disk.slow.add('sync');

    handle.syncSync();

    expect(counts(storage)).toEqual({ count: 1, total: 7, max: 7 });
  });

  test('hands everything else on as it is', async () => {
    const inner = new MemoryFileSystem();
    const { fileSystem } = watchSyncs(inner, new VirtualClock());
    const read = new Uint8Array(3);

    await fileSystem.makeDirectory('/d');
    const handle = await fileSystem.open('/d/a', 'create');
    await handle.write(Uint8Array.of(1, 2, 3, 4), 0);
    handle.writeSync(Uint8Array.of(9), 1);
    await handle.truncate(3);
    const sizes = [await handle.size(), handle.sizeSync(), await handle.read(read, 1), handle.readSync(read, 0)];
    await handle.close();
    await fileSystem.link('/d/a', '/d/b');
    await fileSystem.rename('/d/b', '/c');
    await fileSystem.unlink('/d/a');

    expect(handle.path).toBe('/d/a');
    expect(sizes).toEqual([3, 3, 2, 3]);
    expect([...read]).toEqual([1, 9, 3]);
    expect(await fileSystem.readFile('/c')).toEqual(Uint8Array.of(1, 9, 3));
    expect(await fileSystem.readDirectory('/d')).toEqual([]);
    expect(await fileSystem.stat('/c')).toEqual(await inner.stat('/c'));
    expect(await fileSystem.diskSpace('/')).toEqual(await inner.diskSpace('/'));
    await fileSystem.removeDirectory('/d');
    expect(await inner.stat('/d')).toBeUndefined();
  });
});

function counts({ syncCount, syncTotalMs, syncMaxMs }: ReturnType<typeof watchSyncs>['storage']): object {
  return { count: syncCount, total: syncTotalMs, max: syncMaxMs };
}
