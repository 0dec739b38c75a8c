import { seededRandom, testSeed } from '@kayadb/testkit';
import { FileSystemError } from '@kayadb/vfs';
import { crashClones, FaultyFileSystem, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { contentOf, describeStore, namesIn, reportOn } from '../../test/support/directories.ts';
import { countOperations, filledSource, SOURCE, TestSource, WHOLE_COPY } from '../../test/support/source-store.ts';
import { CorruptionError, EngineError } from '../errors.ts';
import { backup } from './backup.ts';
import { restoreBackup } from './restore-backup.ts';
import { verifyBackup } from './verify-backup.ts';

const BACKUP = '/backup';
const RESTORED = '/restored';

async function backedUp(durableIndex?: number): Promise<MemoryFileSystem> {
  const fs = new MemoryFileSystem();
  await backup(await filledSource(fs, durableIndex), BACKUP);
  return fs;
}

async function flip(fs: MemoryFileSystem, path: string, offset: number): Promise<void> {
  const handle = await fs.open(path, 'write');
  const byte = new Uint8Array(1);
  await handle.read(byte, offset);
  await handle.write(Uint8Array.of(byte[0]! ^ 0x10), offset);
  await handle.close();
}

function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** An aborted signal from the `count`th time on that it is asked. */
function abortAfter(count: number): AbortSignal {
  const controller = new AbortController();
  let asked = 0;
  return new Proxy(controller.signal, {
    get: (signal, name) => {
      if (name === 'aborted' && ++asked >= count) controller.abort(new Error('enough'));
      return Reflect.get(signal, name, signal) as unknown;
    },
  });
}

describe('backup', () => {
  test('holds copies of the tables, what makes a store of them, and a list', async () => {
    const fs = new MemoryFileSystem();
    const source = await filledSource(fs);

    const info = await backup(source, BACKUP);

    const bytes = source.versions.current.levels.flat().reduce((sum, { fileBytes }) => sum + fileBytes, 0);
    expect(info).toEqual({ sequence: 16, durableIndex: undefined, tableCount: 2, bytes });
    expect(await verifyBackup(BACKUP, { fileSystem: fs })).toEqual(info);
    const names = ['000003.sst', '000004.sst', '000006.wal', 'BACKUP', 'CURRENT', 'MANIFEST-000005'];
    expect(await namesIn(fs, BACKUP)).toEqual(names);
    await flip(fs, `${SOURCE}/000003.sst`, 100);
    expect(await verifyBackup(BACKUP, { fileSystem: fs })).toEqual(info);
  });

  test('becomes a store again, closed in good order', async () => {
    const fs = await backedUp();

    const info = await restoreBackup(BACKUP, RESTORED, { fileSystem: fs });

    expect(info.sequence).toBe(16);
    expect(await describeStore(fs, RESTORED)).toEqual(WHOLE_COPY);
    const { BACKUP: list, ...files } = await contentOf(fs, BACKUP);
    expect(list).toBeDefined();
    expect(await contentOf(fs, RESTORED)).toEqual(files);
  });

  test('keeps the durable index of a store without a log of its own', async () => {
    const fs = await backedUp(70);

    const info = await restoreBackup(BACKUP, RESTORED, { fileSystem: fs });

    expect(info.durableIndex).toBe(79);
    expect(await describeStore(fs, RESTORED)).toEqual({ ...WHOLE_COPY, durableIndex: 79, lastLsn: 0 });
  });

  test('of an empty store is one', async () => {
    const fs = new MemoryFileSystem();
    await backup(await TestSource.create(fs), BACKUP);

    const info = await restoreBackup(BACKUP, RESTORED, { fileSystem: fs });

    expect(info).toEqual({ sequence: 0, durableIndex: undefined, tableCount: 0, bytes: 0 });
    expect(await describeStore(fs, RESTORED)).toMatchObject({ verdict: 'clean', tables: [] });
  });

  test('is not opened itself', async () => {
    const fs = await backedUp();

    const report = await reportOn(fs, BACKUP);

    expect(report.opening).toMatchObject({ outcome: 'refused', code: 'KAYA_STORE_IS_BACKUP' });
    expect(report.damage).toEqual([]);
    expect(report.verdict).toBe('undecided');
  });

  test('goes on while the source is written to and compacted', async () => {
    const fs = new MemoryFileSystem();
    const source = await filledSource(fs);
    let others: Promise<void> | undefined;
    const change = async (): Promise<void> => {
      await source.addTable('z#17,SET:late');
      await source.dropTables();
      await source.sweep();
    };
    const stop = fs.afterEachMutation(({ path }) => {
      if (path === `${BACKUP}.partial/000003.sst`) others ??= change();
    });

    await backup(source, BACKUP);

    stop();
    await others;
    await restoreBackup(BACKUP, RESTORED, { fileSystem: fs });
    expect(await describeStore(fs, RESTORED)).toEqual(WHOLE_COPY);
    await source.sweep();
    expect((await namesIn(fs, SOURCE)).filter((name) => name.endsWith('.sst'))).toEqual([]);
  });

  test('refuses to keep a damaged table, names the place, and leaves nothing', { timeout: 60_000 }, async () => {
    const fs = new MemoryFileSystem();
    const source = await filledSource(fs);
    const { bytes } = (await fs.stat(`${SOURCE}/000004.sst`))!;
    for (let offset = 0; offset < bytes; offset++) {
      await flip(fs, `${SOURCE}/000004.sst`, offset);

      const failure = await failureOf(backup(source, BACKUP));

      expect(failure, `offset ${offset}`).toBeInstanceOf(CorruptionError);
      expect((failure as CorruptionError).file).toBe('000004.sst');
      expect((failure as CorruptionError).offset).toBeLessThanOrEqual(offset);
      expect(await namesIn(fs, '/')).toEqual(['db']);
      await flip(fs, `${SOURCE}/000004.sst`, offset);
    }
    await backup(source, BACKUP);
  });

  test('tells how far it has come', async () => {
    const fs = new MemoryFileSystem();
    const seen: { readonly bytes: number; readonly totalBytes: number }[] = [];

    const { bytes } = await backup(await filledSource(fs), BACKUP, { onProgress: (done) => seen.push(done) });

    expect(seen.map((done) => done.totalBytes)).toEqual(seen.map(() => bytes));
    expect(seen.map((done) => done.bytes)).toEqual(seen.map((done) => done.bytes).toSorted((a, b) => a - b));
    expect(seen.at(-1)!.bytes).toBe(bytes);
  });

  test('ends when it is aborted, at any moment, and leaves nothing', { timeout: 60_000 }, async () => {
    const fs = new MemoryFileSystem();
    const source = await filledSource(fs);
    let aborted = 0;
    for (let count = 1; ; count++) {
      const failure = await failureOf(backup(source, BACKUP, { signal: abortAfter(count) }));
      if (failure === undefined) break;
      aborted++;

      expect(failure).toMatchObject({ code: 'KAYA_ABORTED', cause: { message: 'enough' } });
      expect(await namesIn(fs, '/')).toEqual(['db']);
    }
    expect(aborted).toBeGreaterThan(10);
  });

  test('exists complete or not at all after a crash at any moment', { timeout: 60_000 }, async () => {
    const seed = testSeed();
    const random = seededRandom(seed);
    const fs = new MemoryFileSystem();
    const source = await filledSource(fs);
    const crashes: MemoryFileSystem[] = [];
    const crash = (): readonly MemoryFileSystem[] => crashClones(fs, () => random.next()).map(({ disk }) => disk);
    const stop = fs.afterEachMutation(() => crashes.push(...crash()));

    await backup(source, BACKUP);

    stop();
    let complete = 0;
    for (const disk of [...crashes, ...crash()]) {
      if ((await disk.stat(BACKUP)) === undefined) continue;
      const info = await verifyBackup(BACKUP, { fileSystem: disk });
      expect(info.sequence, `seed ${seed}`).toBe(16);
      complete++;
    }
    expect(crashes.length).toBeGreaterThan(150);
    expect(complete).toBeGreaterThan(8);
    for (const disk of crash()) expect(await disk.stat(BACKUP), `seed ${seed}`).toBeDefined();
  });

  test.each(['EIO', 'ENOSPC', 'EMFILE'])(
    'leaves nothing when an operation fails with %s',
    { timeout: 60_000 },
    async (errno) => {
      const total = await countOperations((source) => backup(source, BACKUP));
      expect(total).toBeGreaterThan(40);
      for (let at = 1; at <= total; at++) {
        const memory = new MemoryFileSystem();
        const fs = new FaultyFileSystem(memory);
        const source = await filledSource(fs);
        fs.inject({ at, effect: { kind: 'fail', errno } });

        const failure = await failureOf(backup(source, BACKUP));

        const where = `${errno} at ${at} of ${total}`;
        const isTyped = [FileSystemError, EngineError, CorruptionError].some((type) => failure instanceof type);
        expect(isTyped, `case ${where}`).toBe(true);
        expect(await namesIn(memory, '/'), `case ${where}`).toEqual(['db']);
        await backup(source, BACKUP);
        expect(await verifyBackup(BACKUP, { fileSystem: memory }), `case ${where}`).toMatchObject({ sequence: 16 });
      }
    },
  );
});

describe('verifyBackup and restoreBackup', () => {
  test('find damage in any byte of any file', { timeout: 60_000 }, async () => {
    const fs = await backedUp();
    let tried = 0;
    for (const name of await namesIn(fs, BACKUP)) {
      const { bytes } = (await fs.stat(`${BACKUP}/${name}`))!;
      for (let offset = 0; offset < bytes; offset++) {
        await flip(fs, `${BACKUP}/${name}`, offset);

        const failure = await failureOf(verifyBackup(BACKUP, { fileSystem: fs }));

        const where = `${name} at ${offset}`;
        expect(failure, `case ${where}`).toBeInstanceOf(CorruptionError);
        expect((failure as CorruptionError).file, `case ${where}`).toBe(name);
        expect((failure as CorruptionError).offset, `case ${where}`).toBeLessThanOrEqual(offset);
        tried++;
        await flip(fs, `${BACKUP}/${name}`, offset);
      }
    }
    expect(tried).toBeGreaterThan(1500);
    expect(await verifyBackup(BACKUP, { fileSystem: fs })).toMatchObject({ sequence: 16 });
  });

  test('find the same, and restoring leaves nothing of it', { timeout: 60_000 }, async () => {
    const fs = await backedUp();
    for (const name of (await namesIn(fs, BACKUP)).slice(0, 4)) {
      const { bytes } = (await fs.stat(`${BACKUP}/${name}`))!;
      for (let offset = 0; offset < bytes; offset += 7) {
        await flip(fs, `${BACKUP}/${name}`, offset);

        const verifying = await failureOf(verifyBackup(BACKUP, { fileSystem: fs }));
        const restoring = await failureOf(restoreBackup(BACKUP, RESTORED, { fileSystem: fs }));

        expect(restoring).toBeInstanceOf(CorruptionError);
        expect(restoring).toEqual(verifying);
        expect(await namesIn(fs, '/'), `${name} at ${offset}`).toEqual(['backup', 'db']);
        await flip(fs, `${BACKUP}/${name}`, offset);
      }
    }
  });

  test.each<[string, (fs: MemoryFileSystem) => Promise<void>, string, RegExp]>([
    [
      'a missing file',
      (fs) => fs.unlink(`${BACKUP}/000003.sst`),
      '000003.sst',
      /missing.*\d+ bytes with CRC [0-9a-f]{8}/,
    ],
    [
      'a file that is cut short',
      async (fs) => {
        const handle = await fs.open(`${BACKUP}/000003.sst`, 'write');
        await handle.truncate(100);
        await handle.close();
      },
      '000003.sst',
      /offset 100: it has 100 bytes, and \d+ were written/,
    ],
    [
      'a file that has grown',
      async (fs) => {
        const handle = await fs.open(`${BACKUP}/000006.wal`, 'write');
        await handle.write(new Uint8Array(8), 64);
        await handle.close();
      },
      '000006.wal',
      /offset 64: it has 72 bytes, and 64 were written/,
    ],
    [
      'tables that have changed places',
      async (fs) => {
        await fs.rename(`${BACKUP}/000003.sst`, `${BACKUP}/aside`);
        await fs.rename(`${BACKUP}/000004.sst`, `${BACKUP}/000003.sst`);
        await fs.rename(`${BACKUP}/aside`, `${BACKUP}/000004.sst`);
      },
      '000003.sst',
      /it is table 4, and table 3 was expected/,
    ],
    [
      'a folder in the place of a file',
      async (fs) => {
        await fs.unlink(`${BACKUP}/CURRENT`);
        await fs.makeDirectory(`${BACKUP}/CURRENT`);
      },
      'CURRENT',
      /it is not a file/,
    ],
  ])('find %s', async (_what, change, file, message) => {
    const fs = await backedUp();
    await change(fs);

    const verifying = await failureOf(verifyBackup(BACKUP, { fileSystem: fs }));
    const restoring = await failureOf(restoreBackup(BACKUP, RESTORED, { fileSystem: fs }));

    for (const failure of [verifying, restoring]) {
      expect(failure).toMatchObject({
        code: 'KAYA_CORRUPTION',
        file,
        message: expect.stringMatching(message) as string,
      });
    }
    expect(await fs.stat(RESTORED)).toBeUndefined();
  });

  test.each([undefined, 7, ''])('take no %j for a path', async (path) => {
    const wrong = path as string;

    await expect(verifyBackup(wrong)).rejects.toThrow(new TypeError('verifyBackup: a directory must be a path'));
    await expect(restoreBackup(wrong, RESTORED)).rejects.toThrow(TypeError);
    await expect(restoreBackup(BACKUP, wrong)).rejects.toThrow(TypeError);
  });

  test('know no backup where there is no list', async () => {
    const fs = await backedUp();
    await fs.unlink(`${BACKUP}/BACKUP`);

    await expect(verifyBackup(BACKUP, { fileSystem: fs })).rejects.toMatchObject({ code: 'KAYA_STORE_MISSING' });
    await expect(restoreBackup('/nowhere', RESTORED, { fileSystem: fs })).rejects.toMatchObject({
      code: 'KAYA_STORE_MISSING',
    });
  });

  test('differ about a file that is not listed: it is damage, and nothing to restoring', async () => {
    const fs = await backedUp();
    await (await fs.open(`${BACKUP}/000099.sst`, 'create')).close();

    const verifying = await failureOf(verifyBackup(BACKUP, { fileSystem: fs }));
    await restoreBackup(BACKUP, RESTORED, { fileSystem: fs });

    expect(verifying).toMatchObject({ code: 'KAYA_CORRUPTION', file: '000099.sst' });
    expect(await describeStore(fs, RESTORED)).toEqual(WHOLE_COPY);
  });

  test('end when they are aborted, and tell how far they have come', async () => {
    const fs = await backedUp();
    for (const run of [
      (signal: AbortSignal) => verifyBackup(BACKUP, { fileSystem: fs, signal }),
      (signal: AbortSignal) => restoreBackup(BACKUP, RESTORED, { fileSystem: fs, signal }),
    ]) {
      for (let count = 1; count < 6; count++) {
        expect(await failureOf(run(abortAfter(count)))).toMatchObject({ code: 'KAYA_ABORTED' });
        expect(await namesIn(fs, '/')).toEqual(['backup', 'db']);
      }
    }
    const seen: number[] = [];
    let total = 0;

    await restoreBackup(BACKUP, RESTORED, {
      fileSystem: fs,
      onProgress: ({ bytes, totalBytes }) => {
        seen.push(bytes);
        total = totalBytes;
      },
    });

    expect(seen.at(-1)).toBe(total);
    expect(seen).toHaveLength(5);
  });
});

describe('restoreBackup', () => {
  test('never touches a directory that is there', async () => {
    const fs = await backedUp();
    await fs.makeDirectory(RESTORED);
    await (await fs.open(`${RESTORED}/CURRENT`, 'create')).close();

    const restoring = restoreBackup(BACKUP, RESTORED, { fileSystem: fs });

    await expect(restoring).rejects.toMatchObject({ code: 'KAYA_FS_EXISTS' });
    expect(await contentOf(fs, RESTORED)).toEqual({ CURRENT: '' });
    expect(await namesIn(fs, '/')).toEqual(['backup', 'db', 'restored']);
  });

  test('gives a whole store or none after a crash at any moment', { timeout: 60_000 }, async () => {
    const seed = testSeed();
    const random = seededRandom(seed);
    const fs = await backedUp();
    const crashes: MemoryFileSystem[] = [];
    const crash = (): readonly MemoryFileSystem[] => crashClones(fs, () => random.next()).map(({ disk }) => disk);
    const stop = fs.afterEachMutation(() => crashes.push(...crash()));

    await restoreBackup(BACKUP, RESTORED, { fileSystem: fs });

    stop();
    let complete = 0;
    for (const disk of [...crashes, ...crash()]) {
      expect(await verifyBackup(BACKUP, { fileSystem: disk })).toMatchObject({ sequence: 16 });
      if ((await disk.stat(RESTORED)) === undefined) {
        await restoreBackup(BACKUP, RESTORED, { fileSystem: disk });
        continue;
      }
      expect(await describeStore(disk, RESTORED), `seed ${seed}`).toEqual(WHOLE_COPY);
      complete++;
    }
    expect(complete).toBeGreaterThan(8);
    for (const disk of crash()) expect(await disk.stat(RESTORED), `seed ${seed}`).toBeDefined();
  });

  test.each(['EIO', 'ENOSPC', 'EMFILE'])(
    'leaves nothing when an operation fails with %s',
    { timeout: 60_000 },
    async (errno) => {
      const memory = await backedUp();
      const before = await contentOf(memory, BACKUP);
      let failures = 0;
      for (;;) {
        const fs = new FaultyFileSystem(memory, [{ at: failures + 1, effect: { kind: 'fail', errno } }]);
        const failure = await failureOf(restoreBackup(BACKUP, RESTORED, { fileSystem: fs }));
        if (failure === undefined) break;
        failures++;

        const isTyped = failure instanceof FileSystemError || failure instanceof EngineError;
        expect(isTyped, `${errno} at ${failures}`).toBe(true);
        expect(await namesIn(memory, '/'), `${errno} at ${failures}`).toEqual(['backup', 'db']);
      }
      expect(failures).toBeGreaterThan(40);
      expect(await describeStore(memory, RESTORED)).toEqual(WHOLE_COPY);
      expect(await contentOf(memory, BACKUP)).toEqual(before);
    },
  );

  test('restored twice, gives two stores with one id that go on by themselves', async () => {
    const fs = await backedUp();
    await restoreBackup(BACKUP, RESTORED, { fileSystem: fs });
    await restoreBackup(BACKUP, '/second', { fileSystem: fs });

    await flip(fs, `${RESTORED}/000003.sst`, 70);

    const [first, second] = [await reportOn(fs, RESTORED), await reportOn(fs, '/second')];
    expect(first.storeId).toBe(second.storeId);
    expect([first.verdict, second.verdict]).toEqual(['corrupt', 'clean']);
  });
});
