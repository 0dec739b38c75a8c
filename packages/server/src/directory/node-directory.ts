/**
 * The directory of a node, opened: locked, and its identity read, or made. Format: docs/format/node.md.
 *
 * Invariant: NODE is durable before anything else is made, and before the node says anything to anybody; no two starts have the same boot.
 */

import { assert } from '@kayadb/codec';
import {
  acquireDirectoryLock,
  type DirectoryLock,
  type FileSystem,
  FileSystemError,
  isLockFileName,
  isNotFound,
  type ProcessTable,
  publishFile,
  TEMPORARY_SUFFIX,
} from '@kayadb/vfs';

import { DirectoryError } from './directory-error.ts';
import { decodeNodeFile, encodeNodeFile, NODE_FILE, type NodeIdentity } from './node-file.ts';

export interface NodeDirectoryOptions {
  readonly fs: FileSystem;
  readonly processes: ProcessTable;
  /** Without a slash at its end. Made if it is not there; what it lies in is. */
  readonly directory: string;
  /** The node that is to start. */
  readonly node: number;
  /** A whole number from 1 to 2^53 - 1, each as likely as any other. */
  readonly drawIncarnation: () => number;
  /** Looks at what else is in the directory, and throws what a start from it is refused with. */
  readonly check?: (identity: NodeIdentity) => Promise<void>;
}

const GROUPS_FOLDER = 'groups';
const GROUP_FOLDER = `${GROUPS_FOLDER}/0`;
/** What makes a directory a store of the embedded engine. */
const CURRENT_FILE = 'CURRENT';

export class NodeDirectory {
  readonly path: string;
  /** Names in it that are nobody's here; they are left alone. */
  readonly strangers: readonly string[];
  readonly #fs: FileSystem;
  readonly #lock: DirectoryLock;
  #identity: NodeIdentity;
  /** NODE is replaced by one at a time. Never rejects. */
  #replacing: Promise<void> = Promise.resolve();

  private constructor(
    { fs, directory }: NodeDirectoryOptions,
    lock: DirectoryLock,
    identity: NodeIdentity,
    strangers: readonly string[],
  ) {
    this.#fs = fs;
    this.path = directory;
    this.#lock = lock;
    this.#identity = identity;
    this.strangers = strangers;
  }

  /**
   * Durability: of the identity, with a boot that it never had, when it resolves.
   *
   * @throws DirectoryError: it is another node's (KAYA_NODE_FOREIGN), a removed one's, or a store of the embedded engine; or NODE is gone.
   * @throws CorruptionError when NODE is damaged; EngineError KAYA_UNSUPPORTED; DirectoryLockedError; FileSystemError; what `check` throws. Nothing has changed then, but that the lock
   * of a process that has ended is gone.
   */
  static async open(options: NodeDirectoryOptions): Promise<NodeDirectory> {
    const { fs, directory, processes, check } = options;
    await fs.makeDirectory(directory);
    const lock = await acquireDirectoryLock(fs, directory, processes);
    try {
      const identity = await startIdentity(options);
      await check?.(identity);
      if (identity.boot === 1) await syncParent(fs, directory);
      await publishFile(fs, directory, NODE_FILE, encodeNodeFile(identity));
      for (const folder of [GROUPS_FOLDER, GROUP_FOLDER]) {
        await fs.makeDirectory(`${directory}/${folder}`);
        await fs.syncDirectory(parentOf(`${directory}/${folder}`));
      }
      return new NodeDirectory(options, lock, identity, await listStrangers(fs, directory));
    } catch (error) {
      // The first failure is the one to report.
      await lock.release().catch(() => undefined);
      throw error;
    }
  }

  get identity(): NodeIdentity {
    return this.#identity;
  }

  /** Where the log, the store and the snapshots of the group are. */
  get groupPath(): string {
    return `${this.path}/${GROUP_FOLDER}`;
  }

  /**
   * The node is in a cluster from now on. Durability: when it resolves.
   *
   * @param cluster - 32 hex digits.
   * @throws DirectoryError KAYA_NODE_FOREIGN when it is in another one.
   */
  async joinCluster(cluster: string): Promise<void> {
    await this.#replace((identity) => {
      const { cluster: before } = identity;
      if (before === undefined || before === cluster) return { ...identity, cluster };
      throw new DirectoryError(
        'KAYA_NODE_FOREIGN',
        `${this.path} belongs to cluster ${before}, and not to ${cluster}; start the node with the directory that it had there, or with an empty one`,
      );
    });
  }

  /** The log of the node has an entry, and will have one from now on. Durability: when it resolves. */
  async markBegun(): Promise<void> {
    await this.#replace((identity) => ({ ...identity, hasBegun: true }));
  }

  /** The node is no member any more, and never will be with this directory. Durability: when it resolves. */
  async markRemoved(): Promise<void> {
    await this.#replace((identity) => ({ ...identity, isRemoved: true }));
  }

  /** Requires: everything in it is closed. */
  async close(): Promise<void> {
    await this.#replacing;
    await this.#lock.release();
  }

  /** @param change - Of what the identity is by then. Does nothing where it changes nothing. */
  async #replace(change: (identity: NodeIdentity) => NodeIdentity): Promise<void> {
    const replaced = this.#replacing.then(() => this.#publish(change(this.#identity)));
    this.#replacing = replaced.catch(() => undefined);
    await replaced;
  }

  async #publish(identity: NodeIdentity): Promise<void> {
    const bytes = encodeNodeFile(identity);
    if (Buffer.compare(bytes, encodeNodeFile(this.#identity)) === 0) return;
    await publishFile(this.#fs, this.path, NODE_FILE, bytes);
    this.#identity = identity;
  }
}

/** Durability: of the directory's own name, whoever made it, as far as this process may see to it. */
async function syncParent(fs: FileSystem, directory: string): Promise<void> {
  try {
    await fs.syncDirectory(parentOf(directory));
  } catch (error) {
    if (!(error instanceof FileSystemError && error.code === 'KAYA_FS_PERMISSION')) throw error;
  }
}

/** Who the node is, in this start. */
async function startIdentity(options: NodeDirectoryOptions): Promise<NodeIdentity> {
  const { fs, directory, node, drawIncarnation } = options;
  const found = await readNodeFile(fs, directory);
  if (found === undefined) {
    await refuseUsed(fs, directory);
    const incarnation = drawIncarnation();
    assert(Number.isSafeInteger(incarnation) && incarnation > 0, 'an incarnation is a whole number from 1 on');
    return { node, incarnation, boot: 1, cluster: undefined, hasBegun: false, isRemoved: false };
  }
  if (found.node !== node) {
    throw new DirectoryError(
      'KAYA_NODE_FOREIGN',
      `${directory} is the directory of node ${found.node}, and not of node ${node}; correct the path or the id`,
    );
  }
  if (found.isRemoved) {
    throw new DirectoryError(
      'KAYA_NODE_REMOVED',
      `node ${node} was removed from its cluster; give it an empty directory, and add it again`,
    );
  }
  return { ...found, boot: found.boot + 1 };
}

/** @throws CorruptionError; EngineError KAYA_UNSUPPORTED */
async function readNodeFile(fs: FileSystem, directory: string): Promise<NodeIdentity | undefined> {
  try {
    return decodeNodeFile(await fs.readFile(`${directory}/${NODE_FILE}`));
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Without NODE only what nothing was ever kept in is new. */
async function refuseUsed(fs: FileSystem, directory: string): Promise<void> {
  if ((await fs.stat(`${directory}/${CURRENT_FILE}`)) !== undefined) {
    throw new DirectoryError(
      'KAYA_EMBEDDED_STORE',
      `${directory} is a store of the embedded engine; start the node with an empty directory, and bring the rows over with kayactl export and import`,
    );
  }
  if ((await fs.stat(`${directory}/${GROUPS_FOLDER}`)) !== undefined) {
    throw new DirectoryError(
      'KAYA_NODE_LOST',
      `${directory} holds a node's data, and its file NODE is gone; remove the node from its group, and add it again with an empty directory`,
    );
  }
}

async function listStrangers(fs: FileSystem, directory: string): Promise<readonly string[]> {
  const known = new Set([NODE_FILE, NODE_FILE + TEMPORARY_SUFFIX, GROUPS_FOLDER]);
  const entries = await fs.readDirectory(directory);
  return entries.map(({ name }) => name).filter((name) => !known.has(name) && !isLockFileName(name));
}

function parentOf(path: string): string {
  const cut = path.lastIndexOf('/');
  if (cut < 0) return '.';
  return cut === 0 ? '/' : path.slice(0, cut);
}
