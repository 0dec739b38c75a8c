/** Disks that fill up under a store with a soft limit and a reserve. docs/decisions/20261122-disk-reserve.md. */

import { seededRandom, settle, testSeed } from '@kayadb/testkit';
import {
  crashClone,
  crashClones,
  fakeProcessWorld,
  FaultyFileSystem,
  InterceptedFileSystem,
  MemoryFileSystem,
  type Mutation,
} from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { type Engine, type EngineEvent, type EngineOptions, inspectStore } from '../src/index.ts';
import { DIRECTORY, openTestEngine, type TestWorld, testWorld, tinyOptions } from './support/open-test-engine.ts';

const RESERVE = 16 * 1024;
const LOW = 32 * 1024;
const limited: EngineOptions = { ...tinyOptions, diskReserveBytes: RESERVE, diskLowBytes: LOW };

interface Opened {
  readonly engine: Engine;
  readonly world: TestWorld;
  readonly disk: MemoryFileSystem;
  readonly events: EngineEvent[];
}

async function open(disk = new MemoryFileSystem(), options: EngineOptions = limited): Promise<Opened> {
  const world = testWorld(disk);
  const events: EngineEvent[] = [];
  const engine = await openTestEngine(world, { ...options, onEvent: (event) => void events.push(event) });
  await settle();
  return { engine, world, disk, events };
}

/** Leaves so many bytes available, as other programs do. */
async function leave(disk: MemoryFileSystem, bytes: number): Promise<void> {
  disk.setCapacity(2 ** 40);
  disk.setCapacity(2 ** 40 - (await disk.diskSpace('/')).availableBytes + bytes);
}

async function reserveBytes(disk: MemoryFileSystem): Promise<number | undefined> {
  return (await disk.stat(`${DIRECTORY}/RESERVE`))?.bytes;
}

async function keysOf(engine: Engine): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const key of engine.keys({ keyEncoding: 'utf8' })) keys.push(key);
  return keys;
}

function states(events: readonly EngineEvent[]): readonly string[] {
  return events.flatMap((event) => (event.kind === 'disk-space' ? [event.state] : []));
}

async function fill(engine: Engine, prefix: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await engine.put(`${prefix}${i}`, 'v'.repeat(200));
}

describe('the soft limit', () => {
  test('refuses what needs room, with a sentence, and lets everything else go on', async () => {
    const { engine, world, disk, events } = await open();
    await fill(engine, 'k', 50);
    await engine.compact();
    await settle();
    await leave(disk, 10_000);
    await world.clock.advanceAsync(5000);

    const put = { kind: 'put', key: 'k', value: 'v' } as const;
    const refused = await Promise.allSettled([
      engine.put('k', 'v'),
      engine.batch([{ kind: 'delete', key: 'a' }, put]),
      engine.compareAndBatch([], [put]),
    ]);
    await engine.delete('k0');
    await engine.deleteRange({ prefix: 'k1' });
    await engine.batch([{ kind: 'delete', key: 'k2' }]);
    await engine.compareAndBatch([], [{ kind: 'delete', key: 'k3' }]);
    const { diskState, diskReserveBytes } = engine.stats();
    await engine.flush();
    await engine.compact();
    const kept = await engine.getMany(['k0', 'k1', 'k2', 'k3', 'k4']);

    expect(refused.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'written'))).toEqual(
      Array(3).fill('KAYA_DISK_FULL'),
    );
    expect(String((refused[0] as PromiseRejectedResult).reason.message)).toMatch(
      /^the disk of \/db has \d+ bytes left, and puts are refused until it has 36864; free some space or delete keys$/,
    );
    expect(kept.map((value) => value !== undefined)).toEqual([false, false, false, false, true]);
    expect({ diskState, diskReserveBytes }).toEqual({ diskState: 'low', diskReserveBytes: RESERVE });
    expect(states(events)[0]).toBe('low');
    await engine.close();
  });

  test('is noticed by the bytes that are written, without any time going by', async () => {
    // No flush, after which it would look anyway.
    const { engine, disk, events } = await open(new MemoryFileSystem(), { ...limited, memtableBytes: 1024 * 1024 });
    await leave(disk, LOW + 20_000);

    const written = fill(engine, 'k', 10_000);

    await expect(written).rejects.toMatchObject({ code: 'KAYA_DISK_FULL' });
    expect((await disk.diskSpace('/')).availableBytes).toBeGreaterThan(LOW / 2);
    expect(states(events)).toEqual(['low']);
    await engine.close();
  });

  test('is in force with the first write after opening', async () => {
    const { engine: first, disk } = await open();
    await first.close();
    await leave(disk, LOW / 2);

    // The background has not looked yet when the first write comes.
    const slow = new InterceptedFileSystem(disk, {
      call: async ({ kind }, call) => {
        if (kind === 'diskSpace') await settle();
        return call();
      },
      callSync: (_operation, call) => call(),
    });
    const engine = await openTestEngine(testWorld(slow), limited);
    const written = engine.put('k', 'v');

    await expect(written).rejects.toMatchObject({ code: 'KAYA_DISK_FULL' });
    await engine.close();
  });

  test('clears by itself when space returns, but not before there is some more than the limit', async () => {
    const { engine, world, disk, events } = await open();
    await leave(disk, LOW - 1);
    await world.clock.advanceAsync(5000);
    await leave(disk, LOW + 100);
    await world.clock.advanceAsync(3000);
    const stillLow = engine.stats().diskState;

    await leave(disk, LOW + LOW / 8 + 1);
    await world.clock.advanceAsync(1000);
    await engine.put('k', 'v');

    expect(stillLow).toBe('low');
    expect(states(events)).toEqual(['low', 'ok']);
    await engine.close();
  });

  test('is looked at again soon when a write is refused', async () => {
    const { engine, world, disk } = await open();
    await leave(disk, 0);
    await world.clock.advanceAsync(5000);
    await leave(disk, 2 ** 30);
    world.clock.advance(100);

    await expect(engine.put('k', 'v')).rejects.toMatchObject({ code: 'KAYA_DISK_FULL' });
    await settle();

    await engine.put('k', 'v');
    await engine.close();
  });

  test('refuses nothing that an external log applies, and says how it stands', async () => {
    const { engine, world, disk, events } = await open(new MemoryFileSystem(), { ...limited, log: 'external' });
    await leave(disk, LOW - 1);
    await world.clock.advanceAsync(5000);

    await engine.put('k', 'v', { appliedIndex: 1 });

    expect(states(events)).toEqual(['low']);
    expect(engine.stats()).toMatchObject({ diskState: 'low', diskAvailableBytes: LOW - 1 });
    await engine.close();
  });

  test('is nobody’s business where it is off: no look, no timer, no refusal', async () => {
    const faulty = new FaultyFileSystem(new MemoryFileSystem());
    const world = testWorld(faulty);
    const engine = await openTestEngine(world, tinyOptions);

    await fill(engine, 'k', 100);

    expect(engine.stats()).toMatchObject({ diskState: 'unwatched', diskAvailableBytes: null, diskReserveBytes: 0 });
    expect(faulty.countOf(['diskSpace'])).toBe(0);
    await engine.close();
    expect(world.clock.pendingTimers).toBe(0);
  });

  test('does not refuse anybody because the disk cannot be measured', async () => {
    const faulty = new FaultyFileSystem(new MemoryFileSystem());
    const effect = { kind: 'fail', errno: 'EIO' } as const;
    faulty.inject({ at: 1, forever: true, kinds: ['diskSpace'], effect });
    const events: EngineEvent[] = [];
    const world = testWorld(faulty);
    const engine = await openTestEngine(world, { ...limited, onEvent: (event) => void events.push(event) });

    await fill(engine, 'k', 20);
    await world.clock.advanceAsync(30_000);

    expect(events.filter(({ kind }) => kind === 'warning')).toHaveLength(1);
    await engine.close();
  });
});

describe('the reserve', () => {
  test('takes real room, is whole whenever it is there, and outlives the store', async () => {
    const { engine, disk, world } = await open();
    const before = await reserveBytes(disk);

    await engine.close();

    expect(before).toBe(RESERVE);
    expect(await reserveBytes(disk)).toBe(RESERVE);
    expect(await disk.stat(`${DIRECTORY}/RESERVE.tmp`)).toBeUndefined();
    expect(world.clock.pendingTimers).toBe(0);
    const { files, verdict } = await inspectStore(disk, DIRECTORY);
    expect(verdict).toBe('clean');
    expect(files.find(({ name }) => name === 'RESERVE')?.kind).toBe('reserve');
  });

  test('is made anew where another size is asked for, and left where none is', async () => {
    const { engine: first, disk } = await open();
    await first.close();

    const { engine: second } = await open(disk, { ...limited, diskReserveBytes: 2 * RESERVE });
    await second.close();
    const grown = await reserveBytes(disk);
    const { engine: third } = await open(disk, tinyOptions);
    await third.close();

    expect(grown).toBe(2 * RESERVE);
    expect(await reserveBytes(disk)).toBe(2 * RESERVE);
  });

  test('is not in copies of the store', async () => {
    const { engine, disk } = await open();
    await engine.put('k', 'v');

    await engine.checkpoint('/checkpoint');
    await engine.backup('/backup');

    for (const copy of ['/checkpoint', '/backup']) {
      expect((await disk.readDirectory(copy)).map(({ name }) => name)).not.toContain('RESERVE');
    }
    await engine.close();
  });

  test('is given back to a flush and a compaction that find no room, and made again when there is some', async () => {
    const { engine, disk, world, events } = await open(new MemoryFileSystem(), {
      ...limited,
      memtableBytes: 64 * 1024,
      level0Tables: 20,
    });
    for (let round = 0; round < 2; round++) {
      await fill(engine, 'k', 40);
      await engine.flush();
    }
    await engine.put('late', 'v'.repeat(2000));
    await leave(disk, 1000);

    await engine.flush();
    const afterFlush = await reserveBytes(disk);
    await engine.compact();
    await engine.delete('k1');
    const refused = await engine.put('x', 'y').catch((error: unknown) => error);
    await leave(disk, RESERVE + LOW + LOW / 8);
    await world.clock.advanceAsync(5000);
    await engine.put('x', 'y');

    expect(afterFlush).toBeUndefined();
    expect(refused).toMatchObject({ code: 'KAYA_DISK_FULL' });
    expect(states(events)).toEqual(['full', 'ok']);
    expect(events.filter(({ kind }) => kind === 'warning' || kind === 'poisoned')).toEqual([]);
    expect(await reserveBytes(disk)).toBe(RESERVE);
    await engine.close();
  });

  test('leaves out no step of a compaction that was asked for', async () => {
    const memory = new MemoryFileSystem();
    const faulty = new FaultyFileSystem(memory);
    const engine = await openTestEngine(testWorld(faulty), { ...limited, level0Tables: 20 });
    await settle();
    for (let round = 0; round < 3; round++) {
      await engine.put('k', 'v'.repeat(200));
      await engine.flush();
    }
    const matchesPath = (path: string): boolean => path.endsWith('.sst');
    faulty.inject({ at: 1, kinds: ['open'], matchesPath, effect: { kind: 'fail', errno: 'ENOSPC' } });

    await engine.compact();

    expect(await reserveBytes(memory)).toBeUndefined();
    expect(engine.stats()).toMatchObject({ tableCount: 1, levels: [{ tableCount: 0 }, {}, {}, {}, {}, {}, {}] });
    await engine.close();
  });

  test('is not made again while a compaction that it was given to goes on', async () => {
    const memory = new MemoryFileSystem();
    const faulty = new FaultyFileSystem(memory);
    const world = testWorld(faulty);
    const engine = await openTestEngine(world, { ...limited, level0Tables: 20, compactionBytesPerSecond: 20 });
    await settle();
    for (let round = 0; round < 3; round++) {
      await engine.put('k', 'v'.repeat(200));
      await engine.flush();
    }
    const matchesPath = (path: string): boolean => path.endsWith('.sst');
    faulty.inject({ at: 1, kinds: ['open'], matchesPath, effect: { kind: 'fail', errno: 'ENOSPC' } });

    const compacted = engine.compact();
    await world.clock.advanceAsync(8000);
    const meanwhile = [await reserveBytes(memory), engine.stats().compactionCount];
    await world.clock.advanceAsync(100_000);
    await compacted;

    expect(meanwhile).toEqual([undefined, 0]);
    expect(await reserveBytes(memory)).toBe(RESERVE);
    await engine.close();
  });

  test('is not given back for a batch that is larger than what it may be given to', async () => {
    const { engine, disk, events } = await open();
    await leave(disk, 200_000);

    const met = await engine.put('k', 'v'.repeat(2_000_000)).catch((error: unknown) => error);

    expect(met).toMatchObject({ code: 'KAYA_DISK_FULL' });
    expect(await reserveBytes(disk)).toBe(RESERVE);
    expect(states(events)).toEqual([]);
    await leave(disk, 2 ** 30);
    await engine.close();
  });

  test('is given back to a delete that the log has no room for', async () => {
    const { engine, disk } = await open();
    await fill(engine, 'k', 3);
    await leave(disk, 0);
    // The log has zeros ahead, which are used up first.
    for (let i = 0; i < 2000 && (await reserveBytes(disk)) !== undefined; i++) await engine.delete(`k${i}`);

    await engine.delete('k1');

    expect(await reserveBytes(disk)).toBeUndefined();
    expect(await engine.get('k1')).toBeUndefined();
    await leave(disk, 2 ** 30);
    await engine.close();
  });

  test('is given back to the flush and the last edit of a store that is closed', async () => {
    const { engine, disk } = await open();
    await engine.put('k', 'v'.repeat(1000));
    await leave(disk, 100);

    await engine.close();

    expect(await reserveBytes(disk)).toBeUndefined();
    const { engine: again } = await open(disk);
    expect(await again.get('k')).toBeDefined();
    await again.close();
  });

  test.each(['MANIFEST', '.wal'])('is given back to %s alone', async (name) => {
    const memory = new MemoryFileSystem();
    const faulty = new FaultyFileSystem(memory);
    const engine = await openTestEngine(testWorld(faulty), limited);
    await settle();
    if (name === '.wal') await engine.put('k', 'v');
    const matchesPath = (path: string): boolean => path.includes(name);
    faulty.inject({ at: 1, kinds: ['write', 'open'], matchesPath, effect: { kind: 'fail', errno: 'ENOSPC' } });

    // Closing begins a segment for what is in memory, and ends with an edit.
    await engine.close();

    expect(await reserveBytes(memory)).toBeUndefined();
    const { engine: again, events } = await open(memory);
    expect(events).toContainEqual(expect.objectContaining({ kind: 'opened', cleanClose: true }));
    await again.close();
  });

  test('lets a quota end what the disk would have room for, and tries again later', async () => {
    const memory = new MemoryFileSystem();
    const faulty = new FaultyFileSystem(memory);
    const world = testWorld(faulty);
    const events: EngineEvent[] = [];
    const engine = await openTestEngine(world, { ...limited, onEvent: (event) => void events.push(event) });
    await settle();
    const effect = { kind: 'fail', errno: 'EDQUOT' } as const;
    faulty.inject({ at: 1, forever: true, kinds: ['write'], effect });

    const met = await engine.put('k', 'v'.repeat(500)).catch((error: unknown) => error);
    await world.clock.advanceAsync(60_000);
    const meanwhile = engine.stats().diskState;
    faulty.heal();
    await world.clock.advanceAsync(11_000);
    await engine.put('k', 'v');

    expect(met).toMatchObject({ code: 'KAYA_DISK_FULL' });
    expect(meanwhile).toBe('full');
    expect(states(events)).toEqual(['full', 'ok']);
    expect(await reserveBytes(memory)).toBe(RESERVE);
    await engine.close();
  });

  test.each([
    ['sync', 'ENOSPC'],
    ['open', 'EMFILE'],
  ] as const)('is tried again where %s fails with %s', async (kind, errno) => {
    const memory = new MemoryFileSystem();
    const faulty = new FaultyFileSystem(memory);
    const matchesPath = (path: string): boolean => path.includes('RESERVE');
    faulty.inject({ at: 1, kinds: [kind], matchesPath, effect: { kind: 'fail', errno } });
    const world = testWorld(faulty);
    const events: EngineEvent[] = [];
    const engine = await openTestEngine(world, { ...limited, onEvent: (event) => void events.push(event) });

    await world.clock.advanceAsync(16_000);

    expect(await reserveBytes(memory)).toBe(RESERVE);
    expect(events.filter(({ kind: told }) => told === 'warning')).toEqual([]);
    await engine.close();
  });

  test('gets back, when the store is opened, what a crash left of one being made', async () => {
    const disk = new MemoryFileSystem();
    const { engine } = await open(disk);
    await engine.close();
    await disk.rename(`${DIRECTORY}/RESERVE`, `${DIRECTORY}/RESERVE.tmp`);
    await leave(disk, RESERVE + LOW);

    const { engine: again } = await open(disk);

    expect(again.stats().diskState).toBe('ok');
    expect(await disk.stat(`${DIRECTORY}/RESERVE.tmp`)).toBeUndefined();
    expect(await reserveBytes(disk)).toBe(RESERVE);
    await again.close();
  });

  test('is done without, and never poisons, where its file fails', async () => {
    for (const kinds of [['open'], ['write'], ['sync'], ['rename'], ['close']] as const) {
      const faulty = new FaultyFileSystem(new MemoryFileSystem());
      const effect = { kind: 'fail', errno: 'EIO' } as const;
      faulty.inject({ at: 1, forever: true, kinds, matchesPath: (path) => path.includes('RESERVE'), effect });
      const events: EngineEvent[] = [];
      const engine = await openTestEngine(testWorld(faulty), {
        ...limited,
        onEvent: (event) => void events.push(event),
      });
      await settle();

      await fill(engine, 'k', 30);
      await engine.close();

      expect({ kinds, told: events.filter(({ kind }) => kind === 'warning').length }).toEqual({ kinds, told: 1 });
      expect(events.filter(({ kind }) => kind === 'poisoned')).toEqual([]);
    }
  });

  test('is missed when somebody removes it, and made again', async () => {
    const { engine, disk, world } = await open();
    await leave(disk, LOW);
    await disk.unlink(`${DIRECTORY}/RESERVE`);

    await world.clock.advanceAsync(5000);
    const { diskReserveBytes, diskState } = engine.stats();
    await leave(disk, 2 ** 30);
    await world.clock.advanceAsync(5000);

    expect({ diskReserveBytes, diskState }).toEqual({ diskReserveBytes: 0, diskState: 'ok' });
    expect(await reserveBytes(disk)).toBe(RESERVE);
    await engine.close();
  });

  test('never syncs the directory, whose failed sync would be about other names', async () => {
    const memory = new MemoryFileSystem();
    const seen: Mutation[] = [];
    const { engine } = await open(memory);
    memory.afterEachMutation((mutation) => seen.push(mutation));
    await leave(memory, 0);
    await engine.put('k', 'v'.repeat(40_000)).catch(() => undefined);
    await settle();

    const at = seen.findIndex(({ operation, path }) => operation === 'unlink' && path.endsWith('RESERVE'));

    expect(at).toBeGreaterThanOrEqual(0);
    expect(seen.slice(at).filter(({ operation }) => operation === 'syncDirectory')).toEqual([]);
    await leave(memory, 2 ** 30);
    await engine.close();
  });
});

describe('a crash around the reserve', () => {
  test(
    'at any moment of making and releasing leaves a store that opens with everything acknowledged',
    { timeout: 60_000 },
    async () => {
      const random = seededRandom(testSeed());
      const disk = new MemoryFileSystem();
      const crashes: { readonly disk: MemoryFileSystem; readonly acknowledged: number; readonly what: string }[] = [];
      let acknowledged = 0;
      disk.afterEachMutation(({ operation, path }) => {
        if (!path.includes('RESERVE')) return;
        for (const crash of crashClones(disk, () => random.int(1_000_000) / 1_000_000)) {
          crashes.push({ disk: crash.disk, acknowledged, what: `${operation} of ${path}, ${crash.mode.kind}` });
        }
      });
      const { engine, world } = await open(disk);
      for (let round = 0; round < 3; round++) {
        for (let i = 0; i < 20; i++) {
          await engine.put(`k${acknowledged}`, 'v'.repeat(200));
          acknowledged++;
        }
        await leave(disk, 500);
        await engine.flush();
        await leave(disk, 2 ** 30);
        await world.clock.advanceAsync(20_000);
      }
      await engine.close();

      for (const crash of crashes) {
        crash.disk.setCapacity(undefined);
        const { engine: survivor } = await open(crash.disk);
        const keys = await keysOf(survivor);
        expect({ what: crash.what, lost: missing(keys, crash.acknowledged) }).toEqual({ what: crash.what, lost: [] });
        expect(await reserveBytes(crash.disk)).toBe(RESERVE);
        await survivor.close();
      }
      expect(crashes.length).toBeGreaterThan(60);
    },
  );
});

function missing(keys: readonly string[], acknowledged: number): readonly string[] {
  const found = new Set(keys);
  return Array.from({ length: acknowledged }, (_, i) => `k${i}`).filter((key) => !found.has(key));
}

describe('a crashed store on a full disk', () => {
  async function crashedStore(availableBytes: number, options: EngineOptions = limited): Promise<MemoryFileSystem> {
    const { engine, disk } = await open(new MemoryFileSystem(), { ...options, memtableBytes: 64 * 1024 });
    await fill(engine, 'k', 30);
    const crashed = crashClone(disk, { kind: 'everything' }, () => 0);
    await engine.close();
    await leave(crashed, availableBytes);
    return crashed;
  }

  test.each([0, 100, 600, 2000])('opens with the reserve, with %i bytes left', async (availableBytes) => {
    const disk = await crashedStore(availableBytes);

    const { engine } = await open(disk);

    expect(missing(await keysOf(engine), 30)).toEqual([]);
    expect(await reserveBytes(disk)).toBeUndefined();
    await engine.delete('k1');
    await engine.close();
  });

  test('opens without a reserve of its own as well, as kayactl does', async () => {
    const disk = await crashedStore(0);

    const { engine } = await open(disk, tinyOptions);

    expect(missing(await keysOf(engine), 30)).toEqual([]);
    await engine.close();
  });

  test('is refused without a reserve, and nothing is lost', async () => {
    const disk = await crashedStore(600, tinyOptions);

    await expect(open(disk)).rejects.toMatchObject({ code: 'KAYA_DISK_FULL' });

    disk.setCapacity(undefined);
    const { engine } = await open(disk);
    expect(missing(await keysOf(engine), 30)).toEqual([]);
    await engine.close();
  });

  test('that crashes again at any moment of such an opening loses nothing', { timeout: 60_000 }, async () => {
    const random = seededRandom(testSeed());
    const disk = await crashedStore(600);
    const crashes: MemoryFileSystem[] = [];
    let mutations = 0;
    const stop = disk.afterEachMutation(() => {
      if (mutations++ % 2 === 0) return;
      for (const crash of crashClones(disk, () => random.int(1_000_000) / 1_000_000)) crashes.push(crash.disk);
    });
    const { engine } = await open(disk);
    stop();
    await engine.close();

    for (const crashed of crashes) {
      crashed.setCapacity(undefined);
      const { engine: survivor } = await open(crashed);
      expect(missing(await keysOf(survivor), 30)).toEqual([]);
      await survivor.close();
    }
    expect(crashes.length).toBeGreaterThan(60);
  });

  test('does not take the reserve of a store that is open', async () => {
    const disk = new MemoryFileSystem();
    const machine = fakeProcessWorld();
    const first = await openTestEngine(testWorld(disk), { ...limited, processes: machine.start() });
    await settle();
    await leave(disk, 0);

    const second = openTestEngine(testWorld(disk), { ...limited, processes: machine.start() });

    await expect(second).rejects.toMatchObject({ code: expect.stringMatching(/KAYA_(LOCKED|DISK_FULL)/) });
    expect(await reserveBytes(disk)).toBe(RESERVE);
    await leave(disk, 2 ** 30);
    await first.close();
  });
});
