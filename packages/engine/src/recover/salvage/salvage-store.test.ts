import { type FileSystem, FileSystemError } from '@kayadb/vfs';
import { FaultyFileSystem, InterceptedFileSystem, MemoryFileSystem, type Operation } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { contentOf, namesIn } from '../../../test/support/directories.ts';
import {
  abandonedStore,
  afterKill,
  closedStore,
  externalStore,
  flip,
  manifestName,
  namesEnding,
  putMany,
  rangeDeleteStore,
  truncate,
  unwrittenStore,
  writeFile,
} from '../../../test/support/evidence.ts';
import { DIRECTORY, openTestEngine, testWorld } from '../../../test/support/open-test-engine.ts';
import { openSalvaged, readRows, TARGET } from '../../../test/support/salvage-world.ts';
import { CorruptionError, EngineError } from '../../errors.ts';
import type { ManifestInspection } from '../file-inspection.ts';
import { inspectFile } from '../inspect-file.ts';
import { planRecovery } from '../plan/plan-recovery.ts';
import type { RecoveryPlan, SalvagePolicy, SalvageReport } from '../plan/recovery-plan.ts';
import { salvageStore, type SalvageOptions } from './salvage-store.ts';

function salvage(
  fs: FileSystem,
  policy: SalvagePolicy = 'provable',
  options: Partial<SalvageOptions> & { readonly target?: string; readonly directory?: string } = {},
): Promise<SalvageReport> {
  const { clock, nextProcess } = testWorld();
  const { target = TARGET, directory = DIRECTORY, ...rest } = options;
  return salvageStore(fs, directory, target, { policy, clock, processes: nextProcess(), ...rest });
}

function plan(fs: FileSystem, showKeys = false): Promise<RecoveryPlan> {
  const { clock, nextProcess } = testWorld();
  return planRecovery(fs, DIRECTORY, { clock, processes: nextProcess(), showKeys });
}

async function rowsIn(disk: MemoryFileSystem): Promise<ReadonlyMap<string, string>> {
  const engine = await openSalvaged(disk);
  const rows = await readRows(engine);
  await engine.close();
  return rows;
}

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

function kindsOf({ waysOut }: RecoveryPlan): readonly string[] {
  return waysOut.map(({ kind, policy }) => policy ?? kind);
}

describe('salvageStore', () => {
  test.each([
    ['killed', abandonedStore, 70],
    ['closed', closedStore, 40],
    ['never written to', unwrittenStore, 0],
    ['with range deletes in manifest and log', rangeDeleteStore, 39],
  ])('makes a whole store of one that was %s', async (_name, make, rowCount) => {
    const disk = await make();

    const report = await salvage(disk);

    expect(report).toMatchObject({ directory: DIRECTORY, target: TARGET, rowCount, wayOut: { losses: [] } });
    expect((await rowsIn(disk)).size).toBe(rowCount);
  });

  test('goes on with the sequence numbers of the old store, under an identity of its own', async () => {
    const disk = await closedStore();
    const randomBytes = (count: number): Uint8Array => new Uint8Array(count).fill(0xab);

    const report = await salvage(disk, 'provable', { randomBytes });

    const engine = await openSalvaged(disk);
    const { sequence } = await engine.put('next', '1');
    await engine.close();
    const current = Buffer.from(await disk.readFile(`${TARGET}/CURRENT`)).toString();
    expect(sequence).toBe(report.wayOut.lastSequence! + 1);
    expect(current).toContain('ab'.repeat(16));
  });

  test('takes what stands behind damage in the log only when asked for the newest', async () => {
    const disk = await abandonedStore();
    const [wal] = await namesEnding(disk, '.wal');
    await flip(disk, wal!, 64 + 40);

    const provable = await salvage(disk);
    const newest = await salvage(disk, 'newest-found', { target: '/newest' });

    const log = provable.wayOut.losses.filter(({ kind }) => kind === 'log');
    expect(log).toMatchObject([{ file: wal, offset: 64, firstSequence: 64, hasKeys: false }]);
    expect(provable).toMatchObject({ rowCount: 60, wayOut: { lastSequence: 63 } });
    expect(newest).toMatchObject({ rowCount: 69, wayOut: { lastSequence: 73 } });
    expect(newest.wayOut.losses).toMatchObject([{ kind: 'log', firstSequence: 64, lastSequence: 64, entryCount: 1 }]);
  });

  test('keeps a key out of which a damaged block may have held a newer version', async () => {
    const disk = new MemoryFileSystem();
    const options = { memtableBytes: 64 * 1024, blockBytes: 256, level0Tables: 64, compression: 'none' } as const;
    const engine = await openTestEngine(testWorld(disk), options);
    await putMany(engine, 0, 20);
    await engine.flush();
    await engine.put('key-0005', 'newer');
    await engine.flush();
    await engine.close();
    const [, newer] = await namesEnding(disk, '.sst');
    await flip(disk, newer!, 80);

    const provable = await salvage(disk, 'provable', { showKeys: true });
    const newest = await salvage(disk, 'newest-found', { target: '/newest' });

    expect(provable).toMatchObject({ rowCount: 19, wayOut: { doubtfulCount: 1 } });
    expect(provable.wayOut.doubtful).toMatchObject([{ key: Buffer.from('key-0005').toString('hex'), sequence: 6 }]);
    expect(newest).toMatchObject({ rowCount: 20, wayOut: { doubtfulCount: 1, doubtful: null } });
    expect((await rowsIn(disk)).has('key-0005')).toBe(false);
  });

  test('takes no old version of a key whose newer ones began in a damaged block', async () => {
    const disk = new MemoryFileSystem();
    const options = { memtableBytes: 64 * 1024, blockBytes: 256, level0Tables: 64, compression: 'none' } as const;
    const engine = await openTestEngine(testWorld(disk), options);
    for (let version = 0; version < 12; version++) {
      await engine.put('key', `${version}:${'v'.repeat(60)}`);
      // Held until the end, so that the table keeps the version.
      engine.snapshot();
    }
    await engine.flush();
    const [table] = await namesEnding(disk, '.sst');
    await flip(disk, table!, 80);

    const provable = await salvage(disk);
    const newest = await salvage(disk, 'newest-found', { target: '/newest' });

    expect(provable).toMatchObject({ rowCount: 0, wayOut: { doubtfulCount: 1, losses: [{ kind: 'block' }] } });
    expect(newest.rowCount).toBe(1);
  });

  test.each([
    ['its footer', (bytes: number) => bytes - 20],
    ['its index', (bytes: number) => bytes - 64 - 40],
    ['its header', () => 20],
  ])('reads a table that is damaged in %s', async (_name, where) => {
    const disk = await abandonedStore();
    const [table] = await namesEnding(disk, '.sst');
    await flip(disk, table!, where((await disk.stat(`${DIRECTORY}/${table}`))!.bytes));

    const report = await salvage(disk);

    expect(report).toMatchObject({ rowCount: 70, wayOut: { losses: [], doubtfulCount: 0 } });
  });

  test.each(['none', 'zstd'] as const)('finds the blocks of a table that is cut short: %s', async (compression) => {
    const disk = new MemoryFileSystem();
    const engine = await openTestEngine(testWorld(disk), { memtableBytes: 64 * 1024, blockBytes: 256, compression });
    await putMany(engine, 0, 60);
    await engine.close();
    const [table] = await namesEnding(disk, '.sst');
    await truncate(disk, table!, Math.floor((await disk.stat(`${DIRECTORY}/${table}`))!.bytes / 2));

    const { rowCount, wayOut } = await salvage(disk);

    expect(rowCount).toBeGreaterThan(20);
    expect(wayOut.losses).toMatchObject([{ kind: 'table', file: table, entryCount: 60 - rowCount, hasKeys: true }]);
  });

  test('reads a table whose header is all zeros, since nothing in it is unknown', async () => {
    const disk = await abandonedStore();
    const [table] = await namesEnding(disk, '.sst');
    const handle = await disk.open(`${DIRECTORY}/${table}`, 'write');
    await handle.write(new Uint8Array(64), 0);
    await handle.close();

    expect(await salvage(disk)).toMatchObject({ rowCount: 70, wayOut: { losses: [] } });
  });

  test.each([
    ['of another store', { seed: 1 }, 'another store'],
    [
      'with the same number, of another history',
      { deletedPrefix: 'key-00' },
      'not the one that the manifest describes',
    ],
  ])('takes nothing of a sound table %s', async (_name, options, reason) => {
    const [disk, other] = [await abandonedStore(), await abandonedStore(options)];
    const [table] = await namesEnding(disk, '.sst');
    const path = `${DIRECTORY}/${table}`;
    const foreign = await other.readFile(path);
    await disk.unlink(path);
    await writeFile(disk, table!, foreign);

    const provable = await salvage(disk);

    expect(provable).toMatchObject({ rowCount: 50, wayOut: { doubtfulCount: 0 } });
    expect(provable.wayOut.losses).toMatchObject([
      { kind: 'table', file: table, entryCount: 21, reason: expect.stringContaining(reason) },
    ]);
  });

  test('proves nothing by a table that the last edit before damage does not name', async () => {
    const disk = new MemoryFileSystem();
    const engine = await openTestEngine(testWorld(disk), { memtableBytes: 64 * 1024, compression: 'none' });
    await putMany(engine, 0, 20);
    await engine.flush();
    const [leftBehind] = await namesEnding(disk, '.sst');
    const bytes = await disk.readFile(`${DIRECTORY}/${leftBehind}`);
    for (let i = 0; i < 20; i++) await engine.delete(`key-${String(i).padStart(4, '0')}`);
    await engine.compact();
    await engine.put('late-1', '1');
    await engine.flush();
    await engine.put('late-2', '2');
    await engine.flush();
    const killed = afterKill(disk);
    await writeFile(killed, leftBehind!, bytes);
    const manifest = await manifestName(killed);
    const { edits } = (await inspectFile(killed, `${DIRECTORY}/${manifest}`, 'manifest')) as ManifestInspection;
    await flip(killed, manifest, edits.at(-2)!.offset + 40);

    const provable = await salvage(killed);
    const newest = await salvage(killed, 'newest-found', { target: '/newest' });

    expect(provable).toMatchObject({ rowCount: 0, wayOut: { lastSequence: 40 } });
    expect(provable.wayOut.losses).toContainEqual(expect.objectContaining({ kind: 'manifest', file: manifest }));
    expect(newest.rowCount).toBe(22);
  });

  test('proves nothing of tables without a manifest, and finds all that they hold', async () => {
    const disk = await abandonedStore();
    await disk.unlink(`${DIRECTORY}/${await manifestName(disk)}`);

    const provable = await salvage(disk);
    const newest = await salvage(disk, 'newest-found', { target: '/newest' });

    expect(provable.rowCount).toBe(10);
    expect(provable.wayOut.losses).toContainEqual(expect.objectContaining({ kind: 'range-deletes', hasKeys: false }));
    expect(newest.rowCount).toBe(70);
    expect(newest.wayOut.doubtfulCount).toBe(60);
  });

  test('makes a store with a log of its own of one that had none', async () => {
    const disk = await externalStore('closed');

    const report = await salvage(disk);

    expect(report.wayOut.cautions.join()).toMatch(/has a log of its own/);
    expect((await rowsIn(disk)).get('key-late')).toBe('v');
  });

  test('only reads the old directory, and leaves it as it is', async () => {
    const disk = await abandonedStore();
    const [table] = await namesEnding(disk, '.sst');
    await flip(disk, table!, 400);
    const before = await contentOf(disk, DIRECTORY);
    const changes: Operation[] = [];
    const note = (operation: Operation): void => {
      const isReading = /^(?:open|read|size|close|readFile|readDirectory|stat|diskSpace)$/.test(operation.kind);
      if (!isReading || (operation.mode ?? 'read') !== 'read') changes.push(operation);
    };
    const watched = new InterceptedFileSystem(disk, {
      call: (operation, run) => (note(operation), run()),
      callSync: (operation, run) => (note(operation), run()),
    });

    await salvage(watched);

    const inside = changes.filter(({ paths }) =>
      paths.some((path) => path === DIRECTORY || path.startsWith(`${DIRECTORY}/`)),
    );
    expect(changes.length).toBeGreaterThan(5);
    expect(inside).toEqual([]);
    expect(await contentOf(disk, DIRECTORY)).toEqual(before);
  });

  test('works beside a process that has the store open', async () => {
    const disk = new MemoryFileSystem();
    const engine = await openTestEngine(testWorld(disk), { memtableBytes: 4096 });
    await putMany(engine, 0, 50);

    const report = await salvage(disk);

    await engine.put('key-9999', 'after');
    await engine.close();
    expect(report.rowCount).toBe(50);
  });

  test.each([
    ['inside of the old directory', `${DIRECTORY}/saved`, DIRECTORY, RangeError],
    ['under a name whose unfinished form is the old directory', '/db', '/db.partial', RangeError],
  ])('refuses to write %s', async (_name, target, directory, type) => {
    const disk = await closedStore();
    await disk.rename(DIRECTORY, '/moved');
    await disk.rename('/moved', directory);
    const before = await contentOf(disk, directory);

    const failure = await failureOf(salvage(disk, 'provable', { target, directory }));

    expect(failure).toBeInstanceOf(type);
    expect(await contentOf(disk, directory)).toEqual(before);
  });

  test('refuses a name that is taken', async () => {
    const disk = await closedStore();
    await disk.makeDirectory(TARGET);

    const failure = await failureOf(salvage(disk));

    expect(failure).toMatchObject({ code: 'KAYA_FS_EXISTS' });
    expect(await namesIn(disk, TARGET)).toEqual([]);
  });

  test('refuses a policy that there is not', async () => {
    const failure = await failureOf(salvage(await closedStore(), 'everything' as SalvagePolicy));

    expect(failure).toBeInstanceOf(TypeError);
  });

  test('ends when its signal is aborted, and leaves nothing', async () => {
    const disk = await closedStore();
    const controller = new AbortController();
    const onProgress = (): void => controller.abort();

    const failure = await failureOf(salvage(disk, 'provable', { signal: controller.signal, onProgress }));

    expect(failure).toMatchObject({ code: 'KAYA_ABORTED' });
    expect(await namesIn(disk, '/')).toEqual(['db']);
  });

  test('says how far it is', async () => {
    const seen: string[] = [];

    await salvage(await abandonedStore(), 'provable', {
      onProgress: ({ phase, bytes, totalBytes }) => {
        expect(bytes).toBeLessThanOrEqual(totalBytes);
        seen.push(phase);
      },
    });

    expect([...new Set(seen)]).toEqual(['read', 'write']);
  });

  test.each(['ENOSPC', 'EIO'])(
    'with %s at any operation that changes the disk, leaves nothing',
    async (errno) => {
      const kinds = ['write', 'sync', 'makeDirectory', 'rename', 'syncDirectory'] as const;
      const disk = await abandonedStore();
      const before = await contentOf(disk, DIRECTORY);
      let failures = 0;
      for (;;) {
        const fs = new FaultyFileSystem(disk, [{ at: failures + 1, kinds, effect: { kind: 'fail', errno } }]);
        const failure = await failureOf(salvage(fs));
        if (failure === undefined) break;
        failures++;
        expect(failure, `${errno} at ${failures}`).toBeInstanceOf(FileSystemError);
        expect(await namesIn(disk, '/'), `${errno} at ${failures}`).toEqual(['db']);
      }
      expect(failures).toBeGreaterThan(10);
      expect(await contentOf(disk, DIRECTORY)).toEqual(before);
    },
    60_000,
  );

  test('with EIO at any read, fails with a typed error and leaves nothing, or admits what it lacks', async () => {
    const disk = await abandonedStore();
    const kinds = ['open', 'read', 'readDirectory', 'stat', 'readFile'] as const;
    const isOld = (path: string): boolean => path.startsWith(DIRECTORY);
    const outcomes: string[] = [];
    let reads = 0;
    for (let at = 1; at <= reads + 1; at += 3) {
      const target = `${TARGET}-${at}`;
      const fs = new FaultyFileSystem(disk, [
        { at, kinds, matchesPath: isOld, effect: { kind: 'fail', errno: 'EIO' } },
      ]);
      const outcome = await salvage(fs, 'provable', { target }).catch((error: unknown) => error);
      outcomes.push(describeOutcome(outcome, (await disk.stat(target)) !== undefined));
      reads = Math.max(reads, fs.countOf(kinds));
    }
    expect([...new Set(outcomes)].toSorted()).toEqual([
      'failed with a typed error, nothing left',
      'saved partly, and said so',
      'saved whole',
    ]);
  }, 60_000);
});

function describeOutcome(outcome: unknown, isThere: boolean): string {
  if (outcome instanceof Error) {
    const isTyped = [FileSystemError, EngineError, CorruptionError].some((type) => outcome instanceof type);
    return `failed with ${isTyped ? 'a typed error' : String(outcome.stack)}, ${isThere ? 'something' : 'nothing'} left`;
  }
  const { rowCount, wayOut } = outcome as SalvageReport;
  if (rowCount === 70) return 'saved whole';
  return `saved partly, and ${wayOut.losses.length > 0 ? 'said so' : 'kept silent'}`;
}

describe('planRecovery', () => {
  test('refuses a directory without a store', async () => {
    const disk = new MemoryFileSystem();
    await disk.makeDirectory(DIRECTORY);

    const failure = await failureOf(plan(disk));

    expect(failure).toMatchObject({ code: 'KAYA_NOTHING_TO_SALVAGE' });
  });

  test.each<[string, (disk: MemoryFileSystem) => Promise<void>, readonly string[]]>([
    ['nothing is damaged', async () => {}, ['open', 'provable']],
    [
      'a block is damaged',
      async (disk) => flip(disk, (await namesEnding(disk, '.sst'))[0]!, 400),
      ['restore', 'provable', 'open'],
    ],
    ['CURRENT is lost', (disk) => disk.unlink(`${DIRECTORY}/CURRENT`), ['provable', 'restore']],
    [
      'the log is damaged in the middle',
      async (disk) => flip(disk, (await namesEnding(disk, '.wal'))[0]!, 104),
      ['restore', 'provable', 'newest-found'],
    ],
    [
      'the manifest is lost',
      async (disk) => disk.unlink(`${DIRECTORY}/${await manifestName(disk)}`),
      ['restore', 'newest-found', 'provable'],
    ],
    [
      'the log is torn',
      async (disk) => {
        const [wal] = await namesEnding(disk, '.wal');
        await truncate(disk, wal!, 150);
      },
      ['open', 'provable'],
    ],
  ])('ranks the ways out when %s', async (_name, damage, ways) => {
    const disk = await abandonedStore();
    await damage(disk);

    const found = await plan(disk);

    expect(kindsOf(found)).toEqual(ways);
  });

  test.each([
    ['begins anew when a table goes away meanwhile', false, 'open'],
    ['asks to look again when tables go away all the time', true, 'look-again'],
  ])('%s', async (_name, forever, first) => {
    const disk = await abandonedStore();
    const [table] = await namesEnding(disk, '.sst');
    const matchesPath = (path: string): boolean => path.endsWith(table!);
    // The report opens it twice.
    const at = 3;
    const fs = new FaultyFileSystem(disk, [
      { at, kinds: ['open'], matchesPath, forever, effect: { kind: 'fail', errno: 'ENOENT' } },
    ]);

    const found = await plan(fs);

    expect(kindsOf(found)[0]).toBe(first);
  });

  test('asks to look again when a file cannot be read', async () => {
    const disk = await abandonedStore();
    const [table] = await namesEnding(disk, '.sst');
    const matchesPath = (path: string): boolean => path.endsWith(table!);
    const fs = new FaultyFileSystem(disk, [
      { at: 1, kinds: ['open'], matchesPath, forever: true, effect: { kind: 'fail', errno: 'EACCES' } },
    ]);

    const found = await plan(fs);

    expect(kindsOf(found)[0]).toBe('look-again');
    expect(found.waysOut[0]!.cautions).toEqual([expect.stringMatching(`^${table}: open of .* failed with EACCES`)]);
  });

  // Opening does not read the inside of tables: it was said to recover a store whose table nobody can read, and to lose nothing.
  test('does not offer to open a store as if nothing were the matter when a table of it cannot be read', async () => {
    const disk = await abandonedStore();
    const [table] = await namesEnding(disk, '.sst');
    const matchesPath = (path: string): boolean => path.endsWith(table!);
    const fs = new FaultyFileSystem(disk, [
      { at: 1, kinds: ['open'], matchesPath, forever: true, effect: { kind: 'fail', errno: 'EACCES' } },
    ]);

    const found = await plan(fs);

    const open = found.waysOut.find(({ kind }) => kind === 'open')!;
    expect(open.summary).toBe('Open the store and live with reads that fail');
    expect(open.losses).toMatchObject([{ file: table }]);
    const { bytes } = (await disk.stat(`${DIRECTORY}/${table}`))!;
    expect(found.report.files.find(({ name }) => name === table)).toMatchObject({ state: 'unreadable', bytes });
  });

  test('says of a folder with a log that cannot be read that it is to be looked at again, not that nothing is there', async () => {
    const disk = await abandonedStore();
    for (const name of await namesIn(disk, DIRECTORY)) {
      if (!name.endsWith('.wal')) await disk.unlink(`${DIRECTORY}/${name}`);
    }
    const fs = new FaultyFileSystem(disk, [
      { at: 1, kinds: ['open'], forever: true, effect: { kind: 'fail', errno: 'EACCES' } },
    ]);

    const found = await plan(fs);

    expect(kindsOf(found)[0]).toBe('look-again');
  });

  // It was asked to be looked at again, for ever.
  test('of a backup is to restore it', async () => {
    const disk = await abandonedStore();
    const engine = await openTestEngine(testWorld(disk));
    await engine.backup(`${DIRECTORY}-backup`);
    await engine.close();
    const { clock, nextProcess } = testWorld();
    const planBackup = (): Promise<RecoveryPlan> =>
      planRecovery(disk, `${DIRECTORY}-backup`, { clock, processes: nextProcess() });

    const whole = await planBackup();
    const [table] = (await namesIn(disk, `${DIRECTORY}-backup`)).filter((name) => name.endsWith('.sst'));
    await disk.unlink(`${DIRECTORY}-backup/${table}`);
    const damaged = await planBackup();

    expect(kindsOf(whole)).toEqual(['restore', 'provable']);
    expect(whole.waysOut[0]).toMatchObject({ command: `kayactl restore ${DIRECTORY}-backup --data`, rowCount: 70 });
    expect(whole.report.warnings).toEqual([]);
    expect(damaged.waysOut[0]).toMatchObject({ kind: 'restore', command: null });
  });

  test('names the manifest that is gone as what is lost with it', async () => {
    const disk = await abandonedStore();
    const manifest = await manifestName(disk);
    await disk.unlink(`${DIRECTORY}/${manifest}`);

    const found = await plan(disk);

    const salvages = found.waysOut.filter(({ kind }) => kind === 'salvage');
    const lost = [`manifest of ${manifest}`, `range-deletes of ${manifest}`];
    const named = salvages.map(({ losses }) => losses.map(({ kind, file }) => `${kind} of ${file}`).toSorted());
    expect(named).toEqual([lost, lost]);
  });

  test('gives no key away unless asked', async () => {
    const disk = await abandonedStore();
    const [table] = await namesEnding(disk, '.sst');
    await flip(disk, table!, 400);

    const silent = JSON.stringify(await plan(disk));
    const open = JSON.stringify(await plan(disk, true));

    const inHex = Buffer.from('key-').toString('hex');
    expect(silent).not.toContain(inHex);
    expect(open).toContain(inHex);
  });

  test('draws tables between 0 and 1 by rank, with their damage', async () => {
    const disk = await abandonedStore();
    const [first, second] = await namesEnding(disk, '.sst');
    await flip(disk, first!, 400);
    await disk.unlink(`${DIRECTORY}/${second}`);

    const { levels } = await plan(disk);

    expect(levels).toHaveLength(7);
    expect(levels[0]).toMatchObject([
      { file: first, from: 0, isMissing: false, damage: [{ reason: expect.stringMatching(/checksum/) }] },
      { file: second, isMissing: true, damage: [{ offset: 0 }] },
      { to: 1, damage: [] },
    ]);
  });
});
