import { encodeUtf8 } from '@kayadb/codec';
import { seededRandom, testSeed } from '@kayadb/testkit';
import { FileSystemError } from '@kayadb/vfs';
import { crashClone, crashClones, crashModes, FaultyFileSystem, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { contentOf, describeStore, namesIn } from '../../test/support/directories.ts';
import { countOperations, filledSource, SOURCE, TestSource, WHOLE_COPY } from '../../test/support/source-store.ts';
import { EngineError } from '../errors.ts';
import { checkpoint } from './checkpoint.ts';

const TARGET = '/copy';
const PARTIAL = '/copy.partial';

describe('checkpoint', () => {
  test('is a store that was closed in good order, with the same tables', async () => {
    const fs = new MemoryFileSystem();
    const source = await filledSource(fs);

    const info = await checkpoint(source, TARGET);

    const bytes = source.versions.current.levels.flat().reduce((sum, { fileBytes }) => sum + fileBytes, 0);
    expect(info).toEqual({ sequence: 16, durableIndex: undefined, tableCount: 2, bytes });
    expect(await describeStore(fs, TARGET)).toEqual(WHOLE_COPY);
    expect(await namesIn(fs, TARGET)).toEqual(['000003.sst', '000004.sst', '000006.wal', 'CURRENT', 'MANIFEST-000005']);
  });

  test('of an empty store is one', async () => {
    const fs = new MemoryFileSystem();
    const source = await TestSource.create(fs);

    const info = await checkpoint(source, `${TARGET}/`);

    expect(info).toEqual({ sequence: 0, durableIndex: undefined, tableCount: 0, bytes: 0 });
    expect(await describeStore(fs, TARGET)).toMatchObject({ verdict: 'clean', tables: [], lastSequence: 0 });
  });

  test('of a store without a log of its own has none, and the durable index', async () => {
    const fs = new MemoryFileSystem();
    const source = await filledSource(fs, 70);

    const info = await checkpoint(source, TARGET);

    expect(info).toMatchObject({ sequence: 16, durableIndex: 79 });
    expect(await describeStore(fs, TARGET)).toEqual({ ...WHOLE_COPY, durableIndex: 79, lastLsn: 0 });
    expect(await namesIn(fs, TARGET)).toEqual(['000003.sst', '000004.sst', 'CURRENT', 'MANIFEST-000005']);
  });

  test('keeps range deletes that tables still need', async () => {
    const fs = new MemoryFileSystem();
    const source = await filledSource(fs);
    const rangeDelete = { sequence: 18, start: encodeUtf8('k002'), end: undefined };
    await source.addTable('a#17,SET:1', { rangeDeletes: [rangeDelete] });

    await checkpoint(source, TARGET);

    expect(await describeStore(fs, TARGET)).toMatchObject({ verdict: 'clean', lastSequence: 18, rangeDeleteCount: 1 });
  });

  test('keeps its tables when the source gives them up', async () => {
    const fs = new MemoryFileSystem();
    const source = await filledSource(fs);
    await checkpoint(source, TARGET);
    await source.addTable('z#17,SET:late');
    await source.dropTables();

    await source.sweep();

    expect(await namesIn(fs, SOURCE)).not.toContain('000003.sst');
    expect(await describeStore(fs, TARGET)).toEqual(WHOLE_COPY);
  });

  test('holds on to the tables that it has not linked yet while a compaction replaces them', async () => {
    const fs = new MemoryFileSystem();
    const source = await filledSource(fs);
    let compacting: Promise<void> | undefined;
    const stop = fs.afterEachMutation(({ operation }) => {
      if (operation === 'link') compacting ??= source.dropTables().then(() => source.sweep());
    });

    await checkpoint(source, TARGET);

    stop();
    await compacting;
    expect(await describeStore(fs, TARGET)).toEqual(WHOLE_COPY);
    await source.sweep();
    expect(source.versions.liveTables().size).toBe(0);
  });

  test('refuses a name that is taken, and leaves what is there', async () => {
    const fs = new MemoryFileSystem();
    const source = await filledSource(fs);
    await fs.makeDirectory(TARGET);
    const changes: string[] = [];
    fs.afterEachMutation(({ operation }) => changes.push(operation));

    const making = checkpoint(source, TARGET);

    await expect(making).rejects.toMatchObject({ code: 'KAYA_FS_EXISTS' });
    expect(changes).toEqual([]);
  });

  test('replaces what an attempt before it left', async () => {
    const fs = new MemoryFileSystem();
    const source = await filledSource(fs);
    await fs.makeDirectory(PARTIAL);
    await fs.link(`${SOURCE}/000003.sst`, `${PARTIAL}/000099.sst`);
    await fs.link(`${SOURCE}/CURRENT`, `${PARTIAL}/CURRENT.tmp`);

    await checkpoint(source, TARGET);

    expect(await describeStore(fs, TARGET)).toEqual(WHOLE_COPY);
    expect(await namesIn(fs, '/')).toEqual(['copy', 'db']);
  });

  test.each(['LOCK', 'notes.txt', 'x.tmp'])(
    'does not touch a folder of its unfinished name that holds %s',
    async (name) => {
      const fs = new MemoryFileSystem();
      const source = await filledSource(fs);
      await fs.makeDirectory(PARTIAL);
      for (const each of ['000001.sst', name]) await (await fs.open(`${PARTIAL}/${each}`, 'create')).close();

      const making = checkpoint(source, TARGET);

      await expect(making).rejects.toThrow(name);
      expect(await namesIn(fs, PARTIAL)).toEqual(['000001.sst', name]);
    },
  );

  test('refuses a second one of the same name while the first is being made', async () => {
    const fs = new MemoryFileSystem();
    const source = await filledSource(fs);

    const outcomes = await Promise.allSettled([checkpoint(source, TARGET), checkpoint(source, TARGET)]);

    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(await describeStore(fs, TARGET)).toEqual(WHOLE_COPY);
  });

  test('says what to do where hard links are impossible', async () => {
    const memory = new MemoryFileSystem();
    const source = await filledSource(
      new FaultyFileSystem(memory, [{ at: 2, kinds: ['link'], effect: { kind: 'fail', errno: 'EXDEV' } }]),
    );

    const making = checkpoint(source, TARGET);

    await expect(making).rejects.toThrow(/backup/);
    await expect(making).rejects.toMatchObject({ code: 'KAYA_NO_HARD_LINKS' });
    expect(await namesIn(memory, '/')).toEqual(['db']);
  });

  test(
    'exists complete or not at all after a crash at any moment, and for good once it is done',
    { timeout: 60_000 },
    async () => {
      const seed = testSeed();
      const random = seededRandom(seed);
      const fs = new MemoryFileSystem();
      const source = await filledSource(fs);
      const crashes: MemoryFileSystem[] = [];
      const crash = (): readonly MemoryFileSystem[] => crashClones(fs, () => random.next()).map(({ disk }) => disk);
      const stop = fs.afterEachMutation(() => crashes.push(...crash()));

      await checkpoint(source, TARGET);

      stop();
      let complete = 0;
      for (const disk of crashes) {
        expect(await describeStore(disk, SOURCE), `seed ${seed}`).toMatchObject({ verdict: 'clean', lastSequence: 16 });
        if ((await disk.stat(TARGET)) === undefined) continue;
        expect(await describeStore(disk, TARGET), `seed ${seed}`).toEqual(WHOLE_COPY);
        complete++;
      }
      expect(crashes.length).toBeGreaterThan(100);
      expect(complete).toBeGreaterThan(4);
      for (const disk of crash()) expect(await describeStore(disk, TARGET), `seed ${seed}`).toEqual(WHOLE_COPY);
    },
  );

  test('that is taken back is gone whole, whatever a crash keeps of that', { timeout: 60_000 }, async () => {
    const memory = new MemoryFileSystem();
    const fs = new FaultyFileSystem(memory);
    const source = await filledSource(fs);
    const matchesPath = (path: string): boolean => path === '/';
    fs.inject({ at: 1, kinds: ['syncDirectory'], matchesPath, effect: { kind: 'fail', errno: 'EIO' } });
    const crashes: MemoryFileSystem[] = [];
    const stop = memory.afterEachMutation(() => {
      for (const mode of crashModes(memory, () => 0)) crashes.push(crashClone(memory, mode, () => 0));
    });

    await expect(checkpoint(source, TARGET)).rejects.toMatchObject({ code: 'KAYA_IO' });

    stop();
    let complete = 0;
    for (const disk of crashes) {
      if ((await disk.stat(TARGET)) === undefined) continue;
      expect(await describeStore(disk, TARGET)).toEqual(WHOLE_COPY);
      complete++;
    }
    expect(complete).toBeGreaterThan(0);
    expect(await namesIn(memory, '/')).toEqual(['db']);
  });

  test('can be made again after a crash at any moment', { timeout: 60_000 }, async () => {
    const random = seededRandom(testSeed());
    const fs = new MemoryFileSystem();
    const source = await filledSource(fs);
    const crashes: MemoryFileSystem[] = [];
    const stop = fs.afterEachMutation(() =>
      crashes.push(...crashClones(fs, () => random.next()).map(({ disk }) => disk)),
    );
    await checkpoint(source, TARGET);
    stop();

    for (const disk of crashes) {
      if ((await disk.stat(TARGET)) !== undefined) continue;
      const { directory, storeId, versions, wal, resources } = source;
      const again = { directory, storeId, versions, wal, resources: { ...resources, fileSystem: disk } };
      await checkpoint(again, TARGET);

      expect(await describeStore(disk, TARGET)).toEqual(WHOLE_COPY);
    }
  });

  test.each(['EIO', 'ENOSPC'])(
    'leaves nothing when an operation fails with %s, and the source as it was',
    { timeout: 60_000 },
    async (errno) => {
      const total = await countOperations((source) => checkpoint(source, TARGET));
      expect(total).toBeGreaterThan(20);

      for (let at = 1; at <= total; at++) {
        const memory = new MemoryFileSystem();
        const fs = new FaultyFileSystem(memory);
        const source = await filledSource(fs);
        const content = await contentOf(memory, SOURCE);
        fs.inject({ at, effect: { kind: 'fail', errno } });

        const failure: unknown = await checkpoint(source, TARGET).then(
          () => undefined,
          (error: unknown) => error,
        );

        const where = `${errno} at ${at} of ${total}`;
        expect(failure instanceof FileSystemError || failure instanceof EngineError, `case ${where}`).toBe(true);
        expect(await namesIn(memory, '/'), `case ${where}`).toEqual(['db']);
        expect(await contentOf(memory, SOURCE), `case ${where}`).toEqual(content);
        await checkpoint(source, TARGET);
        expect(await describeStore(memory, TARGET), `case ${where}`).toEqual(WHOLE_COPY);
      }
    },
  );
});
