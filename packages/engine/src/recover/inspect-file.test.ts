import type { MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import {
  abandonedStore,
  closedStore,
  endOfLog,
  flip,
  manifestName,
  namesEnding,
  truncate,
} from '../../test/support/evidence.ts';
import { DIRECTORY } from '../../test/support/open-test-engine.ts';
import { inspectFile, type ManifestInspection, type TableInspection, type WalInspection } from '../index.ts';

const FIRST_RECORD = 64;
const RECORD_BYTES = 112;

async function inspectWal(disk: MemoryFileSystem, options = {}): Promise<WalInspection> {
  const [name] = await namesEnding(disk, '.wal');
  return (await inspectFile(disk, `${DIRECTORY}/${name}`, 'wal', options)) as WalInspection;
}

async function inspectTable(disk: MemoryFileSystem, options = {}): Promise<TableInspection> {
  const [name] = await namesEnding(disk, '.sst');
  return (await inspectFile(disk, `${DIRECTORY}/${name}`, 'table', options)) as TableInspection;
}

describe('inspectFile', () => {
  test('lists the records of a segment with offsets, positions and sequence numbers', async () => {
    const disk = await abandonedStore();

    const { header, records, gaps, damage, tornAt } = await inspectWal(disk);

    expect({ gaps, damage, tornAt }).toEqual({ gaps: [], damage: [], tornAt: null });
    expect(header).toMatchObject({ checksum: 'ok', formatVersion: 1 });
    expect(records.map(({ offset }) => offset)).toEqual(
      Array.from({ length: 10 }, (_, i) => FIRST_RECORD + i * RECORD_BYTES),
    );
    expect(records[3]).toMatchObject({
      offset: FIRST_RECORD + 3 * RECORD_BYTES,
      bytes: RECORD_BYTES,
      lsn: header.startLsn! + 3 * RECORD_BYTES,
      durableLsn: header.startLsn! + 3 * RECORD_BYTES,
      firstSequence: 67,
      count: 1,
      puts: 1,
      deletes: 0,
      rangeDeletes: 0,
      operations: null,
    });
  });

  test('describes a damaged segment on both sides of the damage', async () => {
    const disk = await abandonedStore();
    const [name] = await namesEnding(disk, '.wal');
    await flip(disk, name!, FIRST_RECORD + 2 * RECORD_BYTES + 40);

    const { records, gaps, damage } = await inspectWal(disk);

    const offset = FIRST_RECORD + 2 * RECORD_BYTES;
    expect(records).toHaveLength(9);
    expect(gaps).toMatchObject([{ offset, bytes: RECORD_BYTES, reason: 'the record CRC does not match' }]);
    expect(damage).toEqual([{ offset, reason: 'the record CRC does not match' }]);
  });

  test('tells a torn end from damage', async () => {
    const disk = await abandonedStore();
    const [name] = await namesEnding(disk, '.wal');
    await truncate(disk, name!, (await endOfLog(disk, name!)) - 20);

    const { records, damage, tornAt } = await inspectWal(disk);

    expect(records).toHaveLength(9);
    expect({ damage, tornAt }).toEqual({ damage: [], tornAt: FIRST_RECORD + 9 * RECORD_BYTES });
  });

  test('lists the edits of a manifest', async () => {
    const disk = await closedStore();

    const path = `${DIRECTORY}/${await manifestName(disk)}`;
    const { edits, damage } = (await inspectFile(disk, path, 'manifest')) as ManifestInspection;

    expect(damage).toEqual([]);
    expect(edits.map(({ ordinal }) => ordinal)).toEqual([1, 2, 3]);
    expect(edits[1]!.addedTables).toMatchObject([{ level: 0, entryCount: 40, smallestKey: null }]);
    expect(edits[2]!.cleanClose).toMatchObject({ lastSequence: 40 });
  });

  test('lists the sections of a table without a gap, and which of them verify', async () => {
    const disk = await abandonedStore();
    const [name] = await namesEnding(disk, '.sst');
    await flip(disk, name!, FIRST_RECORD + 20);

    const { sections, damage, bytes, entryCount } = await inspectTable(disk);

    expect(sections.map(({ section }) => section).filter((section) => section !== 'data')).toEqual([
      'header',
      'filter',
      'properties',
      'index',
      'footer',
    ]);
    expect(sections.map(({ offset }) => offset).slice(1)).toEqual(
      sections.map((section) => section.offset + section.bytes).slice(0, -1),
    );
    expect(sections.at(-1)!.offset + sections.at(-1)!.bytes).toBe(bytes);
    expect(sections.filter(({ checksum }) => checksum === 'damaged').map(({ offset }) => offset)).toEqual([64]);
    expect(damage).toMatchObject([{ offset: 64 }]);
    expect(entryCount).toBe(21);
  });

  test('shows keys only when asked, and never values', async () => {
    const disk = await abandonedStore();
    const key = Buffer.from('key-0060').toString('hex');
    const value = Buffer.from('60:vvvv').toString('hex');

    const redacted = JSON.stringify(await inspectWal(disk));
    const open = JSON.stringify(await inspectWal(disk, { showKeys: true }));

    expect(redacted).not.toContain(key);
    expect(open).toContain(key);
    expect(open).not.toContain(value);
    expect((await inspectTable(disk, { showKeys: true })).sections[1]!.firstKey).toBe('6b65792d30');
  });

  test('says what kind a file is that is of another', async () => {
    const disk = await abandonedStore();
    const [table] = await namesEnding(disk, '.sst');

    const asWal = await inspectFile(disk, `${DIRECTORY}/${table}`, 'wal');
    const current = await inspectFile(disk, `${DIRECTORY}/CURRENT`, 'table');

    expect(asWal).toEqual({ kind: 'other', found: 'table' });
    expect(current).toEqual({ kind: 'other', found: 'current' });
  });

  test('takes a file with the right name and a damaged magic for damaged, not for strange', async () => {
    const disk = await abandonedStore();
    const [name] = await namesEnding(disk, '.wal');
    await flip(disk, name!, 0);

    const { header, damage, records } = await inspectWal(disk);

    expect(header.checksum).toBe('damaged');
    expect(damage).toMatchObject([{ offset: 0 }]);
    expect(records).toHaveLength(10);
  });
});
