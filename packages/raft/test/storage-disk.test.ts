/** What a storage asks of the disk, in which order, and what it does when the disk refuses. */

import {
  crashClone,
  FaultyFileSystem,
  InterceptedFileSystem,
  MUTATING_OPERATIONS,
  TraceFileSystem,
} from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import type { DurableRaftStorage } from '../src/storage/durable-storage.ts';
import {
  batchOf,
  describeLog,
  sampleEntries,
  sampleEntry,
  sampleSnapshot,
  vote,
} from '../src/testing/storage-samples.ts';
import { RaftDirectory } from './raft-directory.ts';

const first = batchOf({ hardState: vote(1, 2), entries: [sampleEntry(1, 1)] });

async function append(storage: DurableRaftStorage, from: number, last: number, term = 1): Promise<void> {
  for (const entry of sampleEntries(from, last, term)) await storage.write(batchOf({ entries: [entry] }));
}

async function traced(options = {}): Promise<{
  readonly directory: RaftDirectory;
  readonly storage: DurableRaftStorage;
  readonly trace: TraceFileSystem;
}> {
  const directory = new RaftDirectory(options);
  const trace = new TraceFileSystem(directory.fs, '/raft', MUTATING_OPERATIONS);
  const storage = await directory.open({ fs: trace });
  await storage.write(first);
  trace.takeLines();
  return { directory, storage, trace };
}

async function leaveFree({ fs }: RaftDirectory, bytes: number): Promise<void> {
  const { totalBytes, availableBytes } = await fs.diskSpace('/');
  fs.setCapacity(totalBytes - availableBytes + bytes);
}

describe('a batch', () => {
  test('of entries is one write and one sync', async () => {
    const { storage, trace } = await traced();

    await storage.write(batchOf({ entries: sampleEntries(2, 60, 1) }));

    expect(trace.takeLines().map((line) => line.split(' ')[0])).toEqual(['write', 'sync']);
    await storage.close();
  });

  test('shares its sync with those handed in in the same turn, and with those that come while one is under way', async () => {
    const { storage, trace } = await traced();

    await Promise.all(sampleEntries(2, 9, 1).map((entry) => storage.write(batchOf({ entries: [entry] }))));

    const verbs = trace.takeLines().map((line) => line.split(' ')[0]);
    expect(verbs).toEqual([...Array.from({ length: 8 }, () => 'write'), 'sync']);
    await storage.close();
  });

  test('is written within the turn', async () => {
    const { directory, storage } = await traced();

    const write = storage.write(batchOf({ entries: [sampleEntry(2, 1)] }));

    const survivor = crashClone(directory.fs, { kind: 'everything' }, () => 0);
    expect(await directory.outcome({ fs: survivor })).toBe('1/1 1/2, term 1, vote 2');
    await write;
    await storage.close();
  });

  test('with a new commit index alone asks nothing of the disk', async () => {
    const { storage, trace } = await traced();

    await storage.write(batchOf({ hardState: vote(1, 2, 1) }));

    expect(trace.takeLines()).toEqual([]);
    await storage.close();
  });

  test('with a new term waits for what came before it, and its entries wait for its term', async () => {
    const { storage, trace } = await traced();

    await Promise.all([
      storage.write(batchOf({ entries: [sampleEntry(2, 1)] })),
      storage.write(batchOf({ hardState: vote(2, 3), entries: [sampleEntry(3, 2)] })),
    ]);

    const lines = trace.takeLines().map((line) => line.replace(/ \d+\+\d+$/u, ''));
    const [ownWrite, ownSync] = [lines.indexOf('write next.rlog.tmp'), lines.indexOf('sync next.rlog.tmp')];
    const [voteWrite, voteSync] = [lines.indexOf('write raft-state'), lines.indexOf('sync raft-state')];
    const later = lines.indexOf('write next.rlog.tmp', voteWrite);
    expect([ownWrite < ownSync, ownSync < voteWrite, voteWrite < voteSync, voteSync < later]).toEqual([
      true,
      true,
      true,
      true,
    ]);
    await storage.close();
  });

  test('with a snapshot gives up the log only when the snapshot is durable', async () => {
    const { storage, trace } = await traced();

    await storage.write(batchOf({ hardState: vote(1, 2), snapshot: sampleSnapshot(9, 1) }));

    const lines = trace.takeLines().map((line) => line.replace(/ \d+\+\d+$/u, ''));
    expect(lines).toEqual([
      'unlink raft-snapshot.bin.tmp = ENOENT',
      'create raft-snapshot.bin.tmp',
      'write raft-snapshot.bin.tmp',
      'sync raft-snapshot.bin.tmp',
      'rename raft-snapshot.bin.tmp raft-snapshot.bin',
      'syncdir .',
      'write next.rlog.tmp',
      'sync next.rlog.tmp',
    ]);
    await storage.close();
  });

  test('over the bound is refused, and the storage goes on', async () => {
    const { storage } = await traced();
    const data = new Uint8Array(64 * 1024 * 1024);
    const entries = sampleEntries(2, 6, 1).map((entry) => ({ ...entry, data }));

    const write = storage.write(batchOf({ entries }));

    await expect(write).rejects.toThrow(RangeError);
    await append(storage, 2, 3);
    expect(describeLog(storage)).toBe('1/1 1/2 1/3');
    await storage.close();
  });
});

describe('segments', () => {
  test('are made ahead of need, and blocks of those that are given up are used again', async () => {
    const { directory, storage } = await traced({ segmentBytes: 500 });
    await append(storage, 2, 20);
    await storage.saveSnapshot(sampleSnapshot(18, 1));
    const before = storage.segmentCount;

    await storage.compact(18);

    expect(before).toBeGreaterThan(3);
    expect(storage.segmentCount).toBeLessThan(3);
    expect(await directory.names()).toContain('spare.rlog.tmp');
    await append(storage, 21, 34);
    expect(await directory.names()).not.toContain('spare.rlog.tmp');
    await storage.close();
    expect(await directory.outcome()).toMatch(/1\/19 1\/20 1\/21.* 1\/34, term 1, vote 2$/u);
  });

  test('are given up when a snapshot has taken the place of what is in them', async () => {
    const { storage } = await traced({ segmentBytes: 500 });
    await append(storage, 2, 20);
    await storage.write(batchOf({ hardState: vote(2), snapshot: sampleSnapshot(40, 2) }));
    const before = storage.segmentCount;

    await storage.compact(40);

    expect([before > 3, storage.segmentCount]).toEqual([true, 1]);
    await storage.close();
  });

  test.each([
    [7999, false],
    [8000, true],
  ])('are made ahead of need when %i bytes are free and each takes 4000: %s', async (freeBytes, isMade) => {
    const directory = new RaftDirectory({ segmentBytes: 4000 });
    const fs = new InterceptedFileSystem(directory.fs, {
      async call({ kind }, run) {
        if (kind === 'diskSpace') await leaveFree(directory, freeBytes);
        return await run();
      },
      callSync: (_operation, run) => run(),
    });
    const storage = await directory.open({ fs });
    await storage.write(first);

    // Past the middle of the segment, which is when the next one is made ready.
    await storage.write(batchOf({ entries: [sampleEntry(2, 1, 'x'.repeat(2500))] }));
    await storage.close();

    expect((await directory.names()).includes('next.rlog.tmp')).toBe(isMade);
    directory.fs.setCapacity(undefined);
    expect(await directory.outcome()).toBe('1/1 1/2, term 1, vote 2');
  });

  test.each([
    ['room', 'ENOSPC'],
    ['descriptor', 'EMFILE'],
  ])('go on beyond their size while there is no %s for the next', async (_what, errno) => {
    const directory = new RaftDirectory({ segmentBytes: 2000 });
    const fs = new FaultyFileSystem(directory.fs);
    const storage = await directory.open({ fs });
    await storage.write(first);
    fs.inject({ at: 1, kinds: ['open'], effect: { kind: 'fail', errno }, forever: true });

    await append(storage, 2, 80);

    expect(storage.segmentCount).toBe(1);
    fs.heal();
    await append(storage, 81, 82);
    expect(storage.segmentCount).toBe(2);
    await storage.close();
  });
});

describe('the blocks of a segment', () => {
  test('are given back where it grew past all measure', async () => {
    const { directory, storage } = await traced({ segmentBytes: 500 });
    await storage.write(batchOf({ entries: [sampleEntry(2, 1, 'x'.repeat(2000))] }));
    await append(storage, 3, 4);
    await storage.saveSnapshot(sampleSnapshot(2, 1));

    await storage.compact(2);

    expect(await directory.names()).not.toContain('000001.rlog');
    expect(await directory.names()).not.toContain('spare.rlog.tmp');
    await storage.close();
  });

  test('are given back although somebody read it', async () => {
    const { directory, storage } = await traced({ segmentBytes: 200, cacheBytes: 0 });
    await append(storage, 2, 8);
    await storage.saveSnapshot(sampleSnapshot(8, 1));
    const before = directory.fs.openHandles;
    expect(storage.entries(1, 3, 1000)).toEqual(sampleEntries(1, 2, 1));
    expect(directory.fs.openHandles).toBe(before + 1);

    await storage.compact(8);

    expect(directory.fs.openHandles).toBe(before);
    await storage.close();
  });

  test('of a segment that has no room are given back, and it is made when there is', async () => {
    const { directory, storage } = await traced({ segmentBytes: 4000 });
    await append(storage, 2, 10);
    await leaveFree(directory, 1000);

    await append(storage, 11, 60);

    expect(storage.segmentCount).toBe(2);
    await storage.close();
    expect(directory.fs.openHandles).toBe(0);
    directory.fs.setCapacity(undefined);
    expect(await directory.outcome()).toMatch(/^1\/1 .* 1\/60, term 1, vote 2$/u);
  });

  test.each([
    ['there is no descriptor for it', 'open', 'EMFILE'],
    ['there is no room for its new name', 'rename', 'ENOSPC'],
  ] as const)('are used another time when %s', async (_what, kind, errno) => {
    const directory = new RaftDirectory({ segmentBytes: 500 });
    const fs = new FaultyFileSystem(directory.fs);
    const storage = await directory.open({ fs });
    await storage.write(first);
    await append(storage, 2, 20);
    await storage.saveSnapshot(sampleSnapshot(18, 1));
    await storage.compact(18);
    fs.inject({ at: 1, kinds: [kind], matchesPath: (path) => path.includes('spare'), effect: { kind: 'fail', errno } });

    await append(storage, 21, 60);

    expect(await directory.names()).not.toContain('spare.rlog.tmp');
    await storage.close();
    expect(directory.fs.openHandles).toBe(0);
    expect(await directory.outcome()).toMatch(/1\/19 1\/20 1\/21.* 1\/60, term 1, vote 2$/u);
  });
});

describe('a full disk', () => {
  async function onFaultyDisk(): Promise<{
    readonly directory: RaftDirectory;
    readonly storage: DurableRaftStorage;
    readonly fs: FaultyFileSystem;
  }> {
    const directory = new RaftDirectory();
    const fs = new FaultyFileSystem(directory.fs);
    const storage = await directory.open({ fs });
    await storage.write(first);
    return { directory, storage, fs };
  }

  test.each([[0], [10], [48], [79], [10_000]])(
    'refuses a batch of which it took %i bytes, which is gone for good, and takes it when there is room',
    async (bytes) => {
      const { directory, storage, fs } = await onFaultyDisk();
      fs.inject({ at: 1, kinds: ['write'], effect: { kind: 'short-write', bytes, errno: 'ENOSPC' } });
      const batch = batchOf({ entries: [sampleEntry(2, 1)] });

      const refused = storage.write(batch);

      await expect(refused).rejects.toMatchObject({ code: 'KAYA_DISK_FULL' });
      expect(describeLog(storage)).toBe('1/1');
      const survivors = (['everything', 'nothing-unsynced'] as const).map((kind) =>
        crashClone(directory.fs, { kind }, () => 0),
      );
      for (const survivor of survivors) expect(await directory.outcome({ fs: survivor })).toBe('1/1, term 1, vote 2');
      await storage.write(batch);
      expect(describeLog(storage)).toBe('1/1 1/2');
      await storage.close();
      expect(await directory.outcome()).toBe('1/1 1/2, term 1, vote 2');
    },
  );

  test('refuses those that come behind it too, at once or deferred', async () => {
    const { storage, fs } = await onFaultyDisk();
    const tries = [
      [batchOf({ entries: [sampleEntry(2, 1)] }), batchOf({ entries: [sampleEntry(2, 1)] })],
      [batchOf({ hardState: vote(2), entries: [sampleEntry(2, 2)] }), batchOf({ entries: [sampleEntry(3, 2)] })],
    ] as const;

    for (const batches of tries) {
      fs.inject({
        at: 1,
        kinds: ['write'],
        matchesPath: (path) => path.includes('rlog'),
        effect: { kind: 'fail', errno: 'ENOSPC' },
      });
      const outcomes = await Promise.allSettled(batches.map((batch) => storage.write(batch)));
      expect(outcomes).toMatchObject([{ reason: { code: 'KAYA_DISK_FULL' } }, { reason: { code: 'KAYA_DISK_FULL' } }]);
      expect([storage.lastIndex, describeLog(storage)]).toEqual([1, '1/1']);
    }

    await storage.write(tries[1][0]);
    await storage.write(tries[1][1]);
    expect(describeLog(storage)).toBe('1/1 2/2 2/3');
    await storage.close();
  });

  test.each([[0], [20], [32]])(
    'refuses a vote of which it took %i bytes, and remembers it when there is room',
    async (bytes) => {
      const { directory, storage, fs } = await onFaultyDisk();
      fs.inject({
        at: 1,
        kinds: ['write'],
        matchesPath: (path) => path.endsWith('raft-state'),
        effect: { kind: 'short-write', bytes, errno: 'ENOSPC' },
      });
      const batch = batchOf({ hardState: vote(5, 3) });

      const refused = storage.write(batch);

      await expect(refused).rejects.toMatchObject({ code: 'KAYA_DISK_FULL' });
      await storage.write(batch);
      const survivor = crashClone(directory.fs, { kind: 'nothing-unsynced' }, () => 0);
      expect(await directory.outcome({ fs: survivor })).toBe('1/1, term 5, vote 3');
      await storage.close();
    },
  );

  test('takes no term back that is durable, although its batch was refused', async () => {
    const { directory, storage, fs } = await onFaultyDisk();
    fs.inject({
      at: 1,
      kinds: ['write'],
      matchesPath: (path) => path.includes('rlog'),
      effect: { kind: 'fail', errno: 'ENOSPC' },
    });
    const refused = storage.write(batchOf({ hardState: vote(5, 3), entries: [sampleEntry(2, 5)] }));
    await expect(refused).rejects.toMatchObject({ code: 'KAYA_DISK_FULL' });

    await storage.write(batchOf({ snapshot: sampleSnapshot(9, 1) }));

    await storage.close();
    expect(await directory.outcome()).toBe('empty behind 9, term 5, vote 3');
  });

  test('leaves the snapshot that is there', async () => {
    const { directory, storage, fs } = await onFaultyDisk();
    await storage.saveSnapshot(sampleSnapshot(1, 1));
    fs.inject({ at: 1, kinds: ['write'], effect: { kind: 'fail', errno: 'ENOSPC' } });

    const batch = storage.write(batchOf({ hardState: vote(1, 2), snapshot: sampleSnapshot(9, 1) }));

    await expect(batch).rejects.toMatchObject({ code: 'KAYA_DISK_FULL' });
    expect([storage.snapshot(), storage.lastIndex]).toEqual([sampleSnapshot(1, 1), 1]);
    await storage.close();
    expect(await directory.outcome()).toBe('1/1, term 1, vote 2');
  });

  test('that cannot even take zeros in the place of what it took ends the storage', async () => {
    const { directory, storage, fs } = await onFaultyDisk();
    fs.inject({ at: 1, kinds: ['write'], effect: { kind: 'short-write', bytes: 79, errno: 'ENOSPC' } });
    fs.inject({ at: 2, kinds: ['write'], effect: { kind: 'fail', errno: 'ENOSPC' }, forever: true });

    const write = storage.write(batchOf({ entries: [sampleEntry(2, 1)] }));

    await expect(write).rejects.toMatchObject({ code: 'KAYA_RAFT_POISONED' });
    await storage.close();
    expect(await directory.outcome()).toMatch(/^1\/1( 1\/2)?, term 1, vote 2$/u);
  });
});

describe('a write or a sync that fails', () => {
  test.each([
    ['a write', { at: 1, kinds: ['write'], effect: { kind: 'fail', errno: 'EIO' } }],
    ['a sync', { at: 1, kinds: ['sync'], effect: { kind: 'failed-sync', pages: 'clean', errno: 'EIO' } }],
    ['a sync without room', { at: 1, kinds: ['sync'], effect: { kind: 'fail', errno: 'ENOSPC' } }],
  ] as const)('%s is final: nothing is taken afterwards, and everything can be read', async (_what, fault) => {
    const directory = new RaftDirectory();
    const fs = new FaultyFileSystem(directory.fs);
    const storage = await directory.open({ fs });
    await storage.write(first);
    fs.inject(fault);

    const failure: unknown = await storage
      .write(batchOf({ entries: [sampleEntry(2, 1)] }))
      .catch((error: unknown) => error);

    expect(failure).toMatchObject({ code: 'KAYA_RAFT_POISONED' });
    const later = [
      storage.write(batchOf({ hardState: vote(7, 1) })),
      storage.saveSnapshot(sampleSnapshot(1, 1)),
      storage.compact(0),
    ];
    for (const call of later) await expect(call).rejects.toBe(failure);
    expect(storage.entries(1, 2, 1000)).toEqual([sampleEntry(1, 1)]);
    await storage.close();
  });

  test('of the second slot of term and vote is final too, although nobody waits for it', async () => {
    const directory = new RaftDirectory();
    const fs = new FaultyFileSystem(directory.fs);
    const storage = await directory.open({ fs });
    await storage.write(first);
    const isState = (path: string): boolean => path.endsWith('raft-state');
    fs.inject({ at: 2, kinds: ['sync'], matchesPath: isState, effect: { kind: 'fail', errno: 'EIO' } });
    await storage.write(batchOf({ hardState: vote(2, 3) }));

    const compaction = storage.compact(0);
    await expect(compaction).rejects.toMatchObject({ code: 'KAYA_RAFT_POISONED' });
    const later = storage.write(batchOf({ entries: [sampleEntry(2, 2)] }));

    await expect(later).rejects.toMatchObject({ code: 'KAYA_RAFT_POISONED' });
    await storage.close();
    expect(await directory.outcome()).toBe('1/1, term 2, vote 3');
  });

  // Snapshots and compactions wait for what was handed in before them. When that came to nothing they went on all the same: a snapshot of term 2
  // was on disk, without the term, and the directory was refused as one that has forgotten a vote.
  test('ends what waits for it too: no snapshot is saved and no segment given up', async () => {
    const directory = new RaftDirectory({ segmentBytes: 200 });
    const fs = new FaultyFileSystem(directory.fs);
    const storage = await directory.open({ fs });
    await storage.write(first);
    await append(storage, 2, 9);
    await storage.saveSnapshot(sampleSnapshot(8, 1));
    const names = await directory.names();
    fs.inject({ at: 1, matchesPath: (path) => path.endsWith('raft-state'), effect: { kind: 'fail', errno: 'EIO' } });

    const outcomes = await Promise.allSettled([
      storage.write(batchOf({ hardState: vote(2), entries: [sampleEntry(10, 2)] })),
      storage.saveSnapshot(sampleSnapshot(10, 2)),
      storage.compact(8),
    ]);

    const poisoned = expect.objectContaining({ code: 'KAYA_RAFT_POISONED' });
    expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason)).toEqual([
      poisoned,
      poisoned,
      poisoned,
    ]);
    expect(await directory.names()).toEqual(names);
    await storage.close();
    expect(await directory.outcome()).toBe('1/1 1/2 1/3 1/4 1/5 1/6 1/7 1/8 1/9, term 1, vote 2');
  });

  // Blocks of a file of which a sync had failed were lent to a segment of the next process. Its syncs succeeded, and ext4 had zeros there all the same.
  test('is the end of its file: the next process writes to others', async () => {
    const directory = new RaftDirectory({ segmentBytes: 512 });
    const fs = new FaultyFileSystem(directory.fs);
    const process = await directory.open({ fs });
    await process.write(first);
    fs.inject({ at: 1, effect: { kind: 'failed-sync', pages: 'clean', errno: 'EIO' } });
    const growing = process.write(batchOf({ entries: [sampleEntry(2, 1, 'grows the file'.padEnd(400))] }));
    await expect(growing).rejects.toMatchObject({ code: 'KAYA_RAFT_POISONED' });
    await process.close();
    const trace = new TraceFileSystem(directory.fs, '/raft', MUTATING_OPERATIONS);
    const next = await directory.open({ fs: trace });
    await next.saveSnapshot(sampleSnapshot(1, 1));
    await next.compact(1);

    for (let index = 3; index <= 9; index++) {
      await next.write(batchOf({ entries: [sampleEntry(index, 1, `${index}`.padEnd(150))] }));
    }

    expect(trace.takeLines()).toContain('unlink 000001.rlog');
    const survivor = crashClone(directory.fs, { kind: 'nothing-unsynced' }, () => 0);
    expect(await directory.outcome({ fs: survivor })).toBe('1/2 1/3 1/4 1/5 1/6 1/7 1/8 1/9, term 1, vote 2');
    await next.close();
  });

  test('closing makes durable that all before it was', async () => {
    const directory = new RaftDirectory();
    await directory.build([first], 'closed');

    const survivor = crashClone(directory.fs, { kind: 'nothing-unsynced' }, () => 0);

    expect(await survivor.readFile('/raft/000001.rlog')).toEqual(await directory.read('000001.rlog'));
  });

  test('closing makes no further segment ready', async () => {
    // The record that closing writes passes the half of the segment.
    const directory = new RaftDirectory({ segmentBytes: 440 });
    const storage = await directory.build([first]);

    await storage.close();

    expect(await directory.names()).toEqual(['000001.rlog', 'raft-state']);
  });

  test('closing waits for writes in flight, and for compactions', async () => {
    const directory = new RaftDirectory({ segmentBytes: 300 });
    const storage = await directory.open();
    const writes = [
      storage.write(first),
      ...sampleEntries(2, 9, 1).map((entry) => storage.write(batchOf({ entries: [entry] }))),
    ];
    const saved = storage.saveSnapshot(sampleSnapshot(1, 1));

    await storage.close();

    await Promise.all([...writes, saved]);
    expect(await directory.outcome()).toBe('1/1 1/2 1/3 1/4 1/5 1/6 1/7 1/8 1/9, term 1, vote 2');
    expect(directory.fs.openHandles).toBe(0);
  });
});

describe('opening', () => {
  test('says by file and offset what is damaged when it is written once more', async () => {
    const directory = new RaftDirectory();
    await directory.build([first]);
    const stop = directory.fs.afterEachMutation(({ operation, path }) => {
      if (operation === 'create' && path.endsWith('next.rlog.tmp')) {
        directory.fs.openSync('/raft/000001.rlog', 'write').writeSync(Uint8Array.of(0xff), 96 + 48 + 28);
      }
    });

    const outcome = await directory.outcome();

    stop();
    expect(outcome).toBe('KAYA_RAFT_CORRUPTION 000001.rlog:144');
  });

  test('writes once more what took the place of entries that nobody vouches for either', async () => {
    const directory = new RaftDirectory();
    const storage = await directory.build([first, { entries: sampleEntries(2, 3, 1) }]);
    await Promise.all([
      storage.write(batchOf({ entries: sampleEntries(4, 9, 1) })),
      storage.write(batchOf({ entries: [sampleEntry(2, 1, 'another')] })),
    ]);

    const next = await directory.open();

    const survivor = crashClone(directory.fs, { kind: 'nothing-unsynced' }, () => 0);
    const last = await directory.open({ fs: survivor });
    for (const opened of [next, last]) {
      expect(describeLog(opened)).toBe('1/1 1/2');
      expect(opened.entries(2, 3, 1000)).toEqual([sampleEntry(2, 1, 'another')]);
    }
    await Promise.all([next.close(), last.close()]);
  });

  // Removals may reach the disk in any order. The record that closed the older of two segments is as long as that of a received snapshot in the younger,
  // so with the younger gone the older one ended just where the third began, which did not follow from it.
  test('passes over a segment whose removal came to nothing, although it ends where the one behind the next begins', async () => {
    const directory = new RaftDirectory();
    await directory.build([first, { entries: [sampleEntry(2, 1)] }], 'closed');
    const older = await directory.read('000001.rlog');
    await directory.build([{ hardState: vote(3), snapshot: sampleSnapshot(9, 3) }], 'closed');
    const storage = await directory.open();
    await append(storage, 10, 11, 3);
    await storage.compact(9);
    expect((await directory.names()).filter((name) => name.endsWith('.rlog'))).toEqual(['000003.rlog']);

    await directory.replace('000001.rlog', older);

    expect(await directory.outcome()).toBe('3/10 3/11, term 3, vote 0');
  });

  test('leaves no segment behind that nothing is in', async () => {
    const directory = new RaftDirectory();
    await directory.build([]);

    await directory.open();

    expect(await directory.names()).toEqual(['000002.rlog', 'raft-state']);
  });

  test('makes the name of term and vote durable before that of any segment', async () => {
    const directory = new RaftDirectory();
    const trace = new TraceFileSystem(directory.fs, '/raft', MUTATING_OPERATIONS);

    const storage = await directory.open({ fs: trace });

    const lines = trace.takeLines();
    const named = lines.findIndex((line) => line.startsWith('rename raft-state.tmp'));
    expect(lines.slice(named, named + 2)).toEqual(['rename raft-state.tmp raft-state', 'syncdir .']);
    expect(lines.findIndex((line) => line.includes('rlog'))).toBeGreaterThan(named + 1);
    await storage.close();
  });
});

describe('pins', () => {
  test('keep a snapshot in use until they are released, whatever replaces it', async () => {
    const directory = new RaftDirectory();
    const storage = await directory.build([first, { entries: sampleEntries(2, 9, 1) }]);
    const none = storage.pinSnapshot();
    await storage.saveSnapshot(sampleSnapshot(3, 1));
    const [pin, other] = [storage.pinSnapshot()!, storage.pinSnapshot()!];
    await storage.saveSnapshot(sampleSnapshot(5, 1));
    await storage.saveSnapshot(sampleSnapshot(7, 1));

    const inUse = (): readonly number[] => storage.snapshotsInUse.map(({ meta }) => meta.index);

    expect([none, pin.snapshot.meta.index, inUse()]).toEqual([undefined, 3, [3, 7]]);
    pin.release();
    pin.release();
    expect(inUse()).toEqual([3, 7]);
    other.release();
    expect(inUse()).toEqual([7]);
    await storage.close();
  });
});
