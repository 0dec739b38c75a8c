import { FaultyFileSystem, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { sampleEntry } from '../testing/storage-samples.ts';
import { encodeFileHeader, fileSeed, RAFT_HEADER_BYTES, SEGMENT_MAGIC } from './file-header.ts';
import { SegmentFile } from './segment-file.ts';
import { APPEND_RECORD, ENTRY_HEADER_BYTES, RECORD_HEADER_BYTES } from './segment-format.ts';

const PATH = '/000001.rlog';
const START_LSN = 5000;
const SEGMENT_BYTES = 100_000;
const HEADER = encodeFileHeader(
  SEGMENT_MAGIC,
  { clusterId: new Uint8Array(16), nodeId: 1, incarnation: 1 },
  { segment: 1, startLsn: START_LSN, firstIndex: 1, previousTerm: 0 },
);

interface World {
  readonly disk: MemoryFileSystem;
  readonly fs: FaultyFileSystem;
  readonly file: SegmentFile;
  /** How long the file is. */
  readonly size: () => Promise<number>;
}

async function openWorld(): Promise<World> {
  const disk = new MemoryFileSystem();
  const fs = new FaultyFileSystem(disk);
  const handle = await fs.open(PATH, 'create');
  await handle.write(HEADER, 0);
  await handle.sync();
  const start = { segment: 1, startLsn: START_LSN, seed: fileSeed(HEADER), segmentBytes: SEGMENT_BYTES };
  const file = new SegmentFile(handle, { ...start, usedBytes: RAFT_HEADER_BYTES, fileBytes: RAFT_HEADER_BYTES });
  return { disk, fs, file, size: async () => (await disk.stat(PATH))!.bytes };
}

/** Appends a record of so many bytes, a multiple of 8. */
function append(file: SegmentFile, index: number, bytes: number): void {
  const text = '.'.repeat(bytes - RECORD_HEADER_BYTES - ENTRY_HEADER_BYTES);
  const fields = { kind: APPEND_RECORD, firstIndex: index, previousTerm: 1, commit: 0 };
  file.append(fields, [sampleEntry(index, 1, text)]);
}

describe('a segment file', () => {
  test('has durable what was appended before a sync began, and nothing more', async () => {
    const { file } = await openWorld();
    append(file, 1, 800);
    const sync = file.sync();
    append(file, 2, 800);

    await sync;

    expect([file.durableLsn, file.endLsn]).toEqual([START_LSN + 800, START_LSN + 1600]);
  });

  test.each([
    ['write', { kind: 'short-write', bytes: 20, errno: 'EIO' }],
    ['sync', { kind: 'failed-sync', pages: 'clean', errno: 'EIO' }],
    ['sync', { kind: 'fail', errno: 'ENOSPC' }],
  ] as const)(
    'takes nothing after a failed %s of unknown outcome: a later success proves nothing',
    async (kind, effect) => {
      const { fs, file } = await openWorld();
      append(file, 1, 800);
      await file.sync();
      fs.inject({ at: 1, kinds: [kind], effect });
      const failed = async (): Promise<void> => {
        append(file, 2, 800);
        await file.sync();
      };
      const failure: unknown = await failed().catch((error: unknown) => error);

      const later = [async () => append(file, 3, 800), () => file.sync()];

      expect(failure).toMatchObject({ code: 'KAYA_RAFT_POISONED' });
      for (const call of later) await expect(call()).rejects.toBe(failure);
      expect(file.durableLsn).toBe(START_LSN + 800);
    },
  );

  test('of two syncs in flight takes no success from the second when the first failed', async () => {
    const { fs, file } = await openWorld();
    append(file, 1, 800);
    fs.inject({ at: 1, kinds: ['sync'], effect: { kind: 'failed-sync', pages: 'clean', errno: 'EIO' } });

    const outcomes = await Promise.allSettled([file.sync(), file.sync()]);

    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(file.durableLsn).toBe(START_LSN);
  });
});

describe('zeros ahead of the end of a segment file', () => {
  test('come with a sync that has to journal its size anyway, and last for many', async () => {
    const { fs, file, size } = await openWorld();
    const sizes: number[] = [];
    const calls = fs.countOf(['write']);

    for (let index = 1; index <= 25; index++) {
      append(file, index, 1000);
      await file.sync();
      sizes.push(await size());
    }

    expect([...new Set(sizes)]).toEqual([20_480, 45_056]);
    expect(fs.countOf(['write']) - calls).toBe(27);
  });

  test('end where the segment does', async () => {
    const { file, size } = await openWorld();

    for (let index = 1; file.usedBytes < SEGMENT_BYTES; index++) {
      append(file, index, 4000);
      await file.sync();
    }

    expect(await size()).toBe(file.usedBytes);
  });

  test('do not come where a batch grows the file by more than they are worth', async () => {
    const { file, size } = await openWorld();
    append(file, 1, 60_000);

    await file.sync();

    expect(await size()).toBe(file.usedBytes);
  });

  test.each([[0], [5000]])('are done without on a disk that has room for %i bytes of them', async (room) => {
    const { disk, file, size } = await openWorld();
    append(file, 1, 1000);
    disk.setCapacity(file.usedBytes + room);

    await file.sync();

    expect([file.durableLsn, await size()]).toEqual([file.endLsn, file.usedBytes + room]);
    disk.setCapacity(undefined);
    append(file, 2, 1000);
    await file.sync();
    expect(file.durableLsn).toBe(file.endLsn);
  });

  test('that fail with an unknown outcome are final', async () => {
    const { fs, file } = await openWorld();
    append(file, 1, 1000);
    fs.inject({ at: 1, kinds: ['write'], effect: { kind: 'fail', errno: 'EIO' } });

    await expect(file.sync()).rejects.toMatchObject({ code: 'KAYA_RAFT_POISONED' });

    expect(() => append(file, 2, 1000)).toThrow('nobody knows what is on disk');
    expect(file.durableLsn).toBe(START_LSN);
  });
});
