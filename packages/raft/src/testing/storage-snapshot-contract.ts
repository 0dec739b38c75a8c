/** What every RaftStorage keeps to with snapshots: a part of the suite in storage-contract.ts. */

import { describe, expect, test } from 'vitest';

import { MAX_SNAPSHOT_DATA_BYTES } from '../core/types.ts';
import type { StorageBatch } from '../storage/raft-storage.ts';
import { batchOf, describeLog, NO_LIMIT, sampleEntries, sampleEntry, sampleSnapshot, vote } from './storage-samples.ts';
import { filled, type StorageWorld } from './storage-world.ts';

export function describeSnapshotContract(name: string, createWorld: () => StorageWorld): void {
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

    test('that was received after another is the one that is there, from when it was handed in', async () => {
      const storage = await filled(createWorld());

      const writes = [20, 30].map((index) => storage.write(batchOf({ snapshot: sampleSnapshot(index, 4) })));

      expect([storage.snapshot(), storage.firstIndex, storage.lastIndex]).toEqual([sampleSnapshot(30, 4), 31, 30]);
      await Promise.all(writes);
      expect([storage.snapshot(), storage.firstIndex, storage.lastIndex]).toEqual([sampleSnapshot(30, 4), 31, 30]);
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
}
