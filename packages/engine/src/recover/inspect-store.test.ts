import { crc32c, encodeUtf8, writeU16, writeU32 } from '@kayadb/codec';
import { fakeProcessTable, FaultyFileSystem, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import {
  abandonedStore,
  afterKill,
  closedStore,
  endOfLog,
  evidenceOptions,
  fileNamed,
  flip,
  inspect,
  manifestName,
  namesEnding,
  putMany,
  truncate,
  twoSegmentStore,
  unwrittenStore,
  writeFile,
} from '../../test/support/evidence.ts';
import { DIRECTORY, openTestEngine, testWorld } from '../../test/support/open-test-engine.ts';
import { inspectStore } from '../index.ts';
import { examineTable, type TableSection } from './examine-table.ts';

const FIRST_RECORD = 64;

/** Where the sections of a table begin. */
async function sectionsOf(disk: MemoryFileSystem, name: string): Promise<ReadonlyMap<TableSection, number>> {
  const offsets = new Map<TableSection, number>();
  const handle = await disk.open(`${DIRECTORY}/${name}`, 'read');
  await examineTable(handle, name, ({ section, offset }) => offsets.set(section, offset));
  await handle.close();
  return offsets;
}

describe('inspectStore', () => {
  test('finds a store that was closed in good order clean', async () => {
    const disk = await closedStore();

    const report = await inspect(disk);

    expect(report).toMatchObject({ verdict: 'clean', cleanClose: true, live: false, damage: [], warnings: [] });
    expect(report.opening).toMatchObject({ outcome: 'opens', recordsReplayed: 0, walTruncatedBytes: 0 });
    expect(report.files.map(({ state }) => state)).toEqual(['intact', 'intact', 'intact', 'intact']);
  });

  test('counts what a killed process left in the log, and says whose lock would be taken over', async () => {
    const disk = await abandonedStore();

    const report = await inspect(disk);

    expect(report).toMatchObject({
      verdict: 'clean',
      cleanClose: false,
      live_sstable_count: 3,
      wal_records_replayed: 10,
    });
    expect(report).toMatchObject({ last_sequence: 73, lastSequence: 73, manifest_records_replayed: 4 });
    expect(report.opening.lockTakeover).toBe(true);
    const [wal] = await namesEnding(disk, '.wal');
    expect(fileNamed(report, wal!)).toMatchObject({
      kind: 'wal',
      state: 'intact',
      formatVersion: 1,
      recordCount: 10,
      firstSequence: 64,
      lastSequence: 73,
      opening: { action: 'replay', recordsReplayed: 10 },
    });
  });

  test('names a torn tail of the log, and what opening would cut', async () => {
    const disk = await abandonedStore();
    const [wal] = await namesEnding(disk, '.wal');
    const bytes = await endOfLog(disk, wal!);
    await truncate(disk, wal!, bytes - 50);

    const report = await inspect(disk);

    expect(report).toMatchObject({
      verdict: 'recoverable',
      wal_records_replayed: 9,
      wal_truncated_bytes: 62,
      damage: [],
    });
    expect(fileNamed(report, wal!)).toMatchObject({
      state: 'torn-tail',
      offset: bytes - 112,
      reason: 'the record reaches beyond the end of the file',
      opening: { action: 'replay', recordsReplayed: 9, bytesCut: 62 },
    });
  });

  test('does not count records behind a torn place, which opening drops with it', async () => {
    const disk = await abandonedStore({ durability: 'relaxed' });
    const [wal] = await namesEnding(disk, '.wal');
    await flip(disk, wal!, FIRST_RECORD + 4 * 112 + 40);

    const report = await inspect(disk);

    // Nothing was ever synced, so no later record vouches for the place.
    expect(report).toMatchObject({ verdict: 'recoverable', wal_records_replayed: 4, wal_truncated_bytes: 6 * 112 - 1 });
    expect(fileNamed(report, wal!)).toMatchObject({
      state: 'torn-tail',
      recordCount: 9,
      damage: [],
      opening: { recordsReplayed: 4, bytesCut: 6 * 112 - 1 },
    });
  });

  test('does not count zeros behind a torn place as cut', async () => {
    const disk = await abandonedStore();
    const [wal] = await namesEnding(disk, '.wal');
    const handle = await disk.open(`${DIRECTORY}/${wal}`, 'write');
    await handle.write(new Uint8Array(600_000), FIRST_RECORD + 9 * 112 + 50);
    await handle.close();

    const report = await inspect(disk);

    const { bytesCut } = fileNamed(report, wal!).opening;
    expect(bytesCut).toBe(report.wal_truncated_bytes);
    expect(bytesCut).toBeLessThanOrEqual(50);
  });

  test('names a flipped byte in a closed segment of the log', async () => {
    const disk = await twoSegmentStore();
    const [older, newer] = await namesEnding(disk, '.wal');
    await flip(disk, older!, FIRST_RECORD + 112 + 40);

    const report = await inspect(disk);

    expect(report.verdict).toBe('corrupt');
    expect(report.opening).toMatchObject({ outcome: 'refused', file: older, offset: FIRST_RECORD + 112 });
    expect(report.damage).toMatchObject([{ file: older, offset: FIRST_RECORD + 112 }]);
    expect(fileNamed(report, newer!)).toMatchObject({ state: 'intact', damage: [] });
  });

  test('goes on behind the first damage of a log and finds the others', async () => {
    const disk = await twoSegmentStore();
    const [older] = await namesEnding(disk, '.wal');
    for (const record of [1, 5, 9]) await flip(disk, older!, FIRST_RECORD + record * 112 + 40);

    const report = await inspect(disk);

    expect(report.damage.map(({ offset }) => offset)).toEqual([1, 5, 9].map((record) => FIRST_RECORD + record * 112));
    expect(fileNamed(report, older!).recordCount).toBe(49);
  });

  test('reads on in a segment whose header is damaged', async () => {
    const disk = await abandonedStore();
    const [wal] = await namesEnding(disk, '.wal');
    await flip(disk, wal!, 20);

    const report = await inspect(disk);

    expect(report.damage).toMatchObject([{ file: wal, offset: 0 }]);
    expect(fileNamed(report, wal!)).toMatchObject({ state: 'corrupt', recordCount: 10, formatVersion: null });
  });

  test.each<TableSection>(['header', 'data', 'filter', 'properties', 'index', 'footer'])(
    'names a flipped byte in the %s of a table',
    async (section) => {
      const disk = await abandonedStore();
      const [, table] = await namesEnding(disk, '.sst');
      const offset = (await sectionsOf(disk, table!)).get(section)!;
      await flip(disk, table!, offset + 20);

      const report = await inspect(disk);

      expect(report.verdict).toBe('corrupt');
      expect(report.damage).toMatchObject([{ file: table, offset }]);
      expect(fileNamed(report, table!)).toMatchObject({ state: 'corrupt', offset, level: 0 });
    },
  );

  test('names every damaged table and every damaged block', async () => {
    const disk = await abandonedStore();
    const [first, , third] = await namesEnding(disk, '.sst');
    const lastBlock = (await sectionsOf(disk, first!)).get('data')!;
    await flip(disk, first!, FIRST_RECORD + 20);
    await flip(disk, first!, lastBlock + 20);
    await flip(disk, third!, FIRST_RECORD + 20);

    const report = await inspect(disk);

    expect(report.damage.map(({ file, offset }) => [file, offset])).toEqual([
      [first, FIRST_RECORD],
      [first, lastBlock],
      [third, FIRST_RECORD],
    ]);
  });

  test('names a flipped byte in the middle of the manifest', async () => {
    const disk = await abandonedStore();
    const manifest = await manifestName(disk);
    await flip(disk, manifest, FIRST_RECORD + 48 + 4);

    const report = await inspect(disk);

    expect(report.opening).toMatchObject({ outcome: 'refused', file: manifest, offset: FIRST_RECORD + 48 });
    expect(fileNamed(report, manifest)).toMatchObject({ state: 'corrupt', recordCount: 3 });
  });

  test('names the last edit of the manifest and what its loss would lose', async () => {
    const disk = await abandonedStore();
    const manifest = await manifestName(disk);
    await flip(disk, manifest, 256 + 40);

    const report = await inspect(disk);

    // Without that edit an older segment is needed, which has been removed: so the edit had been in effect.
    const missing = report.files.find(({ state }) => state === 'missing');
    expect(report.verdict).toBe('corrupt');
    expect(report.damage).toMatchObject([
      { file: manifest, offset: 256 },
      { file: missing!.name, offset: 0 },
    ]);
    expect(fileNamed(report, manifest)).toMatchObject({ state: 'corrupt', recordCount: 3 });
  });

  test('names CURRENT, and still looks at every file by itself', async () => {
    const disk = await abandonedStore();
    const [table] = await namesEnding(disk, '.sst');
    const manifest = await manifestName(disk);
    await flip(disk, 'CURRENT', 30);
    await flip(disk, table!, FIRST_RECORD + 20);

    const report = await inspect(disk);

    expect(report.opening).toMatchObject({ outcome: 'refused', file: 'CURRENT', offset: 0 });
    expect(report.damage.map(({ file }) => file)).toEqual(['CURRENT', table]);
    expect(report).toMatchObject({ newestWholeManifest: manifest, storeId: null, last_sequence: 73 });
    expect(fileNamed(report, table!)).toMatchObject({ level: 0, entryCount: 21 });
    expect(report.warnings).toContainEqual(expect.stringContaining(`${manifest} is the newest manifest`));
  });

  test('names CURRENT when it is missing', async () => {
    const disk = await abandonedStore();
    await disk.unlink(`${DIRECTORY}/CURRENT`);

    const report = await inspect(disk);

    expect(report.damage).toMatchObject([{ file: 'CURRENT', offset: 0 }]);
    expect(fileNamed(report, 'CURRENT').state).toBe('missing');
  });

  test('names every missing table', async () => {
    const disk = await abandonedStore();
    const [first, , third] = await namesEnding(disk, '.sst');
    await disk.unlink(`${DIRECTORY}/${first}`);
    await disk.unlink(`${DIRECTORY}/${third}`);

    const report = await inspect(disk);

    expect(report.damage.map(({ file, offset }) => [file, offset])).toContainEqual([first, 0]);
    expect(report.damage).toHaveLength(2);
    expect(fileNamed(report, third!)).toMatchObject({ kind: 'table', state: 'missing', bytes: 0 });
  });

  test('names a missing segment of the log', async () => {
    const disk = await twoSegmentStore();
    const [older] = await namesEnding(disk, '.wal');
    await disk.unlink(`${DIRECTORY}/${older}`);

    const report = await inspect(disk);

    expect(report.damage).toMatchObject([{ file: older, offset: 0 }]);
    expect(fileNamed(report, older!).state).toBe('missing');
  });

  test('tells orphans, temporaries and unknown files from what belongs to the store', async () => {
    const disk = await abandonedStore();
    const [table] = await namesEnding(disk, '.sst');
    await writeFile(disk, '000099.sst', await disk.readFile(`${DIRECTORY}/${table}`));
    await writeFile(disk, 'CURRENT.tmp', encodeUtf8('half'));
    await writeFile(disk, 'notes.txt', encodeUtf8('mine'));
    await writeFile(disk, 'MANIFEST-000002.damaged', encodeUtf8('rotten'));
    await disk.makeDirectory(`${DIRECTORY}/000044.sst`);

    const report = await inspect(disk);

    expect(report.verdict).toBe('clean');
    expect(fileNamed(report, '000099.sst')).toMatchObject({ state: 'orphan', opening: { action: 'remove' } });
    expect(fileNamed(report, 'CURRENT.tmp')).toMatchObject({ state: 'temporary', opening: { action: 'remove' } });
    expect(fileNamed(report, 'notes.txt')).toMatchObject({ state: 'unknown', opening: { action: 'leave' } });
    expect(fileNamed(report, 'MANIFEST-000002.damaged')).toMatchObject({
      state: 'unknown',
      reason: 'damaged bytes that a scrub kept and replaced',
      opening: { action: 'leave' },
    });
    expect(fileNamed(report, '000044.sst')).toMatchObject({ kind: 'unknown', state: 'unknown' });
    expect(report).toMatchObject({ tmp_files_removed: 1 });
    expect(report.opening.filesRemoved).toEqual(expect.arrayContaining(['000099.sst', 'CURRENT.tmp']));
  });

  test('knows files of another store that have the same names', async () => {
    const disk = await abandonedStore();
    const other = await abandonedStore({ seed: 7 });
    const [table] = await namesEnding(disk, '.sst');
    const [wal] = await namesEnding(disk, '.wal');
    for (const name of [table!, wal!]) {
      await disk.unlink(`${DIRECTORY}/${name}`);
      await writeFile(disk, name, await other.readFile(`${DIRECTORY}/${name}`));
    }

    const report = await inspect(disk);

    expect(report.damage).toMatchObject([
      { file: wal, offset: 0, reason: 'the file belongs to another store' },
      { file: table, offset: 0, reason: 'the file belongs to another store' },
    ]);
  });

  test('knows a table that is sound and not the one that the manifest means', async () => {
    const disk = await abandonedStore();
    const twin = await abandonedStore({ deletedPrefix: 'key!' });
    const [table] = await namesEnding(disk, '.sst');
    await disk.unlink(`${DIRECTORY}/${table}`);
    await writeFile(disk, table!, await twin.readFile(`${DIRECTORY}/${table}`));

    const report = await inspect(disk);

    expect(report.damage).toMatchObject([{ file: table, offset: 0, reason: expect.stringContaining('not the one') }]);
  });

  test('tells a newer format version from damage', async () => {
    const disk = await abandonedStore();
    const [wal] = await namesEnding(disk, '.wal');
    const content = await disk.readFile(`${DIRECTORY}/${wal}`);
    writeU16(content, 8, 2);
    writeU32(content, 60, crc32c(content, 0, 0, 60));
    await disk.unlink(`${DIRECTORY}/${wal}`);
    await writeFile(disk, wal!, content);

    const report = await inspect(disk);

    expect(report).toMatchObject({ verdict: 'unsupported', damage: [], opening: { code: 'KAYA_UNSUPPORTED' } });
    expect(fileNamed(report, wal!)).toMatchObject({ state: 'unsupported', formatVersion: 2 });
  });

  test('finds no store in an empty folder, and in what an attempt to create one left', async () => {
    const empty = new MemoryFileSystem();
    await empty.makeDirectory(DIRECTORY);
    const attempt = await unwrittenStore();
    await attempt.unlink(`${DIRECTORY}/CURRENT`);

    const reports = [await inspect(empty), await inspect(attempt)];

    expect(reports.map(({ verdict }) => verdict)).toEqual(['empty', 'empty']);
    expect(reports.map(({ opening }) => opening.outcome)).toEqual(['creates', 'creates']);
  });

  test('refuses a folder that is not there', async () => {
    await expect(inspect(new MemoryFileSystem())).rejects.toMatchObject({ code: 'KAYA_FS_NOT_FOUND' });
  });

  test('reports a lock that nobody can read', async () => {
    const disk = await closedStore();
    await writeFile(disk, 'LOCK', encodeUtf8('?'));

    const report = await inspect(disk);

    expect(report).toMatchObject({ verdict: 'clean', lock: { state: 'unreadable' } });
    expect(fileNamed(report, 'LOCK')).toMatchObject({ state: 'corrupt', offset: 0 });
  });

  test('is undecided about a file that the operating system does not give', async () => {
    const disk = await abandonedStore();
    const [table] = await namesEnding(disk, '.sst');
    const failing = new FaultyFileSystem(disk, [
      {
        at: 3,
        kinds: ['read'],
        matchesPath: (path) => path.endsWith(table!),
        effect: { kind: 'fail', errno: 'EIO' },
      },
    ]);

    const report = await inspect(failing);

    expect(report).toMatchObject({ verdict: 'undecided', damage: [] });
    expect(fileNamed(report, table!)).toMatchObject({ state: 'unreadable', reason: expect.stringContaining('EIO') });
  });

  // One such file was enough for no report at all.
  test.each(['.sst', '.wal', 'MANIFEST', 'CURRENT'])(
    'is undecided about a %s of which the operating system does not even tell the size',
    async (part) => {
      const disk = await abandonedStore();
      const name = (await disk.readDirectory(DIRECTORY))
        .map((entry) => entry.name)
        .find((each) => each.includes(part))!;
      const matchesPath = (path: string): boolean => path.endsWith(name);
      const effect = { kind: 'fail', errno: 'EIO' } as const;
      const failing = new FaultyFileSystem(disk, [
        { at: 1, kinds: ['stat', 'open'], forever: true, matchesPath, effect },
      ]);

      const report = await inspect(failing);

      expect(report).toMatchObject({ verdict: 'undecided', damage: [] });
      expect(fileNamed(report, name)).toMatchObject({ state: 'unreadable', reason: expect.stringContaining('EIO') });
      const others = report.files.filter((file) => file.name !== name && file.kind !== 'lock');
      expect(others.map(({ state }) => state)).toEqual(others.map(() => 'intact'));
    },
  );

  test('says of a folder with the name of a table that it is no file', async () => {
    const disk = await closedStore();
    await disk.makeDirectory(`${DIRECTORY}/000999.sst`);
    await disk.makeDirectory(`${DIRECTORY}/notes`);

    const { warnings } = await inspect(disk);

    expect(warnings).toEqual([
      'notes: is not a name that a store gives, and is left alone',
      '000999.sst: has the name of a file of a store, and is no file',
    ]);
  });

  test('shows keys only when asked', async () => {
    const disk = await closedStore();
    const [table] = await namesEnding(disk, '.sst');
    const key = Buffer.from('key-0000').toString('hex');

    const redacted = await inspect(disk);
    const open = await inspect(disk, { showKeys: true });

    expect(fileNamed(redacted, table!)).toMatchObject({ hasKeyRange: true, smallestKey: null, largestKey: null });
    expect(fileNamed(open, table!).smallestKey).toBe(key);
    expect(JSON.stringify(redacted)).not.toContain(key);
  });

  test('says that a store is open, and in which process', async () => {
    const disk = new MemoryFileSystem();
    const world = testWorld(disk);
    const processes = fakeProcessTable();
    const engine = await openTestEngine(world, { ...evidenceOptions, processes });
    await putMany(engine, 0, 3);

    const report = await inspectStore(disk, DIRECTORY, { processes, clock: world.clock });

    expect(report).toMatchObject({ live: true, verdict: 'clean', lock: { state: 'held', liveness: 'alive' } });
    expect(report.warnings[0]).toMatch(/the store is open in process \d+ on host/);
    await engine.close();
    expect((await inspect(afterKill(disk))).live).toBe(false);
  });
});
