/** What every RaftStorage keeps to, as one suite. Not every storage survives power loss; every one survives being closed and opened. */

import { equalBytes } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import { EMPTY_CONFIGURATION, EMPTY_HARD_STATE, type Entry, MAX_SNAPSHOT_DATA_BYTES } from '../core/types.ts';
import type { RaftStorage, StorageBatch } from '../storage/raft-storage.ts';
import { batchOf, describeLog, NO_LIMIT, sampleEntries, sampleEntry, sampleSnapshot, vote } from './storage-samples.ts';

/** One storage and its successors, each opened when the one before is closed. */
export interface StorageWorld {
  /** The first storage, empty; then, each time, what the one before has left, which it closes. */
  open(): Promise<RaftStorage>;
}

/** A log of entries 1 to 11: terms 1 to 3 for 1, 2 and 3, then term 4. */
async function filled(world: StorageWorld): Promise<RaftStorage> {
  const storage = await world.open();
  const entries = [sampleEntry(1, 1), sampleEntry(2, 2), sampleEntry(3, 3), ...sampleEntries(4, 11, 4)];
  await storage.write(batchOf({ hardState: vote(4, 2), entries }));
  return storage;
}

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

  describe(`${name}: a snapshot`, () => {
    test('that was saved is there, with its configuration, and the log stays', async () => {
      const world = createWorld();
      const storage = await filled(world);
      const configuration = { votersOutgoing: [2, 3, 9], learners: [4], learnersNext: [9], autoLeave: true };
      const snapshot = sampleSnapshot(5, 4, configuration);
      await storage.saveSnapshot(snapshot);
      expect([storage.snapshot(), storage.firstIndex]).toEqual([snapshot, 1]);

      const next = await world.open();

      expect(next.snapshot()).toEqual(snapshot);
      expect(next.initialState()).toEqual({ hardState: vote(4, 2, 5), configuration: snapshot.meta.configuration });
      expect(next.lastIndex).toBe(11);
      await next.close();
    });

    test('does not take the place of a newer one', async () => {
      const storage = await filled(createWorld());
      await Promise.all([storage.saveSnapshot(sampleSnapshot(9, 4)), storage.saveSnapshot(sampleSnapshot(5, 4))]);

      const newest = storage.snapshot();

      expect(newest).toEqual(sampleSnapshot(9, 4));
      await storage.close();
    });

    test('that was received takes the place of a log that is behind it', async () => {
      const world = createWorld();
      const storage = await filled(world);
      const write = storage.write(batchOf({ hardState: vote(7, 0, 20), snapshot: sampleSnapshot(20, 6) }));
      expect([storage.firstIndex, storage.lastIndex, storage.term(20), storage.term(19)]).toEqual([
        21,
        20,
        6,
        'compacted',
      ]);
      expect(storage.snapshot()).toEqual(sampleSnapshot(20, 6));
      await write;

      const next = await world.open();

      expect([next.firstIndex, next.lastIndex, next.term(20)]).toEqual([21, 20, 6]);
      expect(next.initialState().hardState).toEqual(vote(7, 0, 20));
      await next.close();
    });

    test('that was received takes the place of a log that is another', async () => {
      const world = createWorld();
      const storage = await filled(world);
      await storage.write(batchOf({ hardState: vote(7), snapshot: sampleSnapshot(8, 6) }));

      const next = await world.open();

      expect([next.firstIndex, next.lastIndex, next.term(8)]).toEqual([9, 8, 6]);
      await next.close();
    });

    test('that was received leaves what comes behind it in the log', async () => {
      const world = createWorld();
      const storage = await filled(world);
      await storage.write(batchOf({ snapshot: sampleSnapshot(8, 4) }));
      expect([storage.firstIndex, storage.lastIndex, storage.term(8)]).toEqual([9, 11, 4]);

      const next = await world.open();

      expect([next.lastIndex, next.term(8), next.term(11)]).toEqual([11, 4, 4]);
      await next.close();
    });

    test('may come with entries behind what it leaves in the log', async () => {
      const world = createWorld();
      const storage = await filled(world);
      await storage.write(batchOf({ snapshot: sampleSnapshot(9, 4), entries: [sampleEntry(11, 4, 'another')] }));

      const found = [storage.firstIndex, describeLog(storage)];

      expect(found).toEqual([10, '4/10 4/11']);
      const next = await world.open();
      expect([next.lastIndex, next.term(9), next.entries(11, 12, NO_LIMIT)]).toEqual([
        11,
        4,
        [sampleEntry(11, 4, 'another')],
      ]);
      await next.close();
    });

    test('may come with entries behind it', async () => {
      const world = createWorld();
      const storage = await filled(world);
      const entries = sampleEntries(21, 23, 6);
      await storage.write(batchOf({ hardState: vote(6), snapshot: sampleSnapshot(20, 6), entries }));
      await storage.write(batchOf({ entries: [sampleEntry(24, 6)] }));
      expect(describeLog(storage)).toBe('6/21 6/22 6/23 6/24');

      const next = await world.open();

      expect(describeLog(next)).toBe('6/21 6/22 6/23 6/24');
      await next.close();
    });

    test('is refused when it comes before its term, lies before the log, or leaves a gap to its entries', async () => {
      const storage = await filled(createWorld());
      await storage.saveSnapshot(sampleSnapshot(5, 4));
      await storage.compact(5);
      const attempts = [
        [{ snapshot: sampleSnapshot(20, 5) }, 'before that term'],
        [{ snapshot: sampleSnapshot(4, 4) }, 'a log that begins at 6'],
        [{ snapshot: sampleSnapshot(20, 4), entries: [sampleEntry(22, 4)] }, 'do not follow'],
        // Nothing of the log stays behind a snapshot whose last entry it does not have.
        [{ hardState: vote(5), snapshot: sampleSnapshot(8, 5), entries: [sampleEntry(10, 5)] }, 'do not follow'],
        [{ hardState: vote(5), snapshot: sampleSnapshot(20, 5), entries: [sampleEntry(21, 4)] }, 'follows one of 5'],
      ] as const;

      const write = (batch: Partial<StorageBatch>) => (): unknown => storage.write(batchOf(batch));

      for (const [batch, reason] of attempts) expect(write(batch)).toThrow(reason);
      expect([storage.lastIndex, storage.snapshot()]).toEqual([11, sampleSnapshot(5, 4)]);
      await storage.close();
    });

    test('whose data are more than a message may carry is refused, and the one before stays', async () => {
      const storage = await filled(createWorld());
      await storage.saveSnapshot(sampleSnapshot(5, 4));
      const snapshot = { ...sampleSnapshot(9, 4), data: new Uint8Array(MAX_SNAPSHOT_DATA_BYTES + 1) };

      const saved = storage.saveSnapshot(snapshot);

      await expect(saved).rejects.toThrow(RangeError);
      expect(storage.snapshot()).toEqual(sampleSnapshot(5, 4));
      await storage.write(batchOf({ entries: [sampleEntry(12, 4)] }));
      await storage.close();
    });

    test('of a configuration alone begins a group', async () => {
      const world = createWorld();
      const storage = await world.open();
      await storage.write(batchOf({ snapshot: sampleSnapshot(0, 0) }));

      const next = await world.open();

      expect(next.initialState().configuration.voters).toEqual([1, 2, 3]);
      expect([next.firstIndex, next.lastIndex, next.term(0)]).toEqual([1, 0, 0]);
      await next.close();
    });
  });

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
