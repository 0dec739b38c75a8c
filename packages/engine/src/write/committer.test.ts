import { VirtualClock } from '@kayadb/testkit';
import { FileSystemError } from '@kayadb/vfs';
import { MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { Counters } from '../counters.ts';
import { WriteBatch } from '../key/write-batch.ts';
import { MemtableList } from '../memtable/memtable-list.ts';
import { DiskGuard } from '../space/disk-guard.ts';
import { ReserveFile } from '../space/reserve-file.ts';
import type { Durability } from '../types.ts';
import { ExternalLog } from '../wal/external-log.ts';
import type { CommitGroup, WriteLog } from '../wal/write-log.ts';
import { Committer } from './committer.ts';
import { IntervalSync } from './interval-sync.ts';
import { Poison } from './poison.ts';
import type { PendingWrite } from './queued-write.ts';
import { Throttle } from './throttle.ts';
import { writeLimits } from './write-stall.ts';

/** A log that writes down what it is asked for. */
class ScriptedLog implements WriteLog {
  readonly calls: string[] = [];
  fileNumber = 1;
  endLsn = 0;
  durableLsn = 0;
  failure: Error | undefined;

  append({ firstSequence, count }: CommitGroup): number {
    this.#call(`append ${firstSequence}+${count}`);
    this.endLsn += 10;
    return this.endLsn;
  }

  async sync(): Promise<void> {
    this.#call('sync');
    this.durableLsn = this.endLsn;
  }

  async prepare(): Promise<void> {
    this.#call('prepare');
  }

  async rotate(): Promise<number> {
    this.#call('rotate');
    return ++this.fileNumber;
  }

  async release(): Promise<void> {}
  async close(): Promise<void> {}

  #call(what: string): void {
    this.calls.push(what);
    if (this.failure !== undefined) throw this.failure;
  }
}

interface World<Log extends WriteLog> {
  readonly wal: Log;
  readonly memtables: MemtableList;
  readonly poison: Poison;
  readonly clock: VirtualClock;
  readonly committer: Committer;
}

function unwatchedDisk(clock: VirtualClock): DiskGuard {
  const fileSystem = new MemoryFileSystem();
  const reserve = {
    fileSystem,
    directory: '/',
    reserveBytes: 0,
    randomBytes: (count: number) => new Uint8Array(count),
  };
  return new DiskGuard({
    limits: { lowBytes: 0, reserveBytes: 0 },
    directory: '/',
    reserve: new ReserveFile(reserve),
    diskSpace: () => fileSystem.diskSpace('/'),
    clock,
    mayRefuse: true,
    mayWrite: () => true,
    onEvent: () => undefined,
  });
}

function openCommitter<Log extends WriteLog>(wal: Log): World<Log> {
  const clock = new VirtualClock();
  const counters = new Counters(clock);
  const memtables = new MemtableList(1);
  const poison = new Poison(() => undefined);
  const committer = new Committer({
    wal,
    memtables,
    poison,
    intervalSync: new IntervalSync(clock, 100, () => wal.sync()),
    throttle: new Throttle({
      clock,
      yieldTurn: async () => undefined,
      pressure: () => ({ frozenMemtables: 0, activeShare: 0, level0Tables: 0, debtBytes: 0 }),
      limits: writeLimits({ level0Tables: 4, level1Bytes: 1000 }),
      counters,
      onEvent: () => undefined,
    }),
    space: unwatchedDisk(clock),
    counters,
    lastSequence: 0,
    memtableBytes: 1000,
    decideStall: () => undefined,
    waitOut: async () => undefined,
    onFrozen: () => undefined,
  });
  return { wal, memtables, poison, clock, committer };
}

function put(key: string, bytes: number, durability: Durability = 'relaxed', appliedIndex?: number): PendingWrite {
  const batch = new WriteBatch().put(key, 'v'.repeat(bytes));
  return { payload: batch.bytes, count: 1, durability, appliedIndex };
}

describe('Committer', () => {
  test('commits a group that asks for no sync within the turn, as one record', () => {
    const { committer, wal, memtables } = openCommitter(new ScriptedLog());
    const group = [put('a', 1), put('b', 1)];

    const waits = committer.append(group);
    const results = group.map((write) => committer.apply(write));

    expect(waits).toBeUndefined();
    expect(wal.calls).toEqual(['append 1+2']);
    expect(results).toEqual([
      { sequence: 1, lsn: 10, durable: false },
      { sequence: 2, lsn: 10, durable: false },
    ]);
    expect(memtables.active.entryCount).toBe(2);
  });

  test('syncs once for a group when one writer asks, and not again for what is durable', async () => {
    const { committer, wal } = openCommitter(new ScriptedLog());
    const group = [put('a', 1), put('b', 1, 'strict')];

    await committer.append(group);
    const results = group.map((write) => committer.apply(write));
    const nothing = { payload: new Uint8Array(), count: 0, durability: 'strict' } as const;
    const waits = committer.append([nothing]);

    expect(results.map(({ durable }) => durable)).toEqual([true, true]);
    expect(waits).toBeUndefined();
    expect(committer.apply(nothing)).toEqual({ sequence: 2, lsn: 10, durable: true });
    expect(wal.calls).toEqual(['append 1+2', 'sync']);
  });

  test('asks for a sync within the interval when that is the strictest wish', async () => {
    const { committer, wal, clock } = openCommitter(new ScriptedLog());

    void committer.append([put('a', 1, 'interval'), put('b', 1)]);
    await clock.advanceAsync(100);

    expect(wal.calls).toEqual(['append 1+2', 'sync']);
  });

  test('prepares the next segment once, when the memtable is half full, and freezes it when it is full', async () => {
    const { committer, wal, memtables } = openCommitter(new ScriptedLog());

    for (let i = 0; i < 9; i++) {
      await committer.makeRoom();
      const write = put(`k${i}`, 130);
      void committer.append([write]);
      committer.apply(write);
    }

    const calls = wal.calls.filter((call) => !call.startsWith('append'));
    expect(calls).toEqual(['prepare', 'rotate']);
    expect(wal.calls.indexOf('prepare')).toBe(4);
    expect(wal.calls.indexOf('rotate')).toBe(9);
    expect(memtables.frozenCount).toBe(1);
  });

  test('leaves a failed preparation to the rotation', async () => {
    const { committer, wal, poison } = openCommitter(new ScriptedLog());
    const write = put('a', 600);
    void committer.append([write]);
    committer.apply(write);
    wal.failure = new FileSystemError('EIO', 'sync', '/db/2.wal');

    const room = committer.makeRoom();

    expect([room, poison.cause]).toEqual([undefined, undefined]);
    await expect(committer.freeze()).rejects.toMatchObject({ code: 'KAYA_ENGINE_POISONED' });
  });

  test('passes a full disk on and takes the next group in its place', () => {
    const { committer, wal, poison } = openCommitter(new ScriptedLog());
    wal.failure = new FileSystemError('ENOSPC', 'write', '/db/1.wal');

    expect(() => committer.append([put('a', 1)])).toThrow('ENOSPC');

    wal.failure = undefined;
    void committer.append([put('b', 1)]);
    expect(wal.calls).toEqual(['append 1+1', 'append 1+1']);
    expect(poison.cause).toBeUndefined();
  });

  test('takes no more writes when the log has a group that memory could not take', () => {
    const { committer, poison, memtables } = openCommitter(new ScriptedLog());
    const group = [put('a', 1), put('b', 1)];
    void committer.append(group);
    memtables.active.freeze();

    for (const write of group) expect(() => committer.apply(write)).toThrow('takes no more writes');

    expect(poison.cause).toBeDefined();
    expect(committer.lastSequence).toBe(0);
    expect(() => committer.append([put('c', 1)])).toThrow('takes no more writes');
  });
});

describe('Committer with an external log', () => {
  test('notes where that log holds a write, makes nothing durable and never changes segments', async () => {
    const { committer, memtables } = openCommitter(new ExternalLog());
    const group = [put('a', 1, 'relaxed', 7), put('b', 1, 'relaxed', 9)];

    void committer.append(group);
    const results = group.map((write) => committer.apply(write));
    const { active } = memtables;
    await committer.freeze();

    expect(results.map(({ sequence, durable }) => [sequence, durable])).toEqual([
      [1, false],
      [2, false],
    ]);
    expect(active.appliedIndex).toBe(9);
    expect(memtables.segmentAfterOldest()).toBe(0);
  });
});
