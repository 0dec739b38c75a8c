/** What `inspectNode` says of the next start is what the next start does, whichever byte of a directory is damaged, or file gone; and a start that is refused changes nothing. */

import { type KayaError } from '@kayadb/codec';
import { openRaftStorage, type RaftIdentity, RaftNode, type RaftStorage } from '@kayadb/raft';
import { seededRandom, testSeed, VirtualClock } from '@kayadb/testkit';
import { crashClone, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { NodeDirectory } from '../../src/directory/node-directory.ts';
import { checkStart } from '../../src/forensics/check-start.ts';
import { inspectNode } from '../../src/forensics/inspect-node.ts';
import { KayaMachine } from '../../src/machine/kaya-machine.ts';
import { CLUSTER, flip, makeNode, optionsFor, puts, treeOf } from './node-disk.ts';

const DAMAGES = 60;
const identity: RaftIdentity = { clusterId: Buffer.from(CLUSTER, 'hex'), nodeId: 1, incarnation: 71 };

interface Started {
  readonly outcome: string;
  readonly appliedIndex: number | null;
}

/** It puts a snapshot in the place of a store that does not reach the log. */
async function openNode(storage: RaftStorage, machine: KayaMachine, clock: VirtualClock): Promise<void> {
  await RaftNode.open({
    id: 1,
    storage,
    stateMachine: machine,
    sender: { send: () => undefined },
    shipper: { ship: () => Promise.resolve() },
    clock,
    random: () => 0,
    yieldTurn: () => Promise.resolve(),
    tickMs: 100,
  });
}

/** Everything that a start opens, in its order. */
async function start(fs: MemoryFileSystem): Promise<Started> {
  const { processes, yieldTurn } = optionsFor(fs);
  const clock = new VirtualClock();
  const options = { fs, processes, clock, yieldTurn, directory: '/data' };
  try {
    const directory = await NodeDirectory.open({
      ...options,
      node: 1,
      drawIncarnation: () => 5,
      check: (found) => checkStart(options, found),
    });
    if (directory.identity.cluster === undefined) return { outcome: 'forms', appliedIndex: null };
    const storage = await openRaftStorage(`${directory.groupPath}/raft`, { fs, identity });
    const snapshot = storage.snapshot();
    const machine = await KayaMachine.open({
      fs,
      directory: directory.groupPath,
      engine: { fileSystem: fs, processes, clock },
      clock,
      yieldTurn,
      snapshot: snapshot === 'unavailable' ? undefined : snapshot,
    });
    await openNode(storage, machine, clock);
    return { outcome: 'starts', appliedIndex: machine.appliedIndex };
  } catch (error) {
    return { outcome: (error as KayaError).code, appliedIndex: null };
  }
}

/** A node that has a snapshot, and goes on from its store. */
async function withStore(): Promise<MemoryFileSystem> {
  const fs = new MemoryFileSystem();
  await makeNode({ fs, commands: puts(130), commit: 125, applied: 120, snapshots: true });
  return fs;
}

/** A node whose store does not reach the log: power went before the snapshot that has arrived took its place. */
async function withSnapshot(): Promise<MemoryFileSystem> {
  const fs = await withStore();
  const store = '/data/groups/0/store-0';
  await makeNode({ fs, directory: '/old', commands: puts(2) });
  for (const { name } of await fs.readDirectory(store)) await fs.unlink(`${store}/${name}`);
  for (const { name } of await fs.readDirectory('/old/groups/0/store-0'))
    await fs.rename(`/old/groups/0/store-0/${name}`, `${store}/${name}`);
  return fs;
}

describe('the forecast of a start', { timeout: 120_000 }, () => {
  test.each([
    ['the store', withStore, null],
    ['a snapshot', withSnapshot, 120],
  ])(
    'from %s is what the start does, with any byte damaged or any file gone',
    async (_what, makeDisk, snapshotRestored) => {
      const seed = testSeed();
      const random = seededRandom(seed);
      const original = await makeDisk();
      const sound = await inspectNode('/data', optionsFor(original));
      expect(sound.start).toMatchObject({ outcome: 'starts', snapshotRestored });
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
        const before = await treeOf(fs, '/data');
        const started = await start(fs);

        const forecast = report.start.outcome === 'refused' ? report.start.code! : report.start.outcome;
        // Whatever a start is refused for is damage, with a place.
        const isRefused = started.outcome.startsWith('KAYA_');
        const isTold = report.damage.length > 0;
        const after = isRefused ? await treeOf(fs, '/data') : before;
        expect({ what, after }).toEqual({ what, after: before });
        expect({
          what,
          outcome: forecast,
          appliedIndex: report.start.appliedIndex,
          isTold: isRefused && isTold,
        }).toEqual({
          what,
          ...started,
          isTold: isRefused,
        });
        outcomes.set(`${report.verdict}: ${forecast}`, (outcomes.get(`${report.verdict}: ${forecast}`) ?? 0) + 1);
      }

      expect([...outcomes.keys()], `seed ${seed}`).toEqual(
        expect.arrayContaining(['corrupt: KAYA_CORRUPTION', 'corrupt: KAYA_RAFT_CORRUPTION', 'clean: starts']),
      );
    },
  );
});
