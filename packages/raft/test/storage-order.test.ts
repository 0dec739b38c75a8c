/** What waits for what: syncs are held back, and nothing that must come later happens meanwhile. */

import type { FileSystem } from '@kayadb/vfs';
import {
  crashClone,
  FaultyFileSystem,
  InterceptedFileSystem,
  MUTATING_OPERATIONS,
  type Operation,
  TraceFileSystem,
} from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import type { DurableRaftStorage } from '../src/storage/durable-storage.ts';
import { batchOf, describeLog, sampleEntry, sampleSnapshot, vote } from '../src/testing/storage-samples.ts';
import { RaftDirectory } from './raft-directory.ts';

/** Enough for everything that does not wait for a sync to be done. */
const MANY_TURNS = 200;

/** Holds the syncs of some files back from when it is closed until it is opened. */
class SyncGate {
  readonly fs: FileSystem;
  #holds: (path: string) => boolean = () => false;
  #opened: Promise<void> = Promise.resolve();
  #open: () => void = () => undefined;

  constructor(inner: FileSystem) {
    const call = async <T>({ kind, paths }: Operation, run: () => Promise<T>): Promise<T> => {
      if (kind === 'sync' && this.#holds(paths[0]!)) await this.#opened;
      return run();
    };
    this.fs = new InterceptedFileSystem(inner, { call, callSync: (_operation, run) => run() });
  }

  close(holds: (path: string) => boolean): void {
    this.#holds = holds;
    this.#opened = new Promise((resolve) => (this.#open = resolve));
  }

  open(): void {
    this.#holds = () => false;
    this.#open();
  }
}

const isLog = (path: string): boolean => path.includes('.rlog');
const isState = (path: string): boolean => path.endsWith('raft-state');
const isSnapshot = (path: string): boolean => path.includes('raft-snapshot');

interface World {
  readonly directory: RaftDirectory;
  readonly storage: DurableRaftStorage;
  readonly gate: SyncGate;
  readonly faulty: FaultyFileSystem;
  readonly trace: TraceFileSystem;
}

/** With entries 1 and 2 of term 1. */
async function openWorld(): Promise<World> {
  const directory = new RaftDirectory();
  const faulty = new FaultyFileSystem(directory.fs);
  const trace = new TraceFileSystem(faulty, '/raft', MUTATING_OPERATIONS);
  const gate = new SyncGate(trace);
  const storage = await directory.open({ fs: gate.fs });
  await storage.write(batchOf({ hardState: vote(1, 2), entries: [sampleEntry(1, 1), sampleEntry(2, 1)] }));
  await turns();
  trace.takeLines();
  return { directory, storage, gate, faulty, trace };
}

async function turns(count = MANY_TURNS): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve();
}

/** Which of them have resolved. */
function watch(promises: readonly Promise<void>[]): readonly boolean[] {
  const done = promises.map(() => false);
  for (const [i, promise] of promises.entries()) void promise.then(() => (done[i] = true));
  return done;
}

describe('while the log is synced', () => {
  test('those that come share the next sync', async () => {
    const { storage, gate, trace } = await openWorld();
    gate.close(isLog);
    const writes = [storage.write(batchOf({ entries: [sampleEntry(3, 1)] }))];
    for (let index = 4; index < 8; index++) {
      await turns();
      writes.push(storage.write(batchOf({ entries: [sampleEntry(index, 1)] })));
    }
    await turns();

    gate.open();

    await Promise.all(writes);
    expect(trace.takeLines().filter((line) => line.startsWith('sync'))).toHaveLength(2);
    await storage.close();
  });

  test('those that come are refused when it fails', async () => {
    const { storage, gate, faulty } = await openWorld();
    gate.close(isLog);
    faulty.inject({ at: 1, kinds: ['sync'], effect: { kind: 'failed-sync', pages: 'dropped', errno: 'EIO' } });
    const under = storage.write(batchOf({ entries: [sampleEntry(3, 1)] }));
    await turns();
    const behind = storage.write(batchOf({ entries: [sampleEntry(4, 1)] }));

    gate.open();

    const poisoned = { reason: { code: 'KAYA_RAFT_POISONED' } };
    expect(await Promise.allSettled([under, behind])).toMatchObject([poisoned, poisoned]);
    await storage.close();
  });

  test('nothing that comes behind is done, not even what asks nothing of the disk', async () => {
    const { storage, gate } = await openWorld();
    gate.close(isLog);
    const done = watch([
      storage.write(batchOf({ entries: [sampleEntry(3, 1)] })),
      storage.write(batchOf({ hardState: vote(1, 2, 2) })),
    ]);
    await turns();

    const before = [...done];
    gate.open();
    await turns();

    expect([before, done]).toEqual([
      [false, false],
      [true, true],
    ]);
    await storage.close();
  });

  test('nothing that comes behind a vote with entries is done, though it asks nothing of the disk', async () => {
    const { storage, gate } = await openWorld();
    const done = watch([
      storage.write(batchOf({ hardState: vote(2, 1), entries: [sampleEntry(3, 2)] })),
      storage.write(batchOf({ hardState: vote(2, 1, 2) })),
    ]);
    gate.close(isLog);
    await turns();

    const before = [...done];
    gate.open();
    await turns();

    expect([before, done]).toEqual([
      [false, false],
      [true, true],
    ]);
    await storage.close();
  });

  test.each([
    ['a snapshot of this node', (storage: DurableRaftStorage) => storage.saveSnapshot(sampleSnapshot(3, 1))],
    [
      'a snapshot of another',
      (storage: DurableRaftStorage) => storage.write(batchOf({ snapshot: sampleSnapshot(9, 1) })),
    ],
    ['a vote', (storage: DurableRaftStorage) => storage.write(batchOf({ hardState: vote(2, 1) }))],
  ])('%s does not get to the disk', async (_what, call) => {
    const { storage, gate, trace } = await openWorld();
    gate.close(isLog);
    const write = storage.write(batchOf({ entries: [sampleEntry(3, 1)] }));
    const later = call(storage);
    await turns();

    const lines = trace.takeLines().filter((line) => !line.includes('.rlog'));
    gate.open();

    await Promise.all([write, later]);
    expect(lines).toEqual([]);
    await storage.close();
  });

  test.each([0, 1, 2, 3, 4, 5, 6, 7, 8])(
    'no segment goes for what is not durable, when a compaction is under way for %i turns',
    async (turnsBefore) => {
      const directory = new RaftDirectory({ segmentBytes: 200 });
      const gate = new SyncGate(directory.fs);
      const storage = await directory.open({ fs: gate.fs });
      for (const index of [1, 2, 3]) {
        await storage.write(batchOf({ hardState: vote(1, 2), entries: [sampleEntry(index, 1)] }));
      }
      await storage.saveSnapshot(sampleSnapshot(1, 1));
      gate.close(isLog);
      const compacted = storage.compact(1);
      await turns(turnsBefore);
      // Entry 2 is what the first segment is there for, until this takes its place durably.
      const write = storage.write(batchOf({ entries: [sampleEntry(2, 1), sampleEntry(3, 1)] }));
      await turns();

      const names = await directory.names();
      gate.open();

      await Promise.all([write, compacted]);
      expect(names).toContain('000001.rlog');
      await storage.compact(1);
      expect(await directory.names()).not.toContain('000001.rlog');
      await storage.close();
    },
  );
});

describe('while the second slot of a vote is written', () => {
  test('the next vote waits: of one slot, two versions would be under way', async () => {
    const { storage, gate, trace } = await openWorld();
    const first = storage.write(batchOf({ hardState: vote(2, 1) }));
    // The first slot is synced, and the second held.
    let syncs = 0;
    gate.close((path) => isState(path) && ++syncs > 1);
    await first;
    await turns();
    trace.takeLines();
    const second = storage.write(batchOf({ hardState: vote(3, 1) }));
    await turns();

    const lines = trace.takeLines();
    gate.open();

    await second;
    expect(lines).toEqual([]);
    await storage.close();
  });

  test('the next vote does not touch the one in force, where that has no room', async () => {
    const { directory, storage, faulty } = await openWorld();
    const full = { kind: 'short-write', bytes: 10, errno: 'ENOSPC' } as const;
    faulty.inject({ at: 2, kinds: ['write'], matchesPath: isState, effect: full });
    await storage.write(batchOf({ hardState: vote(2, 1) }));
    await turns();
    faulty.inject({ at: 1, kinds: ['write'], matchesPath: isState, effect: { ...full, errno: 'EIO' } });

    const torn = storage.write(batchOf({ hardState: vote(3, 3) }));

    await expect(torn).rejects.toMatchObject({ code: 'KAYA_RAFT_POISONED' });
    const survivor = crashClone(directory.fs, { kind: 'everything' }, () => 0);
    expect(await directory.outcome({ fs: survivor })).toBe('1/1 1/2, term 2, vote 1');
    await storage.close();
  });
});

describe('closing', () => {
  test.each([
    [
      'a snapshot that is being saved',
      isSnapshot,
      (storage: DurableRaftStorage) => storage.saveSnapshot(sampleSnapshot(2, 1)),
    ],
    [
      'the second slot of a vote',
      isState,
      (storage: DurableRaftStorage) => storage.write(batchOf({ hardState: vote(2, 1) })),
    ],
    ['its own last record', isLog, () => Promise.resolve()],
  ])('waits for %s', async (_what, isHeld, call) => {
    const { storage, gate } = await openWorld();
    let syncs = 0;
    gate.close((path) => isHeld(path) && (isHeld !== isState || ++syncs > 1));
    const running = call(storage);
    await turns();
    const closing = storage.close();
    const done = watch([closing]);
    await turns();

    const before = [...done];
    gate.open();

    await Promise.all([running, closing]);
    expect(before).toEqual([false]);
  });

  test('waits for a truncation', async () => {
    const { directory, storage } = await openWorld();
    const write = storage.write(batchOf({ hardState: vote(2), entries: [sampleEntry(2, 2)] }));

    await storage.close();

    await write;
    expect(await directory.outcome()).toBe('1/1 2/2, term 2, vote 0');
  });
});

describe('a compaction', () => {
  test('waits for the snapshot that was handed in before it', async () => {
    const { storage } = await openWorld();
    const write = storage.write(batchOf({ snapshot: sampleSnapshot(40, 1) }));

    await storage.compact(40);

    await write;
    expect([storage.firstIndex, describeLog(storage)]).toEqual([41, 'empty behind 40']);
    await storage.close();
  });

  test('is refused to a snapshot that found no room', async () => {
    const { storage, faulty } = await openWorld();
    faulty.inject({ at: 1, kinds: ['write'], matchesPath: isSnapshot, effect: { kind: 'fail', errno: 'ENOSPC' } });
    await expect(storage.saveSnapshot(sampleSnapshot(2, 1))).rejects.toMatchObject({ code: 'KAYA_DISK_FULL' });

    const compacted = storage.compact(2);

    await expect(compacted).rejects.toThrow('its snapshot stands for 0 entries');
    expect(describeLog(storage)).toBe('1/1 1/2');
    await storage.close();
  });
});
