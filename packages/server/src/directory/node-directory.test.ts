import { seededRandom, testSeed } from '@kayadb/testkit';
import { crashClones, fakeProcessWorld, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { gated, SyncGate } from '../../test/support/gated-file-system.ts';
import { NodeDirectory, type NodeDirectoryOptions } from './node-directory.ts';
import { decodeNodeFile } from './node-file.ts';

const DATA = '/data';
const CLUSTER = 'ab'.repeat(16);

const processes = fakeProcessWorld();
let boots = 0;

function optionsFor(fs: MemoryFileSystem, node = 1, incarnation = 77): NodeDirectoryOptions {
  const process = processes.start({ bootId: `directory-${++boots}` });
  return { fs, processes: process, directory: DATA, node, drawIncarnation: () => incarnation };
}

async function namesIn(fs: MemoryFileSystem, path: string): Promise<readonly string[]> {
  return (await fs.readDirectory(path)).map(({ name }) => name);
}

/** All that can go on without the gate has gone on. */
async function turns(): Promise<void> {
  for (let i = 0; i < 200; i++) await Promise.resolve();
}

describe('NodeDirectory', () => {
  test('of a new node has an identity, and a place for its group', async () => {
    const fs = new MemoryFileSystem();

    const opened = await NodeDirectory.open(optionsFor(fs));

    expect(opened.identity).toEqual({
      node: 1,
      incarnation: 77,
      boot: 1,
      cluster: undefined,
      hasBegun: false,
      isRemoved: false,
    });
    expect(await namesIn(fs, DATA)).toEqual(['LOCK', 'NODE', 'groups']);
    expect(opened.groupPath).toBe('/data/groups/0');
    expect(await namesIn(fs, opened.groupPath)).toEqual([]);
  });

  test('counts its starts, and keeps all else', async () => {
    const fs = new MemoryFileSystem();
    const first = await NodeDirectory.open(optionsFor(fs));
    await first.joinCluster(CLUSTER);
    await first.close();

    const second = await NodeDirectory.open(optionsFor(fs, 1, 78));

    expect(second.identity).toEqual({
      node: 1,
      incarnation: 77,
      boot: 2,
      cluster: CLUSTER,
      hasBegun: false,
      isRemoved: false,
    });
  });

  test('is changed by one at a time, and let go of when that is durable', async () => {
    const fs = new MemoryFileSystem();
    const gate = new SyncGate();
    const options = optionsFor(fs);
    const opened = await NodeDirectory.open({ ...options, fs: gated(fs, gate) });
    gate.hold();

    const changes = [opened.joinCluster(CLUSTER), opened.markRemoved(), opened.markRemoved(), opened.close()];
    await turns();
    const meanwhile = NodeDirectory.open(options);
    await expect(meanwhile).rejects.toMatchObject({ code: 'KAYA_LOCKED' });
    gate.release();
    await Promise.all(changes);

    expect(decodeNodeFile(await fs.readFile('/data/NODE'))).toMatchObject({ cluster: CLUSTER, isRemoved: true });
    await expect(NodeDirectory.open(options)).rejects.toMatchObject({ code: 'KAYA_NODE_REMOVED' });
  });

  test('is for one process at a time', async () => {
    const fs = new MemoryFileSystem();
    const options = optionsFor(fs);
    const first = await NodeDirectory.open(options);

    await expect(NodeDirectory.open(options)).rejects.toMatchObject({ code: 'KAYA_LOCKED' });

    await first.close();
    const again = await NodeDirectory.open(options);
    expect(again.identity.boot).toBe(2);
  });

  test('tells of names that it does not know, and leaves them alone', async () => {
    const fs = new MemoryFileSystem();
    await fs.makeDirectory(DATA);
    for (const name of ['lost+found', 'notes.txt']) await fs.makeDirectory(`${DATA}/${name}`);

    const { strangers } = await NodeDirectory.open(optionsFor(fs));

    expect(strangers).toEqual(['lost+found', 'notes.txt']);
    expect(await namesIn(fs, DATA)).toEqual(['LOCK', 'NODE', 'groups', 'lost+found', 'notes.txt']);
  });

  test('is refused to another node, and its lock is free again', async () => {
    const fs = new MemoryFileSystem();
    await (await NodeDirectory.open(optionsFor(fs))).close();

    const opening = NodeDirectory.open(optionsFor(fs, 2));

    await expect(opening).rejects.toMatchObject({ code: 'KAYA_NODE_FOREIGN' });
    expect(await namesIn(fs, DATA)).not.toContain('LOCK');
  });

  test('is refused to a cluster that is not its own', async () => {
    const fs = new MemoryFileSystem();
    const opened = await NodeDirectory.open(optionsFor(fs));
    await opened.joinCluster(CLUSTER);
    await opened.joinCluster(CLUSTER);

    await expect(opened.joinCluster('cd'.repeat(16))).rejects.toMatchObject({ code: 'KAYA_NODE_FOREIGN' });
  });

  test('of a removed node does not start any more', async () => {
    const fs = new MemoryFileSystem();
    const opened = await NodeDirectory.open(optionsFor(fs));
    await opened.markRemoved();
    await opened.close();

    await expect(NodeDirectory.open(optionsFor(fs))).rejects.toMatchObject({ code: 'KAYA_NODE_REMOVED' });
  });

  test('without NODE but with data does not start, and nothing is made', async () => {
    const fs = new MemoryFileSystem();
    await (await NodeDirectory.open(optionsFor(fs))).close();
    await fs.unlink(`${DATA}/NODE`);

    await expect(NodeDirectory.open(optionsFor(fs))).rejects.toMatchObject({ code: 'KAYA_NODE_LOST' });
    expect(await namesIn(fs, DATA)).toEqual(['groups']);
  });

  test('that is a store of the embedded engine is left alone', async () => {
    const fs = new MemoryFileSystem();
    await fs.makeDirectory(DATA);
    await (await fs.open(`${DATA}/CURRENT`, 'create')).close();

    await expect(NodeDirectory.open(optionsFor(fs))).rejects.toMatchObject({ code: 'KAYA_EMBEDDED_STORE' });
    expect(await namesIn(fs, DATA)).toEqual(['CURRENT']);
  });

  test(
    'starts after a crash at any moment of its first starts, never with a boot that anybody has seen',
    { timeout: 60_000 },
    async () => {
      const seed = testSeed();
      const random = seededRandom(seed);
      const fs = new MemoryFileSystem();
      const crashes: { readonly disk: MemoryFileSystem; readonly seen: number }[] = [];
      let seen = 0;
      const stop = fs.afterEachMutation(() => {
        for (const { disk } of crashClones(fs, () => random.next())) crashes.push({ disk, seen });
      });
      for (let boot = 1; boot <= 3; boot++) {
        const opened = await NodeDirectory.open(optionsFor(fs));
        seen = opened.identity.boot;
        if (boot === 2) await opened.joinCluster(CLUSTER);
        await opened.close();
      }
      stop();

      for (const crash of crashes) {
        const opened = await NodeDirectory.open(optionsFor(crash.disk, 1, 99));
        expect(opened.identity.boot, `seed ${seed}`).toBeGreaterThan(crash.seen);
        expect(crash.seen > 0 ? [77] : [77, 99], `seed ${seed}`).toContain(opened.identity.incarnation);
      }

      expect(crashes.length).toBeGreaterThan(100);
      expect(seen).toBe(3);
    },
  );
});
