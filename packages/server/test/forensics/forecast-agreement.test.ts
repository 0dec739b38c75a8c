/** What `inspectNode` says of the next start is what the next start does, whichever byte of a directory is damaged, or file gone. */

import { type KayaError } from '@kayadb/codec';
import { openRaftStorage, type RaftIdentity } from '@kayadb/raft';
import { seededRandom, testSeed, VirtualClock } from '@kayadb/testkit';
import { crashClone, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { NodeDirectory } from '../../src/directory/node-directory.ts';
import { inspectNode } from '../../src/forensics/inspect-node.ts';
import { KayaMachine } from '../../src/machine/kaya-machine.ts';
import { CLUSTER, flip, makeNode, optionsFor, puts, treeOf } from './node-disk.ts';

const DAMAGES = 100;
const identity: RaftIdentity = { clusterId: Buffer.from(CLUSTER, 'hex'), nodeId: 1, incarnation: 71 };

interface Started {
  readonly outcome: string;
  readonly appliedIndex: number | null;
}

/** Everything that a start opens, in its order, up to the node itself. */
async function start(fs: MemoryFileSystem): Promise<Started> {
  const { processes } = optionsFor(fs);
  const clock = new VirtualClock();
  try {
    const directory = await NodeDirectory.open({
      fs,
      processes,
      directory: '/data',
      node: 1,
      drawIncarnation: () => 5,
    });
    if (directory.identity.cluster === undefined) return { outcome: 'forms', appliedIndex: null };
    const storage = await openRaftStorage(`${directory.groupPath}/raft`, { fs, identity });
    const snapshot = storage.snapshot();
    const machine = await KayaMachine.open({
      fs,
      directory: directory.groupPath,
      engine: { fileSystem: fs, processes, clock },
      clock,
      yieldTurn: () => Promise.resolve(),
      snapshot: snapshot === 'unavailable' ? undefined : snapshot,
    });
    return { outcome: 'starts', appliedIndex: machine.appliedIndex };
  } catch (error) {
    return { outcome: (error as KayaError).code, appliedIndex: null };
  }
}

describe('the forecast of a start', { timeout: 120_000 }, () => {
  test('is what the start does, with any byte damaged or any file gone', async () => {
    const seed = testSeed();
    const random = seededRandom(seed);
    const original = new MemoryFileSystem();
    await makeNode({ fs: original, commands: puts(30), commit: 25, applied: 18, snapshots: true });
    const names = [...(await treeOf(original, '/data')).keys()];
    const outcomes = new Map<string, number>();

    for (let i = 0; i < DAMAGES; i++) {
      const fs = crashClone(original, { kind: 'everything' }, () => 0);
      const name = random.pick(names);
      const bytes = (await fs.stat(`/data/${name}`))!.bytes;
      const at = random.int(bytes);
      const isGone = random.chance(0.1);
      if (isGone) await fs.unlink(`/data/${name}`);
      else await flip(fs, `/data/${name}`, at);
      const what = `seed ${seed}: ${name} ${isGone ? 'is gone' : `at ${at}`}`;

      const report = await inspectNode('/data', optionsFor(fs));
      const started = await start(fs);

      const forecast = report.start.outcome === 'refused' ? report.start.code! : report.start.outcome;
      // Whatever a start is refused for is damage, with a place.
      const isRefused = started.outcome.startsWith('KAYA_');
      const isTold = report.damage.length > 0;
      expect({ what, outcome: forecast, appliedIndex: report.start.appliedIndex, isTold: isRefused && isTold }).toEqual(
        {
          what,
          ...started,
          isTold: isRefused,
        },
      );
      outcomes.set(`${report.verdict}: ${forecast}`, (outcomes.get(`${report.verdict}: ${forecast}`) ?? 0) + 1);
    }

    expect([...outcomes.keys()], `seed ${seed}`).toEqual(
      expect.arrayContaining([
        'corrupt: KAYA_CORRUPTION',
        'corrupt: KAYA_RAFT_CORRUPTION',
        'corrupt: starts',
        'clean: starts',
      ]),
    );
  });
});
