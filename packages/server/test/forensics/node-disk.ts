/** Directories of nodes on a simulated disk, made by the parts that make them in a node, up to the very entry that a test asks for. */

import { createHash } from 'node:crypto';

import type { Write } from '@kayadb/codec';
import { bootstrapGroup, EMPTY_CONFIGURATION, type Entry, openRaftStorage, type RaftIdentity } from '@kayadb/raft';
import { seededRandom, VirtualClock } from '@kayadb/testkit';
import type { FileSystem } from '@kayadb/vfs';
import { fakeProcessWorld } from '@kayadb/vfs/testing';

import { NodeDirectory } from '../../src/directory/node-directory.ts';
import type { InspectNodeOptions } from '../../src/forensics/inspect-node.ts';
import type { Command } from '../../src/machine/command.ts';
import { encodeCommand } from '../../src/machine/encode-command.ts';
import { KayaMachine } from '../../src/machine/kaya-machine.ts';

export const CLUSTER = 'ab'.repeat(16);
/** Of the entries that `makeNode` appends; the first state of the group is of term 1. */
export const TERM = 2;

/** Entries that are written at once: of many, the log has several segments. */
const BATCH = 10;

const processes = fakeProcessWorld();

export interface NodeDisk {
  readonly fs: FileSystem;
  readonly directory?: string;
  readonly node?: number;
  readonly voters?: readonly number[];
  readonly incarnation?: number;
  readonly cluster?: string;
  /** Entries behind the first state of the group: from index 2 on. */
  readonly commands?: readonly Command[];
  /** Of the log; default: all of it. */
  readonly commit?: number;
  /** What the store holds; default: the commit index. */
  readonly applied?: number;
  /** Default `TERM`. */
  readonly term?: number;
  /** Makes a snapshot of what is applied, and cuts the log behind it. */
  readonly snapshots?: boolean;
}

export function putOf(key: string, value: string, timeMs = 1): Command {
  const write: Write = {
    conditions: [],
    operations: [{ kind: 'put', key: Buffer.from(key), value: Buffer.from(value) }],
    otherwise: [],
  };
  return { kind: 'write', timeMs, write };
}

/** `k1 = v1` to `kN = vN`. */
export function puts(count: number): readonly Command[] {
  return Array.from({ length: count }, (_, i) => putOf(`k${i + 1}`, `v${i + 1}`));
}

export function optionsFor(fs: FileSystem): InspectNodeOptions {
  return { fs, processes: processes.start(), clock: new VirtualClock(), yieldTurn: () => Promise.resolve() };
}

/** Makes the directory of a node that was a member, and closes it in good order. */
export async function makeNode(disk: NodeDisk): Promise<void> {
  const { fs, directory = '/data', node = 1, voters = [1], incarnation = 70 + node, cluster = CLUSTER } = disk;
  const { commands = [], term = TERM } = disk;
  const process = processes.start();
  const opened = await NodeDirectory.open({
    fs,
    processes: process,
    directory,
    node,
    drawIncarnation: () => incarnation,
  });
  await opened.joinCluster(cluster);
  const group = opened.groupPath;
  const identity: RaftIdentity = { clusterId: Buffer.from(cluster, 'hex'), nodeId: node, incarnation };
  const storage = await openRaftStorage(`${group}/raft`, { fs, identity, segmentBytes: 4096 });
  const random = seededRandom(node);
  const machine = await KayaMachine.open({
    fs,
    directory: group,
    engine: {
      fileSystem: fs,
      processes: process,
      clock: new VirtualClock(),
      randomBytes: (count) => random.bytes(count),
    },
    clock: new VirtualClock(),
    yieldTurn: () => Promise.resolve(),
  });
  await bootstrapGroup(storage, machine, { ...EMPTY_CONFIGURATION, voters });
  await opened.markBegun();
  const entries: readonly Entry[] = commands.map((command, i) => ({
    index: i + 2,
    term,
    kind: 'normal',
    data: encodeCommand(command),
  }));
  const commit = disk.commit ?? entries.length + 1;
  const applied = disk.applied ?? commit;
  for (let at = 0; at < entries.length; at += BATCH) {
    const batch = entries.slice(at, at + BATCH);
    const hardState = { term, vote: 1, commit: Math.min(commit, batch.at(-1)!.index) };
    await storage.write({ entries: batch, hardState, snapshot: undefined });
  }
  if (applied > 1)
    await machine.apply(
      entries.filter(({ index }) => index <= applied),
      applied,
    );
  if (disk.snapshots === true) {
    const meta = {
      index: applied,
      term: storage.term(applied) as number,
      configuration: { ...EMPTY_CONFIGURATION, voters },
    };
    await storage.saveSnapshot({ meta, data: await machine.snapshot(meta) });
    await storage.compact(applied);
  }
  await machine.close();
  await storage.close();
  await opened.close();
  await syncAll(fs, directory);
}

/** So that no crash brings names back that were removed here. */
async function syncAll(fs: FileSystem, path: string): Promise<void> {
  for (const { name, kind } of await fs.readDirectory(path))
    if (kind === 'directory') await syncAll(fs, `${path}/${name}`);
  await fs.syncDirectory(path);
}

export async function flip(fs: FileSystem, path: string, offset: number): Promise<void> {
  const handle = await fs.open(path, 'write');
  const byte = new Uint8Array(1);
  await handle.read(byte, offset);
  await handle.write(Uint8Array.of(byte[0]! ^ 0xff), offset);
  await handle.sync();
  await handle.close();
}

/** The first file in `folder` whose name ends so. */
export async function fileIn(fs: FileSystem, folder: string, suffix: string): Promise<string> {
  const found = (await fs.readDirectory(folder)).find(({ name }) => name.endsWith(suffix));
  return `${folder}/${found?.name ?? 'none'}`;
}

/** Every file and the hash of what it holds. */
export async function treeOf(fs: FileSystem, path: string): Promise<ReadonlyMap<string, string>> {
  const tree = new Map<string, string>();
  for (const { name, kind } of await fs.readDirectory(path)) {
    if (kind === 'directory')
      for (const [inner, text] of await treeOf(fs, `${path}/${name}`)) tree.set(`${name}/${inner}`, text);
    else
      tree.set(
        name,
        createHash('sha1')
          .update(await fs.readFile(`${path}/${name}`))
          .digest('hex'),
      );
  }
  return tree;
}
