/** What every RaftStorage keeps to, as one suite. Not every storage survives power loss; every one survives being closed and opened. */

import { equalBytes } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import { EMPTY_CONFIGURATION, EMPTY_HARD_STATE, type Entry } from '../core/types.ts';
import type { StorageBatch } from '../storage/raft-storage.ts';
import { batchOf, describeLog, NO_LIMIT, sampleEntries, sampleEntry, sampleSnapshot, vote } from './storage-samples.ts';
import { describeSnapshotContract } from './storage-snapshot-contract.ts';
import { filled, type StorageWorld } from './storage-world.ts';

export function describeStorageContract(name: string, createWorld: () => StorageWorld): void {
  describe(`${name}: an empty storage`, () => {
    test('has no entries, nobody to remember, and no snapshot', async () => {
      const storage = await createWorld().open();

      const found = [storage.firstIndex, storage.lastIndex, storage.term(0), storage.term(1), storage.snapshot()];

      expect(found).toEqual([1, 0, 0, 'unavailable', 'unavailable']);
      expect(storage.initialState()).toEqual({ hardState: EMPTY_HARD_STATE, configuration: EMPTY_CONFIGURATION });
      await storage.close();
    });

    test('is empty when it is opened again', async () => {
      const world = createWorld();
      await world.open();

      const storage = await world.open();

      expect([storage.firstIndex, storage.lastIndex]).toEqual([1, 0]);
      expect(storage.initialState().hardState).toEqual(EMPTY_HARD_STATE);
      await storage.close();
    });
  });

  describe(`${name}: term and vote`, () => {
    test('are there after a restart, with the commit index', async () => {
      const world = createWorld();
      const storage = await filled(world);
      await storage.write(batchOf({ hardState: vote(5, 3, 7) }));

      const next = await world.open();

      expect(next.initialState().hardState).toEqual(vote(5, 3, 7));
      await next.close();
    });

    test('are those of the last of many batches in flight', async () => {
      const world = createWorld();
      const storage = await world.open();
      await Promise.all([1, 2, 3, 4, 5].map((term) => storage.write(batchOf({ hardState: vote(term, term % 3) }))));

      const next = await world.open();

      expect(next.initialState().hardState).toEqual(vote(5, 2));
      await next.close();
    });

    test('keep the commit index within the log', async () => {
      const world = createWorld();
      const storage = await filled(world);
      await storage.write(batchOf({ hardState: vote(4, 2, 11) }));
      await storage.write(batchOf({ hardState: vote(4, 2, 50) }));

      const next = await world.open();

      expect(next.initialState().hardState.commit).toBe(11);
      await next.close();
    });

    test('do not go back in time', async () => {
      const storage = await createWorld().open();
      await storage.write(batchOf({ hardState: vote(5, 3) }));

      const writes = [vote(4, 3), vote(5, 2)].map((hardState) => () => storage.write(batchOf({ hardState })));

      for (const write of writes) expect(write).toThrow(/goes back|becomes/u);
      await storage.close();
    });
  });

  describe(`${name}: entries`, () => {
    test('can be read as soon as they were handed in', async () => {
      const storage = await filled(createWorld());

      const write = storage.write(batchOf({ entries: sampleEntries(12, 14, 4) }));

      expect(storage.lastIndex).toBe(14);
      expect(storage.entries(12, 15, NO_LIMIT)).toEqual(sampleEntries(12, 14, 4));
      await write;
      await storage.close();
    });

    test('can be read as soon as they were handed in with a new term, behind others', async () => {
      const storage = await filled(createWorld());

      const writes = [
        storage.write(batchOf({ hardState: vote(5), entries: [sampleEntry(12, 5), sampleEntry(13, 5)] })),
        storage.write(batchOf({ entries: [sampleEntry(14, 5)] })),
        storage.write(batchOf({ hardState: vote(6), entries: [sampleEntry(13, 6)] })),
      ];

      expect(describeLog(storage)).toBe('1/1 2/2 3/3 4/4 4/5 4/6 4/7 4/8 4/9 4/10 4/11 5/12 6/13');
      expect([storage.lastIndex, storage.term(12), storage.term(13), storage.term(14)]).toEqual([
        13,
        5,
        6,
        'unavailable',
      ]);
      await Promise.all(writes);
      expect(describeLog(storage)).toBe('1/1 2/2 3/3 4/4 4/5 4/6 4/7 4/8 4/9 4/10 4/11 5/12 6/13');
      await storage.close();
    });

    test('keep kind and data, of any size', async () => {
      const world = createWorld();
      const storage = await world.open();
      const entries: readonly Entry[] = [
        { index: 1, term: 1, kind: 'config', data: new Uint8Array(0) },
        { index: 2, term: 1, kind: 'config-v1', data: Uint8Array.of(7) },
        { index: 3, term: 1, kind: 'normal', data: new Uint8Array(700_000).fill(3) },
      ];
      await storage.write(batchOf({ hardState: vote(1), entries }));

      const next = await world.open();

      const found = next.entries(1, 4, NO_LIMIT);
      const isSame = (entry: Entry, i: number): boolean => {
        const { index, term, kind, data } = entries[i]!;
        return entry.index === index && entry.term === term && entry.kind === kind && equalBytes(entry.data, data);
      };
      expect(typeof found === 'string' ? found : found.map(isSame)).toEqual([true, true, true]);
      await next.close();
    });

    test('are handed out as many as fit, and one at least', async () => {
      const storage = await filled(createWorld());
      const one = 24 + sampleEntry(4, 4).data.length;

      const read = (maxBytes: number): unknown[] => {
        const entries = storage.entries(4, 12, maxBytes);
        return typeof entries === 'string' ? [entries] : entries.map(({ index }) => index);
      };

      expect([read(0), read(one), read(2 * one - 1), read(2 * one)]).toEqual([[4], [4], [4], [4, 5]]);
      await storage.close();
    });

    test('that are not there yet, or not any more, are told apart', async () => {
      const storage = await filled(createWorld());
      await storage.saveSnapshot(sampleSnapshot(5, 4));
      await storage.compact(5);

      const found = [
        storage.entries(5, 7, NO_LIMIT),
        storage.entries(11, 13, NO_LIMIT),
        storage.term(4),
        storage.term(12),
      ];

      expect(found).toEqual(['compacted', 'unavailable', 'compacted', 'unavailable']);
      expect(storage.term(5)).toBe(4);
      await storage.close();
    });

    test('take the place of those from their first index on', async () => {
      const world = createWorld();
      const storage = await filled(world);
      await storage.write(batchOf({ hardState: vote(5), entries: [sampleEntry(4, 5), sampleEntry(5, 5)] }));
      expect(describeLog(storage)).toBe('1/1 2/2 3/3 5/4 5/5');

      const next = await world.open();

      expect(describeLog(next)).toBe('1/1 2/2 3/3 5/4 5/5');
      await next.close();
    });

    test.each([[1], [6], [11], [12]])('may be replaced from index %i on', async (index) => {
      const world = createWorld();
      const storage = await filled(world);
      await storage.write(batchOf({ hardState: vote(9), entries: [sampleEntry(index, 9)] }));

      const next = await world.open();

      expect([next.lastIndex, next.term(index), next.term(index + 1)]).toEqual([index, 9, 'unavailable']);
      await next.close();
    });

    test('that leave a gap, or come before their term, are refused', async () => {
      const storage = await filled(createWorld());
      const attempts = [
        [{ entries: [sampleEntry(13, 4)] }, 'do not follow'],
        [{ entries: [sampleEntry(0, 4)] }, 'do not follow'],
        [{ entries: [sampleEntry(12, 4), sampleEntry(14, 4)] }, 'out of order'],
        [{ hardState: vote(6), entries: [sampleEntry(12, 6), sampleEntry(13, 5)] }, 'out of order'],
        [{ entries: [sampleEntry(12, 3)] }, 'follows one of 4'],
        [{ entries: [sampleEntry(12, 5)] }, 'before that term'],
      ] as const;

      const write = (batch: Partial<StorageBatch>) => (): unknown => storage.write(batchOf(batch));

      for (const [batch, reason] of attempts) expect(write(batch)).toThrow(reason);
      expect(storage.lastIndex).toBe(11);
      await storage.close();
    });
  });

  describe(`${name}: compaction`, () => {
    test.each([[0], [1], [5], [11]])('to %i lets go of what is before, and of nothing else', async (index) => {
      const world = createWorld();
      const storage = await filled(world);
      await storage.saveSnapshot(sampleSnapshot(11, 4));
      await storage.compact(index);
      const known = [storage.firstIndex, storage.lastIndex, storage.term(index)];

      const next = await world.open();

      expect(known).toEqual([index + 1, 11, [0, 1, 2, 3, 4, 4][index] ?? 4]);
      expect(next.firstIndex).toBeLessThanOrEqual(index + 1);
      expect([next.lastIndex, next.term(11)]).toEqual([11, 4]);
      await next.close();
    });

    test('beyond the snapshot is refused', async () => {
      const storage = await filled(createWorld());
      await storage.saveSnapshot(sampleSnapshot(5, 4));

      const compacted = storage.compact(6);

      await expect(compacted).rejects.toThrow('stands for 5');
      await storage.close();
    });

    test('leaves a log that goes on', async () => {
      const world = createWorld();
      const storage = await filled(world);
      await storage.saveSnapshot(sampleSnapshot(11, 4));
      await storage.compact(11);
      await storage.write(batchOf({ entries: [sampleEntry(12, 4)] }));

      const next = await world.open();

      expect([next.lastIndex, next.term(12), next.term(11)]).toEqual([12, 4, 4]);
      await next.close();
    });
  });

  describeSnapshotContract(name, createWorld);

  test(`${name}: takes nothing after it was closed, and is closed once`, async () => {
    const storage = await filled(createWorld());
    await Promise.all([storage.close(), storage.close()]);

    const calls = [
      storage.write(batchOf({ entries: [sampleEntry(12, 4)] })),
      storage.saveSnapshot(sampleSnapshot(5, 4)),
      storage.compact(1),
    ];

    const outcomes = await Promise.allSettled(calls);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { code: 'KAYA_RAFT_STOPPED' } });
  });
}
