/**
 * Makes of the directory of a node whose group has lost its majority a cluster of that node alone, in a new directory. Steps: docs/format/node.md, "A cluster out of what is left".
 *
 * Invariant: the old directory is only read. The new one has another cluster and another incarnation, so nobody of the old cluster ever takes part in it; and its revisions begin so
 * far behind the old ones that none of them, and no session's id, is ever given twice.
 */

import { assert } from '@kayadb/codec';
import { CorruptionError } from '@kayadb/engine';
import {
  EMPTY_CONFIGURATION,
  type Entry,
  openRaftStorage,
  RaftEvidence,
  type RaftIdentity,
  type SnapshotMeta,
} from '@kayadb/raft';
import { DirectoryLockedError, type FileSystem, inspectDirectoryLock, LOCK_FILE_NAME, publishFile } from '@kayadb/vfs';

import { encodeNodeFile, NODE_FILE, type NodeIdentity } from '../directory/node-file.ts';
import type { CommandBody } from '../machine/command.ts';
import { encodeCommand } from '../machine/encode-command.ts';
import { snapshotPath } from '../machine/group-folders.ts';
import { KayaMachine } from '../machine/kaya-machine.ts';
import { copyStore } from './copy-store.ts';
import { inspectNode, type InspectNodeOptions } from './inspect-node.ts';
import { GROUP_FOLDER, RAFT_FOLDER, raftIdentityOf, readIdentity, requireStore } from './node-place.ts';
import { forMachine } from './node-rows.ts';
import { publishFolder } from './publish-folder.ts';
import { refuseStopped } from './refuse-stopped.ts';

/**
 * How far behind the last entry that is here the new log begins. The missing nodes may have been ahead, and clients were told revisions and sessions of theirs: more than so many
 * entries no group writes while a node of it is away.
 */
export const REVISION_GAP = 1_000_000_000_000;

export interface FoundClusterOptions extends InspectNodeOptions {
  /** Of the node that goes on. */
  readonly directory: string;
  /** Must not exist. On the same file system tables take no room of their own. */
  readonly target: string;
  /** Cryptographically random bytes. */
  readonly randomBytes: (count: number) => Uint8Array;
}

export interface FoundCluster {
  readonly directory: string;
  readonly target: string;
  readonly node: number;
  readonly oldCluster: string;
  readonly cluster: string;
  readonly incarnation: number;
  /** The last entry of the old log, which is applied, as are all before it. */
  readonly lastIndex: number;
  /** Behind it the log of the new cluster begins. */
  readonly baseIndex: number;
  /** Members of the old cluster that are none of the new one. */
  readonly dropped: readonly number[];
}

/**
 * Durability: the new directory is complete, durable and read back once it resolves; until then, and if it rejects, its name does not exist.
 *
 * @throws DirectoryLockedError when a process has the old directory open, or may have.
 * @throws CorruptionError, RaftError, MachineError when the old directory is not whole; FileSystemError KAYA_FS_EXISTS, KAYA_DISK_FULL.
 */
export async function foundCluster(options: FoundClusterOptions): Promise<FoundCluster> {
  const { fs, directory, target, randomBytes } = options;
  await refuseOpen(options);
  const old = await readIdentity(fs, directory);
  const oldRaft = raftIdentityOf(old);
  if (oldRaft === undefined)
    throw new CorruptionError(NODE_FILE, 0, 'the node was in no cluster yet, so there is nothing to go on with');
  const identity: NodeIdentity = {
    ...old,
    incarnation: drawIncarnation(randomBytes),
    boot: 1,
    cluster: toHex(randomBytes(16)),
    hasBegun: true,
    isRemoved: false,
  };
  const evidence = await RaftEvidence.read(`${directory}/${RAFT_FOLDER}`, { fs, identity: oldRaft });
  try {
    return await publishFolder(fs, target, async (partial) => {
      for (const folder of ['groups', GROUP_FOLDER]) await fs.makeDirectory(`${partial}/${folder}`);
      await copyStore(fs, await sourceOf(options, evidence), `${partial}/${GROUP_FOLDER}/store-0`, options.signal);
      const made = await makeState(options, partial, evidence, identity);
      await makeLog(fs, partial, raftIdentityOf(identity)!, made);
      await publishFile(fs, partial, NODE_FILE, encodeNodeFile(identity));
      await readBack(options, partial);
      await refuseOpen(options);
      const { lastIndex } = evidence;
      const { index: baseIndex } = made.meta;
      const { node, incarnation } = identity;
      return {
        directory,
        target,
        node,
        oldCluster: old.cluster!,
        cluster: identity.cluster!,
        incarnation,
        lastIndex,
        baseIndex,
        dropped: made.dropped,
      };
    });
  } finally {
    await evidence.close();
  }
}

interface MadeState {
  readonly meta: SnapshotMeta;
  readonly data: Uint8Array;
  readonly dropped: readonly number[];
}

/** Applies the whole log, makes the node the only member, with its new directory and none of the old ones, and takes a snapshot of that. */
async function makeState(
  options: FoundClusterOptions,
  partial: string,
  evidence: RaftEvidence,
  { node, incarnation }: NodeIdentity,
): Promise<MadeState> {
  const { fs, processes, clock, yieldTurn } = options;
  const machine = await KayaMachine.open({
    fs,
    directory: `${partial}/${GROUP_FOLDER}`,
    engine: { fileSystem: fs, processes, createIfMissing: false },
    clock,
    yieldTurn,
  });
  try {
    await applyAll(machine, evidence, options.signal);
    const { members, timeMs } = machine;
    const self = members.find((member) => member.node === node);
    const dropped = members.map((member) => member.node).filter((each) => each !== node);
    const bodies: readonly CommandBody[] = [
      ...members.map((each) => ({ kind: 'drop-member', node: each.node }) as const),
      ...(self === undefined
        ? []
        : [{ kind: 'put-member', member: { ...self, incarnation, isToBePromoted: false } } as const]),
    ];
    const term = Math.max(evidence.state?.term ?? 0, evidence.lastTerm) + 1;
    const first = evidence.lastIndex + REVISION_GAP;
    const entries = bodies.map((body, i): Entry => ({
      index: first + i,
      term,
      kind: 'normal',
      data: encodeCommand({ ...body, timeMs }),
    }));
    const index = first + entries.length;
    await machine.apply(entries, index);
    const meta = { index, term, configuration: { ...EMPTY_CONFIGURATION, voters: [node] } };
    return { meta, data: await machine.snapshot(meta), dropped };
  } finally {
    await machine.close();
  }
}

async function applyAll(machine: KayaMachine, evidence: RaftEvidence, signal: AbortSignal | undefined): Promise<void> {
  assert(machine.appliedIndex <= evidence.lastIndex, 'the store has applied no more than the log has');
  while (machine.appliedIndex < evidence.lastIndex) {
    refuseStopped(signal);
    const entries = evidence.entries(machine.appliedIndex + 1, evidence.lastIndex + 1);
    await machine.apply(forMachine(entries), entries.at(-1)!.index);
  }
}

async function makeLog(
  fs: FileSystem,
  partial: string,
  identity: RaftIdentity,
  { meta, data }: MadeState,
): Promise<void> {
  const storage = await openRaftStorage(`${partial}/${RAFT_FOLDER}`, { fs, identity });
  try {
    const hardState = { term: meta.term, vote: 0, commit: meta.index };
    await storage.write({ entries: [], hardState, snapshot: { meta, data } });
  } finally {
    await storage.close();
  }
}

/** The store in force, or the snapshot that the log begins behind where the store does not reach that. */
async function sourceOf(
  { fs, directory }: FoundClusterOptions,
  { snapshot, firstIndex }: RaftEvidence,
): Promise<string> {
  const { folder, baseIndex } = await requireStore(fs, directory);
  const index = snapshot?.meta.index ?? 0;
  const arrived = snapshotPath(`${directory}/${GROUP_FOLDER}`, index);
  const isReached = baseIndex >= index || firstIndex - 1 < index || (await fs.stat(arrived)) === undefined;
  return isReached ? `${directory}/${folder}` : arrived;
}

async function readBack(options: FoundClusterOptions, partial: string): Promise<void> {
  const { verdict, damage } = await inspectNode(partial, options);
  if (verdict === 'clean') return;
  const [first] = damage;
  throw new CorruptionError(
    first?.file ?? NODE_FILE,
    first?.offset ?? 0,
    `what was written does not read back: ${first?.reason ?? verdict}`,
  );
}

async function refuseOpen({ fs, directory, processes }: FoundClusterOptions): Promise<void> {
  const path = `${directory}/${LOCK_FILE_NAME}`;
  const lock = await inspectDirectoryLock(fs, directory, processes);
  if (lock.kind === 'unreadable') throw DirectoryLockedError.unreadable(path);
  if (lock.kind === 'held') throw DirectoryLockedError.heldBy(path, lock.owner, lock.liveness);
}

/** From 1 to 2^53 - 1. */
function drawIncarnation(randomBytes: (count: number) => Uint8Array): number {
  const view = new DataView(Uint8Array.from(randomBytes(8)).buffer);
  return Math.max(1, Number(view.getBigUint64(0) & 0x1f_ffff_ffff_ffffn));
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
