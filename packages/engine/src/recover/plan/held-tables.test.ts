import { VirtualClock } from '@kayadb/testkit';
import { fakeProcessTable, InterceptedFileSystem, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { DIRECTORY, openTestEngine, testWorld } from '../../../test/support/open-test-engine.ts';
import type { EngineOptions } from '../../options.ts';
import { salvageStore } from '../salvage/salvage-store.ts';
import { HeldTables } from './held-tables.ts';
import { planRecovery } from './plan-recovery.ts';

const TABLES = 560;
const MAX_HELD = 512;
const options: EngineOptions = { level0Tables: 64, level1Bytes: 2 ** 30, blockBytes: 512, compression: 'none' };

/** Many tables below one, whose keys lie among all of theirs. */
async function wideStore(): Promise<MemoryFileSystem> {
  const disk = new MemoryFileSystem();
  const world = testWorld(disk);
  const key = (i: number): string => `k${String(i).padStart(4, '0')}`;
  const below = await openTestEngine(world, { ...options, tableBytes: 1024 });
  for (let i = 0; i < TABLES; i++) await below.put(key(i), 'v'.repeat(1100));
  await below.compact();
  await below.close();
  const above = await openTestEngine(world, options);
  for (let i = 0; i < TABLES; i += 2) await above.put(key(i), 'w'.repeat(1100));
  await above.flush();
  await above.close();
  return disk;
}

/** Counts the files that are open at once. */
function counting(disk: MemoryFileSystem): { readonly fs: InterceptedFileSystem; readonly most: () => number } {
  let open = 0;
  let most = 0;
  const fs = new InterceptedFileSystem(disk, {
    call: async ({ kind }, run) => {
      const result = await run();
      if (kind === 'open') open++;
      if (kind === 'close') open--;
      most = Math.max(most, open);
      return result;
    },
    callSync: (_operation, run) => run(),
  });
  return { fs, most: () => most };
}

describe('held tables', () => {
  test('are read again after they were closed to make room', async () => {
    const disk = new MemoryFileSystem();
    for (let i = 0; i <= MAX_HELD; i++) {
      const handle = await disk.open(`/${i}`, 'create');
      await handle.write(Uint8Array.of(i % 251), 0);
      await handle.close();
    }
    const { fs, most } = counting(disk);
    const held = new HeldTables((file) => fs.open(`/${file}`, 'read'));

    const files = [];
    for (let i = 0; i <= MAX_HELD; i++) files.push(await held.file(`${i}`));
    const bytes: (number | undefined)[] = [];
    for (const file of files) {
      const buffer = new Uint8Array(1);
      await file.read(buffer, 0);
      bytes.push(buffer[0]);
    }
    await held.close();

    expect(bytes).toEqual(Array.from({ length: MAX_HELD + 1 }, (_, i) => i % 251));
    expect(most()).toBe(MAX_HELD + 1);
  });

  test('of a store with more tables than may be open at once give every row', { timeout: 60_000 }, async () => {
    const disk = await wideStore();
    const tables = (await disk.readDirectory(DIRECTORY)).filter(({ name }) => name.endsWith('.sst'));
    const { fs, most } = counting(disk);
    const outside = { clock: new VirtualClock(), processes: fakeProcessTable() };

    const { waysOut } = await planRecovery(fs, DIRECTORY, outside);
    const { rowCount } = await salvageStore(fs, DIRECTORY, '/saved', { policy: 'provable', ...outside });

    expect(tables.length).toBeGreaterThan(MAX_HELD);
    expect(waysOut.map((way) => way.rowCount)).toEqual([TABLES, TABLES]);
    expect(rowCount).toBe(TABLES);
    expect(most()).toBeLessThan(MAX_HELD + 16);
  });
});
