/** A start that is refused, and says that nothing was changed, leaves its directory as it was: every file, every byte. */

import { openEngine } from '@kayadb/engine';
import { MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { inspectNode } from '../../src/forensics/inspect-node.ts';
import { fileIn, flip, makeNode, optionsFor, puts, treeOf } from '../forensics/node-disk.ts';
import { DATA, NodeWorld } from '../support/node-world.ts';

const GROUP = `${DATA}/groups/0`;
const RAFT = `${GROUP}/raft`;
/** So many writes that the log begins behind the snapshot. */
const COUNT = 100;

type Spoil = (fs: MemoryFileSystem) => Promise<void>;

/** Of `from`, in the place of what `to` has. */
async function replaceFolder(fs: MemoryFileSystem, from: string, to: string): Promise<void> {
  await emptyFolder(fs, to);
  for (const { name } of await fs.readDirectory(from)) await fs.rename(`${from}/${name}`, `${to}/${name}`);
}

async function emptyFolder(fs: MemoryFileSystem, path: string): Promise<void> {
  for (const { name } of await fs.readDirectory(path)) await fs.unlink(`${path}/${name}`);
}

const spoilt: readonly (readonly [string, string, Spoil])[] = [
  ['a damaged NODE', 'KAYA_CORRUPTION', (fs) => flip(fs, `${DATA}/NODE`, 9)],
  ['no NODE', 'KAYA_NODE_LOST', (fs) => fs.unlink(`${DATA}/NODE`)],
  ['a damaged log', 'KAYA_RAFT_CORRUPTION', async (fs) => flip(fs, await fileIn(fs, RAFT, '.rlog'), 20)],
  ['a damaged vote', 'KAYA_RAFT_CORRUPTION', (fs) => flip(fs, `${RAFT}/raft-state`, 20)],
  ['a damaged snapshot', 'KAYA_RAFT_CORRUPTION', (fs) => flip(fs, `${RAFT}/raft-snapshot.bin`, 120)],
  ['a damaged manifest', 'KAYA_CORRUPTION', async (fs) => flip(fs, `${GROUP}/store-0/MANIFEST-000001`, 80)],
  ['a table that is missing', 'KAYA_CORRUPTION', async (fs) => fs.unlink(await fileIn(fs, `${GROUP}/store-0`, '.sst'))],
  [
    'a log of another node',
    'KAYA_RAFT_FOREIGN',
    async (fs) => {
      await makeNode({ fs, directory: '/other', node: 2, commands: puts(9) });
      await replaceFolder(fs, '/other/groups/0/raft', RAFT);
    },
  ],
  [
    'a store that is ahead of its log',
    'KAYA_RAFT_FOREIGN',
    async (fs) => {
      await makeNode({ fs, directory: '/other', commands: puts(COUNT + 9) });
      await replaceFolder(fs, '/other/groups/0/store-0', `${GROUP}/store-0`);
    },
  ],
  [
    'a store that is behind its log, and no snapshot',
    'KAYA_SNAPSHOT_MISSING',
    async (fs) => {
      await makeNode({ fs, directory: '/other', commands: puts(1) });
      await replaceFolder(fs, '/other/groups/0/store-0', `${GROUP}/store-0`);
      await emptyFolder(fs, `${GROUP}/snapshots/${COUNT + 1}`);
    },
  ],
  [
    'a log whose files are gone',
    'KAYA_NODE_LOST',
    async (fs) => {
      await emptyFolder(fs, RAFT);
    },
  ],
  [
    'a log whose folder is gone',
    'KAYA_NODE_LOST',
    async (fs) => {
      await emptyFolder(fs, RAFT);
      await fs.removeDirectory(RAFT);
    },
  ],
];

describe('a start that is refused', { timeout: 30_000 }, () => {
  test.each(spoilt)('because of %s was foretold, and leaves every byte as it was', async (_what, code, spoil) => {
    const fs = new MemoryFileSystem();
    await makeNode({ fs, commands: puts(COUNT), snapshots: true });
    await spoil(fs);
    const report = await inspectNode(DATA, optionsFor(fs));
    const before = await treeOf(fs, DATA);
    await using world = new NodeWorld();
    world.setDisk(1, fs);

    const starting = world.settle(world.start(1));

    await expect(starting).rejects.toMatchObject({ code });
    expect(await treeOf(fs, DATA)).toEqual(before);
    expect(report).toMatchObject({ verdict: 'corrupt', start: { outcome: 'refused', code } });
    expect(report.damage).not.toEqual([]);
  });

  test('because of the number of the node leaves every byte as it was', async () => {
    const fs = new MemoryFileSystem();
    await makeNode({ fs, node: 2, commands: puts(COUNT) });
    const before = await treeOf(fs, DATA);
    await using world = new NodeWorld();
    world.setDisk(1, fs);

    const starting = world.settle(world.start(1));

    await expect(starting).rejects.toMatchObject({ code: 'KAYA_NODE_FOREIGN' });
    expect(await treeOf(fs, DATA)).toEqual(before);
  });

  test('because of a store of the embedded engine leaves every byte as it was', async () => {
    const fs = new MemoryFileSystem();
    const { processes } = optionsFor(fs);
    await using engine = await openEngine(DATA, { fileSystem: fs, processes });
    await engine.put('a', '1');
    await engine.close();
    const before = await treeOf(fs, DATA);
    await using world = new NodeWorld();
    world.setDisk(1, fs);

    const starting = world.settle(world.start(1));

    await expect(starting).rejects.toMatchObject({ code: 'KAYA_EMBEDDED_STORE' });
    expect(await treeOf(fs, DATA)).toEqual(before);
  });
});
