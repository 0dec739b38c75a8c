/** A node alone decides by itself what is committed: whatever it acknowledged is read of its directory, whichever way it ended. */

import { seededRandom, testSeed } from '@kayadb/testkit';
import { type Crash, crashClone, crashClones, type MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { checkStart } from '../../src/forensics/check-start.ts';
import { inspectNode } from '../../src/forensics/inspect-node.ts';
import { readIdentity } from '../../src/forensics/node-place.ts';
import { NodeRows } from '../../src/forensics/node-rows.ts';
import { salvageNode } from '../../src/forensics/salvage-node.ts';
import { DATA, NodeWorld } from '../support/node-world.ts';
import { get, put } from '../support/requests-1.ts';
import { optionsFor } from './node-disk.ts';

const WRITES = 6;
const keyOf = (write: number): string => `k${write}`;

interface Left extends Crash {
  /** Writes that were acknowledged by then. */
  readonly acknowledged: number;
}

/** What crashes leave behind each acknowledgement. */
async function crashesOf(world: NodeWorld, random: () => number): Promise<readonly Left[]> {
  const lone = await world.startLone();
  const session = await lone.connect();
  const crashes: Left[] = [];
  for (let write = 1; write <= WRITES; write++) {
    await world.settle(session.request(put(keyOf(write), 'v')));
    for (const crash of crashClones(world.disk(), random)) crashes.push({ ...crash, acknowledged: write });
  }
  await lone.stop();
  return crashes;
}

async function keysOf(fs: MemoryFileSystem, world: NodeWorld): Promise<readonly string[]> {
  const options = { ...optionsFor(fs), processes: world.processes.start() };
  const rows = await NodeRows.open({ ...options, directory: DATA, log: 'committed' });
  const keys: string[] = [];
  for await (const { key } of rows.scan()) keys.push(Buffer.from(key).toString());
  await rows.close();
  return keys;
}

describe('the directory of a node that has just begun', { timeout: 60_000 }, () => {
  test('is one to start from after a crash at any moment', async () => {
    const seed = testSeed();
    const random = seededRandom(seed);
    await using world = new NodeWorld();
    const crashes: MemoryFileSystem[] = [];
    const stop = world.disk().afterEachMutation(() => {
      for (const kind of ['everything', 'nothing-unsynced'] as const)
        crashes.push(crashClone(world.disk(), { kind }, () => random.next()));
    });
    const lone = await world.startLone();
    stop();
    await lone.stop();

    const outcomes = new Set<string>();
    for (const disk of crashes) {
      if ((await disk.stat(`${DATA}/NODE`)) === undefined) continue;
      const options = { ...optionsFor(disk), processes: world.processes.start() };
      const { start, damage } = await inspectNode(DATA, options);
      expect(damage, `seed ${seed}`).toEqual([]);
      await checkStart({ ...options, directory: DATA }, await readIdentity(disk, DATA));
      outcomes.add(`${start.outcome} at ${start.appliedIndex}, ${start.entriesUndecided} undecided`);
    }
    expect([...outcomes].toSorted(), `seed ${seed}`).toEqual([
      'forms at null, 0 undecided',
      'starts at 0, 0 undecided',
      'starts at 1, 0 undecided',
    ]);
  });
});

describe('the directory of a lone node', { timeout: 60_000 }, () => {
  test('gives every write that was acknowledged, and leaves nothing undecided, after a crash of any kind', async () => {
    const seed = testSeed();
    const random = seededRandom(seed);
    await using world = new NodeWorld();

    const crashes = await crashesOf(world, () => random.next());

    for (const { disk, mode, acknowledged } of crashes) {
      const what = `seed ${seed}: ${mode.kind} behind write ${acknowledged}`;
      const { start, log } = await inspectNode(DATA, { ...optionsFor(disk), processes: world.processes.start() });
      expect({ what, ...start }).toMatchObject({ what, outcome: 'starts', entriesUndecided: 0 });
      expect({ what, commit: log?.commit }).toEqual({ what, commit: log?.lastIndex });
      const expected = Array.from({ length: acknowledged }, (_, i) => keyOf(i + 1));
      expect({ what, keys: await keysOf(disk, world) }).toEqual({ what, keys: expected });
    }
    expect(crashes).toHaveLength(8 * WRITES);
  });

  test('is salvaged with every write that was acknowledged', async () => {
    await using world = new NodeWorld();
    const crashes = await crashesOf(world, () => 0);
    const { disk } = crashes.at(-1)!;
    const options = { ...optionsFor(disk), processes: world.processes.start() };

    const salvage = await salvageNode(DATA, '/out', { ...options, log: 'committed', policy: 'provable' });

    expect(salvage).toMatchObject({ kind: 'whole', rowCount: WRITES, entriesLeftOut: 0 });
  });

  test('reads as the node serves it when it is started again', async () => {
    await using world = new NodeWorld();
    const crashes = await crashesOf(world, () => 0);
    const { disk } = crashes.findLast(({ mode }) => mode.kind === 'nothing-unsynced')!;
    const read = await keysOf(disk, world);

    world.setDisk(1, disk);
    const session = await (await world.startLone()).connect();
    const served: string[] = [];
    for (let write = 1; write <= WRITES; write++) {
      const reply = await world.settle(session.request(get(keyOf(write))));
      if (reply.kind === 'value') served.push(keyOf(write));
    }

    expect(served).toEqual(read);
    expect(read).toHaveLength(WRITES);
  });
});
