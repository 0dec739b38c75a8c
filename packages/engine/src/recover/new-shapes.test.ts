/** Forensics of range deletes, durable indexes, and stores whose log somebody else keeps. */

import { encodeUtf8 } from '@kayadb/codec';
import { MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { describeStore, reportOn } from '../../test/support/directories.ts';
import { LogDisk } from '../../test/support/log-disk.ts';
import { filledSource, SOURCE, TestSource } from '../../test/support/source-store.ts';
import { publishCurrent } from '../files/current-file.ts';
import { WriteBatch } from '../key/write-batch.ts';
import { checkpoint } from '../snapshot/checkpoint.ts';
import { TEST_STORE_ID } from '../testing/write-table.ts';
import { ManifestWriter } from '../version/manifest.ts';
import type { VersionEdit } from '../version/version-edit.ts';
import type { ManifestInspection, WalInspection } from './file-inspection.ts';
import { inspectFile } from './inspect-file.ts';

const hex = (text: string): string => Buffer.from(text).toString('hex');
const span = (sequence: number, start: string, end?: string) => ({
  sequence,
  start: encodeUtf8(start),
  end: end === undefined ? undefined : encodeUtf8(end),
});

describe('inspectFile', () => {
  test('tells range deletes from deletes, and shows their ends only when asked', async () => {
    const batch = new WriteBatch().put('a', '1').delete('b');
    batch.deleteRange(encodeUtf8('c'), encodeUtf8('dd')).deleteRange(encodeUtf8('e'), undefined);
    const disk = await LogDisk.build([{ payload: batch.bytes, count: 4 }]);

    const closed = (await inspectFile(disk.fs, '/000001.wal', 'wal')) as WalInspection;
    const open = (await inspectFile(disk.fs, '/000001.wal', 'wal', { showKeys: true })) as WalInspection;

    expect(closed.records).toMatchObject([{ count: 4, puts: 1, deletes: 1, rangeDeletes: 2, operations: null }]);
    expect(open.records[0]!.operations).toEqual([
      { kind: 'put', key: hex('a'), endKey: null, keyBytes: 1, valueBytes: 1 },
      { kind: 'delete', key: hex('b'), endKey: null, keyBytes: 1, valueBytes: 0 },
      { kind: 'delete-range', key: hex('c'), endKey: hex('dd'), keyBytes: 1, valueBytes: 2 },
      { kind: 'delete-range', key: hex('e'), endKey: null, keyBytes: 1, valueBytes: 0 },
    ]);
  });

  test('lists what edits say of range deletes and of the external log', async () => {
    const fs = new MemoryFileSystem();
    const source = await filledSource(fs, 70);
    await source.addTable('k003#17,SET:1', { rangeDeletes: [span(18, 'k', 'l'), span(19, 'k005')], durableIndex: 85 });
    await source.dropTables();

    const path = `${SOURCE}/MANIFEST-000002`;
    const closed = (await inspectFile(fs, path, 'manifest')) as ManifestInspection;
    const open = (await inspectFile(fs, path, 'manifest', { showKeys: true })) as ManifestInspection;

    expect(closed.damage).toEqual([]);
    expect(closed.edits.map(({ durableIndex }) => durableIndex)).toEqual([70, 75, 79, 85, null]);
    expect(closed.edits[0]).toMatchObject({ oldestSegment: 0, addedRangeDeletes: [], removedRangeDeletes: [] });
    expect(closed.edits[3]!.addedRangeDeletes).toEqual([
      { sequence: 18, start: null, end: null, hasEnd: true },
      { sequence: 19, start: null, end: null, hasEnd: false },
    ]);
    expect(open.edits[3]!.addedRangeDeletes).toEqual([
      { sequence: 18, start: hex('k'), end: hex('l'), hasEnd: true },
      { sequence: 19, start: hex('k005'), end: null, hasEnd: false },
    ]);
    expect(closed.edits[4]!.removedRangeDeletes).toEqual([18, 19]);
  });
});

describe('a store without a log of its own', () => {
  test('is clean without any segment', async () => {
    const fs = new MemoryFileSystem();
    await filledSource(fs, 70);

    const report = await reportOn(fs, SOURCE);

    expect(report).toMatchObject({ verdict: 'clean', log: 'external', durableIndex: 79, lastSequence: 16, lastLsn: 0 });
    expect(report.opening).toMatchObject({ outcome: 'opens', recordsReplayed: 0, filesRemoved: ['MANIFEST-000002'] });
  });

  test('is closed in good order where its tables end', async () => {
    const fs = new MemoryFileSystem();
    const source = await filledSource(fs, 70);
    await source.versions.apply({ cleanClose: { segment: 0, endLsn: 0, lastSequence: 16 } });

    expect(await describeStore(fs, SOURCE)).toMatchObject({ verdict: 'clean', cleanClose: true, lastSequence: 16 });
  });

  test('leaves a segment in its directory alone, whatever is in it', async () => {
    const fs = new MemoryFileSystem();
    await filledSource(fs, 70);
    const handle = await fs.open(`${SOURCE}/000001.wal`, 'create');
    await handle.write(new Uint8Array(200).fill(7), 0);
    await handle.close();

    const report = await reportOn(fs, SOURCE);

    expect(report).toMatchObject({ verdict: 'clean', damage: [], lastLsn: 0 });
    expect(report.opening.filesRemoved).toEqual(['MANIFEST-000002']);
    expect(report.files.find(({ name }) => name === '000001.wal')).toMatchObject({
      state: 'orphan',
      reason: 'the store has no log of its own',
      opening: { action: 'leave' },
    });
    expect(report.warnings).toEqual(['000001.wal: is not part of the store']);
  });

  test('does not take the end of such a segment for its own when opening is refused', async () => {
    const fs = new MemoryFileSystem();
    await filledSource(fs, 70);
    const log = await LogDisk.build([{ payload: new WriteBatch().put('a', '1').bytes }]);
    const handle = await fs.open(`${SOURCE}/000001.wal`, 'create');
    await handle.write(await log.read('000001.wal'), 0);
    await handle.close();
    await fs.unlink(`${SOURCE}/000003.sst`);

    const report = await reportOn(fs, SOURCE);

    expect(report).toMatchObject({ verdict: 'corrupt', lastLsn: 0, durableIndex: 79 });
    expect(report.opening).toMatchObject({ outcome: 'refused', file: '000003.sst' });
    expect(report.files.find(({ name }) => name === '000001.wal')).toMatchObject({ recordCount: 1, damage: [] });
  });

  test('does not need a segment to tell a torn edit from a lost one', async () => {
    const fs = new MemoryFileSystem();
    await filledSource(fs, 70);
    const handle = await fs.open(`${SOURCE}/MANIFEST-000002`, 'write');
    await handle.truncate((await handle.size()) - 9);
    await handle.close();

    const report = await reportOn(fs, SOURCE);

    expect(report).toMatchObject({ verdict: 'recoverable', lastSequence: 8, durableIndex: 75 });
    expect(report.files.find(({ name }) => name === '000004.sst')).toMatchObject({ state: 'orphan' });
  });

  test('that names a segment of its own all the same is refused, as is one that names neither', async () => {
    const whole = { nextFileNumber: 9, flushedSequence: 0, oldestSegment: 0, durableIndex: 0 };
    const edits: readonly (readonly [VersionEdit, string])[] = [
      [{ ...whole, oldestSegment: 1 }, 'both a log segment and a durable index'],
      [{ nextFileNumber: 9, flushedSequence: 0, oldestSegment: 0 }, 'neither a log segment nor a durable index'],
      [{ ...whole, cleanClose: { segment: 0, endLsn: 0, lastSequence: 1 } }, 'somewhere in a log'],
      [{ ...whole, cleanClose: { segment: 1, endLsn: 0, lastSequence: 0 } }, 'somewhere in a log'],
      [
        {
          nextFileNumber: 9,
          flushedSequence: 0,
          oldestSegment: 1,
          cleanClose: { segment: 0, endLsn: 0, lastSequence: 0 },
        },
        'outside of it',
      ],
    ];
    for (const [edit, words] of edits) {
      const fs = new MemoryFileSystem();
      await fs.makeDirectory(SOURCE);
      const identity = { storeId: TEST_STORE_ID, fileNumber: 2 };
      await (await ManifestWriter.create(fs, SOURCE, identity, edit)).close();
      await publishCurrent(fs, SOURCE, { storeId: TEST_STORE_ID, manifestNumber: 2 });

      const report = await reportOn(fs, SOURCE);

      expect(report.verdict).toBe('corrupt');
      expect(report.opening).toMatchObject({ outcome: 'refused', file: 'MANIFEST-000002', offset: 64 });
      expect(report.opening.reason).toContain(words);
    }
  });
});

test('the report counts the range deletes that the manifest keeps', async () => {
  const fs = new MemoryFileSystem();
  const source = await TestSource.create(fs);
  await source.addTable('a#1,SET:1 b#2,SET:2', { rangeDeletes: [span(3, 'a', 'b')] });

  await checkpoint(source, '/copy');

  expect(await reportOn(fs, SOURCE)).toMatchObject({ log: 'own', durableIndex: null, rangeDeleteCount: 1 });
  expect(await reportOn(fs, '/copy')).toMatchObject({ verdict: 'clean', rangeDeleteCount: 1, lastSequence: 3 });
});
