import { encodeUtf8 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import { describeVerdict, LogDisk, type RecordSpec, STORE_ID } from '../../test/support/log-disk.ts';
import { CorruptionError } from '../errors.ts';
import { decodeOperations, WriteBatch } from '../key/write-batch.ts';
import { inspectWal, replayWal, type WalReplayOptions } from './wal-replay.ts';

/** A group that puts each of `keys`. */
function puts(...keys: readonly string[]): RecordSpec {
  const batch = new WriteBatch();
  for (const key of keys) batch.put(key, '');
  return { payload: batch.bytes, count: batch.count };
}

function optionsFor(disk: LogDisk, change: Partial<WalReplayOptions> = {}): WalReplayOptions {
  const segments = disk.files.map(({ fileNumber }) => fileNumber);
  return { fs: disk.fs, directory: '', storeId: STORE_ID, segments, oldestSegment: 1, flushedSequence: 0, ...change };
}

/** Each group as `sequence:key sequence:key`. */
async function replayText(
  disk: LogDisk,
  change: Partial<WalReplayOptions> = {},
): Promise<{ readonly groups: readonly string[]; readonly lastSequence: number; readonly endLsn: number }> {
  const groups: string[] = [];
  const { lastSequence, endLsn } = await replayWal(optionsFor(disk, change), ({ payload, firstSequence, count }) => {
    const words: string[] = [];
    decodeOperations(payload, firstSequence, ({ key, sequence }) =>
      words.push(`${sequence}:${Buffer.from(key).toString()}`),
    );
    expect(words).toHaveLength(count);
    groups.push(words.join(' '));
  });
  return { groups, lastSequence, endLsn };
}

describe('replayWal', () => {
  test('hands out the groups of all segments in order', async () => {
    const disk = await LogDisk.build([puts('a', 'b'), puts('c')], [], [puts('d')]);

    const replayed = await replayText(disk);

    expect(replayed).toEqual({
      groups: ['1:a 2:b', '3:c', '4:d'],
      lastSequence: 4,
      endLsn: disk.records.at(-1)!.endLsn,
    });
  });

  test('takes segments in the order of their numbers, and none below the oldest needed', async () => {
    const disk = await LogDisk.build([puts('a')], [puts('b')], [puts('c')]);
    await disk.flip('000001.wal', 0);

    const replayed = await replayText(disk, { segments: [3, 1, 2], oldestSegment: 2, flushedSequence: 1 });

    expect(replayed.groups).toEqual(['2:b', '3:c']);
  });

  test.each([
    [1, ['2:b 3:c', '4:d']],
    [2, ['3:c', '4:d']],
    [3, ['4:d']],
    [4, []],
    [9, []],
  ])('skips what tables hold up to sequence %i, inside groups too', async (flushedSequence, groups) => {
    const disk = await LogDisk.build([puts('a'), puts('b', 'c'), puts('d')]);

    const replayed = await replayText(disk, { flushedSequence });

    expect(replayed.groups).toEqual(groups);
    expect(replayed.lastSequence).toBe(Math.max(4, flushedSequence));
  });

  test('waits for the visitor before it goes on', async () => {
    const disk = await LogDisk.build([puts('a'), puts('b')]);
    const events: string[] = [];

    await replayWal(optionsFor(disk), async ({ firstSequence }) => {
      events.push(`begin ${firstSequence}`);
      await Promise.resolve();
      events.push(`end ${firstSequence}`);
    });

    expect(events).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2']);
  });

  test('drops a torn tail and says where the log goes on', async () => {
    const disk = await LogDisk.build([puts('a'), puts('b')]);
    await disk.flip('000001.wal', disk.records[1]!.offset + 40);

    const replayed = await replayText(disk);

    expect(replayed).toEqual({ groups: ['1:a'], lastSequence: 1, endLsn: disk.records[1]!.lsn });
  });

  test('refuses a log that begins after what tables hold', async () => {
    const disk = await LogDisk.build([{ ...puts('f'), firstOrdinal: 6 }]);

    const replaying = replayText(disk, { flushedSequence: 4 });

    await expect(replaying).rejects.toThrow('the log begins at number 6, and 5 is missing');
  });

  test('refuses when the oldest segment needed is missing', async () => {
    const disk = await LogDisk.build([puts('a')], [puts('b')]);
    await disk.remove('000001.wal');

    const replaying = replayText(disk);

    await expect(replaying).rejects.toThrow(CorruptionError);
    await expect(replaying).rejects.toMatchObject({ file: '000001.wal', offset: 0 });
  });

  test.each([
    ['fewer operations than it counts', { ...puts('a', 'b'), count: 3 }],
    ['more operations than it counts', { ...puts('a', 'b'), count: 1 }],
    ['bytes that are no operation', { payload: encodeUtf8('nonsense') }],
  ])('refuses a group with %s, at its record', async (_, record) => {
    const disk = await LogDisk.build([puts('x'), record]);

    const replaying = replayText(disk);

    await expect(replaying).rejects.toMatchObject({ file: '000001.wal', offset: disk.records[1]!.offset });
  });

  test('passes on what the visitor throws', async () => {
    const disk = await LogDisk.build([puts('a')]);

    const replaying = replayWal(optionsFor(disk), () => {
      throw new TypeError('mine');
    });

    await expect(replaying).rejects.toThrow(TypeError);
  });
});

describe('after a clean close', () => {
  const groups = [puts('a'), puts('b')];

  async function closed(): Promise<{
    readonly disk: LogDisk;
    readonly cleanClose: NonNullable<WalReplayOptions['cleanClose']>;
  }> {
    const disk = await LogDisk.build(groups);
    return { disk, cleanClose: { segment: 1, endLsn: disk.records[1]!.endLsn, lastSequence: 2 } };
  }

  test('the log must end where it did', async () => {
    const { disk, cleanClose } = await closed();

    const replayed = await replayText(disk, { cleanClose, flushedSequence: 2 });

    expect(replayed.groups).toEqual([]);
  });

  test('damage to the very last record is told from a torn write', async () => {
    const { disk, cleanClose } = await closed();
    await disk.flip('000001.wal', disk.records[1]!.offset);

    const outcomes = [
      await inspectWal(optionsFor(disk), () => undefined),
      await inspectWal(optionsFor(disk, { cleanClose, flushedSequence: 2 }), () => undefined),
    ];

    expect(outcomes.map(describeVerdict)).toEqual([
      expect.stringMatching(/^torn/),
      expect.stringMatching(new RegExp(`^refused 000001\\.wal:${disk.records[1]!.offset}: .*the store was closed`)),
    ]);
  });

  test.each([
    ['an earlier end', { endLsn: 8 }],
    ['a later end', { endLsn: 800 }],
    ['another last sequence', { lastSequence: 3 }],
    ['a segment that is missing', { segment: 4 }],
  ])('%s is refused', async (_, change) => {
    const { disk, cleanClose } = await closed();

    const replaying = replayText(disk, { cleanClose: { ...cleanClose, ...change } });

    await expect(replaying).rejects.toThrow(CorruptionError);
  });

  test('empty segments of openings that were cut short do no harm', async () => {
    const { disk, cleanClose } = await closed();
    await disk.addSegment([]);
    await disk.addSegment([]);
    await disk.replace('000003.wal', new Uint8Array(10));

    const replayed = await replayText(disk, { cleanClose });

    expect(replayed.endLsn).toBe(cleanClose.endLsn);
  });

  test('rests of an undone write do no harm', async () => {
    const { disk, cleanClose } = await closed();
    await disk.patch('000001.wal', disk.records[1]!.endOffset + 100, Uint8Array.of(1, 2, 3));

    const replayed = await replayText(disk, { cleanClose });

    expect(replayed.endLsn).toBe(cleanClose.endLsn);
  });
});

test('inspectWal reports damage instead of throwing it', async () => {
  const disk = await LogDisk.build([puts('a')], [{ ...puts('b'), durable: 48 }]);
  await disk.flip('000001.wal', 70);

  const outcome = await inspectWal(optionsFor(disk), () => undefined);

  expect(outcome).toMatchObject({ verdict: { kind: 'refused' }, lastSequence: 0 });
  expect(outcome.files.map(({ state }) => state)).toEqual(['stopped', 'behind']);
});

describe('a store without a log of its own', () => {
  const external = { oldestSegment: 0, flushedSequence: 7 };

  test('has nothing to replay, and ends where its tables do', async () => {
    const disk = await LogDisk.build();

    const replayed = await replayText(disk, external);

    expect(replayed).toEqual({ groups: [], lastSequence: 7, endLsn: 0 });
  });

  test('does not look at segments that lie in its directory', async () => {
    const disk = await LogDisk.build([puts('a')], [puts('b')]);
    await disk.flip('000001.wal', 0);

    const outcome = await inspectWal(optionsFor(disk, external), () => expect.unreachable());

    expect(outcome).toMatchObject({ verdict: { kind: 'end', lsn: 0 }, files: [], lastSequence: 7 });
  });
});

test('range deletes are replayed in their place', async () => {
  const batch = new WriteBatch().put('a', '1').deleteRange(encodeUtf8('a'), encodeUtf8('c')).put('b', '2');
  const disk = await LogDisk.build([{ payload: batch.bytes, count: 3 }, puts('d')]);

  const replayed = await replayText(disk, { flushedSequence: 1 });

  expect(replayed.groups).toEqual(['2:a 3:b', '4:d']);
});
