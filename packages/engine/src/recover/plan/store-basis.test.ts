/** Files of another store among those of one: whose they are is not forgotten when they are damaged too. */

import type { MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { abandonedStore, flip, manifestName, namesEnding } from '../../../test/support/evidence.ts';
import { DIRECTORY, testWorld } from '../../../test/support/open-test-engine.ts';
import { planRecovery } from './plan-recovery.ts';
import type { RecoveryPlan } from './recovery-plan.ts';

/** In the reserved bytes of the header. */
const IN_HEADER = 55;

function plan(disk: MemoryFileSystem): Promise<RecoveryPlan> {
  const { clock, nextProcess } = testWorld();
  return planRecovery(disk, DIRECTORY, { clock, processes: nextProcess(), showKeys: true });
}

/** Puts the other store's file in the place of one. */
async function replace(disk: MemoryFileSystem, name: string, other: MemoryFileSystem, otherName = name): Promise<void> {
  const bytes = await other.readFile(`${DIRECTORY}/${otherName}`);
  const handle = await disk.open(`${DIRECTORY}/${name}`, 'write');
  await handle.truncate(0);
  await handle.write(bytes, 0);
  await handle.close();
}

describe('the basis of a plan', () => {
  test('is no manifest of another store, though the header that says so is damaged', async () => {
    const disk = await abandonedStore();
    const name = await manifestName(disk);
    await replace(disk, name, await abandonedStore({ seed: 1 }));
    await flip(disk, name, IN_HEADER);

    const { basis } = await plan(disk);

    expect(basis).toBe('tables');
  });

  test('has no rows of a table of another store, though the header that says so is damaged', async () => {
    const disk = await abandonedStore();
    const [table] = await namesEnding(disk, '.sst');
    await replace(disk, table!, await abandonedStore({ seed: 1 }));
    await flip(disk, table!, IN_HEADER);

    const { waysOut } = await plan(disk);

    const counts = waysOut.filter(({ kind }) => kind === 'salvage').map(({ rowCount, losses }) => [rowCount, losses]);
    const lost = { kind: 'table', file: table!, entryCount: 21 };
    expect(counts).toMatchObject([[50, [lost]]]);
  });

  test('is not the store that a foreign CURRENT and one foreign file belong to', async () => {
    const disk = await abandonedStore();
    const stranger = await abandonedStore({ seed: 1 });
    const [segment] = await namesEnding(disk, '.wal');
    await replace(disk, 'CURRENT', stranger);
    await replace(disk, segment!, stranger);

    const { basis, waysOut } = await plan(disk);

    const provable = waysOut.find(({ policy }) => policy === 'provable')!;
    expect(basis).toBe('other-manifest');
    expect(provable).toMatchObject({ rowCount: 60, losses: [{ kind: 'log', file: segment }] });
  });
});
