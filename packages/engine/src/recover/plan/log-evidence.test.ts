/** Segments in each other's place, of another store, behind a clean close, and torn where nothing comes before: what of the log counts. */

import { InterceptedFileSystem, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import {
  abandonedStore,
  afterKill,
  evidenceOptions,
  flip,
  namesEnding,
  putMany,
  twoSegmentStore,
} from '../../../test/support/evidence.ts';
import { DIRECTORY, openTestEngine, testWorld } from '../../../test/support/open-test-engine.ts';
import { planRecovery } from './plan-recovery.ts';
import type { RecoveryPlan, WayOut } from './recovery-plan.ts';

function plan(fs: MemoryFileSystem | InterceptedFileSystem): Promise<RecoveryPlan> {
  const { clock, nextProcess } = testWorld();
  return planRecovery(fs, DIRECTORY, { clock, processes: nextProcess() });
}

async function provable(fs: MemoryFileSystem): Promise<WayOut> {
  const { waysOut } = await plan(fs);
  return waysOut.find(({ policy }) => policy === 'provable')!;
}

/** Without its size, which salvages do not depend on. */
async function replace(disk: MemoryFileSystem, name: string, bytes: Uint8Array): Promise<void> {
  const handle = await disk.open(`${DIRECTORY}/${name}`, 'write');
  await handle.truncate(0);
  await handle.write(bytes, 0);
  await handle.close();
}

function read(disk: MemoryFileSystem, name: string): Promise<Uint8Array> {
  return disk.readFile(`${DIRECTORY}/${name}`);
}

describe('the log of a plan', () => {
  test('takes a segment under the name of another for a loss, and lets it cut nothing off', async () => {
    const disk = await twoSegmentStore();
    const [older, newer] = (await namesEnding(disk, '.wal')) as [string, string];
    const { lastSequence } = await provable(disk);
    const bytes = await read(disk, older);
    await replace(disk, newer, bytes);

    const way = await provable(disk);

    expect(way.losses).toMatchObject([
      { kind: 'log', file: newer, firstSequence: way.lastSequence! + 1, lastSequence: null },
    ]);
    expect(way.losses[0]!.reason).toContain('the file was written as number');
    expect(way.lastSequence).toBeGreaterThan(0);
    expect(way.lastSequence).toBeLessThan(lastSequence!);
    expect(way.rowCount).toBe(way.lastSequence);
  });

  test('names what is lost when two segments have changed places', async () => {
    const disk = await twoSegmentStore();
    const [older, newer] = (await namesEnding(disk, '.wal')) as [string, string];
    const [first, second] = [await read(disk, older), await read(disk, newer)];
    await replace(disk, older, second);
    await replace(disk, newer, first);

    const way = await provable(disk);

    expect(way).toMatchObject({ lastSequence: 0, rowCount: 0 });
    expect(way.losses.map(({ file }) => file)).toEqual([older, newer]);
  });

  test('reads a segment to its end though the next one is of another store', async () => {
    const disk = await twoSegmentStore();
    const [older, newer] = (await namesEnding(disk, '.wal')) as [string, string];
    const stranger = await abandonedStore({ seed: 1 });
    const foreign = await read(stranger, (await namesEnding(stranger, '.wal'))[0]!);
    const alone = afterKill(disk);
    await alone.unlink(`${DIRECTORY}/${newer}`);
    await replace(disk, newer, foreign);

    const way = await provable(disk);

    expect(way.lastSequence).toBe((await provable(alone)).lastSequence);
    expect(way.losses).toMatchObject([{ kind: 'log', file: newer, reason: 'the file belongs to another store' }]);
    expect(older < newer).toBe(true);
  });

  test('proves nothing that stands behind the place where the store was closed', async () => {
    const closed = await flushedStore('closed');
    const goneOn = await flushedStore('gone on');
    const segment = (await namesEnding(closed, '.wal')).at(-1)!;
    await replace(closed, segment, await read(goneOn, segment));

    const way = await provable(closed);

    expect((await provable(goneOn)).lastSequence).toBe(11);
    expect(way).toMatchObject({ lastSequence: 10, rowCount: 10, losses: [] });
  });

  test('calls the end of the log torn where no record of it is whole', async () => {
    const disk = new MemoryFileSystem();
    const engine = await openTestEngine(testWorld(disk), { ...evidenceOptions, durability: 'relaxed' });
    await putMany(engine, 0, 10);
    await engine.flush();
    await putMany(engine, 10, 14);
    const killed = afterKill(disk);
    await flip(killed, (await namesEnding(killed, '.wal')).at(-1)!, 64 + 40);

    const { waysOut } = await plan(killed);

    expect(waysOut[0]).toMatchObject({ kind: 'open', lastSequence: 10, losses: [{ kind: 'torn-tail' }] });
    expect(waysOut[1]).toMatchObject({ policy: 'provable', rowCount: 10, losses: [{ kind: 'torn-tail' }] });
    expect(waysOut).toHaveLength(2);
  });

  test('proves nothing behind a torn place that no manifest places', async () => {
    const disk = new MemoryFileSystem();
    const engine = await openTestEngine(testWorld(disk), { ...evidenceOptions, durability: 'relaxed' });
    await putMany(engine, 0, 4);
    const killed = afterKill(disk);
    const [segment] = await namesEnding(killed, '.wal');
    await flip(killed, segment!, 64 + 40);
    for (const { name } of await killed.readDirectory(DIRECTORY)) {
      if (/^(?:CURRENT|MANIFEST)/.test(name)) await killed.unlink(`${DIRECTORY}/${name}`);
    }

    const { basis, waysOut } = await plan(killed);

    const rowsOf = (wanted: string): number | null | undefined =>
      waysOut.find(({ policy }) => policy === wanted)?.rowCount;
    expect(basis).toBe('tables');
    expect(rowsOf('provable')).toBe(0);
  });

  test('is of one moment, though the store takes a step while its files are listed', async () => {
    const disk = new MemoryFileSystem();
    const engine = await openTestEngine(testWorld(disk), evidenceOptions);
    await putMany(engine, 0, 5);
    let steps = 0;
    let isInspected = false;
    const fs = new InterceptedFileSystem(disk, {
      call: async ({ kind, paths }, run) => {
        const result = await run();
        if (paths[0]!.includes('/LOCK')) isInspected = true;
        if (kind !== 'readDirectory' || !isInspected || steps === 3) return result;
        steps++;
        await putMany(engine, steps * 5, steps * 5 + 5);
        await engine.flush();
        return result;
      },
      callSync: (_operation, run) => run(),
    });

    const { waysOut } = await plan(fs);

    const way = waysOut.find(({ policy }) => policy === 'provable')!;
    await engine.close();
    expect(steps).toBe(3);
    expect(way).toMatchObject({ losses: [], doubtfulCount: 0, rowCount: 20 });
  });
});

/** Ten rows in a table; then closed, or killed with one more in the log. Both have the same identity, and files of the same names. */
async function flushedStore(end: 'closed' | 'gone on'): Promise<MemoryFileSystem> {
  const disk = new MemoryFileSystem();
  const engine = await openTestEngine(testWorld(disk), evidenceOptions);
  await putMany(engine, 0, 10);
  await engine.flush();
  if (end === 'gone on') await putMany(engine, 90, 91);
  else await engine.close();
  return afterKill(disk);
}
