/** The machine on the real file system, with workers, over a restart and a snapshot. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { VirtualClock } from '@kayadb/testkit';
import { nodeFileSystem } from '@kayadb/vfs';
import { expect, test } from 'vitest';

import { KayaMachine } from '../../src/machine/kaya-machine.ts';
import { decodeSnapshotData } from '../../src/machine/snapshot-data.ts';
import { CONFIGURATION, entriesOf, snapshotAt } from './machine-world.ts';

function open(directory: string, data?: Uint8Array): Promise<KayaMachine> {
  return KayaMachine.open({
    fs: nodeFileSystem(),
    directory,
    clock: new VirtualClock(),
    yieldTurn: () => Promise.resolve(),
    ...(data && { snapshot: snapshotAt(3, data) }),
  });
}

test(
  'a machine on a real disk keeps its rows over a restart, and is replaced by a snapshot',
  { timeout: 60_000 },
  async () => {
    const root = await mkdtemp(join(tmpdir(), 'kayadb-machine-'));
    try {
      const groups = ['one', 'two'].map((name) => join(root, name));
      for (const group of groups) await nodeFileSystem().makeDirectory(group);
      const operations = [{ kind: 'put', key: Buffer.from('k'), value: Buffer.from('v') }] as const;
      const write = { kind: 'write', timeMs: 5, write: { conditions: [], operations, otherwise: [] } } as const;
      const first = await open(groups[0]!);
      await first.apply(entriesOf([{ kind: 'open-session', expiryMs: 1000, timeMs: 4 }, write]), 3);
      const data = await first.snapshot({ index: 3, term: 1, configuration: CONFIGURATION });
      await first.close();
      await using again = await open(groups[0]!, data);
      await using other = await open(groups[1]!);

      await other.adopt(snapshotAt(3, data), join(groups[0]!, 'snapshots', '3'), decodeSnapshotData(data));
      await other.restore(snapshotAt(3, data));

      for (const machine of [again, other]) {
        expect(await machine.get(Buffer.from('k'))).toMatchObject({ revision: 2 });
        expect([machine.appliedIndex, machine.sessionCount, machine.timeMs]).toEqual([3, 1, 5]);
        expect(machine.diskState).toBe('unwatched');
      }
    } finally {
      await rm(root, { recursive: true });
    }
  },
);
